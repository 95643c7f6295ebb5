"""What binds a cell to a number that lives elsewhere: a measurement file, or the cost model.

A measurement counts while it is fresh. A stale or missing one is never used in silence: the
declared fallback takes its place and is shown as such, or the run is refused until somebody says
`--accept-stale`, and then every output carries the mark.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from weeg.document import Entry
from weeg.figure import Range, canonical, spread
from weeg.measures import Measure
from weeg.model import Criterion, identifier
from weeg.problem import Place, Problem, Severity, clean, refuse

FILE = "feeds.yaml"
_NOWHERE = Place(FILE)
COSTS = ("investment", "unit_price", "npv", "tco", "unlawful", "double_running")
Costs = Callable[[str, str], Range]
"""(option, one of COSTS) -> amount in EUR, or EUR/message for `unit_price`."""
Exposure = Callable[[str, str, Range, Place], Range]
"""(option, contract, months measured, cell) -> euros of all unlawful contracts of the option."""


@dataclass(frozen=True, slots=True)
class Feed:
    name: str
    place: Place
    costs: str = ""
    inventory: bool = False
    unlawful: str | None = None
    file: str = ""
    measure: str = ""
    unit: str = ""
    multiply: Decimal = Decimal(1)
    add: Decimal = Decimal(0)
    margin: Decimal = Decimal(0)
    fresh_for: int = 0
    fallback: str = ""
    fallback_place: Place = _NOWHERE


@dataclass(frozen=True, slots=True)
class Used:
    """The number a cell got and how: `state` is typed, costs, inventory, fresh, stale, fallback."""

    value: Range
    state: str
    origin: str
    age: int | None = None
    feed: str = ""
    measure: Measure | None = None


def read(entry: Entry) -> dict[str, Feed]:
    return {key: _feed(key, place, value) for key, place, value in entry.mapping()}


def _feed(name: str, place: Place, entry: Entry) -> Feed:
    identifier(name, place)
    if any(key == "costs" for key, _, _ in entry.mapping()):
        return Feed(name, place, costs=entry.fields(("costs",))["costs"].one_of(*COSTS))
    if any(key == "inventory" for key, _, _ in entry.mapping()):
        entry.fields(("inventory",))["inventory"].one_of("kept")
        return Feed(name, place, inventory=True)
    optional = ("multiply", "add", "margin", "fallback", "times")
    fields = entry.fields(("file", "measure", "unit", "fresh_for"), optional)
    file = fields["file"].text()
    if not file.startswith("measures/") or ".." in file or not file.endswith(".json"):
        raise refuse("feeds.file", fields["file"].place, value=file)
    multiply = fields["multiply"].number() if "multiply" in fields else Decimal(1)
    add = fields["add"].number() if "add" in fields else Decimal(0)
    margin = fields["margin"].number("%") / 100 if "margin" in fields else Decimal(0)
    if margin < 0:
        raise refuse("feeds.margin", fields["margin"].place)
    days = fields["fresh_for"].number("days")
    if not 0 < days <= 3660 or days != int(days):
        raise refuse("yaml.integer", fields["fresh_for"].place, value=days, least=1, most=3660)
    fallback = fields.get("fallback")
    unlawful = _times(fields["times"]) if "times" in fields else None
    return Feed(
        name, place, file=file, measure=fields["measure"].text(),
        unit=canonical(fields["unit"].text()),
        unlawful=unlawful, multiply=multiply, add=add, margin=margin, fresh_for=int(days),
        fallback=fallback.text() if fallback else "",
        fallback_place=fallback.place if fallback else place,
    )  # fmt: skip


def _times(entry: Entry) -> str:
    """`unlawful`, or `unlawful/NAME`: the name of the contract, empty for the only one."""
    head, _, name = entry.text().partition("/")
    if head != "unlawful":
        raise refuse("yaml.choice", entry.place, value=entry.text(),
                     words="unlawful, unlawful/NAME")  # fmt: skip
    return name


@dataclass(frozen=True, slots=True)
class Pipe:
    """Everything needed to fill a bound cell; `problems` collects what must be said about it."""

    feeds: Mapping[str, Feed]
    measures: Mapping[str, Mapping[str, Measure]]
    costs: Costs
    exposure: Exposure
    kept: Callable[[Place], Range]
    as_of: dt.date
    accept_stale: bool
    problems: list[Problem]

    def fill(self, name: str, option: str, criterion: Criterion, cell: Place) -> Used:
        feed = self.feeds.get(name)
        if feed is None:
            raise refuse("feeds.unknown", cell, name=name)
        if feed.costs:
            return self._from_costs(feed, option, criterion, cell)
        if feed.inventory:
            return self._from_inventory(feed, criterion, cell)
        measure = self.measures.get(feed.file, {}).get(feed.measure)
        if measure is None:
            return self._instead(feed, option, criterion, None, "measures.missing", cell)
        if measure.unit != feed.unit:
            raise refuse("measures.unit", measure.place, found=measure.unit, expected=feed.unit)
        changed = feed.multiply != 1 or feed.add != 0 or feed.unlawful is not None
        if feed.unit != criterion.unit and not changed:
            raise refuse("feeds.unit", feed.place, found=feed.unit, expected=criterion.unit)
        age = self._age(measure)
        if age > feed.fresh_for:
            return self._instead(feed, option, criterion, measure, "measures.stale", cell)
        moved = self._converted(measure, feed, option, criterion, cell)
        value = self._clamped(moved, criterion, cell)
        return Used(value, "fresh", _origin(measure), age, name, measure)

    def _from_costs(self, feed: Feed, option: str, criterion: Criterion, cell: Place) -> Used:
        unit = "EUR/message" if feed.costs == "unit_price" else "EUR"
        if criterion.unit != unit:
            raise refuse("feeds.unit", cell, found=unit, expected=criterion.unit)
        value = self._clamped(self.costs(option, feed.costs), criterion, cell)
        return Used(value, "costs", f"costs.yaml: {option}, {feed.costs}", feed=feed.name)

    def _age(self, measure: Measure) -> int:
        """Whole days between the measurement and the end of the day that is weighed on."""
        end = dt.datetime.combine(self.as_of, dt.time.max, dt.UTC)
        if measure.time > end:
            raise refuse("measures.future", measure.place, time=measure.time.date(),
                         as_of=self.as_of)  # fmt: skip
        return (end - measure.time).days

    def _from_inventory(self, feed: Feed, criterion: Criterion, cell: Place) -> Used:
        if criterion.unit != "%":
            raise refuse("feeds.unit", cell, found="%", expected=criterion.unit)
        value = self._clamped(self.kept(cell), criterion, cell)
        return Used(value, "inventory", "inventory.csv: kept", feed=feed.name)

    def _converted(
        self, measure: Measure, feed: Feed, option: str, criterion: Criterion, cell: Place
    ) -> Range:
        """In the unit of the criterion: changed as the feed says, then priced if it says so."""
        value = _converted(measure.value, feed)
        if feed.unlawful is None:
            return value
        if feed.unit != "months":
            raise refuse("feeds.unit", feed.place, found=feed.unit, expected="months")
        if criterion.unit != "EUR":
            raise refuse("feeds.unit", feed.place, found="EUR", expected=criterion.unit)
        return self.exposure(option, feed.unlawful, value, cell)

    def _instead(
        self, feed: Feed, option: str, criterion: Criterion, measure: Measure | None, code: str,
        cell: Place,
    ) -> Used:  # fmt: skip
        age = self._age(measure) if measure else None
        values = {"name": feed.measure, "file": feed.file, "age": age, "most": feed.fresh_for}
        if measure and self.accept_stale:
            self._say(f"{code}_used", cell, values)
            moved = self._converted(measure, feed, option, criterion, cell)
            value = self._clamped(moved, criterion, cell)
            return Used(value, "stale", _origin(measure), age, feed.name, measure)
        if not feed.fallback:
            raise refuse(code, cell, **values)
        self._say(f"{code}_fallback", cell, {**values, "fallback": feed.fallback})
        value = spread(feed.fallback, feed.fallback_place, criterion.unit)
        for part in (value.low, value.mode, value.high):
            if not criterion.covers(part):
                raise refuse("options.outside", feed.fallback_place, value=feed.fallback,
                             worst=criterion.worst.value, best=criterion.best.value,
                             unit=criterion.unit)  # fmt: skip
        return Used(value, "fallback", feed.fallback_place.short, age, feed.name, measure)

    def _clamped(self, value: Range, criterion: Criterion, cell: Place) -> Range:
        """A living number may pass an end point: it scores as the end point, and that is said."""
        parts = (value.low, value.mode, value.high)
        if not all(criterion.covers(part) for part in parts):
            shown = "|".join(f"{part:f}" for part in parts)
            self._say("feeds.outside", cell, {"value": shown, "worst": criterion.worst.value,
                      "best": criterion.best.value, "unit": criterion.unit})  # fmt: skip
        return value

    def _say(self, code: str, place: Place, values: Mapping[str, object]) -> None:
        self.problems.append(Problem(code, place, clean(values), Severity.WARNING))


def _converted(value: Range, feed: Feed) -> Range:
    ends = []
    for part, side in ((value.low, -1), (value.mode, 0), (value.high, 1)):
        moved = part * feed.multiply + feed.add
        ends.append(moved + side * abs(moved) * feed.margin * (1 if feed.multiply >= 0 else -1))
    low, mode, high = sorted(ends)
    return Range(low, mode, high)


def _origin(measure: Measure) -> str:
    by = f"{measure.publisher}: " if measure.publisher else ""
    return f"{by}{measure.source}"
