"""Points 1 and 2: what can be said without knowing what is reported."""

from __future__ import annotations

import pytest

from openpoort.checks.structure import Structure
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit
from openpoort.domain.kind import Attachments, Kind
from openpoort.domain.message import Document
from openpoort.process.ports import Filing
from openpoort.sandbox.samples import samples

PDF = Document("application/pdf", "bijlage.pdf", b"%PDF-1.7 ...")


def filing(
    content: bytes,
    *,
    name: str = "Omzetbelasting.xbrl",
    mime: str = "application/xml",
    attachments: Attachments = Attachments.NONE,
    bijlagen: tuple[Document, ...] = (),
    max_bytes: int = 20 * 1024 * 1024,
) -> Filing:
    kind = Kind(
        "Omzetbelasting",
        "Omzetbelasting",
        "aanleveren",
        ("BTW",),
        ("Bedrijf",),
        (),
        attachments=attachments,
        max_bytes=max_bytes,
    )
    inhoud = Document(mime, name, content)
    return Filing(kind, Identiteit("001000044B37", "BTW"), inhoud, bijlagen)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [f.code for f in findings]


SAMPLES = samples()
VALID = SAMPLES["Omzetbelasting"]


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples_have_nothing_wrong_in_their_structure(kind: str) -> None:
    name = f"{kind}.xbrl" if b"2003/instance" in SAMPLES[kind][:999] else f"{kind}.xml"
    assert Structure().check(filing(SAMPLES[kind], name=name)) == ()


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (filing(b""), "OP-1.01"),
        (filing(VALID, max_bytes=100), "OP-1.02"),
        (filing(VALID, name="../etc/passwd.xml"), "OP-1.03"),
        (filing(VALID, name="aangifte.exe"), "OP-1.04"),
        (filing(VALID, mime="application/pdf"), "OP-1.05"),
        (filing(b"%PDF-1.7", name="x.xml"), "OP-1.06"),
        (filing(VALID, bijlagen=(PDF,)), "OP-1.07"),
        (filing(VALID, attachments=Attachments.REQUIRED), "OP-1.08"),
        (filing(VALID, attachments=Attachments.OPTIONAL, bijlagen=(PDF, PDF)), "OP-1.09"),
        (filing(VALID[:-20]), "OP-2.01"),
        (filing(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), "OP-2.02"),
        (filing(b"<a>\xe9</a>"), "OP-2.03"),
        (filing(b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>"), "OP-2.03"),
        (filing(b"<a>" * 150 + b"</a>" * 150), "OP-2.05"),
        (filing(b"<a>" * 5000 + b"</a>" * 5000), "OP-2.01"),
        (filing(b"<a>" + b"<b/>" * 1_500_001 + b"</a>"), "OP-2.04"),
        (filing(b"\xef\xbb\xbf" + VALID), "FR-NL-1.01"),
        (filing(VALID.replace(b"?>", b"?>\n<!-- x --><!DOCTYPE xbrl>", 1)), "FR-NL-1.03"),
        (filing(VALID.replace(b"A.B.", b"A.\xe9.")), "FR-NL-1.05"),
        (filing(VALID.replace(b"UTF-8", b"ISO-8859-15")), "FR-NL-1.05"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_mistake_has_its_code(broken: Filing, code: str) -> None:
    assert codes(Structure().check(broken))[0] == code


def test_a_mistake_in_the_xml_says_its_line() -> None:
    broken = VALID.replace(b"</ob-i:ContactType>", b"</ob-i:ContactSoort>")
    (finding,) = Structure().check(filing(broken))
    line = VALID[: VALID.index(b"</ob-i:ContactType>")].count(b"\n") + 1
    assert (finding.code, finding.line) == ("OP-2.01", line)


def test_attachments_may_be_any_bytes_when_their_type_does_not_say_otherwise() -> None:
    odd = Document("application/octet-stream", "handtekening.bin", bytes(range(256)))
    allowed = filing(VALID, attachments=Attachments.OPTIONAL, bijlagen=(PDF, odd))
    assert Structure().check(allowed) == ()


def test_an_attachment_that_is_not_what_it_says_is_refused() -> None:
    wrong = Document("application/pdf", "bijlage.pdf", b"MZ\x90")
    found = Structure().check(filing(VALID, attachments=Attachments.OPTIONAL, bijlagen=(wrong,)))
    assert [(f.code, f.document) for f in found] == [("OP-1.06", "bijlage.pdf")]
