"""The part of XPath that assertions of reports are written in, as closures.

Numbers, variables, `+ - *`, `abs`, comparisons, `and` and `or` (XPath 2.0 §3.4 to §3.6). Values
are int and Decimal and the operators are Python's, as in the reference processor, so that both
sides round alike. Anything else raises `Undecided` when it is read, not when it is run.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from openpoort.checks.index.undecided import Undecided

Closure = Callable[[Mapping[str, Any]], Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w.])|\$(?P<variable>[A-Za-z_][\w.-]*)"
    r"|(?P<word>abs\b|and\b|or\b|eq\b|ne\b|lt\b|le\b|gt\b|ge\b)"
    r"|(?P<sign><=|>=|!=|[-+*()=<>.]))"
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "eq": operator.eq,
    "!=": operator.ne,
    "ne": operator.ne,
    "<": operator.lt,
    "lt": operator.lt,
    "<=": operator.le,
    "le": operator.le,
    ">": operator.gt,
    "gt": operator.gt,
    ">=": operator.ge,
    "ge": operator.ge,
}
_ADD: Mapping[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub}
CONTEXT = "."
"""The variable name of the context item: in an existence assertion, how often it was met."""


def compile_test(text: str, names: frozenset[str]) -> Closure:
    """A test over these variables; its outcome is a truth value."""
    reader = _Reader(_tokens(text), names)
    test, kind = reader.either()
    if reader.rest or kind is not bool:
        raise Undecided("formula")
    return test


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, place, text = [], 0, text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise Undecided("formula")
        tokens.append((match.lastgroup, match.group(match.lastgroup)))
        place = match.end()
    return tokens


@dataclass
class _Reader:
    """Recursive descent; each method returns a closure and the type of what it gives."""

    rest: list[tuple[str, str]]
    names: frozenset[str]

    def _take(self, *wanted: str) -> str:
        """The next token when it is one of these, else nothing."""
        if self.rest and self.rest[0][0] in {"word", "sign"} and self.rest[0][1] in wanted:
            return self.rest.pop(0)[1]
        return ""

    def either(self) -> tuple[Closure, type]:
        left, kind = self.both()
        while self._take("or"):
            left, kind = _logic(any, (left, kind), self.both())
        return left, kind

    def both(self) -> tuple[Closure, type]:
        left, kind = self.comparison()
        while self._take("and"):
            left, kind = _logic(all, (left, kind), self.comparison())
        return left, kind

    def comparison(self) -> tuple[Closure, type]:
        left, kind = self.sum()
        sign = self._take(*_COMPARE)
        if not sign:
            return left, kind
        right, other = self.sum()
        _numbers(kind, other)
        compare = _COMPARE[sign]
        return (lambda v: compare(left(v), right(v))), bool

    def sum(self) -> tuple[Closure, type]:
        left, kind = self.product()
        while sign := self._take(*_ADD):
            left, kind = _arithmetic(_ADD[sign], (left, kind), self.product())
        return left, kind

    def product(self) -> tuple[Closure, type]:
        left, kind = self.signed()
        while self._take("*"):
            left, kind = _arithmetic(operator.mul, (left, kind), self.signed())
        return left, kind

    def signed(self) -> tuple[Closure, type]:
        sign = self._take("-", "+")
        inner, kind = self.single()
        if not sign:
            return inner, kind
        _numbers(kind)
        return ((lambda v: -inner(v)) if sign == "-" else inner), kind

    def single(self) -> tuple[Closure, type]:
        if not self.rest:
            raise Undecided("formula")
        group, text = self.rest.pop(0)
        if group == "number":
            number: int | Decimal = Decimal(text) if "." in text else int(text)
            return (lambda _: number), Decimal
        if group == "variable" or text == CONTEXT:
            if text not in self.names:
                raise Undecided("formula")
            return operator.itemgetter(text), Decimal
        if text == "abs" and self.rest and self.rest[0][1] == "(":
            inner, kind = self.single()
            _numbers(kind)
            return (lambda v: abs(inner(v))), Decimal
        if text == "(":
            found = self.either()
            if self._take(")"):
                return found
        raise Undecided("formula")


def _numbers(*kinds: type) -> None:
    if any(kind is not Decimal for kind in kinds):
        raise Undecided("formula")


def _logic(
    join: Callable[[Any], bool], one: tuple[Closure, type], other: tuple[Closure, type]
) -> tuple[Closure, type]:
    if one[1] is not bool or other[1] is not bool:
        raise Undecided("formula")
    return (lambda v: join(part(v) for part in (one[0], other[0]))), bool


def _arithmetic(
    apply: Callable[[Any, Any], Any], one: tuple[Closure, type], other: tuple[Closure, type]
) -> tuple[Closure, type]:
    _numbers(one[1], other[1])
    left, right = one[0], other[0]
    return (lambda v: apply(left(v), right(v))), Decimal
