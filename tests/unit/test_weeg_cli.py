"""The commands: init, check, run, diff, weights; texts in both languages; exit codes."""

from __future__ import annotations

import ast
import json
import re
import string
from pathlib import Path

import pytest
from click.testing import CliRunner

import weeg as package
from tests.weeg_folders import cells, change, example, weeg
from weeg import texts
from weeg.cli import main


def test_example_is_complete_and_labelled_invented(tmp_path: Path) -> None:
    assert weeg("init", tmp_path / "d", "--example").exit_code == 0
    checked = weeg("check", tmp_path / "d")
    assert checked.exit_code == 0
    assert checked.stdout.endswith("0 warning(s), 6 note(s)\n")
    shown = weeg("run", tmp_path / "d")
    assert shown.exit_code == 0
    assert "INVENTED EXAMPLE" in shown.stdout
    for file in (tmp_path / "d").rglob("*"):
        if file.suffix in (".yaml", ".csv", ".json") and file.name not in (
            "model.yaml",
            "options.csv",
        ):
            assert "invented" in file.read_text(encoding="utf-8").lower() or "verzonnen" in (
                file.read_text(encoding="utf-8").lower()
            )


def test_empty_decision_asks_for_scores_and_for_the_reading_of_points(tmp_path: Path) -> None:
    assert weeg("init", tmp_path / "d").exit_code == 0
    checked = weeg("check", tmp_path / "d")
    assert checked.exit_code == 2
    lines = checked.stderr.splitlines()
    assert len([line for line in lines if "is missing; write a value" in line]) == 28
    assert len([line for line in lines if "per group or per criterion?" in line]) == 5
    assert len(lines) == 33


def test_empty_decision_filled_in_can_be_weighed(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    weeg("init", folder)
    for name in ("belastingdienst", "uwv", "gemeenten", "ministerie", "logius"):
        change(folder, f"weights/{name}.yaml", "per:\n", "per: group\n")
    filled = dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 8, 9, 14), "50") | {
        13: "0",
        15: "9",
        16: "9",
        17: "2",
    }
    cells(folder, {"behouden": filled, "scenario-1": {**filled, 6: "80"}})
    outcome = json.loads(weeg("run", folder, "--json").stdout)
    assert [r["option"] for r in outcome["ranking"]] == ["scenario-1", "behouden"]
    assert weeg("check", folder).exit_code == 1  # nothing has a source yet


