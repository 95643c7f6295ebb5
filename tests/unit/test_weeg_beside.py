"""What is compared beside the criteria: responsibility, risks, the choice, advice, code reused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.weeg_folders import cells, change, quick, weeg


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return quick(tmp_path / "d")


def _run(folder: Path) -> dict[str, Any]:
    result = weeg("run", folder, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _bare(folder: Path) -> None:
    """The example without any of these parts."""
    text = (folder / "decision.yaml").read_text(encoding="utf-8").split("chosen:")[0]
    kept, skip = [], False
    for line in text.splitlines():
        skip = line.strip() in ("responsibility:", "risks:") or (skip and line.startswith("      "))
        kept += [] if skip else [line]
    (folder / "decision.yaml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    for name in ("advice.csv", "inventory.csv"):
        (folder / name).unlink()
    change(folder, "options.csv", "@hergebruikte_code", "70")


def test_example_shows_a_whole_one(folder: Path) -> None:
    outcome = _run(folder)
    assert outcome["chosen"]["option"] == "hergebruik"
    assert outcome["chosen"]["leads"] is True
    assert all(o["responsibility"] and o["risks"] for o in outcome["options"])
    assert [a["followed"] for a in outcome["advice"]] == ["yes", "yes", "partly", "no"]
    assert weeg("check", folder).exit_code == 0


def test_share_of_lines_kept_fills_criterion_seven(folder: Path) -> None:
    outcome = _run(folder)
    cell = outcome["options"][1]["scores"]["7"]
    # 84,000 + 61,000 + 38,000 of 262,000 lines
    assert (cell["mode"], cell["state"]) == ("69.85", "inventory")
    change(folder, "inventory.csv", "berichtenopslag;52000;1 van 5;herbouwen",
           "berichtenopslag;52000;1 van 5;")  # fmt: skip
    assert _run(folder)["options"][1]["scores"]["7"]["mode"] == "69.85"  # undecided is not kept
    (folder / "inventory.csv").unlink()
    refused = weeg("run", folder)
    assert refused.exit_code == 2
    assert "there is no inventory.csv" in refused.stderr


def test_none_of_the_parts_gives_one_note_and_no_other_exit_code(folder: Path) -> None:
    _bare(folder)
    checked = weeg("check", folder)
    assert checked.exit_code == 0
    lines = [x for x in checked.stdout.splitlines() if "external advice" in x]
    assert len(lines) == 1
    assert lines[0].startswith("note: decision.yaml")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("decision.yaml", "  by: afnemers en ministerie, na advies van Logius (verzonnen)\n", "",
         "chosen: “by” is missing"),
        ("decision.yaml", ", owner: Verzonnen Leverancier C", "",
         "hergebruik, risks: “owner” is missing"),
        ("decision.yaml", ", until: 2036-12-31", "", "pakket, responsibility: “until” is missing"),
        ("decision.yaml", "    risks:\n      - {what: de leverancier stopt met het pakket, "
         "chance: low, effect: high, owner: Ministerie, control: broncode in bewaring}\n", "",
         "option pakket names no risks"),
        ("advice.csv", ";nee;elke maand", ";;elke maand", "“followed” is missing"),
        ("advice.csv", "criterium 10\n", "\n", "“where” is missing"),
        ("inventory.csv", "de staat;Verzonnen jurist\ncontroleren", "de staat;\ncontroleren",
         "aannemen: “who” is missing"),
        ("inventory.csv", "leunt op een pakket zonder ondersteuning", "",
         "beheerschermen: “why” is missing"),
    ],
)  # fmt: skip
def test_what_is_missing_in_a_part_that_was_begun_is_a_warning(
    folder: Path, file: str, old: str, new: str, message: str
) -> None:
    change(folder, file, old, new)
    checked = weeg("check", folder)
    assert checked.exit_code == 1
    warned = [x for x in checked.stdout.splitlines() if x.startswith("warning: ")]
    assert len(warned) == 1
    assert message in warned[0]


def test_rebuilt_part_needs_nobody_who_says_that_it_may_be_reused(folder: Path) -> None:
    rows = (folder / "inventory.csv").read_text(encoding="utf-8").splitlines()
    assert [row for row in rows if row.endswith(";")]  # the rebuilt parts of the example
    assert all(";herbouwen;" in row for row in rows if row.endswith(";"))
    assert weeg("check", folder).exit_code == 0


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("decision.yaml", "option: hergebruik", "option: niets", "option niets has no row"),
        ("decision.yaml", "day: 2026-11-19", "day: gisteren", "“gisteren” is not a date"),
        ("decision.yaml", "chance: low", "chance: perhaps", "choose from: low, medium, high"),
        ("decision.yaml", "from: 2027-01-01, until: 2036-12-31",
         "from: 2037-01-01, until: 2036-12-31", "ends on 2036-12-31, before it begins"),
        ("decision.yaml", "dissent:", "disent:", "perhaps you meant: dissent"),
        ("advice.csv", ";nee;", ";misschien;", "choose from: yes, partly, no"),
        ("advice.csv", "gevolgd", "followd", "column “followed” is missing"),
        ("inventory.csv", "herbouwen", "weg", "choose from: keep, rebuild"),
        ("inventory.csv", "84000", "84,5", "must be a whole number"),
        ("inventory.csv", "84000", "-84000", "must be a whole number"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_with_its_place(
    folder: Path, file: str, old: str, new: str, message: str
) -> None:
    change(folder, file, old, new)
    refused = weeg("check", folder)
    assert refused.exit_code == 2
    assert message in refused.stderr
    assert file in refused.stderr


def test_diff_says_whether_the_chosen_one_still_leads(folder: Path, tmp_path: Path) -> None:
    assert "the chosen option hergebruik still leads" in weeg("diff", folder, folder).stdout
    new = quick(tmp_path / "new")
    cells(new, {"herbouw": {1: "80|90|95", 14: "80|90|95"}})
    shown = weeg("diff", folder, new)
    assert "hergebruik no longer leads: it is number 2, first is herbouw" in shown.stdout
    found = json.loads(weeg("diff", folder, new, "--json").stdout)
    assert found["chosen"] == {
        "option": "hergebruik", "rank": 2, "leads": False, "first": ["herbouw"],
    }  # fmt: skip


def test_diff_tells_what_changed_of_the_choice(folder: Path, tmp_path: Path) -> None:
    new = quick(tmp_path / "new")
    change(new, "decision.yaml", "day: 2026-11-19", "day: 2026-11-20")
    change(new, "advice.csv", ";nee;elke maand", ";deels;elke maand")
    change(new, "inventory.csv", "controleren;61000", "controleren;62000")
    told = weeg("diff", folder, new).stdout
    assert "chosen : hergebruik, 2026-11-19" in told
    assert "advice Verzonnen toetsbureau: stel de keuze een jaar uit: no, " in told
    assert "inventory controleren: 61000, keep -> 62000, keep" in told


def test_page_shows_each_part_in_the_language_of_the_reader(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    for language, words in {
        "nl": ("Verantwoordelijkheid per optie", "Extern advies", "herbouwen", "Afwijkend oordeel",
               "staat nog eerst", "gereconstrueerd uit de brief", "nog niets"),
        "en": ("Responsibility by option", "External advice", "rebuild", "Dissent", "still leads",
               "reconstructed from the letter", "nothing yet"),
    }.items():  # fmt: skip
        weeg("report", folder, "--out", out, "--lang", language)
        page = out.read_text(encoding="utf-8")
        assert [word for word in words if word not in page] == []
