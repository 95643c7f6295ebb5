"""Bytes to a tree, strictly, once per filing: the reference processor repairs, we refuse first.

`read` finds out in order: size, byte order mark, encoding, DTD, number of tags, well-formedness,
depth. Nothing is resolved, loaded or repaired. XML 1.0 (fifth edition) §2.8, §4.3.3.
"""

from __future__ import annotations

import codecs
import re
import threading
from dataclasses import dataclass

from lxml import etree

from openpoort.domain.finding import Finding, Severity

MAX_TAGS = 1_500_000
MAX_DEPTH = 100
XBRLI = "http://www.xbrl.org/2003/instance"
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_MARKS = (
    codecs.BOM_UTF8,
    codecs.BOM_UTF32_LE,
    codecs.BOM_UTF32_BE,
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
)
_seen = threading.local()


@dataclass(frozen=True, slots=True)
class Reading:
    """`root` is None when the document cannot be judged further; then `findings` reject it."""

    root: etree._Element | None
    findings: tuple[Finding, ...]


def read(data: bytes) -> Reading:
    """The tree of this document, or why there is none. The last one per thread is kept."""
    kept: tuple[bytes, Reading] | None = getattr(_seen, "kept", None)
    if kept is not None and kept[0] is data:
        return kept[1]
    reading = _read(data)
    _seen.kept = (data, reading)
    return reading


def forget() -> None:
    """Drop the kept tree of this thread: after a filing is judged."""
    _seen.kept = None


def is_xbrl(root: etree._Element | None) -> bool:
    return root is not None and root.tag == f"{{{XBRLI}}}xbrl"


def _read(data: bytes) -> Reading:
    xbrl = XBRLI.encode() in data[:65536]
    findings = []
    mark = next((m for m in _MARKS if data.startswith(m)), b"")
    if mark and (xbrl or mark != codecs.BOM_UTF8):
        findings.append(
            _no(
                "FR-NL-1.01",
                "Het bestand begint met een byte order mark (BOM). Bewaar het als UTF-8 zonder "
                "BOM en lever het opnieuw aan.",
                1,
            )
        )
    wrong = _encoding(data[len(mark) :], xbrl)
    if wrong is not None or (mark and mark != codecs.BOM_UTF8):
        return Reading(None, (*findings, *([wrong] if wrong else [])))
    if (found := _doctype(data)) is not None:
        code = "FR-NL-1.03" if xbrl else "OP-2.02"
        text = "Het document bevat een DOCTYPE-declaratie. Verwijder de DOCTYPE en alle entiteiten."
        return Reading(None, (*findings, _no(code, text, found)))
    if data.count(b"<") > MAX_TAGS:
        text = f"Het document heeft meer dan {MAX_TAGS} tags. Splits de aanlevering."
        return Reading(None, (*findings, _no("OP-2.04", text)))
    parsed = _parse(data)
    if isinstance(parsed, Finding):
        return Reading(None, (*findings, parsed))
    return Reading(parsed, tuple(findings))


def _no(code: str, text: str, line: int | None = None) -> Finding:
    return Finding(code, Severity.ERROR, text, "structure", line)


def _encoding(data: bytes, xbrl: bool) -> Finding | None:
    code = "FR-NL-1.05" if xbrl else "OP-2.03"
    declared = _DECLARED.match(data[:400].lstrip())
    if declared and declared[1].upper() != b"UTF-8":
        name = declared[1].decode()
        text = f"De XML-declaratie noemt de tekencodering {name}. Gebruik UTF-8."
        return _no(code, text, 1)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        text = f"De tekens op regel {line} zijn geen geldige UTF-8. Bewaar het bestand als UTF-8."
        return _no(code, text, line)
    return None


def _doctype(data: bytes) -> int | None:
    """The line of a DOCTYPE in the prolog. It may only stand before the first element."""
    place = 0
    while (place := data.find(b"<", place)) >= 0:
        if data.startswith(b"<?", place):
            place = data.find(b"?>", place)
        elif data.startswith(b"<!--", place):
            place = data.find(b"-->", place)
        elif _DOCTYPE.match(data, place):
            return data.count(b"\n", 0, place) + 1
        else:
            return None
        if place < 0:
            return None
    return None


def _parse(data: bytes) -> etree._Element | Finding:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as wrong:
        line = wrong.lineno or 1
        return _no(
            "OP-2.01",
            f"Het document is geen welgevormde XML (regel {line}): {_short(wrong)}. "
            "Herstel de XML en lever opnieuw aan.",
            line,
        )
    if root.xpath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")"):
        return _no("OP-2.05", f"Het document is dieper genest dan {MAX_DEPTH} niveaus.")
    return root


def _short(wrong: etree.XMLSyntaxError) -> str:
    return str(wrong).split(", line ")[0][:200]
