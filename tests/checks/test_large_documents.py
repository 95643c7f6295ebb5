"""A large document is judged without its tree, and gets the findings that its tree would show."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpoort.checks import document, encoding
from openpoort.checks.document import flaws, read
from openpoort.checks.malware import Malware
from openpoort.domain.octets import PIECE
from openpoort.sandbox.samples import samples
from openpoort.store.payloads.payloads import PayloadUnavailable
from openpoort.store.payloads.spool import Spooled
from openpoort_lab.bench.prepare import content
from tests.clamd import EVIL, SIGNATURE, clamd
from tests.unit.test_spool import spooled

SAMPLES = samples()
BROKEN = {
    "good": b"<a><b c='1'/>x</a>",
    "byte order mark": b"\xef\xbb\xbf<a/>",
    "another encoding": b"<?xml version='1.0' encoding='iso-8859-1'?><a/>",
    "UTF-16": "<a/>".encode("utf-16"),
    "no UTF-8": b"<a>\n\xe9</a>",
    "half a character": b"<a/>\n\xe2\x82",
    "DOCTYPE": b"<!-- x\n -->\n<!DOCTYPE a><a/>",
    "no end": b"<a>\n<b></b>\n",
    "wrong end": b"<a>\n<b></a></b>",
    "two roots": b"<a/>\n<b/>",
    "nothing": b" \n ",
    "prefix without a namespace": b"<a>\n<x:b/></a>",
    "prefix on an attribute": b"<a>\n\n<b x:c='1'/></a>",
    "one attribute twice": b"<a b='1' b='2'/>",
    "one attribute twice by namespace": b"<a xmlns:p='u' xmlns:q='u' p:c='' q:c=''/>",
    "prefix before a warning": b"<a><q:b/><c xmlns='x/y'/></a>",
    "relative namespace and a prefix": b"<a xmlns='x/y'><q:b/></a>",
    "no address as a namespace": b"<a xmlns='relative uri \xc3\xa9'/>",
    "relative namespace": b"<a xmlns='x/y'/>",
    "no name as an id": b"<a xml:id='1 2'/>",
    "one id twice": b"<a><b xml:id='x'/><b xml:id='x'/></a>",
    "entity": b"<a>\n&nbsp;</a>",
    "character that may not be": b"<a>\n\x01</a>",
    "reference that may not be": b"<a>&#0;</a>",
    "deep": b"<a>" * 101 + b"</a>" * 101,
    "not quite deep": b"<a>" * 100 + b"</a>" * 100,
    "deep and broken": b"<a>" * 150 + b"</a>" * 149,
    "processing instruction": b"<?xml-stylesheet href='x'?><a/>",
}


@pytest.fixture
def all_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "_KEPT", 0)


@pytest.mark.usefixtures("all_large")
@pytest.mark.parametrize("name", BROKEN)
def test_every_flaw_is_found_with_its_line_and_words(name: str, tmp_path: Path) -> None:
    data = BROKEN[name]
    on_disk = spooled(tmp_path, data)
    assert flaws(data) == flaws(on_disk) == read(data).findings == read(on_disk).findings


@pytest.mark.usefixtures("all_large")
@given(st.sampled_from(sorted(SAMPLES)), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_a_damaged_sample_has_the_same_flaws_both_ways(name: str, draw: random.Random) -> None:
    data = bytearray(SAMPLES[name])
    for _ in range(draw.randrange(1, 4)):
        at = draw.randrange(len(data))
        data[at : at + draw.choice([0, 1, 5])] = draw.choice(
            [b"", b"<", b"x:", b"&", b"\xe9", b"</"]
        )
    assert flaws(bytes(data)) == read(bytes(data)).findings


def test_a_warning_hides_no_flaw() -> None:
    assert [f.code for f in flaws(BROKEN["prefix before a warning"])] == ["OP-2.01"]


@pytest.mark.parametrize("shift", range(-3, 2))
def test_characters_across_two_pieces_are_read_whole(shift: int, tmp_path: Path) -> None:
    """€ is three octets; a wrong one is told with its line."""
    before = b"\n" * (PIECE + shift)
    good, bad = spooled(tmp_path, before + b"\xe2\x82\xac"), before + b"\xe2\x82<"
    assert encoding.encoding(good) is None
    line = len(before) + 1
    assert encoding.encoding(bad) == encoding.encoding(spooled(tmp_path, bad))
    assert (encoding.encoding(bad) or (0, ""))[0] == line


def test_a_doctype_after_a_long_comment_is_found(tmp_path: Path) -> None:
    data = b"<!--" + b"\n" * (2 * PIECE) + b"-->\n<!doctype a><a/>"
    assert encoding.doctype(data) == encoding.doctype(spooled(tmp_path, data)) == 2 * PIECE + 2


def test_too_many_tags_are_counted_over_all_pieces(tmp_path: Path) -> None:
    data = b"<a>" + b"<b/>" * (document.MAX_TAGS - 1) + b"</a>"
    assert [f.code for f in flaws(spooled(tmp_path, data))] == ["OP-2.04"]
    assert flaws(spooled(tmp_path, data.replace(b"<b/>", b"    ", 1))) == ()


def test_a_text_may_be_as_long_as_a_document(tmp_path: Path) -> None:
    """libxml2 stops at ten million octets unless told otherwise; the contract goes to 20 MiB."""
    for size in (10_000_000, 10_100_000, 20 * 1024 * 1024 - 7):
        data = b"<a>" + b"x" * size + b"</a>"
        assert flaws(data) == flaws(spooled(tmp_path, data)) == read(data).findings == ()
        assert [f.code for f in flaws(data[:-4])] == ["OP-2.01"]
        assert flaws(data[:-4]) == read(data[:-4]).findings


def test_a_document_that_cannot_be_read_any_more_is_tried_again_later(tmp_path: Path) -> None:
    file = tmp_path / "document"
    file.write_bytes(content(5_000_000, random.Random(1)))
    data = Spooled.standing(file)
    os.truncate(file, 3_000_000)
    for act in (flaws, read):
        with pytest.raises(PayloadUnavailable):
            act(data)


def test_a_large_document_is_scanned_where_it_stands(tmp_path: Path) -> None:
    with clamd() as scanner:
        data = b"<a>" + b"x" * 200_000 + EVIL + b"</a>"
        assert Malware(scanner).scan(spooled(tmp_path, data)) == SIGNATURE
        assert Malware(scanner).scan(spooled(tmp_path, data.replace(EVIL, b"y"))) is None


MEASURE = """
import os, sys
from pathlib import Path
from openpoort.checks.structure import Structure
from openpoort_lab.bench.usage import Extra
from openpoort.store.payloads.spool import Spooled
from tests.unit.test_checks_structure import filing
small = filing(b"<a/>", name="Bench.xml")
assert Structure().check(small) == ()
extra = Extra([os.getpid()])
large = filing(Spooled.standing(Path(sys.argv[1])), name="Bench.xml")
assert Structure().check(large) == ()
print(extra.most())
"""


def test_fifteen_megabytes_are_judged_in_the_memory_of_a_few_pieces(tmp_path: Path) -> None:
    file = tmp_path / "document"
    file.write_bytes(content(15_000_000, random.Random(2)))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 4_000_000
