"""xsd:dateTime as clients write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from openpoort.wire.xml import instant


@pytest.mark.conformance("WUS-1.4-4")
@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-23T13:00:00Z", "2026-11-23T13:00:00.000Z"),
        ("2026-11-23T13:00:00.1234567+01:00", "2026-11-23T12:00:00.123Z"),
        ("2026-11-23T13:00:00-05:30", "2026-11-23T18:30:00.000Z"),
        ("2026-12-31T24:00:00Z", "2027-01-01T00:00:00.000Z"),
        ("  2026-11-23T13:00:00Z\n", "2026-11-23T13:00:00.000Z"),
        # Without zone: Dutch local time.
        ("2026-11-23T13:00:00", "2026-11-23T12:00:00.000Z"),
        ("2026-07-01T13:00:00.5", "2026-07-01T11:00:00.500Z"),
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59.000Z"),
        ("2026-03-29T03:00:00", "2026-03-29T01:00:00.000Z"),
        ("2026-10-25T02:59:59", "2026-10-25T00:59:59.000Z"),
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00.000Z"),
    ],
)
def test_time_is_read_as_the_moment_it_means(text: str, utc: str) -> None:
    assert instant.form(instant.parse(text)) == utc


@pytest.mark.parametrize("zone", ["", "Z", "+01:00", "+00:19", "-05:00", "+14:00"])
@pytest.mark.parametrize("fraction", ["", ".0", ".0000000", ".9999999", "." + "0" * 40])
def test_a_time_that_nobody_filled_in_is_unset_whatever_its_zone(zone: str, fraction: str) -> None:
    assert instant.parse(f"0001-01-01T00:00:00{fraction}{zone}") == instant.UNSET
    assert instant.parse(f"0001-01-02T00:00:00{fraction}{zone}") != instant.UNSET


def test_a_zone_that_does_not_exist_is_wrong_there_too() -> None:
    with pytest.raises(ValueError, match="zone"):
        instant.parse("0001-01-01T00:00:00+15:00")


def test_any_number_of_digits_may_follow_the_second() -> None:
    assert instant.form(instant.parse(f"2026-11-23T13:00:00.5{'0' * 40}Z")).endswith("00.500Z")


def test_time_without_zone_may_mean_utc() -> None:
    assert instant.parse("2026-11-23T13:00:00", UTC) == datetime(2026, 11, 23, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23 13:00:00Z",
        "2026-11-23T13:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-23T25:00:00Z",
        "2026-11-23T13:00:60Z",
        "2026-11-23T13:00:00.Z",
        "2026-11-23T13:00:00+15:00",
        "2026-11-23T13:00:00+01:60",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:01+14:00",
        "9999-12-31T24:00:00Z",
        "-2026-11-23T13:00:00Z",
        "12026-11-23T13:00:00Z",
        "２０２６-11-23T13:00:00Z",
    ],
)
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        instant.parse(text)
