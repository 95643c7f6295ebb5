"""Findings as clients and agencies get them: XML, JSON, text and constateringen.

The XML stands, escaped, in `statusdetails` and `statusFoutcode` of a 311; some clients parse it
when the first character is `<` (Business Central), others show it as it is. Attributes hold what
a machine wants, the text of an element what a person reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from lxml import etree

from openpoort.domain.finding import Finding, Severity, rejects
from openpoort.domain.message import Constatering

NAMESPACE = "http://nlvalidatie.nl/batavia"
_NSMAP: dict[str, str] = {None: NAMESPACE}  # type: ignore[dict-item]  # the stubs forget None
_FIELDS = ("code", "severity", "message", "source", "line", "xpath", "context", "document")
_NIVEAU = {"error": "fout", "warning": "waarschuwing", "info": "informatie"}


def to_xml(findings: Sequence[Finding], *, most: int = 200, room: int = 64_000) -> str:
    """`results/xbrl/messages/msg`, one line, no declaration and no prefix: it starts with `<`.

    Path, namespace, names without a prefix and the attribute `level` are what Business Central
    reads (its test data have no element between `messages` and `msg`); the other attributes are
    ours. At most `most` findings and about `room` characters, errors first;
    `aantal` counts them all.
    """
    root = etree.Element(_tag("results"), nsmap=_NSMAP)
    messages = etree.SubElement(etree.SubElement(root, _tag("xbrl")), _tag("messages"))
    messages.set("aantal", str(len(findings)))
    order = sorted(findings, key=lambda f: f.severity is not Severity.ERROR)
    for finding in order[:most]:
        element = etree.SubElement(messages, _tag("msg"))
        for name, value in _attributes(finding):
            element.set(name, printable(value))
        element.text = printable(finding.message)
        room -= len(finding.message) + len(finding.xpath or "") + 150
        if room < 0:
            break
    return str(etree.tostring(root, encoding="unicode"))


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _attributes(finding: Finding) -> Iterable[tuple[str, str]]:
    yield "level", finding.severity.value
    yield "code", finding.code
    yield "bron", finding.source
    if finding.line is not None:
        yield "regel", str(finding.line)
    if finding.xpath:
        yield "plaats", finding.xpath
    if finding.context:
        yield "context", finding.context
    if finding.document:
        yield "bestand", finding.document
    if finding.count > 1:
        yield "keer", str(finding.count)


def to_json(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """Plain values for `json.dumps`: every field by its name, absent ones left out, and `count`
    where it is more than one."""
    return [
        {name: v for name in _FIELDS if (v := getattr(f, name)) is not None}
        | ({"count": f.count} if f.count > 1 else {})
        for f in findings
    ]


def verdict_json(findings: Sequence[Finding]) -> str:
    """The whole verdict in one line: `valid` and `findings`."""
    verdict = {"valid": not rejects(tuple(findings)), "findings": to_json(findings)}
    return json.dumps(verdict, ensure_ascii=False)


def to_text(findings: Sequence[Finding]) -> str:
    """One line a finding: level, code, place, sentence."""
    return "\n".join(
        f"{_NIVEAU[f.severity]:12} {f.code:14} {_place(f)}{printable(f.message)}" for f in findings
    )


def _place(finding: Finding) -> str:
    times = f"{finding.count} keer, de eerste op " if finding.count > 1 else ""
    return f"{times}regel {finding.line}: " if finding.line is not None else ""


def to_constateringen(findings: Sequence[Finding], most: int = 50) -> tuple[Constatering, ...]:
    """What goes to the agency beside the message, when the kind says so."""
    return tuple(Constatering(f.code[:20], printable(f.message)[:200]) for f in findings[:most])


def printable(text: str) -> str:
    """On one line (`normalizedString`), without the characters that XML 1.0 cannot hold."""
    return "".join(
        " " if c in "\t\n\r" else c for c in text if c >= " " or c in "\t\n\r" if not _outside(c)
    )


def _outside(c: str) -> bool:
    return "\ud800" <= c <= "\udfff" or c in "\ufffe\uffff"
