"""pymcdm as an oracle: 1,000 random problems, agreement to 1e-9."""

from __future__ import annotations

import numpy as np
from pymcdm.methods import PROMETHEE_II, TOPSIS, WSM
from pymcdm.normalizations import minmax_normalization, vector_normalization

from tests.weeg_problems import cells, criterion, model
from weeg import additive
from weeg.crosscheck import promethee, topsis

PROBLEMS = 1000
TOLERANCE = 1e-9


def test_methods_agree_with_the_oracle_on_a_thousand_problems() -> None:
    chance = np.random.default_rng(2020)
    worst = {"topsis": 0.0, "topsis_vector": 0.0, "promethee": 0.0, "usual": 0.0, "additive": 0.0}
    for _ in range(PROBLEMS):
        options, criteria = int(chance.integers(2, 13)), int(chance.integers(2, 18))
        matrix = chance.uniform(0.1, 100.0, (options, criteria))
        weights = chance.dirichlet(np.ones(criteria))
        up = chance.random(criteria) < 0.5
        types = np.where(up, 1, -1)
        p, q = np.full(criteria, 25.0), chance.uniform(0, 10, criteria)

        def gap(name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
            worst[name] = max(worst[name], float(np.abs(ours - np.asarray(theirs)).max()))

        gap(
            "topsis",
            topsis(matrix, weights, up),
            TOPSIS(minmax_normalization)(matrix, weights, types, validation=False),
        )
        gap(
            "topsis_vector",
            topsis(matrix, weights, up, vector=True),
            TOPSIS(vector_normalization)(matrix, weights, types, validation=False),
        )
        gap(
            "promethee",
            promethee(matrix, weights, up, p, q),
            PROMETHEE_II("vshape_2", p=p, q=q)(matrix, weights, types, validation=False),
        )
        none = np.zeros(criteria)
        gap(
            "usual",
            promethee(matrix, weights, up, none, none),
            PROMETHEE_II("usual")(matrix, weights, types, validation=False),
        )
        gap("additive", _additive(matrix, weights, up), _anchored(matrix, weights, types))
    assert all(found < TOLERANCE for found in worst.values()), worst


def _additive(matrix: np.ndarray, weights: np.ndarray, up: np.ndarray) -> np.ndarray:
    ends = [("0", "100") if rises else ("100", "0") for rises in up]
    m = model(*(criterion(f"c{j}", worst=worst, best=best) for j, (worst, best) in enumerate(ends)))
    used = cells(
        m.criteria, {f"o{i}": [repr(float(v)) for v in row] for i, row in enumerate(matrix)}
    )
    given = {f"c{j}": float(w) for j, w in enumerate(weights)}
    ranking = additive.rank(additive.scores(m, used), given, {})
    totals = {s.option: s.value for s in ranking}
    return np.array([totals[f"o{i}"] for i in range(len(matrix))])


def _anchored(matrix: np.ndarray, weights: np.ndarray, types: np.ndarray) -> np.ndarray:
    """Weighted sum with two rows added at the end points: then min-max is the fixed scale."""
    best = np.where(types == 1, 100.0, 0.0)
    padded = np.vstack([matrix, best, 100.0 - best])
    return np.asarray(WSM(minmax_normalization)(padded, weights, types, validation=False))[:-2]
