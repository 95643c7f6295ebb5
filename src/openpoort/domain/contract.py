"""Contracts and their milestones, as `contracts.toml` tells them, and where each stands on a day.

What nobody knows is left out of the file, and stays unknown here: None, never zero. A day may be
written as a month (`"2019-10"`); it then counts as the last day of that month.

After the last day that is lawfully covered, an extension that is not lawful makes every month
unlawful until the last milestone is met (without milestones: until that extension ends). Where the
extension ended before that, what is on record is the least and today the most. The end is forecast
as the day planned for the last milestone.
"""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

_DAY = timedelta(days=1)
_YEARS = range(1950, 2201)


class BadContracts(ValueError):
    """The text tells no contracts; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Band:
    """Three bounds of something that is forecast."""

    earliest: date
    likely: date
    latest: date


@dataclass(frozen=True, slots=True)
class Milestone:
    """`planned` is None where no day is known, `met` where it has not been."""

    name: str
    planned: Band | None
    met: date | None


@dataclass(frozen=True, slots=True)
class Extension:
    """`lawful` None: nobody says."""

    until: date
    lawful: bool | None


@dataclass(frozen=True, slots=True)
class Contract:
    """Prices in euros a month: low, likely, high. Milestones in their order."""

    name: str
    covers: str | None
    supplier: str | None
    start: date | None
    until: date | None
    extensions: tuple[Extension, ...]
    price: tuple[Decimal, Decimal, Decimal] | None
    milestones: tuple[Milestone, ...]

    @property
    def end(self) -> date | None:
        """The last day that is on record, lawfully or not."""
        days = [e.until for e in self.extensions] + ([self.until] if self.until else [])
        return max(days, default=None)

    @property
    def known(self) -> bool:
        """Whether it is on record of every stretch that it is lawful, or that it is not."""
        return self.until is not None and all(e.lawful is not None for e in self.extensions)

    @property
    def lawful_until(self) -> date | None:
        """The last day that is lawfully covered; None where that is unknown."""
        lawful = [e.until for e in self.extensions if e.lawful]
        return max([self.until, *lawful]) if self.known and self.until else None

    @property
    def unlawful(self) -> bool:
        """Whether the last extension on record is not lawful."""
        return bool(self.extensions) and self.extensions[-1].lawful is False

    @property
    def moved(self) -> date | None:
        """The day on which the last milestone was met."""
        return self.milestones[-1].met if self.milestones else None


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the last milestone is expected; a bound that has passed is None: it is later than today,
    and nobody says how much."""

    earliest: date
    likely: date | None
    latest: date | None


@dataclass(frozen=True, slots=True)
class Months:
    """Months and euros, each low, likely, high; None: not known."""

    months: tuple[Fraction | None, Fraction | None, Fraction | None]
    euros: tuple[Decimal | None, Decimal | None, Decimal | None]


