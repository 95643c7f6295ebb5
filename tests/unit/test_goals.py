"""The table of goals says what the records say, also when that is no."""

from __future__ import annotations

from typing import Any

from openpoort_lab.figures.goals import table


def _rows(**records: dict[str, Any]) -> list[str]:
    return table(lambda name: records.get(name.replace("-", "_"), {})).splitlines()[2:]


def test_a_goal_is_reached_at_its_number_and_missed_just_short_of_it() -> None:
    reached = {"ratio_to_limit": 0.3, "ratio_to_reference": 1.499, "day": "2026-01-01"}
    share, reference, *_ = _rows(accept=reached)
    assert share.endswith("| 30 % | 30 % | yes | 2026-01-01 |")
    assert reference.endswith("| 1.5 times | 1.5 times | **no** | 2026-01-01 |")


def test_what_must_stay_below_is_missed_at_the_bound() -> None:
    day = "2026-01-01"
    rows = _rows(
        beside={"notes": {"p99_ratio": 1.5}, "day": day},
        flat={"spread": {"accept_cpu_ms": 1.05}, "day": day},
    )
    assert f"| under 1.5 times | 1.5 times | **no** | {day} |" in "\n".join(rows)
    assert f"| under 20 % | 5 % | yes | {day} |" in "\n".join(rows)


def test_what_was_not_measured_is_no_success() -> None:
    assert all("not measured" in row and "yes" not in row for row in _rows())
