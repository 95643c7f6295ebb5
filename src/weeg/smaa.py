"""SMAA: what if nobody agrees on the weights, and the scores are bandwidths?

Draws weights evenly over everything that sums to 1 and scores from triangles between low, mode
and high, and counts how often each option comes first, second and so on. Each criterion and each
cell draws from a stream of its own, seeded by its name: the order of rows changes nothing, and an
option more or less changes no draw of the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weeg.feeds import Used
from weeg.model import Criterion, Model, natural

_BLOCK = 10_000
_VETOED = 2.0
"""Subtracted from a vetoed total; totals lie between 0 and 1, so every vetoed one stands behind."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Acceptability:
    """Shares of all draws. `ranks[option][0]` is how often it comes first."""

    per: str
    draws: int
    ranks: Mapping[str, tuple[float, ...]]
    central: Mapping[str, Mapping[str, float]]
    vetoed: Mapping[str, float]
    before: Mapping[str, Mapping[str, float]]


def draw(
    model: Model,
    used: Mapping[str, Mapping[str, Used]],
    *,
    seed: int,
    draws: int,
    per: str,
    vary_scores: bool = True,
) -> Acceptability:
    """`per` is `criterion` or `group`: which of the two gets the evenly drawn weights."""
    options = sorted(used, key=natural)
    criteria = model.canonical_order
    weights = _weights(model, criteria, seed, per)
    cells = {
        (o, c.id): _cell(c, used[o][c.id], _stream(seed, "cell", o, c.id), vary_scores)
        for o in options
        for c in criteria
    }
    tally = _Tally(len(options), len(criteria))
    left = draws
    while left:
        size = min(left, _BLOCK)
        tally.add(_next_block(size, options, criteria, weights, cells))
        left -= size
    return tally.result(options, [c.id for c in criteria], per, draws)


