"""Bytes before they are XML: what passes here is read as UTF-8 by any parser."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from openpoort.checks import encoding
from openpoort.checks.document import read
from openpoort.checks.structure import Structure
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.flow.kinds import load
from openpoort.process.ports import Filing
from tests.checks.conftest import Judge

CASES = Path(__file__).parents[3] / "shared/cases/xbrl"
TEXT = "<a>één</a>"
ENCODINGS = (
    *("utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le", "utf-7"),
    *("latin-1", "cp1252", "cp037", "cp500", "utf-8-sig", "utf-8"),
)
DECLARATIONS = (
    "",
    '<?xml version="1.0"?>',
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<?xml version='1.0' encoding = 'utf-8' standalone='yes'?>",
    '<?xml version="1.0" encoding="ISO-8859-1"?>',
    "<?xml version='1.0'\n\tencoding\n=\n'windows-1252'?>",
    f'<?xml version="1.0"{" " * 300}encoding="ISO-8859-1"?>',
    f'<?xml version="1.0"{" " * 3000}encoding="ISO-8859-1"?>',
    '<?xml version="1.0" encoding="UTF-16"?>',
    '<?xml version="1.0" encoding="UTF8"?>',
    '<?xml-stylesheet encoding="ISO-8859-1"?>',
)


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda text: repr(text[:60]))
@pytest.mark.parametrize("name", ENCODINGS)
def test_what_passes_is_read_as_utf8_by_the_parser(name: str, declaration: str) -> None:
    data = (declaration + TEXT).encode(name)
    if encoding.encoding(data) is not None:
        return
    root = read(data).root
    if root is not None:
        assert (root.getroottree().docinfo.encoding or "UTF-8").upper() == "UTF-8"
        text = data.decode("utf-8-sig").partition("<a>")[2]
        assert root.text == text.removesuffix("</a>")


@pytest.mark.parametrize("declaration", DECLARATIONS[:4] + DECLARATIONS[-1:])
def test_utf8_passes(declaration: str) -> None:
    assert encoding.encoding((declaration + TEXT).encode()) is None


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not beside the project")
@pytest.mark.parametrize(
    ("file", "kind", "code"),
    [
        ("loon-u16be.xml", "Aangifte_LH", "OP-2.03"),
        ("u16-bom.xbrl", "Omzetbelasting", "FR-NL-1.05"),
    ],
)
def test_utf16_is_refused_with_and_without_mark(
    file: str, kind: str, code: str, judge: Judge
) -> None:
    found = judge(kind, (CASES / "enc" / file).read_bytes(), only=("structure",))
    assert code in {f.code for f in found}


def test_a_long_text_is_judged_by_all_checks(judge: Judge) -> None:
    """Not called not well-formed: what is wrong is said."""
    from openpoort.sandbox.samples import samples

    data = samples()["Omzetbelasting"].replace(b">A.B.<", b">" + b"x" * 10_100_000 + b"<")
    assert {f.code for f in judge("Omzetbelasting", data)} == {"xmlSchema:valueError"}


def pdf(content: bytes) -> tuple[Finding, ...]:
    kind = load()["Retourbericht"]
    document = Document("application/pdf", "brief.pdf", content)
    return Structure().check(Filing(kind, Identiteit("", ""), document))


@pytest.mark.parametrize("before", [0, 1, 500, 1019])
def test_a_pdf_may_begin_within_its_first_1024_octets(before: int) -> None:
    assert pdf(b"\x00" * before + b"%PDF-1.7\n") == ()


@pytest.mark.parametrize("content", [b"\x00" * 1020 + b"%PDF-1.7", b"PDF-1.7", b"%!PS", b"%PDF"])
def test_what_does_not_is_none(content: bytes) -> None:
    assert [f.code for f in pdf(content)] == ["OP-1.06"]


def test_the_marker_of_etree_is_what_the_oracle_reads() -> None:
    """The oracle does see another encoding, where nothing refuses it first."""
    root = etree.fromstring(b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>')
    assert root.getroottree().docinfo.encoding == "ISO-8859-1"
