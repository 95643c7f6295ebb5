"""Contexts and units of one instance, in the shapes judged here (XBRL 2.1 §4.7, §4.8).

A context: entity with identifier and perhaps a segment, a period of plain days, perhaps a
scenario; in segment and scenario only dimension members. A unit: one or more measures.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import date

from lxml import etree

from openpoort.checks.document import XBRLI
from openpoort.checks.index.compiled import Axis, Index
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.index.values import LEXICAL, Wrong, address, day
from openpoort.checks.instance import ISO4217, XBRLDI
from openpoort.checks.text import between, content

_X = f"{{{XBRLI}}}"
_ENTITY, _PERIOD, _SEGMENT, _SCENARIO = (
    f"{_X}{name}" for name in ("entity", "period", "segment", "scenario")
)
_IDENTIFIER, _MEASURE, _INSTANT = f"{_X}identifier", f"{_X}measure", f"{_X}instant"
_DURATION = [f"{_X}startDate", f"{_X}endDate"]
_EXPLICIT, _TYPED = f"{{{XBRLDI}}}explicitMember", f"{{{XBRLDI}}}typedMember"
NCNAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
"""Names in plain letters; others go to the processor."""
_QNAME = re.compile(rf"[ \t\r\n]*({NCNAME.pattern}):({NCNAME.pattern})[ \t\r\n]*")
_PRINTABLE = re.compile(r"[!-~]+")
_WORDS = re.compile(r"\S+( \S+)*")
_COMPARABLE = LEXICAL | {"date"}
"""Types of typed members of which equal values are equal texts, spaces apart."""
_CURRENCY = re.compile(r"[A-Z]{3}")
SHARES = f"{_X}shares"
_XBRLI_MEASURES = frozenset((f"{_X}pure", SHARES))
Members = dict[str, tuple[str, ...]]
"""Axis -> ("e", member) or ("t", text of the typed member)."""


@dataclass(frozen=True, slots=True)
class Context:
    """`places`: members of `segment` and of `scenario`. `aspects`: all that formulas compare;
    `axes`: those of its axes that have no default."""

    id: str
    instant: bool
    backwards: bool
    places: dict[str, Members]
    aspects: Hashable
    axes: frozenset[str]
    element: etree._Element


@dataclass(frozen=True, slots=True)
class Unit:
    """`money`: one measure, a currency by its form. `measures` sorted, as units are compared."""

    id: str
    measures: tuple[str, ...]

    @property
    def money(self) -> bool:
        namespace, _, local = self.measures[0][1:].partition("}")
        return namespace == ISO4217 and _CURRENCY.fullmatch(local) is not None


def parts(element: etree._Element) -> list[etree._Element]:
    """Its child elements. Undecided when there is text or markup of another kind between them."""
    children = list(element)
    if any(text.strip(" \t\r\n") for text in between(element)):
        raise Undecided("text between elements")
    if any(not isinstance(child.tag, str) for child in children):
        raise Undecided("comment")
    return children


def leaf(element: etree._Element) -> str:
    """The text of an element without children, comments included."""
    if len(element):
        raise Undecided("element in a value")
    return content(element)


def only(element: etree._Element, *names: str) -> None:
    """Undecided when the attributes are not exactly these."""
    if set(element.attrib) != set(names):
        raise Undecided("attribute")


def identity(element: etree._Element) -> str:
    """The id of a context or unit that has this one attribute."""
    only(element, "id")
    found = element.get("id", "")
    if NCNAME.fullmatch(found) is None:
        raise Undecided("id")
    return found


def resolve(element: etree._Element, text: str | None) -> str:
    """A prefixed name in Clark notation; Undecided without prefix, or when it is not bound."""
    match = _QNAME.fullmatch(text or "")
    namespace = element.nsmap.get(match[1]) if match is not None else None
    if match is None or namespace is None:
        raise Undecided("name")
    return f"{{{namespace}}}{match[2]}"


def read_context(element: etree._Element, index: Index) -> Context:
    name = identity(element)
    children = parts(element)
    tags = [child.tag for child in children]
    if tags not in ([_ENTITY, _PERIOD], [_ENTITY, _PERIOD, _SCENARIO]):
        raise Undecided("context")
    who, segment = _entity(children[0], index)
    start, end = _period(children[1])
    scenario = _members(children[2], index) if len(children) == 3 else {}
    if segment.keys() & scenario.keys():
        raise Undecided("dimension twice")
    members = segment | scenario
    aspects = (who, start, end, frozenset(members.items()))
    axes = frozenset(name for name in members if not index.axes[name].default)
    places = {"segment": segment, "scenario": scenario}
    backwards = start is not None and end < start
    return Context(name, start is None, backwards, places, aspects, axes, element)


def _entity(entity: etree._Element, index: Index) -> tuple[tuple[str, str], Members]:
    only(entity)
    children = parts(entity)
    if [c.tag for c in children] not in ([_IDENTIFIER], [_IDENTIFIER, _SEGMENT]):
        raise Undecided("context")
    identifier = children[0]
    only(identifier, "scheme")
    scheme, text = identifier.get("scheme", ""), leaf(identifier)
    address(scheme)
    if _PRINTABLE.fullmatch(text) is None:
        raise Undecided("identifier")
    return (scheme, text), _members(children[1], index) if len(children) == 2 else {}


def _period(period: etree._Element) -> tuple[date | None, date]:
    """Start and end, or None and the instant."""
    only(period)
    children = parts(period)
    for child in children:
        only(child)
    tags = [child.tag for child in children]
    if tags == [_INSTANT]:
        return None, day(leaf(children[0]))
    if tags == _DURATION:
        return day(leaf(children[0])), day(leaf(children[1]))
    raise Undecided("period")


def _members(container: etree._Element, index: Index) -> Members:
    """Undecided when empty, for an axis twice, and for whatever is no member of a known axis."""
    only(container)
    found: Members = {}
    for member in parts(container):
        only(member, "dimension")
        name = resolve(member, member.get("dimension"))
        axis = index.axes.get(name)
        if axis is None or name in found:
            raise Undecided("dimension")
        found[name] = _member(member, axis, index)
    if not found:
        raise Undecided("context")
    return found


def _member(member: etree._Element, axis: Axis, index: Index) -> tuple[str, ...]:
    if member.tag == _EXPLICIT and not axis.element:
        name = resolve(member, leaf(member))
        if name not in index.declared or name in index.local or name == axis.default:
            raise Undecided("dimension")
        return "e", name
    if member.tag == _TYPED and axis.element and axis.type is not None:
        children = parts(member)
        if [child.tag for child in children] != [axis.element]:
            raise Undecided("dimension")
        only(children[0])
        text = leaf(children[0])
        if axis.type.base not in _COMPARABLE or _WORDS.fullmatch(text) is None:
            raise Undecided("typed member")
        try:
            axis.type.judge(text)
        except Wrong:
            raise Undecided("typed member") from None
        return "t", text
    raise Undecided("dimension")


def read_unit(element: etree._Element) -> Unit:
    name = identity(element)
    measures = list(_measures(element))
    if not measures:
        raise Undecided("unit")
    return Unit(name, tuple(sorted(measures)))


def _measures(element: etree._Element) -> Iterator[str]:
    for measure in parts(element):
        if measure.tag != _MEASURE:
            raise Undecided("unit")
        only(measure)
        found = resolve(measure, leaf(measure))
        if found.startswith(_X) and found not in _XBRLI_MEASURES:
            raise Undecided("unit")
        yield found
