"""An XBRL instance as the filing rules look at it: contexts, units and facts of one tree.

No judgement here. Qualified names are in Clark notation; what cannot be resolved is empty text,
since the reference processor tells of it (XBRL 2.1 §4.6-4.9).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from lxml import etree

from openpoort.checks.document import XBRLI
from openpoort.checks.taxonomies.outline import Concept, Outline
from openpoort.checks.text import content, elements

LINK = "http://www.xbrl.org/2003/linkbase"
XBRLDI = "http://xbrl.org/2006/xbrldi"
ISO4217 = "http://www.xbrl.org/2003/iso4217"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
HREF = "{http://www.w3.org/1999/xlink}href"
_PARTS = ("startDate", "endDate", "instant", "forever")


@dataclass
class Instance:
    """`outline` is None when the entry point is not installed; `today` is the day of filing."""

    root: etree._Element
    data: bytes = field(repr=False)
    name: str
    today: date
    outline: Outline | None = None

    @cached_property
    def entries(self) -> list[str]:
        """Addresses of all schemaRef elements, in order."""
        return [ref.get(HREF, "") for ref in self.root.iterchildren(f"{{{LINK}}}schemaRef")]

    @cached_property
    def contexts(self) -> list[etree._Element]:
        return list(self.root.iterchildren(f"{{{XBRLI}}}context"))

    @cached_property
    def units(self) -> list[etree._Element]:
        return list(self.root.iterchildren(f"{{{XBRLI}}}unit"))

    @cached_property
    def facts(self) -> list[etree._Element]:
        """Items and tuples at every depth, in document order."""
        return list(self._facts())

    def _facts(self) -> Iterator[etree._Element]:
        skip = (f"{{{XBRLI}}}", f"{{{LINK}}}")
        for child in self.root.iterchildren(etree.Element):
            if not str(child.tag).startswith(skip):
                yield from (e for e in child.iter(etree.Element) if self._is_fact(e))

    @staticmethod
    def _is_fact(element: etree._Element) -> bool:
        """Markup inside an item is no fact; a tuple has no contextRef but element children."""
        parent = element.getparent()
        while parent is not None and parent.getparent() is not None:
            if parent.get("contextRef") is not None:
                return False
            parent = parent.getparent()
        return True

    def concept(self, fact: etree._Element) -> Concept | None:
        return self.outline.concepts.get(str(fact.tag)) if self.outline else None

    def values(self, local: str) -> list[str]:
        """Texts of the facts with this local name, whatever release its namespace is of."""
        return [content(f).strip() for f in self.facts if etree.QName(f).localname == local]

    def day(self, local: str) -> date | None:
        """The one date reported under this name; None when absent, repeated or no date."""
        values = self.values(local)
        return to_date(values[0]) if len(values) == 1 else None

    @cached_property
    def context_keys(self) -> dict[str, tuple[object, ...]]:
        """Context id -> key that equal contexts share (XBRL 2.1 §4.10 s-equality)."""
        return {c.get("id", ""): _context_key(c) for c in self.contexts}

    @cached_property
    def unit_keys(self) -> dict[str, tuple[object, ...]]:
        return {u.get("id", ""): _unit_key(u) for u in self.units}

    def path(self, element: etree._Element) -> str:
        return self.root.getroottree().getpath(element)


def to_date(text: str) -> date | None:
    """The calendar day of an XML date or dateTime; None when it is none."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def period(context: etree._Element) -> dict[str, str]:
    """`startDate`, `endDate`, `instant`, `forever` as written, of those that are there."""
    found = {}
    for element in context.iterchildren(f"{{{XBRLI}}}period"):
        for part in element.iterchildren(etree.Element):
            local = etree.QName(part).localname
            if local in _PARTS:
                found[local] = content(part).strip()
    return found


def resolve(element: etree._Element, text: str | None) -> str:
    """A prefixed name to Clark notation; the text itself when its prefix is unknown."""
    prefix, _, local = (text or "").strip().rpartition(":")
    namespace = element.nsmap.get(prefix or None)
    return f"{{{namespace}}}{local}" if namespace else (text or "").strip()


def measures(unit: etree._Element) -> list[tuple[etree._Element, str]]:
    """Each measure element with its name."""
    return [(m, resolve(m, content(m))) for m in unit.iter(f"{{{XBRLI}}}measure")]


def _unit_key(unit: etree._Element) -> tuple[object, ...]:
    def names(parent: etree._Element) -> tuple[str, ...]:
        found = parent.iterchildren(f"{{{XBRLI}}}measure")
        return tuple(sorted(resolve(m, content(m)) for m in found))

    divide = unit.find(f"{{{XBRLI}}}divide")
    if divide is None:
        return names(unit), ()
    top, bottom = (divide.find(f"{{{XBRLI}}}unit{part}") for part in ("Numerator", "Denominator"))
    return (names(top) if top is not None else ()), (names(bottom) if bottom is not None else ())


def _context_key(context: etree._Element) -> tuple[object, ...]:
    identifier = context.find(f"{{{XBRLI}}}entity/{{{XBRLI}}}identifier")
    who: tuple[str, ...] = ()
    if identifier is not None:
        who = (identifier.get("scheme", ""), content(identifier).strip())
    when = tuple(sorted((name, _moment(name, text)) for name, text in period(context).items()))
    rest = []
    for place in ("entity/{*}segment", "scenario"):
        for container in context.findall(f"{{{XBRLI}}}{place}"):
            rest.append((place, tuple(sorted(map(_member, elements(container)), key=repr))))
    return who, when, tuple(rest)


def _moment(name: str, text: str) -> str:
    """An end date without time means the end of that day: the start of the next."""
    day = to_date(text)
    if day is None:
        return text
    if name in {"endDate", "instant"} and ("T" not in text or "T24:00:00" in text):
        return f"{day + timedelta(1)}T00:00:00" if day < date.max else text
    return text if "T" in text else f"{text}T00:00:00"


def _member(element: etree._Element) -> tuple[object, ...]:
    """What equal members of segment and scenario share, whatever stands there."""
    if element.tag == f"{{{XBRLDI}}}explicitMember":
        return ("e", resolve(element, element.get("dimension")), resolve(element, content(element)))
    if element.tag == f"{{{XBRLDI}}}typedMember":
        inner = [_shape(e) for e in elements(element)]
        return ("t", resolve(element, element.get("dimension")), *inner)
    return ("x", *_shape(element))


def _shape(element: etree._Element) -> tuple[object, ...]:
    """Name, attributes and content; comments and instructions are nothing (XBRL 2.1 §4.10)."""
    named = sorted((str(name), str(value)) for name, value in element.attrib.items())
    inner = tuple(_shape(e) for e in elements(element))
    return (str(element.tag), *named, inner or content(element).strip())
