"""Which check owns which refusal: one made document for each shape, and what each check says.

The table stands in docs/reference/findings.md; `tests/checks/test_refusals.py` holds every cell.
Where two checks say the same, the first one told it; the second has it for kinds that do not run
the first, so that no kind has a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from openpoort.domain.finding import Finding, Severity
from openpoort.sandbox.samples import samples

CHECKS = ("structure", "filing", "plain", "xbrl")
_SAMPLES = samples()
_OB, _LH = _SAMPLES["Omzetbelasting"], _SAMPLES["Aangifte_LH"]


@dataclass(frozen=True, slots=True)
class Shape:
    """`cells`: the codes of each of CHECKS; empty for one that leaves this shape to the others."""

    about: str
    content: bytes
    cells: tuple[str, str, str, str]
    kind: str = "Omzetbelasting"


def _with(old: bytes, new: bytes, content: bytes = _OB) -> bytes:
    assert old in content, old
    return content.replace(old, new, 1)


def _declared(name: str) -> bytes:
    return _with(b'encoding="UTF-8"', f'encoding="{name}"'.encode())


def _in_envelope(content: bytes) -> bytes:
    head, rest = content.split(b"?>", 1)
    return head + b"?><envelop>" + rest.strip() + b"</envelop>"


def _only_reference() -> bytes:
    return _OB[: _OB.index(b"  <xbrli:context")] + b"</xbrli:xbrl>"


def _before_end(added: bytes) -> bytes:
    return _with(b"</xbrli:xbrl>", added + b"</xbrli:xbrl>")


_UTF16: Callable[[str], bytes] = _OB.decode().replace(' encoding="UTF-8"', "").encode
_INSTANCE = b"http://www.xbrl.org/2003/instance"
_REFERENCE = _OB[_OB.index(b"  <link:schemaRef") : _OB.index(b"  <xbrli:context")]
_ENTRY = b"ob-rpt-ob-aangifte-2026.xsd"
_NUMBER = b">001000044B37<"
_IDENTIFIER = _OB[_OB.index(b"<xbrli:identifier") : _OB.index(b"</xbrli:entity>")]
_SUPPLIES = (
    b'<ob-i:SuppliesTotal contextRef="Msg" unitRef="EUR" decimals="INF">1</ob-i:SuppliesTotal>'
)
_INLINE = (
    b'<html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL">'
    b"<body><ix:header/></body></html>"
)
_XS = b'<xs:element xmlns:xs="http://www.w3.org/2001/XMLSchema" contextRef="Msg"/>'

SHAPES = (
    Shape("empty", b"", ("OP-1.01", "", "OP-2.01", "OP-2.01")),
    Shape("a PDF that says it is XML", b"%PDF-1.7", ("OP-1.06 OP-2.01", "", "OP-2.01", "OP-2.01")),
    Shape("not well-formed", _OB[:-5], ("OP-2.01", "OP-2.01", "OP-2.01", "OP-2.01")),
    Shape(
        "UTF-16 with a mark",
        _UTF16("utf-16"),
        (
            "FR-NL-1.01 FR-NL-1.05",
            "FR-NL-1.01 FR-NL-1.05",
            "FR-NL-1.01 FR-NL-1.05",
            "FR-NL-1.01 FR-NL-1.05",
        ),
    ),
    Shape(
        "UTF-16 without a mark",
        _UTF16("utf-16-be"),
        ("FR-NL-1.05", "FR-NL-1.02 FR-NL-1.05", "FR-NL-1.05", "FR-NL-1.05"),
    ),
    Shape(
        "another encoding declared",
        _declared("ISO-8859-1"),
        ("FR-NL-1.05", "FR-NL-1.05", "FR-NL-1.05", "FR-NL-1.05"),
    ),
    Shape("a byte order mark", b"\xef\xbb\xbf" + _OB, ("FR-NL-1.01", "FR-NL-1.01", "", "")),
    Shape(
        "a DOCTYPE",
        _with(b"<xbrli:xbrl", b"<!DOCTYPE x><xbrli:xbrl"),
        ("FR-NL-1.03", "FR-NL-1.03", "FR-NL-1.03", "FR-NL-1.03"),
    ),
    Shape(
        "deeper than 100 levels",
        _before_end(b"<a>" * 101 + b"</a>" * 101),
        ("OP-2.05", "OP-2.05", "OP-2.05", "OP-2.05"),
    ),
    Shape("any XML", b"<a/>", ("", "OP-2.06", "", "OP-2.06")),
    Shape("a return in an envelope", _in_envelope(_OB), ("", "OP-2.06", "", "OP-2.06")),
    Shape(
        "a mistyped namespace of the instance",
        _OB.replace(_INSTANCE, _INSTANCE + b"s"),
        ("", "OP-2.06", "", "OP-2.06"),
    ),
    Shape(
        "another root in the namespace of instances",
        _OB.replace(b"xbrli:xbrl", b"xbrli:xbrl2"),
        ("", "OP-2.06", "", "OP-2.06"),
    ),
    Shape(
        "a bare linkbase",
        b'<linkbase xmlns="http://www.xbrl.org/2003/linkbase"/>',
        ("", "OP-2.06", "", "OP-2.06"),
    ),
    Shape(
        "a schema",
        b'<schema xmlns="http://www.w3.org/2001/XMLSchema"/>',
        ("", "OP-2.06", "", "OP-2.06"),
    ),
    Shape("an inline report", _INLINE, ("", "OP-2.06", "", "OP-2.06")),
    Shape("a plain return of another kind", _LH, ("", "OP-2.06", "", "OP-2.06")),
    Shape("a schemaRef and nothing else", _only_reference(), ("", "OP-3.04", "", "message:…")),
    Shape("no schemaRef", _with(_REFERENCE, b""), ("", "OP-4.04", "", "OP-4.04")),
    Shape("two schemaRefs", _with(_REFERENCE, _REFERENCE * 2), ("", "FR-NL-2.04", "", "OP-4.04")),
    Shape(
        "an entry point that is not installed",
        _with(_ENTRY, b"ob-rpt-ob-aangifte-1926.xsd"),
        ("", "OP-4.01 OP-4.02", "", "OP-4.01"),
    ),
    Shape(
        "an entry point of another kind",
        _with(_ENTRY, b"ob-rpt-icp-opgaaf-2026.xsd"),
        ("", "OP-4.02 OP-4.03", "", "message:…"),
    ),
    Shape(
        "an entry point of another year", _OB.replace(b"2026-0", b"2024-0"), ("", "OP-4.05", "", "")
    ),
    Shape(
        "another number than the request",
        _with(_NUMBER, b">001000044B38<"),
        ("", "OP-3.03", "", ""),
    ),
    Shape(
        "another number after a comment",
        _with(_NUMBER, b">001000044<!---->B38<"),
        ("", "OP-3.03", "", ""),
    ),
    Shape(
        "a context without a number",
        _with(_IDENTIFIER, b""),
        ("", "OP-3.04", "", "xmlSchema:elementOccurrencesError"),
    ),
    Shape(
        "a comment in an empty scenario",
        _with(b"</xbrli:period>", b"</xbrli:period><xbrli:scenario><!-- x --></xbrli:scenario>"),
        ("", "", "", "xbrl.4.7.4:scenarioEmpty xmlSchema:elementOccurrencesError"),
    ),
    Shape("an element of XML Schema", _before_end(_XS), ("", "FR-NL-5.03", "", "OP-4.07")),
    Shape(
        "an item of another report",
        _before_end(_SUPPLIES),
        ("", "OP-4.03", "", ""),
    ),
    Shape(
        "an item that does not exist",
        _OB.replace(b"ob-i:ContactType", b"ob-i:ContactSoort"),
        ("", "", "", "xbrl:schemaImportMissing"),
    ),
    Shape(
        "a value that its type does not allow",
        _with(b">BPL<", b">ZZZ<"),
        ("", "", "", "xmlSchema:valueError"),
    ),
    Shape("a formula that is not satisfied", _with(b">690<", b">691<"), ("", "", "", "message:…")),
    Shape("text in CDATA", _with(b">A.B.<", b"><![CDATA[A.B.]]><"), ("", "FR-NL-2.06", "", "")),
    Shape("plain: not well-formed", _LH[:-5], ("OP-2.01", "", "OP-2.01", "OP-2.01"), "Aangifte_LH"),
    Shape(
        "plain: UTF-16 without a mark",
        _LH.decode().replace(' encoding="UTF-8"', "").encode("utf-16-be"),
        ("OP-2.03", "", "OP-2.03", "OP-2.03"),
        "Aangifte_LH",
    ),
    Shape(
        "plain: a DOCTYPE",
        _with(b"<Loonaangifte", b"<!DOCTYPE x><Loonaangifte", _LH),
        ("OP-2.02", "", "OP-2.02", "OP-2.02"),
        "Aangifte_LH",
    ),
    Shape("plain: any XML", b"<a/>", ("", "", "OP-6.01", ""), "Aangifte_LH"),
    Shape("plain: an XBRL instance", _OB, ("", "OP-3.03", "OP-6.01", ""), "Aangifte_LH"),
    Shape("plain: in an envelope", _in_envelope(_LH), ("", "", "OP-6.01", ""), "Aangifte_LH"),
    Shape(
        "plain: another number than the request",
        _with(b"44L01", b"44L02", _LH),
        ("", "", "OP-3.03", ""),
        "Aangifte_LH",
    ),
    Shape(
        "plain: another number after a comment",
        _with(b"44L01", b"44<!---->L02", _LH),
        ("", "", "OP-3.03", ""),
        "Aangifte_LH",
    ),
    Shape(
        "plain: no number",
        _with(b">001000044L01<", b"><", _LH),
        ("", "", "OP-6.01", ""),
        "Aangifte_LH",
    ),
)


def told(findings: Iterable[Finding]) -> str:
    """A cell: the codes that reject, sorted; those of formulas as one."""
    codes = {f.code for f in findings if f.severity is Severity.ERROR}
    return " ".join(sorted({"message:…" if c.startswith("message:") else c for c in codes}))
