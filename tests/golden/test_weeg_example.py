"""The example, weighed: the numbers stand. Change one only together with `weeg.VERSION`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.weeg_folders import example, weeg

GOLDEN = Path(__file__).with_name("weeg_example.json")


def essence(outcome: dict[str, Any]) -> dict[str, Any]:
    """What a reader takes home; draws rounded to what 100,000 of them can say."""
    money = ("npv", "tco", "unit_price", "unlawful", "double_running", "split")
    return {
        "weeg": outcome["weeg"],
        "ranking": {r["option"]: r["value"] for r in outcome["ranking"]},
        "views": {
            v["name"]: {per: [r["option"] for r in found["ranking"]]
                        for per, found in v["readings"].items()}
            for v in outcome["views"]
        },
        "acceptability": {
            per: {o: [round(x, 3) for x in row] for o, row in found["ranks"].items()}
            for per, found in outcome["acceptability"].items()
        },
        "money": {o["id"]: {name: o["money"][name] for name in money} for o in outcome["options"]},
        "weight_flips": {
            f["name"]: None if f["needed"] is None else round(f["needed"], 6)
            for f in outcome["flips"]["weights"]
        },
        "crosscheck": {name: found["order"] for name, found in outcome["crosscheck"].items()},
    }  # fmt: skip


def test_example_gives_the_numbers_of_record(tmp_path: Path) -> None:
    result = weeg("run", example(tmp_path / "d"), "--json", "--cross-check")
    found = essence(json.loads(result.stdout))
    wanted = json.loads(GOLDEN.read_text(encoding="utf-8"))
    drawn, expected = found.pop("acceptability"), wanted.pop("acceptability")
    assert found == wanted
    for per, rows in expected.items():
        for option, row in rows.items():
            assert drawn[per][option] == pytest.approx(row, abs=0.002)
