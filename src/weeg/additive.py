"""The additive value model: weight times score between fixed end points, summed.

An option that passes a veto line stands behind every option that does not, whatever it scores.
Sums are correctly rounded (`fsum`), so no order of rows or columns can change a last digit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from weeg.feeds import Used
from weeg.model import Model, natural

Scores = Mapping[str, Mapping[str, float]]
"""Option -> criterion -> score between 0 and 1."""
_SAME = 1e-12


@dataclass(frozen=True, slots=True)
class Standing:
    """One option in a ranking; equal values share a rank."""

    option: str
    rank: int
    value: float
    parts: Mapping[str, float]
    vetoed_by: tuple[str, ...]

    @property
    def vetoed(self) -> bool:
        return bool(self.vetoed_by)


def levels(ranking: Sequence[Standing]) -> tuple[tuple[Standing, ...], ...]:
    """Best first; options that tie stand together."""
    return tuple(tuple(same) for _, same in groupby(ranking, key=lambda s: s.rank))


def scores(model: Model, used: Mapping[str, Mapping[str, Used]]) -> dict[str, dict[str, float]]:
    return {
        option: {c.id: c.score(cells[c.id].value.mode) for c in model.criteria}
        for option, cells in used.items()
    }


def vetoes(model: Model, used: Mapping[str, Mapping[str, Used]]) -> dict[str, tuple[str, ...]]:
    """Option -> criteria whose veto line its most likely value passes."""
    return {
        option: tuple(c.id for c in model.criteria if c.vetoes(cells[c.id].value.mode))
        for option, cells in used.items()
    }


def rank(
    values: Scores, weights: Mapping[str, float], vetoed: Mapping[str, tuple[str, ...]]
) -> tuple[Standing, ...]:
    """Best first; equals by id."""
    rows = []
    for option, row in values.items():
        parts = {name: weights[name] * score for name, score in row.items()}
        rows.append((option, math.fsum(parts.values()), parts, vetoed.get(option, ())))
    rows.sort(key=lambda r: (bool(r[3]), -round(r[1], 12), natural(r[0])))
    standings: list[Standing] = []
    for index, (option, value, parts, by) in enumerate(rows):
        position = index + 1
        if standings and standings[-1].vetoed == bool(by) and standings[-1].value - value <= _SAME:
            position = standings[-1].rank
        standings.append(Standing(option, position, value, parts, by))
    return tuple(standings)
