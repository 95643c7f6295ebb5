"""The closing balance of a day: accepted = delivered + rejected + waiting + parked.

Counted from the messages, not from counters, and held against the queue, the list of the
operator and, where there is one, the agency's own list of what it got. A difference of one is
named by its kenmerk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from openpoort.domain.kind import Kind
from openpoort.domain.process import State
from openpoort.process.flow import behaviours
from openpoort.store.messages import balance
from openpoort.store.store import Store

CLASSES = ("delivered", "rejected", "waiting", "parked")
_CLASS: Mapping[str, str] = {
    State.DELIVERED: "delivered", State.REJECTED: "rejected", State.CANCELLED: "rejected",
    State.RUNNING: "waiting", State.WAITING: "waiting", State.PARKED: "parked",
}  # fmt: skip


@dataclass(slots=True)
class Sum:
    """How many, and one digest over all: SHA-256 of the lines `kenmerk content-digest`, by
    kenmerk, so that two lists can be compared without sending them."""

    count: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, kenmerk: str, content: str) -> None:
        self.count += 1
        self._digest.update(f"{kenmerk} {content}\n".encode())

    @property
    def digest(self) -> str:
        return str(self._digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Difference:
    """One message that does not add up: its kenmerk, and what is wrong with it."""

    kenmerk: str
    what: str


@dataclass(frozen=True, slots=True)
class Balance:
    """The books of the messages accepted on `day`; of one agency's kinds where asked."""

    day: date
    agency: str | None
    accepted: Sum
    sums: Mapping[str, Sum]
    differences: tuple[Difference, ...]

    @property
    def holds(self) -> bool:
        return not self.differences and self.accepted.count == sum(
            self.sums[name].count for name in CLASSES
        )

    def record(self) -> dict[str, object]:
        return {
            "day": self.day.isoformat(),
            "agency": self.agency,
            "holds": self.holds,
            "accepted": {"count": self.accepted.count, "digest": self.accepted.digest},
            **{
                name: {"count": self.sums[name].count, "digest": self.sums[name].digest}
                for name in CLASSES
            },
            "differences": [[d.kenmerk, d.what] for d in self.differences],
        }

    def canonical(self) -> bytes:
        """The bytes to sign."""
        return json.dumps(self.record(), sort_keys=True, separators=(",", ":")).encode()


def close(
    store: Store,
    kinds: Mapping[str, Kind],
    day: date,
    *,
    agency: str | None = None,
    receipts: Iterable[str] | Mapping[str, str] | None = None,
) -> Balance:
    """The balance of `day`. `receipts`: the kenmerken that the agency says it got; a mapping
    gives the digest of the content too. What it got and is still on its way here is no
    difference: the answer may be lost, and the repeat settles it."""
    wanted = None if agency is None else [k for k in kinds if agency in _agencies(kinds[k])]
    accepted, sums = Sum(), {name: Sum() for name in CLASSES}
    differences: list[Difference] = []
    contents: dict[str, str] = {}
    running: set[str] = set()
    with store.pool.lend() as conn, balance.snapshot(conn):
        for kenmerk, _, state, content in balance.processes(conn, day, wanted):
            accepted.add(str(kenmerk), content)
            contents[str(kenmerk)] = content
            if state == State.RUNNING:
                running.add(str(kenmerk))
            if state in _CLASS:
                sums[_CLASS[state]].add(str(kenmerk), content)
            else:
                differences.append(Difference(str(kenmerk), f"is in an unknown state: {state}"))
        for kenmerk, what in balance.contradictions(conn, day):
            differences.append(Difference(str(kenmerk), what))
        if agency is None:
            differences += _journalled(balance.journalled(conn, day), set(contents))
        if agency is not None and receipts is not None:
            ours = {str(row[0]) for row in balance.deliveries(conn, day, agency)}
            theirs = set(receipts)
            differences += _compared(agency, ours, theirs - (running - ours))
            if isinstance(receipts, Mapping):
                differences += [
                    Difference(k, f"{agency} has other content")
                    for k in sorted(ours & theirs)
                    if receipts[k] != contents.get(k)
                ]
    return Balance(day, agency, accepted, sums, tuple(differences))


def _compared(agency: str, ours: set[str], theirs: set[str]) -> list[Difference]:
    missing = [Difference(k, f"delivered, but {agency} does not have it") for k in ours - theirs]
    extra = [Difference(k, f"{agency} has it, but it is not delivered here") for k in theirs - ours]
    return sorted(missing + extra, key=lambda d: d.kenmerk)


def _journalled(told: set[str], kept: set[str]) -> list[Difference]:
    lost = [Difference(k, "is accepted by the journal but has no process") for k in told - kept]
    found = [Difference(k, "is kept but the journal did not accept it") for k in kept - told]
    return sorted(lost + found, key=lambda d: d.kenmerk)


def _agencies(kind: Kind) -> set[str]:
    return {a for step in kind.steps if step.kind in behaviours.DELIVERING for a in step.agencies}
