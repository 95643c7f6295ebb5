"""Bytes to a tree, strictly, once per filing: the reference processor repairs, we refuse first.

`read` finds out in order: byte order mark, encoding, DTD, number of tags, well-formedness,
depth. Nothing is resolved, loaded or repaired. `flaws` finds the same of a large document without
making its tree.
"""

from __future__ import annotations

import codecs
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from openpoort.checks import encoding, libxml
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.octets import Octets, in_pieces

MAX_TAGS = 1_500_000
MAX_DEPTH = 100
_KEPT = 4 * 1024 * 1024
"""Octets: a larger document is parsed again rather than kept in every thread."""
_STRICT: dict[str, Any] = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "recover": False,
    "huge_tree": True,
}  # fmt: skip
"""`huge_tree` lifts libxml2's own limits (ten million octets of text, 256 deep): a document may
have 20 MiB, and ours stand in their place."""
XBRLI = "http://www.xbrl.org/2003/instance"
_seen = threading.local()


@dataclass(frozen=True, slots=True)
class Reading:
    """`root` is None when the document cannot be judged further; then `findings` reject it."""

    root: etree._Element | None
    findings: tuple[Finding, ...]


def read(data: Octets) -> Reading:
    """The tree of this document, or why there is none. Each thread keeps its last small one."""
    kept: tuple[Octets, Reading] | None = getattr(_seen, "kept", None)
    if kept is not None and kept[0] is data:
        return kept[1]
    reading = _read(data, _tree)
    _seen.kept = (data, reading) if len(data) < _KEPT else None
    return reading


def flaws(data: Octets) -> tuple[Finding, ...]:
    """What `read` finds wrong. Costs the memory of a piece where `read` would keep no tree."""
    if len(data) < _KEPT or _needs_tree(data):
        return read(data).findings
    return _read(data, _walked).findings


def forget() -> None:
    """Drop the kept tree of this thread: after a filing is judged."""
    _seen.kept = None


def claims_xbrl(data: Octets) -> bool:
    """True when the first part names the namespace of XBRL instances, in UTF-16 as well."""
    return XBRLI.encode() in data[:65536].replace(b"\0", b"")


def line_of(element: etree._Element) -> int | None:
    """Counts from 1; None for an element that was not parsed."""
    line: int | None = element.sourceline  # type: ignore[assignment]  # a slip in the stubs
    return line


def is_xbrl(root: etree._Element | None) -> bool:
    return root is not None and root.tag == f"{{{XBRLI}}}xbrl"


def _read(data: Octets, parse: Callable[[Octets], etree._Element | Finding | None]) -> Reading:
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
    if sum(piece.count(b"<") for piece in in_pieces(data)) > MAX_TAGS:
        text = f"Het document heeft meer dan {MAX_TAGS} tags. Splits de aanlevering."
        return Reading(None, (*findings, _no("OP-2.04", text)))
    parsed = parse(data)
    if isinstance(parsed, Finding):
        return Reading(None, (*findings, parsed))
    return Reading(parsed, tuple(findings))


def _no(code: str, text: str, line: int | None = None) -> Finding:
    return Finding(code, Severity.ERROR, text, "structure", line)


_TOO_DEEP = _no("OP-2.05", f"Het document is dieper genest dan {MAX_DEPTH} niveaus.")


def _tree(data: Octets) -> etree._Element | Finding:
    root: etree._Element | Finding = _parse(data, etree.XMLParser(**_STRICT))
    if isinstance(root, etree._Element) and root.xpath(f"boolean({'/*' * (MAX_DEPTH + 1)})"):
        return _TOO_DEEP
    return root


def _needs_tree(data: Octets) -> bool:
    """Identities are held against a document by its tree alone."""
    return data.find(b"xml:id") >= 0


def _walked(data: Octets) -> Finding | None:
    parser = etree.XMLParser(target=_Depth(), **_STRICT)  # type: ignore[arg-type]  # it may leave out what it does not want
    deepest: int | Finding = _parse(data, parser)
    if isinstance(deepest, int):
        return _TOO_DEEP if deepest > MAX_DEPTH else None
    return deepest


def _parse(data: Octets, parser: etree.XMLParser) -> Any:
    """The root, or what the target of the parser gives; a Finding when it is not well-formed."""
    try:
        if isinstance(data, bytes):
            made: Any = etree.fromstring(data, parser)
        else:
            made = etree.parse(_Source(data), parser)  # type: ignore[arg-type]  # it needs no more
    except etree.XMLSyntaxError as wrong:
        return _malformed(str(wrong), wrong.lineno)
    # lxml judges by what libxml2 said last, if at all: a warning hides an undeclared prefix.
    for said in parser.error_log:
        if said.level >= etree.ErrorLevels.ERROR:
            return _malformed(said.message, said.line)
    return made.getroot() if isinstance(made, etree._ElementTree) else made


class _Source:
    """A document as the file that a parser reads from."""

    def __init__(self, data: Octets) -> None:
        self._data, self._at = data, 0

    def read(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece


class _Depth:
    """Target of a parser: how deep the elements lie, and nothing of what is in them."""

    def __init__(self) -> None:
        self._now = self._most = 0

    def start(self, tag: str, attributes: object) -> None:
        self._now += 1
        if self._now > self._most:
            self._most = self._now

    def end(self, tag: str) -> None:
        self._now -= 1

    def close(self) -> int:
        return self._most


def _malformed(said: str, line: int | None) -> Finding:
    line = line or 1
    return _no(
        "OP-2.01",
        f"Het document is geen welgevormde XML (regel {line}): {libxml.malformed(said)}. "
        "Herstel de XML en lever opnieuw aan.",
        line,
    )
