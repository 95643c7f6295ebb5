"""The simulated store against PostgreSQL: the same schedule, the same answers, the same rows."""

from __future__ import annotations

import pytest

from openpoort_lab.simulation import differential

MESSAGES = 1000
"""In each of two worlds; the faults of a world are as many for a thousand messages as for 25."""


@pytest.mark.parametrize("seed", [3, 8])
def test_every_answer_and_every_row_is_the_same_on_postgresql(dsn: str, seed: int) -> None:
    found = differential.compare(dsn, seed, MESSAGES)
    assert found["broken"] == ""
    assert found["statements"] > 5_000
    assert found["rows"] > 20 * MESSAGES
