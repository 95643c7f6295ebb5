"""The criteria: what is weighed, in which unit, between which described end points.

Fixed anchors: a value is placed between the worst and the best end point of its criterion, never
between the options that happen to be compared. So adding an option changes nothing for the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from weeg.document import Entry, Words
from weeg.figure import canonical
from weeg.problem import BadInput, Place, Problem, clean, refuse

FILE = "model.yaml"
MOST_CRITERIA = 60
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class End:
    """One end point of a scale: the value and what it looks like there."""

    value: Decimal
    words: Words


@dataclass(frozen=True, slots=True)
class Part:
    """One of the things that a share or count is taken of.

    `proof` is the command or record that shows it; `sentence` the one of the letter it was read
    from; `reconstructed` when the text that asks for it is not at hand.
    """

    id: str
    words: Words
    proof: str
    sentence: str
    reconstructed: bool


@dataclass(frozen=True, slots=True)
class Criterion:
    id: str
    group: str
    name: Words
    unit: str
    worst: End
    best: End
    veto: Decimal | None
    measures: tuple[str, ...]
    place: Place
    parts: tuple[Part, ...] = ()

    @property
    def higher_is_better(self) -> bool:
        return self.best.value > self.worst.value

    def score(self, value: Decimal) -> float:
        """0 at the worst end point, 1 at the best; outside the scale it stays at the end."""
        share = (value - self.worst.value) / (self.best.value - self.worst.value)
        return float(min(max(share, Decimal(0)), Decimal(1)))

    def value(self, score: float) -> float:
        """Back from a score to the criterion's own unit."""
        worst, best = float(self.worst.value), float(self.best.value)
        return worst + score * (best - worst)

    def covers(self, value: Decimal) -> bool:
        low, high = sorted((self.worst.value, self.best.value))
        return low <= value <= high

    def vetoes(self, value: Decimal) -> bool:
        """Whether `value` is worse than the veto line; on the line is allowed."""
        if self.veto is None:
            return False
        return value < self.veto if self.higher_is_better else value > self.veto


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two criteria that partly measure the same, so that it may count twice."""

    first: str
    second: str
    why: Words


@dataclass(frozen=True, slots=True)
class Model:
    groups: tuple[tuple[str, Words], ...]
    criteria: tuple[Criterion, ...]
    overlaps: tuple[Overlap, ...]

    def criterion(self, wanted: str) -> Criterion:
        return next(c for c in self.criteria if c.id == wanted)

    def members(self, group: str) -> tuple[Criterion, ...]:
        return tuple(c for c in self.criteria if c.group == group)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(c.id for c in self.criteria)

    @property
    def canonical_order(self) -> tuple[Criterion, ...]:
        """By id: every sum and every draw runs in this order, so that row order changes nothing."""
        return tuple(sorted(self.criteria, key=lambda c: natural(c.id)))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts 2 before 10."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts)


def identifier(text: str, place: Place) -> str:
    if not _ID.fullmatch(text):
        raise refuse("id.form", place, id=text)
    return text


def unique(ids: Iterable[tuple[str, Place]], code: str) -> None:
    """Refuse two ids that are the same but for upper and lower case."""
    seen: dict[str, Place] = {}
    double = []
    for name, place in ids:
        first = seen.setdefault(name.casefold(), place)
        if first is not place:
            double.append(Problem(code, place, clean({"id": name, "first": first.short})))
    if double:
        raise BadInput(double)


def read(entry: Entry) -> Model:
    fields = entry.fields(("groups", "criteria"), ("overlaps",))
    groups = tuple(
        (identifier(key, place), value.words()) for key, place, value in fields["groups"].mapping()
    )
    rows = fields["criteria"].list()
    if not 1 <= len(rows) <= MOST_CRITERIA:
        raise refuse("model.many", fields["criteria"].place, found=len(rows), most=MOST_CRITERIA)
    criteria = tuple(_criterion(row, dict(groups)) for row in rows)
    unique(((c.id, c.place) for c in criteria), "model.double")
    for group, _ in groups:
        if not any(c.group == group for c in criteria):
            raise refuse("model.group_empty", fields["groups"].place, group=group)
    overlaps = fields["overlaps"].list() if "overlaps" in fields else ()
    ids = {c.id for c in criteria}
    return Model(groups, criteria, tuple(_overlap(item, ids) for item in overlaps))


def _criterion(entry: Entry, groups: dict[str, Words]) -> Criterion:
    needed = ("id", "group", "nl", "en", "unit", "direction", "worst", "best")
    fields = entry.fields(needed, ("veto", "measures", "parts"))
    unit = canonical(fields["unit"].text())
    worst, best = _end(fields["worst"], unit), _end(fields["best"], unit)
    direction = fields["direction"].one_of("higher", "lower")
    place = fields["id"].place
    name = fields["id"].text()
    if worst.value == best.value or (best.value > worst.value) != (direction == "higher"):
        raise refuse("model.direction", fields["direction"].place, id=name, direction=direction,
                     worst=worst.value, best=best.value)  # fmt: skip
    group = fields["group"].one_of(*groups)
    veto = fields["veto"].number(unit) if "veto" in fields else None
    if veto is not None and not min(worst.value, best.value) <= veto <= max(
        worst.value, best.value
    ):
        raise refuse("model.veto", fields["veto"].place, id=name, veto=veto)
    measures = tuple(m.text() for m in fields["measures"].list()) if "measures" in fields else ()
    words = Words(fields["nl"].text(), fields["en"].text())
    parts = tuple(_part(p) for p in fields["parts"].list()) if "parts" in fields else ()
    return Criterion(
        identifier(name, place), group, words, unit, worst, best, veto, measures, place, parts
    )


def _part(entry: Entry) -> Part:
    fields = entry.fields(("id", "nl", "en"), ("proof", "sentence", "reconstructed"))
    return Part(
        identifier(fields["id"].text(), fields["id"].place),
        Words(fields["nl"].text(), fields["en"].text()),
        fields["proof"].text() if "proof" in fields else "",
        fields["sentence"].text() if "sentence" in fields else "",
        fields["reconstructed"].truth() if "reconstructed" in fields else False,
    )


def _end(entry: Entry, unit: str) -> End:
    fields = entry.fields(("value", "nl", "en"))
    words = Words(fields["nl"].text(), fields["en"].text())
    return End(fields["value"].number(unit), words)


def _overlap(entry: Entry, ids: set[str]) -> Overlap:
    fields = entry.fields(("criteria", "nl", "en"))
    pair = fields["criteria"].list()
    for item in pair:
        if item.text() not in ids:
            raise refuse("model.unknown", item.place, id=item.text())
    if len(pair) != 2:
        raise refuse("model.pair", fields["criteria"].place)
    why = Words(fields["nl"].text(), fields["en"].text())
    return Overlap(pair[0].text(), pair[1].text(), why)
