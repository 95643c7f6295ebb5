"""The simulated store against PostgreSQL: the same schedule, the same answers, the same rows."""

from __future__ import annotations

import pytest

from openpoort.devkit.simulation import twin


@pytest.mark.parametrize("seed", [3, 8])
def test_every_answer_and_every_row_is_the_same_on_postgresql(dsn: str, seed: int) -> None:
    found = twin.compare(dsn, seed, 25)
    assert found["broken"] == ""
    assert found["statements"] > 500
    assert found["rows"] > 500
