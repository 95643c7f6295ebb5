"""A made-up instance with one fact per presented item of an entry point.

It is never right, and need not be: judging it makes Arelle compute what it computes late (types,
relationship sets, compiled expressions), once, before the process is copied.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

_PARENT_CHILD = "http://www.xbrl.org/2003/arcrole/parent-child"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<xbrli:xbrl xml:lang="nl" xmlns:xbrli="http://www.xbrl.org/2003/instance"'
    ' xmlns:link="http://www.xbrl.org/2003/linkbase" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:iso4217="http://www.xbrl.org/2003/iso4217">'
    '<link:schemaRef xlink:type="simple" xlink:href={entry}/>'
)
_ENTITY = '<xbrli:entity><xbrli:identifier scheme="urn:primer">1</xbrli:identifier></xbrli:entity>'
_PERIODS = {
    "instant": "<xbrli:instant>2020-12-31</xbrli:instant>",
    "duration": "<xbrli:startDate>2020-01-01</xbrli:startDate>"
    "<xbrli:endDate>2020-12-31</xbrli:endDate>",
}
_MOST = 2000


def primer(model: Any, entry: str) -> bytes:
    parts = [_HEAD.format(entry=quoteattr(entry))]
    for period, dates in _PERIODS.items():
        parts.append(
            f'<xbrli:context id="{period}">{_ENTITY}<xbrli:period>{dates}</xbrli:period>'
            "</xbrli:context>"
        )
    parts.append('<xbrli:unit id="u"><xbrli:measure>iso4217:EUR</xbrli:measure></xbrli:unit>')
    items = [c for c in _presented(model) if c.isItem and c.abstract != "true"]
    parts += [_fact(concept) for concept in items[:_MOST]]
    return ("".join(parts) + "</xbrli:xbrl>").encode()


def _presented(model: Any) -> list[Any]:
    found = {}
    for arc in model.relationshipSet(_PARENT_CHILD).modelRelationships:
        for concept in (arc.fromModelObject, arc.toModelObject):
            if concept is not None and concept.qname is not None:
                found[concept.qname] = concept
    return list(found.values())


def _fact(concept: Any) -> str:
    name = concept.qname
    period = concept.periodType if concept.periodType in _PERIODS else "duration"
    numeric = ' unitRef="u" decimals="0"' if concept.isNumeric else ""
    value = "1" if concept.isNumeric else "2020-12-31"
    return (
        f"<p:{name.localName} xmlns:p={quoteattr(name.namespaceURI)}"
        f' contextRef="{period}"{numeric}>{escape(value)}</p:{name.localName}>'
    )
