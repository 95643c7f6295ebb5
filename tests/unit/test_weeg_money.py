"""Money: exact, with bandwidths, traceable to the row, split to the cent."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from tests.weeg_folders import change, example, weeg
from weeg import document
from weeg.costs import read
from weeg.figure import Range
from weeg.money import Money, reckon
from weeg.split import share_out

_COSTS = """
currency: EUR
years: {first: 2027, last: 2030}
base_year: 2027
discount_rate: 10 %
volume: {2027-2028: 1000, 2029: 900|1000|1250, 2030: 1000}
agencies:
  a: {nl: A, en: A, messages: 2, bytes: 1, peak: 0}
  b: {nl: B, en: B, messages: 1, bytes: 1, peak: 5}
splits:
  start: all
  pools:
    all: {key: negotiated, over: {busy: 50 %, a: 50 %}}
    busy: {key: messages, over: [a, b]}
options:
  x:
    lines:
      - {id: run, kind: fixed, nl: Run, en: Run, amounts: {2027-2029: 100, 2030: 90|100|120}}
      - {id: per, kind: variable, nl: Per, en: Per, per_message: "0.01|0.02|0.04"}
      - {id: build, kind: investment, life: 5, nl: Build, en: Build, amounts: {2028: 1000}}
      - {id: old, kind: benefit, nl: Old, en: Old, amounts: {2028: 10|20|30}}
    unlawful: {months: 6|9|12, per_month: 50}
    double_running: {weeks: 2|3|4, per_week: 10, year: 2029}
"""


@pytest.fixture
def money() -> Money:
    return reckon(read(document.parse(_COSTS.encode(), "costs.yaml")))["x"]


def _range(low: str, mode: str, high: str) -> Range:
    return Range(Decimal(low), Decimal(mode), Decimal(high))


def test_cash_per_year_holds_every_kind(money: Money) -> None:
    assert money.per_year[2027] == _range("110", "120", "140")
    # 100 + 10|20|40 + 1000 - 30|20|10
    assert money.per_year[2028] == _range("1080", "1100", "1130")
    # 100 + 9|20|50 + 20|30|40
    assert money.per_year[2029] == _range("129", "150", "190")
    assert money.tco == _range("1419", "1490", "1620")


def test_present_value_is_exact_to_the_cent(money: Money) -> None:
    exact = sum(
        Fraction(cash) / Fraction(11, 10) ** n for n, cash in enumerate((120, 1100, 150, 120))
    )
    assert money.npv.mode == Decimal(round(exact * 100)) / 100
    assert money.npv.mode == Decimal("1334.12")


def test_unit_price_depreciates_and_leaves_double_running_out(money: Money) -> None:
    # run 400, per message 80, written off 3 of 5 years of 1000; over 4000 messages
    assert money.tariff_total.mode == Decimal("1080")
    assert money.unit_price.mode == Decimal("0.27")
    assert money.unit_price.low < money.unit_price.mode < money.unit_price.high
    assert money.price_parts["depreciation"].mode == Decimal("0.15")
    assert sum(part.mode for part in money.price_parts.values()) == money.unit_price.mode


def test_unlawful_period_is_shown_and_not_added(money: Money) -> None:
    assert money.unlawful == _range("300", "450", "600")
    assert money.unlawful_months == _range("6", "9", "12")
    kinds = {flow.kind for flow in money.flows}
    assert "unlawful" not in kinds
    assert money.double_running == _range("20", "30", "40")


def test_split_follows_pools_and_sums_to_the_cent(money: Money) -> None:
    assert money.split == {"a": Decimal("900"), "b": Decimal("180")}
    assert money.keys["messages"] == {"a": Decimal("720"), "b": Decimal("360")}
    assert money.keys["peak"] == {"a": Decimal("0"), "b": Decimal("1080")}
    for parts in money.keys.values():
        assert sum(parts.values()) == Decimal("1080")


def test_cents_that_rounding_leaves_are_handed_out() -> None:
    thirds = {name: Fraction(1, 3) for name in "abc"}
    assert share_out(100, thirds) == {"a": 34, "b": 33, "c": 33}
    assert sum(share_out(10**15 + 1, thirds).values()) == 10**15 + 1


def test_every_amount_names_its_row_and_the_rows_make_the_total(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    outcome = json.loads(weeg("run", folder, "--json").stdout.splitlines()[-1])
    text = (folder / "costs.yaml").read_text(encoding="utf-8").splitlines()
    for option in outcome["options"]:
        money = option["money"]
        total = Decimal(0)
        for line in money["lines"]:
            file, row = line["at"].split(":")
            assert file == "costs.yaml"
            shown = text[int(row) - 1]
            assert line["line"] in shown
            assert line["source"].startswith("Verzonnen")
            total += Decimal(line["mode"])
        assert total == Decimal(money["tco"]["mode"])
        assert sum(Decimal(year["mode"]) for year in money["per_year"].values()) == total


def test_large_and_small_amounts_stay_exact(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    change(folder, "costs.yaml", "{2027-2036: 5200000}", "{2027: 98765432109876543210.07}")
    outcome = json.loads(weeg("run", folder, "--json").stdout.splitlines()[-1])
    keep = outcome["options"][0]["money"]
    (licence,) = (line for line in keep["lines"] if line["line"] == "licenties")
    assert licence["mode"] == "98765432109876543210.07"
    assert keep["tco"]["mode"].endswith(".07")


def test_comma_decimals_in_costs(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    before = json.loads(weeg("run", folder, "--json").stdout)["options"][0]["money"]
    change(folder, "costs.yaml", "per_message: 0.02|0.025|0.03", 'per_message: "0,02|0,025|0,03"')
    after = json.loads(weeg("run", folder, "--json").stdout)["options"][0]["money"]
    assert after == before
