"""What must change, and how much, before another option wins: one weight, or one score.

A weight moves while the others keep their proportions, so each total is a straight line in that
weight and the crossing is exact. A score moves within its scale; a veto line may be nearer than
the score that would be needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from weeg.additive import Scores, Standing
from weeg.feeds import Used
from weeg.model import Criterion, Model

_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class WeightFlip:
    """Weight of a criterion or group, now and where `challenger` draws level; None if nowhere."""

    name: str
    is_group: bool
    now: float
    needed: float | None
    challenger: str

    @property
    def step(self) -> float:
        return abs(self.needed - self.now) if self.needed is not None else math.inf


@dataclass(frozen=True, slots=True)
class ScoreFlip:
    """One cell, in the criterion's unit; `step` is the change as a share of the whole scale.

    `veto` is empty, or says that a veto line decides: `passed` by the winner, `lifted` for a rival.
    """

    option: str
    criterion: str
    now: float
    needed: float
    step: float
    challenger: str
    veto: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Lead of the first over the second while one thing moves over its range."""

    criterion: str
    weight_low: float
    weight_high: float
    score_low: float
    score_high: float

    @property
    def reach(self) -> float:
        ends = (self.weight_low, self.weight_high, self.score_low, self.score_high)
        return max(ends) - min(ends)


def contest(ranking: tuple[Standing, ...]) -> tuple[Standing, tuple[Standing, ...]]:
    """The first and those it is measured against: the ones without veto, if it has none."""
    first = ranking[0]
    return first, tuple(s for s in ranking[1:] if s.vetoed == first.vetoed)


def weight_flips(
    model: Model, values: Scores, weights: Mapping[str, float], ranking: tuple[Standing, ...]
) -> tuple[WeightFlip, ...]:
    """Smallest step first; those that can never flip last."""
    sets: list[tuple[str, bool, tuple[str, ...]]] = [(c.id, False, (c.id,)) for c in model.criteria]
    sets += [(name, True, tuple(c.id for c in model.members(name))) for name, _ in model.groups]
    found = [_weight_flip(*item, values, weights, ranking) for item in sets]
    return tuple(sorted(found, key=lambda f: f.step))


def lines(
    members: tuple[str, ...], row: Mapping[str, float], weights: Mapping[str, float]
) -> tuple[float, float]:
    """Mean score inside and outside a set of criteria: the ends of the line of a total."""

    def inner(ids: Iterable[str]) -> float:
        ids = tuple(ids)
        share = math.fsum(weights[i] for i in ids)
        if share > 0:
            return math.fsum(weights[i] * row[i] for i in ids) / share
        return math.fsum(row[i] for i in ids) / len(ids) if ids else 0.0

    return inner(members), inner(i for i in weights if i not in members)


def _weight_flip(
    name: str,
    is_group: bool,
    members: tuple[str, ...],
    values: Scores,
    weights: Mapping[str, float],
    ranking: tuple[Standing, ...],
) -> WeightFlip:
    now = math.fsum(weights[i] for i in members)
    best = WeightFlip(name, is_group, now, None, "")
    first, others = contest(ranking)
    inside, outside = lines(members, values[first.option], weights)
    for other in others:
        a, b = lines(members, values[other.option], weights)
        gain, rest = inside - a, outside - b
        if abs(rest - gain) < _TINY:
            continue
        needed = rest / (rest - gain)
        crossing = WeightFlip(name, is_group, now, needed, other.option)
        if 0 <= needed <= 1 and crossing.step < best.step:
            best = crossing
    return best


def score_flips(
    model: Model,
    used: Mapping[str, Mapping[str, Used]],
    values: Scores,
    weights: Mapping[str, float],
    ranking: tuple[Standing, ...],
) -> tuple[ScoreFlip, ...]:
    """Every single cell that could change the winner, smallest step first."""
    first, others = contest(ranking)
    found: list[ScoreFlip] = []

    def move(option: str, c: Criterion, to: float, challenger: str, veto: str) -> None:
        now = float(used[option][c.id].value.mode)
        step = abs(to - values[option][c.id])
        found.append(ScoreFlip(option, c.id, now, c.value(to), step, challenger, veto))

    for c in model.criteria:
        for other in others:
            to = values[other.option][c.id] + _over(first.value - other.value, weights[c.id])
            if to <= 1 + _TINY:
                move(other.option, c, to, other.option, "")
        if others:
            # Down until the second is level, or past the veto line if that is nearer.
            second = others[0]
            level = values[first.option][c.id] - _over(first.value - second.value, weights[c.id])
            line = c.score(c.veto) if c.veto is not None and not first.vetoed else -math.inf
            if max(line, level) >= 0:
                veto = "passed" if line >= level else ""
                move(first.option, c, max(line, level), second.option, veto)
        for rival in ranking:
            # Held back by this veto alone: up to the line, or as far as the total needs.
            if first.vetoed or rival.vetoed_by != (c.id,) or c.veto is None:
                continue
            need = values[rival.option][c.id] + _over(first.value - rival.value, weights[c.id])
            to = max(c.score(c.veto), need)
            if to <= 1 + _TINY:
                move(rival.option, c, to, rival.option, "lifted")
    return tuple(sorted(found, key=lambda f: (f.step, f.option, f.criterion)))


def _over(lead: float, weight: float) -> float:
    """How far a score must move for a total to move by `lead`; no distance is enough at 0."""
    return lead / weight if weight > 0 else math.copysign(math.inf, lead)


def tornado(
    model: Model,
    used: Mapping[str, Mapping[str, Used]],
    values: Scores,
    weights: Mapping[str, float],
    ranking: tuple[Standing, ...],
) -> tuple[Bar, ...]:
    """Per criterion: weight from nothing to double, and both scores over their bandwidths."""
    first, others = contest(ranking)
    if not others:
        return ()
    second = others[0]
    lead = first.value - second.value
    bars = []
    for c in model.criteria:
        now = weights[c.id]
        in_first, out_first = lines((c.id,), values[first.option], weights)
        in_second, out_second = lines((c.id,), values[second.option], weights)
        double = min(1.0, 2 * now)
        without = out_first - out_second
        doubled = double * (in_first - in_second) + (1 - double) * without
        mine, theirs = used[first.option][c.id].value, used[second.option][c.id].value
        best = max(c.score(mine.low), c.score(mine.high)) - values[first.option][c.id]
        best += values[second.option][c.id] - min(c.score(theirs.low), c.score(theirs.high))
        worst = min(c.score(mine.low), c.score(mine.high)) - values[first.option][c.id]
        worst += values[second.option][c.id] - max(c.score(theirs.low), c.score(theirs.high))
        bars.append(Bar(c.id, without, doubled, lead + now * worst, lead + now * best))
    return tuple(sorted(bars, key=lambda bar: -bar.reach))