def _next_block(
    size: int,
    options: list[str],
    criteria: tuple[Criterion, ...],
    weights: _Weights,
    cells: Mapping[tuple[str, str], _Cell],
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Weights (criterion x draw), totals and vetoes (option x draw)."""
    drawn = weights.take(size)
    totals = np.zeros((len(options), size))
    vetoed = np.zeros((len(options), size), dtype=bool)
    for j, criterion in enumerate(criteria):
        for i, option in enumerate(options):
            score, veto = cells[option, criterion.id].take(size)
            totals[i] += drawn[j] * score
            if veto is not None:
                vetoed[i] |= veto
    return drawn, totals, vetoed


def _stream(seed: int, *names: str) -> np.random.Generator:
    digest = hashlib.sha256("\0".join((str(seed), *names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))


@dataclass(frozen=True, slots=True)
class _Weights:
    """Evenly over the simplex: exponential draws divided by their sum, per group or not."""

    single: tuple[np.random.Generator, ...]
    groups: tuple[np.random.Generator, ...]
    members: tuple[tuple[int, ...], ...]

    def take(self, size: int) -> Floats:
        raw = np.stack([stream.standard_exponential(size) for stream in self.single])
        if not self.groups:
            return np.asarray(raw / raw.sum(axis=0))
        tops = np.stack([stream.standard_exponential(size) for stream in self.groups])
        tops /= tops.sum(axis=0)
        for index, rows in enumerate(self.members):
            chosen = list(rows)
            raw[chosen] *= tops[index] / raw[chosen].sum(axis=0)
        return raw


def _weights(model: Model, criteria: tuple[Criterion, ...], seed: int, per: str) -> _Weights:
    single = tuple(_stream(seed, "weight", per, c.id) for c in criteria)
    if per == "criterion":
        return _Weights(single, (), ())
    names = sorted((name for name, _ in model.groups), key=natural)
    groups = tuple(_stream(seed, "group", name) for name in names)
    members = tuple(tuple(j for j, c in enumerate(criteria) if c.group == n) for n in names)
    return _Weights(single, groups, members)


@dataclass(frozen=True, slots=True)
class _Cell:
    """One score: fixed, or drawn from the triangle between low, mode and high."""

    criterion: Criterion
    low: float
    mode: float
    high: float
    fixed: float | None
    veto: bool
    stream: np.random.Generator

    def take(self, size: int) -> tuple[float | Floats, bool | NDArray[np.bool_] | None]:
        if self.fixed is not None:
            return self.fixed, self.veto or None
        chance = self.stream.random(size)
        width = self.high - self.low
        rising = np.sqrt(chance * (width * (self.mode - self.low)))
        falling = np.sqrt((1 - chance) * (width * (self.high - self.mode)))
        peak = (self.mode - self.low) / width
        value = np.where(chance < peak, self.low + rising, self.high - falling)
        c = self.criterion
        worst, best = float(c.worst.value), float(c.best.value)
        score = np.clip((value - worst) / (best - worst), 0.0, 1.0)
        if c.veto is None:
            return score, None
        line = float(c.veto)
        return score, (value < line) if c.higher_is_better else (value > line)


def _cell(c: Criterion, used: Used, stream: np.random.Generator, vary: bool) -> _Cell:
    value = used.value
    fixed = c.score(value.mode) if value.certain or not vary else None
    low, mode, high = float(value.low), float(value.mode), float(value.high)
    return _Cell(c, low, mode, high, fixed, c.vetoes(value.mode), stream)


class _Tally:
    """Counts over the blocks. Equal totals share their places evenly."""

    def __init__(self, options: int, criteria: int) -> None:
        self.ranks = np.zeros((options, options))
        self.central = np.zeros((options, criteria))
        self.before = np.zeros((options, options))
        self.vetoed = np.zeros(options)

    def add(self, block: tuple[Floats, Floats, NDArray[np.bool_]]) -> None:
        weights, totals, vetoed = block
        totals = totals - _VETOED * vetoed
        self.vetoed += vetoed.sum(axis=1)
        count, size = totals.shape
        better = np.zeros((count, size), dtype=np.int16)
        equal = np.zeros((count, size), dtype=np.int16)
        for a in range(count):
            for b in range(a + 1, count):
                wins, loses = totals[a] > totals[b], totals[a] < totals[b]
                better[b] += wins
                better[a] += loses
                same = ~(wins | loses)
                equal[a] += same
                equal[b] += same
                won, lost = int(wins.sum()), int(loses.sum())
                self.before[a, b] += won + (size - won - lost) / 2
                self.before[b, a] += lost + (size - won - lost) / 2
        for a in range(count):
            self._places(a, better[a], equal[a])
            first = np.where(better[a] == 0, 1.0 / (equal[a] + 1), 0.0)
            self.central[a] += np.einsum("cn,n->c", weights, first)

    def _places(self, a: int, better: NDArray[np.int16], equal: NDArray[np.int16]) -> None:
        count = len(self.ranks)
        for ties in np.unique(equal):
            found = np.bincount(better[equal == ties], minlength=count) / (int(ties) + 1)
            for step in range(int(ties) + 1):
                self.ranks[a, step:] += found[: count - step]

    def result(
        self, options: list[str], criteria: list[str], per: str, draws: int
    ) -> Acceptability:
        central = {}
        for i, option in enumerate(options):
            if self.ranks[i, 0]:
                row = self.central[i] / self.ranks[i, 0]
                central[option] = {c: float(row[j]) for j, c in enumerate(criteria)}
        return Acceptability(
            per,
            draws,
            {o: tuple(float(x) / draws for x in self.ranks[i]) for i, o in enumerate(options)},
            central,
            {o: float(self.vetoed[i]) / draws for i, o in enumerate(options)},
            {
                o: {p: float(self.before[i, j]) / draws for j, p in enumerate(options) if i != j}
                for i, o in enumerate(options)
            },
        )
