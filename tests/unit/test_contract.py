"""Contracts: what is unlawful, how long, at what price, and what is not known."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpoort.domain.contract import Alarm, BadContracts, Standing, months, read, standing

LATER = date(2030, 1, 1)
DIGIPOORT = """
[[contract]]
name = "uitwisseling"
until = "2019-10"
price_per_month = [900_000, 1_000_000, 1_200_000.5]
  [[contract.extension]]
  until = "2021-10"
  lawful = false
  [[contract.milestone]]
  name = "gunning"
  planned = 2020-07-03
  met = 2020-07-10
  [[contract.milestone]]
  name = "overbrengen"
  earliest = 2021-01-31
  likely = 2021-05-31
  latest = 2022-02-28
"""


def _on(text: str, day: date) -> Standing:
    (contract,) = read(text, LATER)
    return standing(contract, day)


def test_months_are_whole_months_and_days_as_a_share_of_theirs() -> None:
    assert months(date(2019, 11, 1), date(2021, 10, 31)) == 24
    assert months(date(2020, 2, 1), date(2020, 2, 29)) == 1
    assert months(date(2020, 1, 31), date(2020, 2, 29)) == 1 + Fraction(1, 31)
    assert months(date(2020, 4, 1), date(2020, 4, 15)) == Fraction(1, 2)
    assert months(date(2020, 4, 2), date(2020, 4, 1)) == 0


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 5000), st.integers(0, 40))
def test_a_longer_stretch_never_has_fewer_months(first: date, days: int, more: int) -> None:
    last = first + timedelta(days=days)
    short, long = months(first, last), months(first, last + timedelta(days=more))
    assert 0 < short <= long
    assert long == short + months(last + timedelta(days=1), last + timedelta(days=more))
    assert abs(short - Fraction(days + 1) / Fraction(30437, 1000)) < Fraction(1, 7)


def test_unlawful_so_far_and_as_forecast_with_prices_low_and_high() -> None:
    found = _on(DIGIPOORT, date(2020, 10, 31))
    assert found.so_far is not None
    assert found.total is not None
    assert found.so_far.months == (12, 12, 12)
    assert found.so_far.euros == (Decimal(10_800_000), Decimal(12_000_000), Decimal(14_400_006))
    assert found.total.months == (15, 19, 28)
    assert found.total.euros == (Decimal(13_500_000), Decimal(19_000_000), Decimal(33_600_014))
    assert found.alarms == ()


def test_bounds_that_have_passed_are_unknown_and_not_today() -> None:
    found = _on(DIGIPOORT, date(2021, 7, 31))
    assert found.forecast is not None
    assert found.total is not None
    assert (found.forecast.earliest, found.forecast.likely) == (date(2021, 7, 31), None)
    assert found.total.months == (21, None, 28)
    assert found.total.euros[1] is None


def test_a_forecast_that_passes_an_end_still_to_come() -> None:
    late = DIGIPOORT.replace("2021-05-31", "2021-12-01")
    assert _on(late, date(2020, 1, 1)).alarms == (
        Alarm("uitwisseling", "passes", date(2021, 10, 31), date(2021, 12, 1)),
    )
    assert _on(late, date(2021, 11, 1)).alarms == ()  # that end has passed


def test_an_unlawful_stretch_longer_than_forecast() -> None:
    assert _on(DIGIPOORT, date(2022, 2, 28)).alarms == ()
    found = _on(DIGIPOORT, date(2022, 3, 31))
    assert found.alarms == (Alarm("uitwisseling", "longer", date(2022, 2, 28), None),)
    assert found.so_far is not None
    assert found.total is not None
    assert found.so_far.months == (24, None, 29)  # the extension on record ended before
    assert found.total.months == (29, None, None)


def test_moving_over_ends_it() -> None:
    moved = DIGIPOORT + "  met = 2021-04-30\n"
    found = _on(moved, date(2022, 3, 31))
    assert found.so_far is not None
    assert found.so_far.months == (18, 18, 18)
    assert (found.alarms, found.ended) == ((), False)


def test_what_nobody_knows_is_unknown_and_never_zero() -> None:
    bare = _on('[[contract]]\nname = "a"\n', date(2020, 1, 1))
    assert (bare.so_far, bare.total, bare.forecast) == (None, None, None)
    unpriced = _on('[[contract]]\nname = "a"\nuntil = 2020-06-30\n', date(2020, 1, 1))
    assert unpriced.so_far is not None
    assert unpriced.so_far.months[0] == 0
    assert unpriced.so_far.euros == (None, None, None)
    over = _on('[[contract]]\nname = "a"\nuntil = 2019-06-30\n', date(2020, 1, 1))
    assert over.so_far is None  # nobody says how it goes on
    unsaid = DIGIPOORT.replace("lawful = false", "")
    assert _on(unsaid, date(2020, 10, 31)).so_far is None


def test_without_milestones_an_unlawful_extension_is_counted_to_its_end() -> None:
    text = DIGIPOORT[: DIGIPOORT.index("  [[contract.milestone]]")]
    found = _on(text, date(2025, 1, 1))
    assert found.so_far is not None
    assert found.so_far.months[0] == 24
    assert found.total is None


def test_a_lawful_extension_after_an_unlawful_one_closes_that_stretch() -> None:
    text = """
