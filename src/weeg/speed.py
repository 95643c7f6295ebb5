"""`python -m weeg.speed`: how long SMAA takes on 17 criteria, 10 options and 100,000 draws.

Worst case on purpose: every score of every option is a bandwidth, weights are drawn as well.
"""

from __future__ import annotations

import sys
import time
from decimal import Decimal

import numpy as np

from weeg import smaa
from weeg.document import Words
from weeg.feeds import Used
from weeg.figure import Range
from weeg.model import Criterion, End, Model
from weeg.problem import Place

CRITERIA, OPTIONS, DRAWS = 17, 10, 100_000


def problem() -> tuple[Model, dict[str, dict[str, Used]]]:
    """Five groups of 3, 2, 4, 4 and 4 criteria; invented bandwidths from a fixed seed."""
    chance = np.random.default_rng(2020)
    words, place = Words("x", "x"), Place("speed")
    ends = End(Decimal(0), words), End(Decimal(100), words)
    criteria = tuple(
        Criterion(str(i), group, words, "points", *ends, Decimal(5), (), place)
        for i, group in enumerate("AAABBCCCCDDDDEEEE", 1)
    )

    def cell() -> Used:
        low, mode, high = sorted(int(v) for v in chance.integers(0, 101, 3))
        return Used(Range(Decimal(low), Decimal(mode), Decimal(high)), "typed", "speed")

    used = {f"o{i}": {c.id: cell() for c in criteria} for i in range(OPTIONS)}
    return Model(tuple((g, words) for g in "ABCDE"), criteria, ()), used


def main() -> None:
    model, used = problem()
    for per in ("group", "criterion"):
        start, used_before = time.perf_counter(), time.process_time()
        smaa.draw(model, used, seed=1, draws=DRAWS, per=per)
        seconds = time.perf_counter() - start
        spent = time.process_time() - used_before
        sys.stdout.write(
            f"{CRITERIA} criteria x {OPTIONS} options x {DRAWS} draws, weights per {per} and"
            f" scores: {seconds:.2f} s, of which {spent:.2f} s of processor\n"
        )


if __name__ == "__main__":
    main()
