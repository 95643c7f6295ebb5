"""What the comparison of refusal times says of times that are the same, and that are not."""

from __future__ import annotations

import random

import pytest

from openpoort_lab.measuring.timing_oracle import compare, likelihood


def test_of_two_that_never_meet_one_is_always_the_larger() -> None:
    share, deviations = likelihood([5.0, 6.0, 7.0], [1.0, 2.0, 3.0])
    assert share == 1.0
    assert deviations == pytest.approx(0.5 / (7 / 108) ** 0.5)
    assert likelihood([1.0, 2.0, 3.0], [5.0, 6.0, 7.0])[0] == 0.0


def test_two_of_three_pairs() -> None:
    assert likelihood([2.0], [1.0, 1.5, 3.0])[0] == pytest.approx(2 / 3)


def test_times_of_one_sort_give_nothing_away_and_a_tenth_more_does() -> None:
    draw = random.Random(4)
    there, absent = ([draw.gauss(0.002, 0.0005) for _ in range(2000)] for _ in range(2))
    same = compare(there, absent)
    assert same["asked"] == 4000
    assert abs(same["standard_deviations"]) < 3
    assert same["ratio_p50"] == pytest.approx(1.0, abs=0.03)
    slower = compare([t * 1.1 for t in there], absent)
    assert slower["ratio_p50"] == pytest.approx(1.1, abs=0.03)
    assert slower["standard_deviations"] > 5
