"""Reading `costs.yaml`: cash flows per option and year, volume forecast, agencies, split.

Everything is an exact Decimal with the row it stands on. Costs are positive; only a line of kind
`benefit` counts the other way. Amounts are euros, written out in full.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from weeg.document import Entry, Words
from weeg.figure import Range
from weeg.model import identifier, unique
from weeg.problem import Place, refuse
from weeg.split import Agency, Splits, read_agencies, read_splits

FILE = "costs.yaml"
KINDS = ("fixed", "platform", "licence", "variable", "investment", "benefit")
MOST_CONTRACTS = 20
_MONTH = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_YEARS = re.compile(r"(\d{4})(?:\s*-\s*(\d{4}))?")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an option: yearly amounts, or an amount per message for kind `variable`."""

    id: str
    kind: str
    words: Words
    amounts: Mapping[int, tuple[Range, Place]]
    per_message: tuple[Range, Place] | None
    life: int
    place: Place


@dataclass(frozen=True, slots=True)
class Stretch:
    """A period with a price: `count` months or weeks of `price` euros each. `year` is that of
    weeks of double running; an unlawful period belongs to no year."""

    count: Range
    price: Range
    year: int
    place: Place


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract that runs on unlawfully. `start` is in months since the year 0; a contract that
    stands alone may lack name and start."""

    name: str
    since: str
    start: Fraction | None
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class OptionCosts:
    lines: tuple[Line, ...]
    unlawful: tuple[Contract, ...]
    double_running: Stretch | None
    place: Place


@dataclass(frozen=True, slots=True)
class Reference:
    """An amount known from elsewhere, to hold the unit price against."""

    amount: Decimal
    words: Words
    place: Place


@dataclass(frozen=True, slots=True)
class Costs:
    first: int
    last: int
    base: int
    rate: Decimal
    volume: Mapping[int, tuple[Range, Place]]
    options: Mapping[str, OptionCosts]
    agencies: Mapping[str, Agency]
    splits: Splits | None
    reference: Reference | None

    @property
    def years(self) -> range:
        return range(self.first, self.last + 1)


def read(entry: Entry) -> Costs:
    needed = ("currency", "years", "base_year", "discount_rate", "volume", "options")
    fields = entry.fields(needed, ("agencies", "splits", "reference"))
    if fields["currency"].text() not in ("EUR", "€"):
        raise refuse("costs.currency", fields["currency"].place, value=fields["currency"].text())
    span = fields["years"].fields(("first", "last"))
    first = span["first"].integer(1990, 2200)
    last = span["last"].integer(first, first + 60)
    rate = fields["discount_rate"].number("%")
    if not 0 <= rate <= 25:
        raise refuse("costs.rate", fields["discount_rate"].place, value=rate)
    volume = _years(fields["volume"], first, last, "messages")
    for year in range(first, last + 1):
        if year not in volume or volume[year][0].low <= 0:
            raise refuse("costs.volume", fields["volume"].place, year=year)
    options = {
        identifier(key, place): _option(value, first, last)
        for key, place, value in fields["options"].mapping()
    }
    agencies = read_agencies(fields["agencies"]) if "agencies" in fields else {}
    splits = read_splits(fields["splits"], agencies) if "splits" in fields else None
    reference = _reference(fields["reference"]) if "reference" in fields else None
    base = fields["base_year"].integer(first - 20, last)
    return Costs(first, last, base, rate / 100, volume, options, agencies, splits, reference)


def _reference(entry: Entry) -> Reference:
    fields = entry.fields(("amount", "nl", "en"))
    words = Words(fields["nl"].text(), fields["en"].text())
    return Reference(fields["amount"].number("EUR"), words, entry.place)


def _years(entry: Entry, first: int, last: int, unit: str) -> dict[int, tuple[Range, Place]]:
    """`2027: amount` or `2027-2030: amount`; every year at most once and within the life."""
    found: dict[int, tuple[Range, Place]] = {}
    for key, place, value in entry.mapping():
        match = _YEARS.fullmatch(key)
        if not match:
            raise refuse("costs.year", place, value=key, first=first, last=last)
        start, end = int(match[1]), int(match[2] or match[1])
        if not first <= start <= end <= last:
            raise refuse("costs.year", place, value=key, first=first, last=last)
        amount = value.range(unit)
        if amount.low < 0:
            raise refuse("costs.negative", value.place, value=value.text())
        for year in range(start, end + 1):
            if year in found:
                raise refuse("costs.year_double", place, year=year)
            found[year] = (amount, value.place)
    return found


def _option(entry: Entry, first: int, last: int) -> OptionCosts:
    fields = entry.fields(("lines",), ("unlawful", "double_running"))
    lines = tuple(_line(item, first, last) for item in fields["lines"].list())
    unique(((line.id, line.place) for line in lines), "costs.line_double")
    unlawful = _contracts(fields["unlawful"]) if "unlawful" in fields else ()
    double = None
    if "double_running" in fields:
        run = fields["double_running"].fields(("weeks", "per_week", "year"))
        year = run["year"].integer(first, last)
        double = _stretch(run, "weeks", "per_week", year, fields["double_running"].place)
    return OptionCosts(lines, unlawful, double, entry.place)


def _line(entry: Entry, first: int, last: int) -> Line:
    fields = entry.fields(("id", "kind", "nl", "en"), ("amounts", "per_message", "life"))
    kind = fields["kind"].one_of(*KINDS)
    place = fields["id"].place
    name = identifier(fields["id"].text(), place)
    wanted = "per_message" if kind == "variable" else "amounts"
    unwanted = "amounts" if kind == "variable" else "per_message"
    if wanted not in fields or unwanted in fields:
        raise refuse("costs.line_kind", place, id=name, kind=kind, wanted=wanted)
    if (kind == "investment") != ("life" in fields):
        raise refuse("costs.life", place, id=name)
    life = fields["life"].integer(1, 60) if kind == "investment" else 0
    words = Words(fields["nl"].text(), fields["en"].text())
    if kind == "variable":
        price = fields["per_message"].range("EUR/message")
        if price.low < 0:
            raise refuse("costs.negative", fields["per_message"].place, value=price.low)
        return Line(name, kind, words, {}, (price, fields["per_message"].place), 0, place)
    amounts = _years(fields["amounts"], first, last, "EUR")
    return Line(name, kind, words, amounts, None, life, place)


def _contracts(entry: Entry) -> tuple[Contract, ...]:
    """One contract, or a list of them with name and start each."""
    alone = entry.items is None
    rows = (entry,) if alone else entry.list()
    if not 1 <= len(rows) <= MOST_CONTRACTS:
        raise refuse("costs.contracts", entry.place, found=len(rows), most=MOST_CONTRACTS)
    found = tuple(_contract(row, alone) for row in rows)
    named = [(c.name, c.stretch.place) for c in found if c.name]
    unique(named, "costs.contract_double")
    return found


def _contract(entry: Entry, alone: bool) -> Contract:
    needed, more = ("months", "per_month"), ("name", "from")
    fields = entry.fields(needed, more) if alone else entry.fields((*needed, *more))
    name = identifier(fields["name"].text(), fields["name"].place) if "name" in fields else ""
    since = fields["from"].text() if "from" in fields else ""
    start = _month(fields["from"]) if since else None
    return Contract(name, since, start, _stretch(fields, "months", "per_month", 0, entry.place))


def _month(entry: Entry) -> Fraction:
    """`2027-03` or a day of it; a day counts as its share of the month."""
    match = _MONTH.fullmatch(entry.text())
    try:
        day = dt.date(int(match[1]), int(match[2]), int(match[3] or 1)) if match else None
    except ValueError:
        day = None
    if day is None:
        raise refuse("costs.month", entry.place, value=entry.text())
    whole = calendar.monthrange(day.year, day.month)[1]
    return Fraction(12 * day.year + day.month - 1) + Fraction(day.day - 1, whole)


def _stretch(fields: dict[str, Entry], count: str, price: str, year: int, place: Place) -> Stretch:
    units = {"months": "months", "weeks": ""}
    long, dear = fields[count].range(units[count]), fields[price].range("EUR")
    for field, value in ((count, long), (price, dear)):
        if value.low < 0:
            raise refuse("costs.negative", fields[field].place, value=value.low)
    return Stretch(long, dear, year, place)