def test_init_leaves_an_existing_decision_alone(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    change(folder, "decision.yaml", "seed: 20200629", "seed: 5")
    refused = weeg("init", folder, "--example")
    assert refused.exit_code == 2
    assert "there is a decision here already" in refused.stderr
    assert "seed: 5" in (folder / "decision.yaml").read_text(encoding="utf-8")


def test_init_overwrites_no_file_of_others(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("mine", encoding="utf-8")
    refused = weeg("init", tmp_path)
    assert refused.exit_code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["model.yaml"]
    assert (tmp_path / "model.yaml").read_text(encoding="utf-8") == "mine"


def test_json_is_one_object_with_the_promised_keys(tmp_path: Path) -> None:
    result = weeg("run", example(tmp_path / "d"), "--json", "--cross-check")
    (line,) = result.stdout.splitlines()
    outcome = json.loads(line)
    assert len(outcome["criteria"]) == 17
    assert [c["id"] for c in outcome["criteria"]] == [str(i) for i in range(1, 18)]
    groups = [c["group"] for c in outcome["criteria"]]
    assert [groups.count(g) for g in dict.fromkeys(groups)] == [3, 2, 4, 4, 4]
    assert len(outcome["options"]) == 4
    assert sum(o["zero"] for o in outcome["options"]) == 1
    assert [r["rank"] for r in outcome["ranking"]] == [1, 2, 3, 4]
    for row in outcome["ranking"]:
        assert sum(row["parts"].values()) == pytest.approx(row["value"])
    assert set(outcome["crosscheck"]) == {"topsis", "topsis_vector", "promethee"}
    for view in outcome["views"]:
        assert set(view["readings"]) == {"group", "criterion"}
        assert sum(view["weights"].values()) == pytest.approx(1)
    equal = outcome["views"][-1]["readings"]
    assert equal["criterion"]["groups"]["LOGIUS"] == pytest.approx(2 / 17)
    assert equal["group"]["groups"]["LOGIUS"] == pytest.approx(0.2)


def test_run_is_the_same_bytes_twice_and_in_any_row_order(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    first = weeg("run", folder, "--json").stdout
    assert weeg("run", folder, "--json").stdout == first
    lines = (folder / "options.csv").read_text(encoding="utf-8").splitlines()
    (folder / "options.csv").write_text("\n".join([*lines[:2], *lines[:1:-1]]), encoding="utf-8")
    other = json.loads(weeg("run", folder, "--json").stdout)
    before = json.loads(first)
    for key in ("ranking", "views", "acceptability", "flips", "tornado", "overlaps"):
        assert other[key] == before[key]


def test_diff_explains_the_whole_move(tmp_path: Path) -> None:
    old, new = example(tmp_path / "a"), example(tmp_path / "b")
    cells(new, {"herbouw": {1: "80|90|95"}})
    change(new, "weights/afnemers.yaml", "BEHEERSBAARHEID: 70", "BEHEERSBAARHEID: 20")
    result = weeg("diff", old, new, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["before"]["order"][0] == "hergebruik"
    assert found["after"]["order"][0] == "herbouw"
    for option, (before, after) in found["totals"].items():
        explained = sum(r["effect"] for r in found["reasons"][option])
        assert explained == pytest.approx(after - before, abs=1e-6)
    (swap,) = (s for s in found["swaps"] if s["up"] == "herbouw" and s["down"] == "hergebruik")
    assert swap["before"] < 0 < swap["after"]
    assert sum(r["effect"] for r in swap["reasons"]) == pytest.approx(
        swap["after"] - swap["before"], abs=1e-6
    )
    assert swap["reasons"][0] == {
        "criterion": "1",
        "by": "score",
        "effect": swap["reasons"][0]["effect"],
    }
    changes = {(c["what"], c["name"]): (c["before"], c["after"]) for c in found["changes"]}
    assert changes["score", "herbouw/1"] == ("35|46|64", "80|90|95")
    assert all(what in ("score", "weight") for what, _ in changes)
    shown = weeg("diff", old, new, "--lang", "nl").stdout
    assert "herbouw ging voorbij hergebruik" in shown


def test_diff_of_a_veto_says_so(tmp_path: Path) -> None:
    old, new = example(tmp_path / "a"), example(tmp_path / "b")
    cells(new, {"hergebruik": {1: "10|20|30"}})
    result = weeg("diff", old, new)
    assert result.exit_code == 1
    assert "by a veto that came or went" in result.stdout
    assert "veto hergebruik: – -> 1" in result.stdout


def test_diff_of_the_same_state_is_quiet(tmp_path: Path) -> None:
    folder = example(tmp_path / "a")
    result = weeg("diff", folder, folder)
    assert result.exit_code == 0
    assert "nothing that counts changed" in result.stdout


def test_diff_sees_options_and_end_points_come_and_go(tmp_path: Path) -> None:
    old, new = example(tmp_path / "a"), example(tmp_path / "b")
    extra = "uitstel;60;90;30;50;30;30;80;60;60;9000000;1000000;0,3;1000000;60;300;40;2\n"
    with (new / "options.csv").open("a", encoding="utf-8") as out:
        out.write(extra)
    change(new, "model.yaml", "worst: {value: 400,", "worst: {value: 600,")
    result = weeg("diff", old, new)
    assert "option uitstel: – -> uitstel" in result.stdout
    assert "mind: end points or criteria changed" in result.stdout
    assert "criterion 15: 400..0 count -> 600..0 count" in result.stdout


def test_weights_are_asked_written_and_shown_in_both_readings(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    (folder / "weights/logius.yaml").unlink()
    answers = ["group", *["100", "50", "50", "50", "50"]]
    answers += [a for size in (3, 2, 4, 4, 4) for a in ["100", *["40"] * (size - 1)]]
    asked = CliRunner().invoke(
        main, ["weights", str(folder), "logius"], input="\n".join(answers) + "\n"
    )
    assert asked.exit_code == 0
    assert "With equal points LOGIUS gets 20.0 % per group but 11.8 % per criterion" in asked.stdout
    assert "  Agencies: 33.3 % per group, 18.4 % per criterion" in asked.stdout
    assert weeg("check", folder).exit_code == 0
    assert "per: group" in (folder / "weights/logius.yaml").read_text(encoding="utf-8")


def test_weights_ask_again_until_one_step_has_a_hundred(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    answers = ["90"] * 17 + ["veel", *["100"] * 16] + ["100"] * 17
    asked = CliRunner().invoke(
        main, ["weights", str(folder), "logius", "--per", "criterion"], input="\n".join(answers)
    )
    assert asked.exit_code == 0
    assert "exactly 100 to the step that matters most" in asked.stdout
    assert "“veel” is text where a number belongs" in asked.stdout


def test_second_option_with_a_veto_stands_last_everywhere(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    cells(folder, {"herbouw": {1: "20|30|38"}})
    outcome = json.loads(weeg("run", folder, "--json").stdout)
    assert outcome["ranking"][-1]["option"] == "herbouw"
    assert outcome["ranking"][-1]["vetoed_by"] == ["1"]
    assert outcome["acceptability"]["group"]["ranks"]["herbouw"][-1] == 1
    assert all(f["first"] != "herbouw" for f in outcome["flips"]["weights"])


def test_every_text_exists_in_both_languages_with_the_same_blanks() -> None:
    for key, both in texts.all_texts().items():
        assert set(both) == {"nl", "en"}, key
        blanks = {lang: {f for _, f, _, _ in string.Formatter().parse(t) if f}
                  for lang, t in both.items()}  # fmt: skip
        if key == "problem.overlap":
            assert blanks["nl"] - {"why_nl"} == blanks["en"] - {"why_en"}
        else:
            assert blanks["nl"] >= blanks["en"] or blanks["en"] >= blanks["nl"], key


def test_every_text_is_used_and_every_used_text_exists() -> None:
    """Literal keys, and the problem codes: a sentence nobody says is a rule nobody checks."""
    source = Path(package.__file__).parent
    literals: set[str] = set()
    starts: set[str] = set()
    for file in source.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                starts.add(str(node.values[0].value))
    keys = set(texts.all_texts())
    composed = tuple(s for s in starts if re.fullmatch(r"[a-z.]+[._]", s) and s != "problem.")
    for key in keys:
        said = key in literals or key.removeprefix("problem.") in literals
        ends = key.endswith(("_used", "_fallback")) and key.startswith("problem.measures.")
        assert said or ends or key.startswith(composed), f"nobody says {key}"
    for word in literals:
        if re.fullmatch(
            r"(?:word|report|short|sure|change|people|cli|ask|page)\.[a-z_]*[a-z]", word
        ):
            assert word in keys or word == "report.css"
