"""Items and tuples of one instance (XBRL 2.1 §4.6, §4.9): type, context, unit, accuracy.

What the processor says in its round over the schema goes to `schema`, what it says of facts,
contexts and dimensions to the others: its order of telling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from lxml import etree

from openpoort.checks.document import line_of
from openpoort.checks.index.compiled import Index, Item, Tuple
from openpoort.checks.index.contexts import NCNAME, SHARES, Context, Unit, leaf, parts
from openpoort.checks.index.dimensions import valid
from openpoort.checks.index.formulas import Bound
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.index.values import INTEGERS, Wrong
from openpoort.checks.instance import LANG, XSI
from openpoort.checks.text import content
from openpoort.checks.xbrl.limits import SHOWN, Message
from openpoort.checks.xbrl.places import pointer, prefixed

_NIL = f"{{{XSI}}}nil"
_ITEM = frozenset(("contextRef", "id", _NIL))
_NUMBER = _ITEM | {"unitRef", "decimals"}
_UNKNOWN = frozenset(("contextRef", "unitRef", "decimals"))
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_DECIMALS = re.compile(r"-?[0-9]{1,9}|INF")
_SHOWN = 30
_T = TypeVar("_T")


@dataclass
class Facts:
    """Judges one fact after the other; what was found stands in the lists."""

    index: Index
    contexts: Mapping[str, Context]
    units: Mapping[str, Unit]
    used: frozenset[str]
    schema: list[Message] = field(default_factory=list)
    round: list[Message] = field(default_factory=list)
    dimensional: list[Message] = field(default_factory=list)
    unknown: list[etree._Element] = field(default_factory=list)
    bound: dict[str, list[Bound]] = field(default_factory=dict)
    _allowed: dict[tuple[int, str], bool] = field(default_factory=dict)

    def judge(self, element: etree._Element, parent: etree._Element | None = None) -> None:
        """`parent` is the tuple that it stands in; None for the instance itself."""
        name = str(element.tag)
        item = self.index.items.get(name)
        if item is not None:
            self._item(element, name, item, parent)
        elif name in self.index.tuples:
            self._tuple(element, self.index.tuples[name])
        elif name in self.index.declared or parent is not None or self._foreign(name):
            raise Undecided("element")
        else:
            self._unknown(element)

    def _foreign(self, name: str) -> bool:
        """Not in a namespace of items: the processor may know such an element by itself."""
        return name.partition("}")[0] not in self.index.spaces

    def _tuple(self, element: etree._Element, found: Tuple) -> None:
        """Its children in the order of the schema, no attributes but an id (§4.9)."""
        if not set(element.attrib) <= found.attributes:
            raise Undecided("attribute")
        children = parts(element)
        place = 0
        for name, least, most in found.children:
            start = place
            while place < len(children) and children[place].tag == name and place - start < most:
                place += 1
            if place - start < least:
                raise Undecided("tuple")
        if place < len(children):
            raise Undecided("tuple")
        for child in children:
            self.judge(child, element)

    def _unknown(self, element: etree._Element) -> None:
        leaf(element)
        if not set(element.attrib) <= _UNKNOWN:
            raise Undecided("attribute")
        if not self.unknown:
            self._say(self.schema, "xmlSchema:elementUnexpected", element)
        self.unknown.append(element)

    def _item(
        self, element: etree._Element, name: str, item: Item, parent: etree._Element | None
    ) -> None:
        text = leaf(element)
        before = len(self.schema) + len(self.round)
        nil = self._attributes(element, item)
        if nil:
            if text or not item.nillable:
                raise Undecided("nil")
        else:
            self._value(element, item, text)
        unit = self._unit(element, item, nil)
        context = self._context(element, item)
        if context is not None:
            key = (item.cubes, context.id)
            if key not in self._allowed:
                self._allowed[key] = valid(self.index, item.cubes, context)
            if not self._allowed[key]:
                code = "xbrldie:PrimaryItemDimensionallyInvalidError"
                self._say(self.dimensional, code, element)
        if name in self.used:
            self._bind(element, name, item, (context, unit, parent), nil, before)

    def _attributes(self, element: etree._Element, item: Item) -> bool:
        """True when nil. Tells of attributes that the type requires (contextRef, unitRef)."""
        names = set(element.attrib)
        if not names <= (_NUMBER if item.unit else _ITEM | {LANG}):
            raise Undecided("attribute")
        if LANG in names and not _LANGUAGE.fullmatch(element.get(LANG, "")):
            raise Undecided("attribute")
        missing = [n for n in ("contextRef", "unitRef")[: 1 + bool(item.unit)] if n not in names]
        if len(missing) > 1:
            raise Undecided("attribute")
        if missing:
            args = {"attributes": missing[0]}
            self._say(self.schema, "xmlSchema:attributesRequired", element, args)
        nil = element.get(_NIL, "false")
        if nil not in {"true", "false"}:
            raise Undecided("nil")
        return nil == "true"

    def _value(self, element: etree._Element, item: Item, text: str) -> None:
        try:
            item.type.judge(text)
        except Wrong as wrong:
            args = {"value": _short(text), "error": str(wrong)}
            self._say(self.schema, "xmlSchema:valueError", element, args)

    def _unit(self, element: etree._Element, item: Item, nil: bool) -> Unit | None:
        """§4.6.2, §4.6.3 to §4.6.6 and §4.8.2."""
        if not item.unit:
            return None
        unit = _find(self.units, element.get("unitRef"))
        if unit is None:
            self._say(self.round, "xbrl.4.6.2:numericUnit", element)
        elif item.unit == "monetary" and len(unit.measures) != 1:
            code = "xbrl.4.8.2:monetaryFactUnit-notSingleMeasure"
            self._say(self.round, code, element)
        elif item.unit == "monetary" and not unit.money:
            code = "xbrl.4.8.2:monetaryFactUnit-notMonetaryMeasure"
            self._say(self.round, code, element)
        elif item.unit == "shares" and unit.measures != (SHARES,):
            raise Undecided("unit")
        decimals = element.get("decimals")
        if decimals is not None and (nil or _DECIMALS.fullmatch(decimals) is None):
            raise Undecided("decimals")
        if decimals is None and not nil:
            self._say(self.round, "xbrl.4.6.3:missingPrecisionDecimals", element)
        return unit

    def _context(self, element: etree._Element, item: Item) -> Context | None:
        """§4.6.1 and §4.7.2."""
        context = _find(self.contexts, element.get("contextRef"))
        if context is None:
            self._say(self.round, "xbrl.4.6.1:itemContextRef", element)
        elif context.instant != (item.period == "instant"):
            self._say(self.round, "xbrl.4.7.2:contextPeriodType", element)
        return context

    def _bind(
        self,
        element: etree._Element,
        name: str,
        item: Item,
        place: tuple[Context | None, Unit | None, etree._Element | None],
        nil: bool,
        before: int,
    ) -> None:
        """Keep a fact that formulas look at."""
        context, unit, parent = place
        if len(self.schema) + len(self.round) > before:
            raise Undecided("formula over a wrong fact")
        if nil or context is None:
            return
        aspects = (context.aspects, unit.measures if unit else None, parent)
        text = content(element).strip()
        integer = item.type.base in INTEGERS
        fact = Bound(text, integer, aspects, context.axes, element)
        self.bound.setdefault(name, []).append(fact)

    @staticmethod
    def _say(
        place: list[Message],
        code: str,
        element: etree._Element,
        args: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        name, context = prefixed(element), element.get("contextRef", "")
        named = {"element": name, "fact": name, "contextID": context}
        kept = {key: text[:SHOWN] for key, text in (named | dict(args)).items()}
        at = (pointer(element),)
        place.append(Message(code, "error", "", line_of(element), kept, at))


def _find(found: Mapping[str, _T], reference: str | None) -> _T | None:
    """Undecided for a reference that is no plain name: the processor has more to say of that."""
    if reference is None or reference in found:
        return found.get(reference or "")
    if NCNAME.fullmatch(reference) is None:
        raise Undecided("reference")
    return None


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