[[contract]]
name = "a"
until = 2019-12-31
extension = [{until = 2020-03-31, lawful = false}, {until = 2020-12-31, lawful = true}]
"""
    found = _on(text, date(2020, 6, 1))
    assert found.so_far is not None
    assert found.so_far.months[0] == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("name = \"uitwisseling\"", "nam = 1"), "unknown key nam"),
        (("until = \"2019-10\"", "until = \"2019-13\""), "a day (2020-07-01) or a month"),
        (("until = \"2021-10\"", "until = \"2018-10\""), "must follow in time"),
        (("until = \"2021-10\"", "until = 9999-12-31"), "a day (2020-07-01) or a month"),
        (("until = \"2021-10\"", f"until = \"{10**30}-10\""), "a day (2020-07-01) or a month"),
        (("lawful = false", "lawful = 0"), "lawful must be true or false"),
        (("likely = 2021-05-31", ""), "earliest, likely and latest"),
        (("likely = 2021-05-31", "likely = 2023-05-31"), "in this order"),
        (("met = 2020-07-10", "met = 2031-07-10"), "still to come"),
        (("900_000", "9_000_000"), "must rise"),
        (("900_000", "nan"), "must rise"),
        (("900_000", "true"), "price_per_month is euros"),
        (("[[contract]]", "[contract]"), "must be a list of tables"),
        (("name = \"gunning\"", ""), "name is missing"),
        (("until = \"2019-10\"", "until = 2019-10-31\nsupplier = \"\""), "leave out"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_is_refused(change: tuple[str, str], said: str) -> None:
    with pytest.raises(BadContracts, match=said.replace("(", r"\(").replace(")", r"\)")):
        read(DIGIPOORT.replace(*change, 1), LATER)


_DAYS = st.one_of(st.none(), st.dates(date(1950, 1, 1), date(2200, 12, 31)))


@given(
    st.lists(
        st.tuples(_DAYS, st.sampled_from(["", "lawful = true", "lawful = false"])), max_size=3
    ),
    st.lists(st.tuples(_DAYS, _DAYS), max_size=3),
    st.dates(date(1950, 1, 1), date(2200, 12, 31)),
    st.sampled_from(["", "price_per_month = 0", "price_per_month = [1, 2.5, 1e9]"]),
)
def test_whatever_a_file_says_its_bounds_keep_their_order(
    periods: list[tuple[date | None, str]],
    plans: list[tuple[date | None, date | None]],
    today: date,
    price: str,
) -> None:
    lines = ["[[contract]]", 'name = "a"', price]
    ends = sorted(day for day, _ in periods if day)
    lines += [f"until = {ends[0]}"] if ends else []
    for end, (_, lawful) in zip(ends[1:], periods[1:], strict=False):
        lines += ["[[contract.extension]]", f"until = {end}", lawful]
    for planned, met in plans:
        lines += ["[[contract.milestone]]", 'name = "m"']
        lines += [f"planned = {planned}"] if planned else []
        lines += [f"met = {met}"] if met and met <= today else []
    (contract,) = read("\n".join(lines), today)
    found = standing(contract, today)
    for part in (found.so_far, found.total):
        for bounds in (part.months, part.euros) if part else ():
            known = [value for value in bounds if value is not None]
            assert known == sorted(known)
            assert all(value >= 0 for value in known)
    if found.so_far and not price:
        assert found.so_far.euros == (None, None, None)
    if not ends:
        assert found.so_far is None
    for alarm in found.alarms:
        assert contract.moved is None
        assert (alarm.day >= today) == (alarm.what == "passes")
