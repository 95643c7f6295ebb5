"""A request on disk is read as the same request in memory is, whatever shape it has."""

from __future__ import annotations

import tracemalloc
from base64 import b64encode, encodebytes
from datetime import date
from functools import lru_cache
from pathlib import Path

import pytest

from openpoort.domain import octets
from openpoort.domain.fault import Fault, Refusal
from openpoort.domain.message import Aanlevering, Document
from openpoort.domain.octets import Octets
from openpoort.store.payloads import payloads
from openpoort.store.payloads.folder import Folder
from openpoort.store.payloads.spool import Spooled
from openpoort.wire.wus import fields, koppelvlak
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.wus.soap import glimpse, open_signed
from openpoort.wire.xml import detached_content
from openpoort_lab.hostile import Hostile
from tests.unit.test_hostile_corpus import made
from tests.unit.test_spool import spooled
from tests.unit.test_wire_mime import INCLUDE, TYPE, mtom
from tests.wire_kit import aanlevering, request

BIG = bytes(range(256)) * 6000  # 1.5 MB: its base64 is more than is decoded in memory
SMALL = b"<x/>" * 2000


def held(value: Aanlevering) -> list[tuple[str, bytes]]:
    return [(d.bestandsnaam, bytes(d.inhoud)) for d in (value.inhoud, *value.bijlagen)]


def outcome(raw: Octets, content_type: str | None = None) -> object:
    """Everything that a door learns of a request."""
    seen = glimpse(raw, content_type)
    try:
        message = open_signed(raw, content_type)
        value = koppelvlak.read(message)
    except Fault as fault:
        return seen, fault.text, fault.log
    except Refusal as refusal:
        return seen, refusal.status, refusal.what
    keys = [(element.sourceline, bytes(text)) for element, text in message.aside.items()]
    return seen, keys, held(value) if isinstance(value, Aanlevering) else value


def lines(raw: bytes, content: bytes, end: bytes) -> bytes:
    """The content in lines, as it was when it was signed; `end` is what is sent."""
    text = encodebytes(content)
    signed = request(koppelvlak.write(aanlevering(content)).replace(b64encode(content), text))
    return signed.replace(text, text.replace(b"\n", end))


@lru_cache(maxsize=1)
def shapes() -> dict[str, tuple[bytes, str | None]]:
    both = aanlevering(BIG, bijlagen=(Document("text/plain", "b.txt", SMALL),))
    raw = request(koppelvlak.write(both))
    text = b64encode(BIG)
    packed = request(koppelvlak.write(aanlevering(BIG)))
    return {
        "plain": (raw, None),
        "byte order mark": (b"\xef\xbb\xbf" + raw, None),
        "lines": (lines(raw, BIG, b"\n"), None),
        "lines with returns": (lines(raw, BIG, b"\r\n"), None),
        "lone returns": (lines(raw, BIG, b"\r"), None),
        "changed": (raw.replace(text, text[:-8] + b"AAAA" + text[-4:]), None),
        "no base64": (raw.replace(text, text[:-8] + b"*" * 8), None),
        "cut off": (raw[:-40], None),
        "cut off in the content": (raw[: len(raw) // 2], None),
        "entity": (raw.replace(text, text + b"&amp;"), None),
        "mark": (raw.replace(text, text + b">"), None),
        "CDATA": (raw.replace(text, b"<![CDATA[" + text + b"]]>"), None),
        "comment": (raw.replace(text, text + b"<!-- x -->"), None),
        "in a comment": (raw.replace(b"<inhoud>" + text, b"<!--<inhoud>" + text + b"-->"), None),
        "key of ours": (raw.replace(text, text + b"openpoort/aside/0000000/"), None),
        "flood of names": (b"<a>" + b"inhoud>" * 300_000, None),
        "flood of elements": (b"<a>" + b"<inhoud>A</inhoud>" * 150_000 + raw, None),
        "binary parts": (mtom(packed, ("inhoud@x", BIG)), TYPE),
        "base64 parts": (mtom(packed, ("inhoud@x", BIG), encoding="base64"), TYPE),
        "part that is not there": (mtom(packed.replace(text, INCLUDE.format("no").encode())), TYPE),
        "parts cut off": (mtom(packed, ("inhoud@x", BIG))[:-900_000], TYPE),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "shape"), shapes().items(), ids=lambda x: x if isinstance(x, str) else ""
)
def test_every_shape_has_the_outcome_it_has_in_memory(
    name: str, shape: tuple[bytes, str | None], tmp_path: Path
) -> None:
    raw, content_type = shape
    assert outcome(spooled(tmp_path, raw), content_type) == outcome(raw, content_type)
    assert list(tmp_path.iterdir()) == []


def test_every_hostile_message_has_the_outcome_it_has_in_memory(tmp_path: Path) -> None:
    def wrong(h: Hostile) -> bool:
        file = spooled(tmp_path, h.raw)
        return outcome(file, h.content_type) != outcome(h.raw, h.content_type)

    assert [h.name for h in made(AANLEVER, "sha256") if wrong(h)] == []


def test_only_large_contents_stay_on_disk(tmp_path: Path) -> None:
    raw, _ = shapes()["plain"]
    value = koppelvlak.read(open_signed(spooled(tmp_path, raw)))
    assert isinstance(value, Aanlevering)
    assert isinstance(value.inhoud.inhoud, Spooled)
    assert value.bijlagen[0].inhoud == SMALL


@pytest.mark.parametrize(
    ("size", "good"), [(20 * 1024 * 1024, True), (20 * 1024 * 1024 + 1, False)]
)
def test_the_cap_is_the_same_on_disk(size: int, good: bool, tmp_path: Path) -> None:
    content = spooled(tmp_path, b64encode(bytes(size)))
    if good:
        assert len(fields.decode(content)) == size
    else:
        with pytest.raises(Fault, match=r"20971521 octetten groot; ten hoogste 20971520"):
            fields.decode(content)


def test_names_of_contents_without_end_cost_one_look_each() -> None:
    """A text of `inhoud>` over and over once was searched to its end for each of them."""
    data = b"<a>" + b"inhoud>" * 9_000_000
    assert detached_content.lift(data) == (data, {})


@pytest.mark.parametrize("line_end", [b"", b"\r\n"])
def test_fifteen_megabytes_cost_the_memory_of_a_few_pieces(line_end: bytes, tmp_path: Path) -> None:
    content = bytes(15_000_000)
    raw = request(koppelvlak.write(aanlevering(content)))
    file = spooled(tmp_path, lines(raw, content, line_end) if line_end else raw)
    del raw
    tracemalloc.start()
    value = koppelvlak.read(open_signed(file))
    assert isinstance(value, Aanlevering)
    document = value.inhoud.inhoud
    payloads.store(document, [Folder(tmp_path / "payloads")], date(2026, 11, 27))
    kept, cuts = payloads.cut(file, [document])
    octets.sha256(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    assert bytes(document) == content
    assert payloads.restore(bytes(kept), cuts, [content]) == bytes(file)
