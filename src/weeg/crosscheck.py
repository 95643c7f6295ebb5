"""TOPSIS and PROMETHEE II, as a cross-check only: they compare options with each other.

Both normalise over the options that happen to be there, so an option more or less can turn the
order of the others around. Where they disagree with the additive value, that is worth a look; it
is not a verdict. A veto still beats their score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from weeg.feeds import Used
from weeg.model import Model, natural

Floats = NDArray[np.float64]
PREFERENCE = 0.25
INDIFFERENCE = 0.05
"""PROMETHEE thresholds as shares of the scale: full preference and none at all."""


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """Method -> options best first, and the scores they had."""

    order: Mapping[str, tuple[str, ...]]
    scores: Mapping[str, Mapping[str, float]]
    levels: Mapping[str, tuple[tuple[str, ...], ...]]


def topsis(matrix: Floats, weights: Floats, up: NDArray[np.bool_], vector: bool = False) -> Floats:
    """Closeness to the best of what is there, 0 to 1; options in rows. Min-max, or vector norms."""
    spread = _vector(matrix, up) if vector else _minmax(matrix, up)
    weighted = spread * weights
    to_best = np.sqrt(((weighted - weighted.max(axis=0)) ** 2).sum(axis=1))
    to_worst = np.sqrt(((weighted - weighted.min(axis=0)) ** 2).sum(axis=1))
    whole = to_best + to_worst
    return np.asarray(np.divide(to_worst, whole, out=np.zeros_like(whole), where=whole > 0))


def promethee(
    matrix: Floats, weights: Floats, up: NDArray[np.bool_], p: Floats, q: Floats
) -> Floats:
    """Net flow, -1 to 1: linear preference from indifference `q` to full preference `p`."""
    count = len(matrix)
    if count < 2:
        return np.zeros(count)
    signed = np.where(up, matrix, -matrix)
    difference = signed[:, None, :] - signed[None, :, :]
    width = np.where(p > q, p - q, 1.0)
    linear = np.clip((difference - q) / width, 0.0, 1.0)
    preference = np.where(p > q, linear, difference > q)
    flows = (preference * weights).sum(axis=2)
    return np.asarray((flows.sum(axis=1) - flows.sum(axis=0)) / (count - 1))


def _minmax(matrix: Floats, up: NDArray[np.bool_]) -> Floats:
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    return np.asarray(np.where(up, matrix - low, high - matrix) / width)


def _vector(matrix: Floats, up: NDArray[np.bool_]) -> Floats:
    length = np.sqrt((matrix**2).sum(axis=0))
    spread = matrix / np.where(length > 0, length, 1.0)
    return np.where(up, spread, 1 - spread)


def check(
    model: Model,
    used: Mapping[str, Mapping[str, Used]],
    weights: Mapping[str, float],
    vetoed: Mapping[str, tuple[str, ...]],
) -> CrossCheck:
    options = sorted(used, key=natural)
    criteria = model.canonical_order
    matrix = np.array([[float(used[o][c.id].value.mode) for c in criteria] for o in options])
    w = np.array([weights[c.id] for c in criteria])
    up = np.array([c.higher_is_better for c in criteria])
    scale = np.array([abs(float(c.best.value - c.worst.value)) for c in criteria])
    found = {
        "topsis": topsis(matrix, w, up),
        "topsis_vector": topsis(matrix, w, up, vector=True),
        "promethee": promethee(matrix, w, up, PREFERENCE * scale, INDIFFERENCE * scale),
    }
    scores = {name: dict(zip(options, map(float, row), strict=True)) for name, row in found.items()}
    order = {
        name: tuple(
            sorted(options, key=lambda o: (bool(vetoed[o]), -round(row[o], 12), natural(o)))
        )
        for name, row in scores.items()
    }
    levels = {
        name: tuple(
            tuple(same)
            for _, same in groupby(
                found, key=lambda o: (bool(vetoed[o]), round(scores[name][o], 12))
            )
        )
        for name, found in order.items()
    }
    return CrossCheck(order, scores, levels)
