"""Dividing cost over agencies: per message, per byte, peak share, equal, or negotiated shares.

A pool is divided over agencies, or over further pools; a pool that ends in itself is refused.
Shares are exact fractions, and the cents that rounding leaves go to the largest remainders, so
the parts always add up to the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from weeg.document import Entry, Words
from weeg.model import identifier
from weeg.problem import Place, refuse

DRIVERS = ("messages", "bytes", "peak")
KEYS = (*DRIVERS, "equal", "negotiated")


@dataclass(frozen=True, slots=True)
class Agency:
    """What one agency uses, in any unit that is the same for all agencies."""

    words: Words
    drivers: Mapping[str, Decimal]
    place: Place


@dataclass(frozen=True, slots=True)
class Pool:
    key: str
    shares: Mapping[str, Fraction]
    place: Place


@dataclass(frozen=True, slots=True)
class Splits:
    start: str
    pools: Mapping[str, Pool]

    def shares(self) -> dict[str, Fraction]:
        """Agency -> its part of the whole; the parts sum to exactly 1."""
        totals: dict[str, Fraction] = {}
        todo = [(self.start, Fraction(1))]
        while todo:
            name, part = todo.pop()
            if name not in self.pools:
                totals[name] = totals.get(name, Fraction(0)) + part
                continue
            todo += [(to, part * share) for to, share in self.pools[name].shares.items()]
        return totals


def read_agencies(entry: Entry) -> dict[str, Agency]:
    found: dict[str, Agency] = {}
    for key, place, value in entry.mapping():
        fields = value.fields(("nl", "en", *DRIVERS))
        drivers = {name: fields[name].number() for name in DRIVERS}
        for name, amount in drivers.items():
            if amount < 0:
                raise refuse("costs.negative", fields[name].place, value=amount)
        words = Words(fields["nl"].text(), fields["en"].text())
        found[identifier(key, place)] = Agency(words, drivers, place)
    return found


def read_splits(entry: Entry, agencies: Mapping[str, Agency]) -> Splits:
    fields = entry.fields(("start", "pools"))
    names = {key for key, _, _ in fields["pools"].mapping()}
    pools: dict[str, Pool] = {}
    for key, place, value in fields["pools"].mapping():
        if key in agencies:
            raise refuse("split.name", place, id=key)
        pools[key] = _pool(identifier(key, place), value, names, agencies)
    start = fields["start"].one_of(*pools)
    _refuse_circles(pools)
    return Splits(start, pools)


def driven(key: str, agencies: Mapping[str, Agency]) -> dict[str, Fraction] | None:
    """Shares of all agencies by one driver or equal; None when nobody uses any of it."""
    if key == "equal":
        return {name: Fraction(1, len(agencies)) for name in agencies}
    total = sum(a.drivers[key] for a in agencies.values())
    if not total:
        return None
    return {n: Fraction(a.drivers[key]) / Fraction(total) for n, a in agencies.items()}


def share_out(cents: int, shares: Mapping[str, Fraction]) -> dict[str, int]:
    """Whole cents by largest remainder; ties by name."""
    exact = {name: cents * share for name, share in shares.items()}
    parts = {name: value.__floor__() for name, value in exact.items()}
    left = cents - sum(parts.values())
    order = sorted(exact, key=lambda name: (parts[name] - exact[name], name))
    for name in order[:left]:
        parts[name] += 1
    return parts


def _pool(name: str, entry: Entry, pools: set[str], agencies: Mapping[str, Agency]) -> Pool:
    fields = entry.fields(("key", "over"))
    key = fields["key"].one_of(*KEYS)
    over = fields["over"]
    if key == "negotiated":
        pairs = [(k, place, value) for k, place, value in over.mapping()]
        shares = {k: Fraction(value.number("%")) / 100 for k, _, value in pairs}
        for k, _, value in pairs:
            if shares[k] < 0:
                raise refuse("costs.negative", value.place, value=value.text())
        if sum(shares.values()) != 1:
            total = float(sum(shares.values()) * 100)
            raise refuse("split.sum", over.place, id=name, total=f"{total:g}")
        places = {k: place for k, place, _ in pairs}
    else:
        places = {item.text(): item.place for item in over.list()}
        if not places:
            raise refuse("yaml.list", over.place)
        shares = dict.fromkeys(places, Fraction(1, len(places)))
    for member, place in places.items():
        if member not in pools and member not in agencies:
            raise refuse("split.unknown", place, id=member)
        if key in DRIVERS and member in pools:
            raise refuse("split.driver", place, id=member, key=key)
    if key in DRIVERS:
        found = driven(key, {member: agencies[member] for member in places})
        if found is None:
            raise refuse("split.nothing", entry.place, id=name, key=key)
        shares = found
    return Pool(key, shares, entry.place)


def _refuse_circles(pools: Mapping[str, Pool]) -> None:
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " > ".join((*path[path.index(name) :], name))
            raise refuse("split.circle", pools[name].place, circle=circle)
        if name in done or name not in pools:
            return
        for member in pools[name].shares:
            walk(member, (*path, name))
        done.add(name)

    for name in pools:
        walk(name, ())
