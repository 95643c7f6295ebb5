"""Several contracts that run on unlawfully: euros add up, months are counted once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.weeg_folders import change, quick, weeg

TWO = """    unlawful:
      - {name: uitwisseling, from: 2027-01, months: 20|26|36, per_month: 600000}
      - {name: infrastructuur, from: 2027-04, months: 14|20|30, per_month: 350000}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return quick(tmp_path / "d")


def _money(folder: Path, option: str = "pakket") -> dict[str, Any]:
    result = weeg("run", folder, "--json")
    assert result.exit_code == 0, result.stderr
    (row,) = (o for o in json.loads(result.stdout)["options"] if o["id"] == option)
    money: dict[str, Any] = row["money"]
    return money


def _contracts(folder: Path, text: str) -> None:
    change(folder, "costs.yaml", TWO, text)


def test_euros_of_contracts_add_up_and_each_keeps_its_row_and_source(folder: Path) -> None:
    money = _money(folder)
    assert money["unlawful"] == {"low": "16900000", "mode": "22600000", "high": "32100000"}
    first, second = money["unlawful_contracts"]
    assert (first["name"], first["from"], first["euros"]["mode"]) == (
        "uitwisseling", "2027-01", "15600000",
    )  # fmt: skip
    assert first["source"] == "Verzonnen: contractoverzicht"
    assert second["source"] == "Verzonnen: contractoverzicht beheer"
    assert second["at"] == f"costs.yaml:{int(first['at'].split(':')[1]) + 1}"


@pytest.mark.parametrize(
    ("spans", "months"),
    [
        ([("2027-01", "12"), ("2027-01", "6")], "12"),  # one inside the other
        ([("2027-01", "12"), ("2027-07", "12")], "18"),  # overlapping
        ([("2027-01", "6"), ("2027-07", "6")], "12"),  # end to end
        ([("2028-01", "3"), ("2027-01", "6")], "9"),  # a gap between, later one first
        ([("2027-01", "6"), ("2027-01", "6"), ("2026-12", "1")], "7"),
        ([("2027-01-16", "1"), ("2027-02-01", "1")], "1.52"),  # half of January counts once
    ],
)
def test_months_are_those_in_which_at_least_one_runs(
    folder: Path, spans: list[tuple[str, str]], months: str
) -> None:
    rows = "".join(
        f"      - {{name: c{i}, from: {start}, months: {count}, per_month: 1000}}\n"
        for i, (start, count) in enumerate(spans)
    )
    _contracts(folder, f"    unlawful:\n{rows}")
    assert _money(folder)["unlawful_months"] == {"low": months, "mode": months, "high": months}


def test_one_entry_without_a_name_keeps_working(folder: Path) -> None:
    _contracts(folder, "    unlawful: {months: 20|26|36, per_month: 950000}\n")
    money = _money(folder)
    assert money["unlawful"]["mode"] == "24700000"
    assert money["unlawful_months"] == {"low": "20", "mode": "26", "high": "36"}
    (only,) = money["unlawful_contracts"]
    assert (only["name"], only["from"]) == (None, None)
    assert weeg("check", folder).exit_code == 0


def test_row_for_all_contracts_covers_each(folder: Path) -> None:
    change(folder, "sources.csv", "costs/*/unlawful/infrastructuur;", "costs/*/niets/niets;")
    assert weeg("check", folder).exit_code == 0
    change(folder, "sources.csv", "costs/*/unlawful;", "costs/*/niets;")
    change(folder, "sources.csv", "costs/*/*;", "costs/x/x;")
    checked = weeg("check", folder)
    assert checked.exit_code == 1
    assert "costs/pakket/unlawful/uitwisseling has no source" in checked.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "there are 0 unlawful contracts"),
        ("[{name: a, months: 1, per_month: 1}]", "“from” is missing"),
        ("[{from: 2027-01, months: 1, per_month: 1}]", "“name” is missing"),
        ("[{name: a, from: 2027-13, months: 1, per_month: 1}]", "“2027-13” is not a month"),
        ("[{name: a, from: spring, months: 1, per_month: 1}]", "“spring” is not a month"),
        ("[{name: a, from: 2027-01, months: -1, per_month: 1}]", "costs and counts are positive"),
        ("[{name: a, from: 2027-01, months: 1, per_month: 1}, "
         "{name: A, from: 2027-01, months: 1, per_month: 1}]", "contract A stands here already"),
        ("[" + ", ".join(f"{{name: c{i}, from: 2027-01, months: 1, per_month: 1}}"
                         for i in range(21)) + "]", "there are 21 unlawful contracts"),
    ],
)  # fmt: skip
def test_contracts_that_cannot_be_are_refused(folder: Path, text: str, message: str) -> None:
    _contracts(folder, f"    unlawful: {text}\n")
    refused = weeg("check", folder)
    assert refused.exit_code == 2
    assert message in refused.stderr


def _forecast(folder: Path, months: str, times: str) -> None:
    measure = {"name": "unlawful_months_forecast", "value": months, "unit": "months",
               "time": "2026-11-19T00:00:00Z", "source": "forecast", "window": "P1D"}  # fmt: skip
    (folder / "measures" / "f.json").write_text(
        json.dumps({"format": "weeg-measures/1", "publisher": "x", "measures": [measure]})
    )
    with (folder / "feeds.yaml").open("a", encoding="utf-8") as feeds:
        feeds.write(
            "verwacht: {file: measures/f.json, measure: unlawful_months_forecast, unit: months, "
            f"times: {times}, fresh_for: 30 days}}\n"
        )
    rows = (folder / "options.csv").read_text(encoding="utf-8").splitlines()
    rows = [r.replace("@onrechtmatig", "@verwacht") if r.startswith("pakket") else r for r in rows]
    (folder / "options.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _score(folder: Path) -> dict[str, Any]:
    result = weeg("run", folder, "--json")
    assert result.exit_code == 0, result.stderr
    (row,) = (o for o in json.loads(result.stdout)["options"] if o["id"] == "pakket")
    found: dict[str, Any] = row["scores"]["10"]
    return found


def test_forecast_of_one_contract_is_priced_and_the_others_stay_as_planned(folder: Path) -> None:
    _forecast(folder, "10", "unlawful/uitwisseling")
    cell = _score(folder)
    # 10 x 600,000 as measured, and 14, 20 or 30 x 350,000 as planned
    assert (cell["low"], cell["mode"], cell["high"]) == ("10900000", "13000000", "16500000")
    assert cell["state"] == "fresh"


def test_forecast_of_the_only_contract_needs_no_name(folder: Path) -> None:
    _contracts(folder, "    unlawful: {months: 20|26|36, per_month: 950000}\n")
    _forecast(folder, "10", "unlawful")
    assert _score(folder)["mode"] == "9500000"


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ("unlawful", "has no unlawful contract unlawful"),  # two contracts: say which
        ("unlawful/kis", "has no unlawful contract kis"),
        ("tariff", "choose from: unlawful, unlawful/NAME"),
    ],
)
def test_forecast_of_no_contract_is_refused(folder: Path, times: str, message: str) -> None:
    _forecast(folder, "10", times)
    refused = weeg("run", folder)
    assert refused.exit_code == 2
    assert message in refused.stderr


def test_page_shows_each_contract(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    weeg("report", folder, "--out", out, "--lang", "nl")
    page = out.read_text(encoding="utf-8")
    assert "Standaardpakket: Onrechtmatige periode uitwisseling, 2027-01" in page
    assert "Standaardpakket: Onrechtmatige periode infrastructuur, 2027-04" in page
