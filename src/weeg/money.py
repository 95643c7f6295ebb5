"""Money per option: present value, total cost, unit price, unlawful period, double running.

Fractions inside, so that no step rounds; cents only in what is shown. Every amount comes with the
rows it was made of. The cost of the unlawful period is an exposure on top of nothing: it is money
that the lines already hold, so it is never added to the total. Bandwidths add up the lows and the
highs of all lines: the outer bounds, wider than what is likely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from weeg.costs import Contract, Costs, Line, OptionCosts
from weeg.figure import Range
from weeg.problem import Place
from weeg.split import driven, share_out

_CENT = 100
_PRICE = 1_000_000
"""Unit prices are shown in millionths of a euro: a message may cost less than a cent."""


@dataclass(frozen=True, slots=True)
class Band:
    """Exact low, mode and high."""

    low: Fraction
    mode: Fraction
    high: Fraction

    def __add__(self, other: Band) -> Band:
        return Band(self.low + other.low, self.mode + other.mode, self.high + other.high)

    def minus(self, other: Band) -> Band:
        return Band(self.low - other.high, self.mode - other.mode, self.high - other.low)

    def times(self, other: Band) -> Band:
        """For bands that are not negative."""
        return Band(self.low * other.low, self.mode * other.mode, self.high * other.high)

    def per(self, other: Band) -> Band:
        """Cheapest over most, dearest over least."""
        return Band(self.low / other.high, self.mode / other.mode, self.high / other.low)

    def scaled(self, factor: Fraction) -> Band:
        return Band(self.low * factor, self.mode * factor, self.high * factor)

    def rounded(self, steps: int = _CENT) -> Range:
        low, mode, high = (round(part * steps) for part in (self.low, self.mode, self.high))
        return Range(*(Decimal(part) / steps for part in (low, mode, high)))


NOTHING = Band(Fraction(0), Fraction(0), Fraction(0))


def band(value: Range) -> Band:
    return Band(Fraction(value.low), Fraction(value.mode), Fraction(value.high))


def total(bands: Iterable[Band]) -> Band:
    result = NOTHING
    for item in bands:
        result = result + item
    return result


@dataclass(frozen=True, slots=True)
class Flow:
    """Cash of one line in one year, with the row it stands on."""

    line: str
    kind: str
    year: int
    amount: Band
    place: Place


@dataclass(frozen=True, slots=True)
class Money:
    """What one option costs over the economic life."""

    flows: tuple[Flow, ...]
    per_year: Mapping[int, Range]
    npv: Range
    tco: Range
    investment: Range
    unit_price: Range
    price_per_year: Mapping[int, Range]
    price_parts: Mapping[str, Range]
    unlawful: Range
    unlawful_months: Range
    double_running: Range
    tariff_total: Range
    split: Mapping[str, Decimal]
    keys: Mapping[str, Mapping[str, Decimal]]

    def of(self, name: str) -> Range:
        found = getattr(self, name)
        assert isinstance(found, Range)
        return found


def reckon(costs: Costs) -> dict[str, Money]:
    return {name: _option(costs, option) for name, option in costs.options.items()}


def _option(costs: Costs, option: OptionCosts) -> Money:
    flows = tuple(_flows(costs, option))
    years = {y: _net(f for f in flows if f.year == y) for y in costs.years}
    factor = {y: 1 / (1 + Fraction(costs.rate)) ** (y - costs.base) for y in costs.years}
    parts = _price_parts(costs, option, flows)
    volumes = {y: band(costs.volume[y][0]) for y in costs.years}
    tariff = total(part for per_year in parts.values() for part in per_year.values())
    whole = total(volumes.values())
    yearly = {
        y: total(per_year[y] for per_year in parts.values()).per(volumes[y]).rounded(_PRICE)
        for y in costs.years
    }
    cents = round(tariff.mode * _CENT)
    return Money(
        flows=flows,
        per_year={y: amount.rounded() for y, amount in years.items()},
        npv=total(years[y].scaled(factor[y]) for y in costs.years).rounded(),
        tco=total(years.values()).rounded(),
        investment=total(f.amount for f in flows if f.kind == "investment").rounded(),
        unit_price=tariff.per(whole).rounded(_PRICE),
        price_per_year=yearly,
        price_parts={
            kind: total(per_year.values()).per(whole).rounded(_PRICE)
            for kind, per_year in parts.items()
        },
        unlawful=total(exposure(contract) for contract in option.unlawful).rounded(),
        unlawful_months=unlawful_months(option.unlawful),
        double_running=total(f.amount for f in flows if f.kind == "double_running").rounded(),
        tariff_total=tariff.rounded(),
        split=_euros(cents, costs.splits.shares()) if costs.splits else {},
        keys=_all_keys(costs, cents),
    )


def exposure(contract: Contract) -> Band:
    """Euros of one unlawful contract."""
    return band(contract.stretch.count).times(band(contract.stretch.price))


def unlawful_months(contracts: Sequence[Contract]) -> Range:
    """Months in which at least one contract runs unlawfully."""
    if len(contracts) == 1:
        return contracts[0].stretch.count
    found = (_covered(contracts, end) for end in ("low", "mode", "high"))
    return Range(*(Decimal(round(months * _CENT)) / _CENT for months in found))


def _covered(contracts: Sequence[Contract], end: str) -> Fraction:
    """Length of the union of the stretches, each at one end of its bandwidth."""
    spans = sorted(
        (start, start + Fraction(getattr(c.stretch.count, end)))
        for c in contracts
        if (start := c.start) is not None
    )
    covered, until = Fraction(0), Fraction(0)
    for start, stop in spans:
        covered += max(stop - max(start, until), Fraction(0))
        until = max(until, stop)
    return covered


def _net(flows: Iterable[Flow]) -> Band:
    result = NOTHING
    for flow in flows:
        result = result.minus(flow.amount) if flow.kind == "benefit" else result + flow.amount
    return result


def _flows(costs: Costs, option: OptionCosts) -> Iterable[Flow]:
    for line in option.lines:
        if line.per_message:
            price, place = line.per_message
            for year in costs.years:
                amount = band(price).times(band(costs.volume[year][0]))
                yield Flow(line.id, line.kind, year, amount, place)
        for year, (value, place) in sorted(line.amounts.items()):
            yield Flow(line.id, line.kind, year, band(value), place)
    if option.double_running:
        run = option.double_running
        amount = band(run.count).times(band(run.price))
        yield Flow("double_running", "double_running", run.year, amount, run.place)


def _price_parts(
    costs: Costs, option: OptionCosts, flows: tuple[Flow, ...]
) -> dict[str, dict[int, Band]]:
    """Kind -> year -> amount in the tariff; investments enter as depreciation, not as cash."""
    parts = {
        kind: {
            y: total(f.amount for f in flows if f.kind == kind and f.year == y) for y in costs.years
        }
        for kind in ("fixed", "platform", "licence", "variable")
    }
    investments = [line for line in option.lines if line.kind == "investment"]
    parts["depreciation"] = {
        y: total(_written_off(line, y) for line in investments) for y in costs.years
    }
    return parts


def _written_off(line: Line, year: int) -> Band:
    """Straight line from the year of spending; what falls after the last year is not counted."""
    return total(
        band(value).scaled(Fraction(1, line.life))
        for spent, (value, _) in line.amounts.items()
        if spent <= year < spent + line.life
    )


def _all_keys(costs: Costs, cents: int) -> dict[str, dict[str, Decimal]]:
    """Key -> agency -> euros: what each key would do, so that the choice can be seen."""
    if not costs.agencies:
        return {}
    found = {}
    for key in ("messages", "bytes", "peak", "equal"):
        shares = driven(key, costs.agencies)
        if shares:
            found[key] = _euros(cents, shares)
    return found


def _euros(cents: int, shares: Mapping[str, Fraction]) -> dict[str, Decimal]:
    return {n: Decimal(part) / _CENT for n, part in sorted(share_out(cents, shares).items())}
