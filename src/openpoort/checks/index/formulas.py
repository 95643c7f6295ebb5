"""Value and existence assertions over fact variables with implicit filtering (Formula 1.0).

Compiled only when each variable is one concept by name, without preconditions, groups, general
variables or parameters. Facts then bind together when they agree on all other aspects: period,
entity, dimensions, unit, place. Two facts of one variable that agree on all of these would give
several bindings in an order of the processor's own: `Undecided`.

An axis without a default is an aspect only of facts that have it. When the facts of one variable
know an axis that those of another do not, the processor matches none of them, or all by turns,
depending on the order of the variables: `Undecided` too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from lxml import etree

from openpoort.checks.document import line_of
from openpoort.checks.index.expressions import CONTEXT, Closure, compile_test
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.xbrl.limits import Message
from openpoort.checks.xbrl.places import pointer

_ASSERTION = "message:"


@dataclass(frozen=True, slots=True)
class Variable:
    """`fallback` is None when the fact must be there."""

    name: str
    concept: str
    fallback: int | None


@dataclass(frozen=True, slots=True)
class Bound:
    """A reported fact as formulas see it; `aspects` are all but its concept, `axes` those of its
    context without a default."""

    text: str
    integer: bool
    aspects: Hashable
    axes: frozenset[str]
    element: etree._Element

    @property
    def value(self) -> int | Decimal:
        return int(self.text) if self.integer else Decimal(self.text)


Facts = Mapping[str, list[Bound]]
"""By concept, in document order."""


@dataclass
class Assertion:
    """`message` alternates plain text and names of variables; None when it is more than that."""

    name: str
    existence: bool
    test: str
    variables: tuple[Variable, ...]
    message: tuple[str, ...] | None

    @classmethod
    def build(cls, raw: Mapping[str, Any]) -> Assertion:
        message = raw["message"]
        return cls(
            raw["name"],
            raw["existence"],
            raw["test"],
            tuple(Variable(*v) for v in raw["variables"]),
            None if message is None else tuple(message),
        )

    @cached_property
    def _test(self) -> Closure:
        names = {CONTEXT} if self.existence else {v.name for v in self.variables}
        return compile_test(self.test, frozenset(names))

    def compile(self) -> None:
        """Raises Undecided when the test cannot be judged here."""
        _ = self._test

    def judge(self, facts: Facts) -> Iterator[Message]:
        if self.existence:
            met = sum(1 for _ in self._evaluations(facts))
            if not self._test({CONTEXT: met}):
                yield self._unsatisfied({}, [])
            return
        for bound in self._evaluations(facts):
            values = {v.name: b.value if b else v.fallback for v, b in bound}
            if not self._test(values):
                texts = {v.name: _shown(values[v.name]) for v, _ in bound}
                yield self._unsatisfied(texts, [b.element for _, b in bound if b is not None])

    def _evaluations(self, facts: Facts) -> Iterator[list[tuple[Variable, Bound | None]]]:
        """One for each group of facts that agree, unless a fact that must be there is not."""
        if len(self.variables) == 1:
            (variable,) = self.variables
            for fact in facts.get(variable.concept, ()):
                yield [(variable, fact)]
            return
        groups: dict[Hashable, dict[str, Bound]] = defaultdict(dict)
        if len(set(self._axes(facts))) > 1:
            raise Undecided("formula: dimension without default")
        for variable in self.variables:
            for fact in facts.get(variable.concept, ()):
                if variable.name in groups[fact.aspects]:
                    raise Undecided("formula: repeated fact")
                groups[fact.aspects][variable.name] = fact
        for group in groups.values():
            if all(v.name in group or v.fallback is not None for v in self.variables):
                yield [(v, group.get(v.name)) for v in self.variables]

    def _axes(self, facts: Facts) -> Iterator[frozenset[str]]:
        """Of each variable that has facts, all axes without default that they know."""
        for variable in self.variables:
            if found := facts.get(variable.concept):
                yield frozenset().union(*(fact.axes for fact in found))

    def _unsatisfied(self, texts: Mapping[str, str], elements: Sequence[etree._Element]) -> Message:
        if self.message is None:
            raise Undecided("formula: message")
        parts = [part if n % 2 == 0 else texts[part] for n, part in enumerate(self.message)]
        lines = [line for line in map(line_of, elements) if line is not None]
        line, places = min(lines, default=None), tuple(map(pointer, elements))
        return Message(_ASSERTION + self.name, "error", "".join(parts), line, places=places)


def judge(assertions: Iterable[Assertion], facts: Facts) -> Iterator[Message]:
    for assertion in assertions:
        yield from assertion.judge(facts)


def _shown(value: Any) -> str:
    """As the processor writes it: a number without exponent."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