@dataclass(frozen=True, slots=True)
class Alarm:
    """`what` is `passes` (the forecast passes an end that is still to come) or `longer` (an
    unlawful stretch is longer than forecast); `day` that end, or the forecast's last day."""

    contract: str
    what: str
    day: date
    forecast: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A contract on a day. `so_far` and `total` None: not known; `total` as forecast."""

    contract: Contract
    forecast: Forecast | None
    so_far: Months | None
    total: Months | None
    ended: bool
    alarms: tuple[Alarm, ...]


def standing(contract: Contract, today: date) -> Standing:
    """Where `contract` stands at the end of `today`."""
    forecast = _forecast(contract, today)
    end = contract.end
    open_ = contract.milestones and contract.moved is None
    ended = bool(end and end < today and open_)
    return Standing(
        contract, forecast, _so_far(contract, today), _total(contract, forecast, today), ended,
        tuple(_alarms(contract, forecast, today)),
    )  # fmt: skip


def months(first: date, last: date) -> Fraction:
    """From `first` up to and including `last`: of each calendar month the share of its days."""
    if last < first:
        return Fraction(0)
    whole = (last.year - first.year) * 12 + last.month - first.month
    return whole + _share(last, last.day) - _share(first, first.day - 1)


def _share(day: date, days: int) -> Fraction:
    return Fraction(days, monthrange(day.year, day.month)[1])


def _forecast(contract: Contract, today: date) -> Forecast | None:
    if not contract.milestones:
        return None
    last = contract.milestones[-1]
    if last.met:
        return Forecast(last.met, last.met, last.met)
    if last.planned is None:
        return None
    plan = last.planned
    return Forecast(
        max(plan.earliest, today),
        plan.likely if plan.likely >= today else None,
        plan.latest if plan.latest >= today else None,
    )


def _so_far(contract: Contract, today: date) -> Months | None:
    lawful = contract.lawful_until
    if lawful is None:
        return None
    begin = lawful + _DAY
    moved = contract.moved
    before = _before(contract, today)
    if begin > today or (moved and moved <= lawful):
        return _priced(contract, (before,) * 3)
    if not contract.unlawful:
        return None  # it is over, and nobody says how the service goes on
    last, recorded = min(today, moved or today), min(today, contract.end or today)
    least, most = before + months(begin, min(last, recorded)), before + months(begin, last)
    if not contract.milestones:  # nothing tells of an end but the extension itself
        most = least
    # Past the extension nothing is on record: it went on, or it was mended and nobody wrote it.
    known = moved is not None or least == most
    return _priced(contract, (most, most, most) if known else (least, None, most))


def _before(contract: Contract, today: date) -> Fraction:
    """Months of unlawful extensions that a lawful one came after."""
    found, day = Fraction(0), contract.until
    for extension in contract.extensions:
        assert day is not None  # an extension has something that it extends
        if not extension.lawful and extension.until < (contract.lawful_until or day):
            found += months(day + _DAY, min(extension.until, today))
        day = extension.until
    return found


def _total(contract: Contract, forecast: Forecast | None, today: date) -> Months | None:
    lawful = contract.lawful_until
    if lawful is None or forecast is None:
        return None
    begin, before = lawful + _DAY, _before(contract, date.max - _DAY)
    return _priced(contract, tuple(
        None if day is None else before + months(begin, day)
        for day in (forecast.earliest, forecast.likely, forecast.latest)
    ))  # fmt: skip


def _priced(contract: Contract, found: tuple[Fraction | None, ...]) -> Months:
    """Low with low and high with high: the bounds of what it may cost."""
    prices = contract.price or (None, None, None)
    euros = tuple(
        None if m is None or p is None else Decimal(round(m * Fraction(p)))
        for m, p in zip(found, prices, strict=True)
    )
    return Months((found[0], found[1], found[2]), (euros[0], euros[1], euros[2]))


def _alarms(contract: Contract, forecast: Forecast | None, today: date) -> list[Alarm]:
    last = contract.milestones[-1] if contract.milestones else None
    if last is None or last.met or last.planned is None or forecast is None:
        return []
    found = []
    end = contract.end
    if end and end >= today and last.planned.likely > end:
        found.append(Alarm(contract.name, "passes", end, last.planned.likely))
    lawful = contract.lawful_until
    if contract.unlawful and lawful and lawful < today and last.planned.latest < today:
        found.append(Alarm(contract.name, "longer", last.planned.latest, None))
    return found


def read(text: str, today: date) -> tuple[Contract, ...]:
    """The contracts of a file; nothing can be met after `today`. Raises BadContracts."""
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise BadContracts(f"not TOML: {wrong}") from None
    _only(rows, {"contract"}, "file")
    found = tuple(_contract(row, f"contract {n}") for n, row in _tables(rows, "contract", "file"))
    names = [contract.name for contract in found]
    if len(set(names)) < len(names):
        raise BadContracts("two contracts have one name")
    for contract in found:
        for milestone in contract.milestones:
            if milestone.met and milestone.met > today:
                raise BadContracts(
                    f"contract {contract.name!r}: {milestone.name!r} is met on {milestone.met},"
                    " a day still to come"
                )
    return found


def _contract(row: Mapping[str, Any], where: str) -> Contract:
    _only(row, {
        "name", "covers", "supplier", "from", "until", "price_per_month", "extension", "milestone",
    }, where)  # fmt: skip
    name = _text(row, "name", where)
    if name is None:
        raise BadContracts(f"{where}: name is missing")
    where = f"contract {name!r}"
    start, until = _day(row, "from", where, first=True), _day(row, "until", where)
    extensions = tuple(
        _extension(one, f"{where}, extension {n}") for n, one in _tables(row, "extension", where)
    )
    days = [day for day in (start, until, *(e.until for e in extensions)) if day]
    if days != sorted(days):
        raise BadContracts(f"{where}: from, until and the ends of extensions must follow in time")
    if extensions and until is None:
        raise BadContracts(f"{where}: an extension needs the day until which the contract ran")
    milestones = tuple(
        _milestone(one, f"{where}, milestone {n}") for n, one in _tables(row, "milestone", where)
    )
    return Contract(
        name, _text(row, "covers", where), _text(row, "supplier", where), start, until, extensions,
        _price(row, where), milestones,
    )  # fmt: skip


def _extension(row: Mapping[str, Any], where: str) -> Extension:
    _only(row, {"until", "lawful"}, where)
    until = _day(row, "until", where)
    lawful = row.get("lawful")
    if until is None:
        raise BadContracts(f"{where}: until is missing")
    if lawful is not None and not isinstance(lawful, bool):
        raise BadContracts(f"{where}: lawful must be true or false")
    return Extension(until, lawful)


def _milestone(row: Mapping[str, Any], where: str) -> Milestone:
    _only(row, {"name", "planned", "earliest", "likely", "latest", "met"}, where)
    name = _text(row, "name", where)
    if name is None:
        raise BadContracts(f"{where}: name is missing")
    bounds = [_day(row, key, where) for key in ("earliest", "likely", "latest")]
    planned = _day(row, "planned", where)
    known = [day for day in bounds if day]
    if known and (planned or len(known) < 3 or known != sorted(known)):
        raise BadContracts(
            f"{where}: give planned, or earliest, likely and latest in this order, or none of them"
        )
    band = Band(*known) if known else Band(planned, planned, planned) if planned else None
    return Milestone(name, band, _day(row, "met", where))


def _price(row: Mapping[str, Any], where: str) -> tuple[Decimal, Decimal, Decimal] | None:
    given = row.get("price_per_month")
    if given is None:
        return None
    values = given if isinstance(given, list) else [given] * 3
    usual = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if len(values) != 3 or not usual:
        raise BadContracts(f"{where}: price_per_month is euros, or a list of low, likely and high")
    low, likely, high = (Decimal(str(v)) for v in values)
    if not all(v.is_finite() for v in (low, likely, high)) or not 0 <= low <= likely <= high:
        raise BadContracts(
            f"{where}: price_per_month must rise from low to high, and not be below 0"
        )
    return low, likely, high


def _day(row: Mapping[str, Any], key: str, where: str, *, first: bool = False) -> date | None:
    given = row.get(key)
    if given is None:
        return None
    try:
        if isinstance(given, date) and not isinstance(given, datetime):
            found = given
        else:
            year, month = (int(part) for part in str(given).split("-"))
            found = date(year, month, 1 if first else monthrange(year, month)[1])
        if found.year not in _YEARS:
            raise ValueError
        return found
    except (ValueError, IndexError, OverflowError):
        raise BadContracts(
            f'{where}: {key} is a day (2020-07-01) or a month ("2020-07"), not {given!r}'
        ) from None


def _text(row: Mapping[str, Any], key: str, where: str) -> str | None:
    given = row.get(key)
    if given is None:
        return None
    if not isinstance(given, str) or not given.strip() or len(given) > 500:
        raise BadContracts(f"{where}: {key} must be a text; leave out what nobody knows")
    return given


def _only(row: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := set(row) - known:
        raise BadContracts(f"{where}: unknown key {', '.join(sorted(unknown))}")


def _tables(row: Mapping[str, Any], key: str, where: str) -> list[tuple[int, Mapping[str, Any]]]:
    found = row.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadContracts(f"{where}: [[{key}]] must be a list of tables")
    return list(enumerate(found, 1))
