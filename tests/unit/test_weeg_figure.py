"""Numbers as people type them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from weeg.figure import Range, number, spread
from weeg.problem import BadInput, Place

HERE = Place("options.csv", 3, 5, "4")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("12", "", "12"),
        ("12,5", "", "12.5"),
        ("12.5", "", "12.5"),
        ("-3", "", "-3"),
        ("\N{MINUS SIGN}3,25", "", "-3.25"),
        ("+7", "", "7"),
        (",5", "", "0.5"),
        ("0,125", "", "0.125"),
        ("0.400", "", "0.400"),
        ("1.234.567", "", "1234567"),
        ("1.234,50", "", "1234.50"),
        ("1,234.50", "", "1234.50"),
        ("1.234.567,89", "EUR", "1234567.89"),
        ("1\u00a0234\u00a0567", "", "1234567"),
        ("1 234,5", "", "1234.5"),
        ("1'234'567.5", "", "1234567.5"),
        ("€ 0,40", "EUR/message", "0.40"),
        ("€ 12", "EUR", "12"),
        ("40 %", "%", "40"),
        ("40%", "%", "40"),
        ("12 maanden", "months", "12"),
        ("0,35 €/bericht", "EUR/message", "0.35"),
        ("123456789012345678901234567890,01", "", "123456789012345678901234567890.01"),
    ],
)
def test_number_is_read_exactly(text: str, unit: str, value: str) -> None:
    assert number(text, HERE, unit) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "unit", "code"),
    [
        ("", "", "number.empty"),
        ("veel", "", "number.text"),
        ("12 appels", "", "number.text"),
        ("1.2.3", "", "number.text"),
        ("1,23,4", "", "number.text"),
        ("12-13", "", "number.text"),
        ("=SUM(B2:B4)", "", "number.formula"),
        ("=1+1", "", "number.formula"),
        ("@SUM(A1)", "", "number.formula"),
        ("SOM(A1;A2)", "", "number.formula"),
        ("#REF!", "", "number.formula"),
        ("#N/B", "", "number.formula"),
        ("#DIV/0!", "", "number.formula"),
        ("#WAARDE!", "", "number.formula"),
        ("NaN", "", "number.nan"),
        ("-inf", "", "number.nan"),
        (".nan", "", "number.nan"),
        ("1,23E+05", "", "number.exponent"),
        ("1e5", "", "number.exponent"),
        ("1.234", "", "number.ambiguous"),
        ("12,345", "", "number.ambiguous"),
        ("12 mln", "", "number.multiple"),
        ("€ 12 miljoen", "EUR", "number.multiple"),
        ("12 maanden", "EUR", "unit.wrong"),
        ("€ 12", "months", "unit.wrong"),
        ("12 %", "points", "unit.wrong"),
        ("9" * 61, "", "number.long"),
    ],
)
def test_what_is_no_plain_number_is_refused_with_its_reason(
    text: str, unit: str, code: str
) -> None:
    with pytest.raises(BadInput) as refused:
        number(text, HERE, unit)
    (problem,) = refused.value.problems
    assert problem.code == code
    assert problem.show("en").startswith("options.csv, row 3, column 5 (4): ")
    assert problem.show("nl").startswith("options.csv, rij 3, kolom 5 (4): ")


def test_bandwidth_has_three_ascending_parts() -> None:
    assert spread("1|2,5|4", HERE) == Range(Decimal(1), Decimal("2.5"), Decimal(4))
    assert spread("3", HERE).certain
    for text, code in (("1|2", "range.parts"), ("3|2|4", "range.order"), ("1||2", "number.empty")):
        with pytest.raises(BadInput) as refused:
            spread(text, HERE)
        assert refused.value.problems[0].code == code
