"""Bytes to a tree, strictly, once per filing: the reference processor repairs, we refuse first.

`read` finds out in order: byte order mark, encoding, DTD, number of tags, well-formedness,
depth. Nothing is resolved, loaded or repaired.
"""

from __future__ import annotations

import codecs
import threading
from dataclasses import dataclass

from lxml import etree

from openpoort.checks import encoding
from openpoort.domain.finding import Finding, Severity

MAX_TAGS = 1_500_000
MAX_DEPTH = 100
_KEPT = 4 * 1024 * 1024
"""Octets: a larger document is parsed again rather than kept in every thread."""
XBRLI = "http://www.xbrl.org/2003/instance"
_seen = threading.local()


@dataclass(frozen=True, slots=True)
class Reading:
    """`root` is None when the document cannot be judged further; then `findings` reject it."""

    root: etree._Element | None
    findings: tuple[Finding, ...]


def read(data: bytes) -> Reading:
    """The tree of this document, or why there is none. Each thread keeps its last small one."""
    kept: tuple[bytes, Reading] | None = getattr(_seen, "kept", None)
    if kept is not None and kept[0] is data:
        return kept[1]
    reading = _read(data)
    _seen.kept = (data, reading) if len(data) < _KEPT else None
    return reading


def forget() -> None:
    """Drop the kept tree of this thread: after a filing is judged."""
    _seen.kept = None


def claims_xbrl(data: bytes) -> bool:
    """True when the first part names the namespace of XBRL instances."""
    return XBRLI.encode() in data[:65536]


def line_of(element: etree._Element) -> int | None:
    """Counts from 1; None for an element that was not parsed."""
    line: int | None = element.sourceline  # type: ignore[assignment]  # a slip in the stubs
    return line


def is_xbrl(root: etree._Element | None) -> bool:
    return root is not None and root.tag == f"{{{XBRLI}}}xbrl"


def _read(data: bytes) -> Reading:
    xbrl = claims_xbrl(data)
    findings = []
    mark = encoding.mark(data)
    if mark and (xbrl or mark != codecs.BOM_UTF8):
        text = "Het bestand begint met een byte order mark (BOM). Bewaar het als UTF-8 zonder BOM."
        findings.append(_no("FR-NL-1.01", text, 1))
    wrong = encoding.encoding(data)
    if wrong is not None:
        code = "FR-NL-1.05" if xbrl else "OP-2.03"
        return Reading(None, (*findings, _no(code, wrong[1], wrong[0])))
    if (line := encoding.doctype(data)) is not None:
        code = "FR-NL-1.03" if xbrl else "OP-2.02"
        text = "Het document bevat een DOCTYPE-declaratie. Verwijder de DOCTYPE en alle entiteiten."
        return Reading(None, (*findings, _no(code, text, line)))
    parsed = _parse(data)
    if isinstance(parsed, Finding):
        return Reading(None, (*findings, parsed))
    return Reading(parsed, tuple(findings))


def _no(code: str, text: str, line: int | None = None) -> Finding:
    return Finding(code, Severity.ERROR, text, "structure", line)


def _parse(data: bytes) -> etree._Element | Finding:
    if data.count(b"<") > MAX_TAGS:
        text = f"Het document heeft meer dan {MAX_TAGS} tags. Splits de aanlevering."
        return _no("OP-2.04", text)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as wrong:
        line = wrong.lineno or 1
        short = str(wrong).split(", line ")[0][:200]
        return _no(
            "OP-2.01",
            f"Het document is geen welgevormde XML (regel {line}): {short}. "
            "Herstel de XML en lever opnieuw aan.",
            line,
        )
    if root.xpath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")"):
        return _no("OP-2.05", f"Het document is dieper genest dan {MAX_DEPTH} niveaus.")
    return root
