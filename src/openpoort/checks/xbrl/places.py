"""Where a message points: from the processor's pointers to elements, facts, contexts and members.

A pointer is an XPointer of the `element()` scheme (an id, child numbers from 1, or both), as the
reference processor writes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from lxml import etree

from openpoort.checks.document import XBRLI
from openpoort.checks.instance import XBRLDI
from openpoort.checks.text import content, elements

_CONTEXT = f"{{{XBRLI}}}context"
_MOST = 6


def pointer(element: etree._Element) -> str:
    """Child numbers from the root: `/1/5/2`."""
    numbers: list[str] = []
    at: etree._Element | None = element
    while at is not None:
        numbers.append(str(1 + sum(1 for _ in at.itersiblings(etree.Element, preceding=True))))
        at = at.getparent()
    return "/" + "/".join(reversed(numbers))


def prefixed(element: etree._Element) -> str:
    """The name as it is written."""
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


class Places:
    """Elements of one instance by pointer; what was looked up is kept."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._children: dict[etree._Element, list[etree._Element]] = {}

    def first(self, pointers: Iterable[str]) -> etree._Element | None:
        """The one that comes first in the document; None when none of them leads anywhere."""
        found = [e for e in map(self.find, pointers) if e is not None]
        return found[0] if len(found) == 1 else min(found, key=_order, default=None)

    def find(self, text: str) -> etree._Element | None:
        head, *numbers = text.removeprefix("element(").removesuffix(")").split("/")
        at = self._ids.get(head) if head else self._root
        for number in numbers if head else numbers[1:]:
            if at is None or not number.isdecimal():
                return None
            if at not in self._children:
                self._children[at] = elements(at)
            inside = self._children[at]
            at = inside[int(number) - 1] if 0 < int(number) <= len(inside) else None
        return at

    @cached_property
    def _ids(self) -> dict[str, etree._Element]:
        found: dict[str, etree._Element] = {}
        for element in self._root.iter(etree.Element):
            if (name := element.get("id")) is not None:
                found.setdefault(name, element)
        return found

    @cached_property
    def _contexts(self) -> dict[str, etree._Element]:
        found = self._root.iterchildren(_CONTEXT)
        return {context.get("id", ""): context for context in found}

    def fact(self, element: etree._Element) -> etree._Element | None:
        """The item that this element is or stands in."""
        at: etree._Element | None = element
        while at is not None and at.get("contextRef") is None:
            at = at.getparent()
        return at

    def context(self, element: etree._Element) -> etree._Element | None:
        """The context that this element is, stands in, or is reported for."""
        at: etree._Element | None = element
        while at is not None and at.tag != _CONTEXT:
            at = at.getparent()
        if at is not None:
            return at
        fact = self.fact(element)
        return None if fact is None else self._contexts.get(fact.get("contextRef", "").strip())


def members(context: etree._Element) -> str:
    """Dimensions of a context as `axis = member`, as they are written."""
    found = []
    for member in context.iter(f"{{{XBRLDI}}}explicitMember", f"{{{XBRLDI}}}typedMember"):
        found.append(f"{member.get('dimension', '')[:100]} = {content(member).strip()[:100]}")
    more = " …" if len(found) > _MOST else ""
    return "; ".join(found[:_MOST]) + more


def _order(element: etree._Element) -> list[int]:
    order: list[int] = []
    at: etree._Element | None = element
    while at is not None and (parent := at.getparent()) is not None:
        order.append(parent.index(at))
        at = parent
    return order[::-1]
