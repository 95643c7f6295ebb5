"""Where the stakeholders differ: rankings, weights that lie apart, and what each would give up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from weeg.additive import Standing


@dataclass(frozen=True, slots=True)
class Gap:
    """The lowest and highest weight that a criterion gets, and from whom."""

    criterion: str
    low: float
    low_by: str
    high: float
    high_by: str

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Dispute:
    """`regret[stakeholder][option]`: value lost against that stakeholder's own first.

    `agreement` is Kendall's tau over the pairs of options: 1 the same order, -1 the reverse.
    `compromises` are the options whose worst regret of any that counts is smallest, among those
    without a veto: one, unless they tie.
    """

    gaps: tuple[Gap, ...]
    regret: Mapping[str, Mapping[str, float]]
    agreement: Mapping[tuple[str, str], float]
    compromises: tuple[str, ...]


def between(
    weights: Mapping[str, Mapping[str, float]],
    rankings: Mapping[str, tuple[Standing, ...]],
    counting: Sequence[tuple[Standing, ...]],
) -> Dispute:
    """`rankings` of each stakeholder; `counting` those of whoever counts, groups as one."""
    people = list(weights)
    criteria = list(weights[people[0]])
    gaps = [_gap(c, {p: weights[p][c] for p in people}) for c in criteria]
    regret = {p: {s.option: rankings[p][0].value - s.value for s in rankings[p]} for p in people}
    allowed = [s.option for s in rankings[people[0]] if not s.vetoed]
    candidates = allowed or [s.option for s in rankings[people[0]]]
    lost = [{s.option: ranking[0].value - s.value for s in ranking} for ranking in counting]
    worst = {o: round(max(row[o] for row in lost), 12) for o in sorted(candidates)}
    compromises = tuple(o for o in worst if worst[o] == min(worst.values()))
    agreement = {(a, b): _tau(rankings[a], rankings[b]) for a, b in combinations(people, 2)}
    return Dispute(tuple(sorted(gaps, key=lambda g: -g.width)), regret, agreement, compromises)


def _gap(criterion: str, given: Mapping[str, float]) -> Gap:
    low, high = min(given, key=lambda p: given[p]), max(given, key=lambda p: given[p])
    return Gap(criterion, given[low], low, given[high], high)


def _tau(a: tuple[Standing, ...], b: tuple[Standing, ...]) -> float:
    first, second = ({s.option: s.rank for s in ranking} for ranking in (a, b))
    pairs = list(combinations(sorted(first), 2))
    if not pairs:
        return 1.0
    signs = [(first[x] - first[y]) * (second[x] - second[y]) for x, y in pairs]
    return sum((s > 0) - (s < 0) for s in signs) / len(pairs)
