"""Folders, weighed: the numbers stand. Change one only together with `weeg.VERSION`.

`weeg_before` is a whole folder from before contracts, voices and the record of the choice were read
in a folder: it keeps its model, its hash, its exit codes and every value that it had.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.weeg_folders import change, example, weeg

GOLDEN = Path(__file__).with_name("weeg_example.json")
BEFORE = Path(__file__).with_name("weeg_before")


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


def kept(before: Any, after: Any, at: str = "") -> None:
    """Every value of `before` stands in `after`; objects may have more keys, lists not more."""
    if isinstance(before, dict):
        for key, value in before.items():
            kept(value, after[key], f"{at}/{key}")
    elif isinstance(before, list):
        assert len(before) == len(after), at
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            kept(old, new, f"{at}/{index}")
    else:
        assert before == after, at


def test_folder_of_before_keeps_its_hash_and_every_value() -> None:
    result = weeg("run", BEFORE / "folder", "--json", "--cross-check")
    assert result.exit_code == 0
    kept(json.loads((BEFORE / "run.json").read_text(encoding="utf-8")), json.loads(result.stdout))


def test_folder_of_before_keeps_its_exit_codes_and_gets_one_note_on_the_record(
    tmp_path: Path,
) -> None:
    checked = weeg("check", BEFORE / "folder")
    assert checked.exit_code == 0
    old = (BEFORE / "check.txt").read_text(encoding="utf-8").splitlines()[:-1]
    more = [line for line in checked.stdout.splitlines()[:-1] if line not in old]
    assert [line for line in old if line not in checked.stdout] == []
    assert len([line for line in more if "external advice" in line]) == 1
    assert [line for line in more if not line.startswith("note: ")] == []
    assert weeg("diff", BEFORE / "folder", BEFORE / "folder").exit_code == 0
    worse = tmp_path / "d"
    shutil.copytree(BEFORE / "folder", worse)
    change(worse, "sources.csv", "costs/volume;", "costs/nothing;")
    assert weeg("check", worse).exit_code == 1
    change(worse, "decision.yaml", "zero_option: behouden\n", "")
    assert weeg("check", worse).exit_code == 2
