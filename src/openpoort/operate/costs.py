"""Cost per message by kind and agency: quantities that were measured, times prices that were given.

Who pays for which processor second: doors do about the same for every message they take in, so
their time is shared by messages; workers do about the same for every status they set (a step
each), so theirs is shared by statuses, and so is PostgreSQL's, which commits each of them. Pure:
what was measured comes in, nothing is read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openpoort.domain.kind import Kind, StepKind
from openpoort.operate.retention import DEFAULT
from openpoort.store.messages.costs import Wrote

_DAYS_A_MONTH = 365.25 / 12
_GB = 1e9


@dataclass(frozen=True, slots=True)
class Prices:
    """Euros for a processor hour, 10^9 bytes written, 10^9 bytes kept for a month; 0: unknown."""

    cpu_hour: float = 0.0
    gb_written: float = 0.0
    gb_month: float = 0.0

    @property
    def any(self) -> bool:
        return bool(self.cpu_hour or self.gb_written or self.gb_month)

    @property
    def all(self) -> bool:
        return bool(self.cpu_hour and self.gb_written and self.gb_month)

    def of(self, cpu_seconds: float, written: float, byte_days: float) -> float:
        """Euros for processor seconds, bytes written, and bytes times the days they are kept."""
        euro = cpu_seconds / 3600 * self.cpu_hour + written / _GB * self.gb_written
        return euro + byte_days / _GB / _DAYS_A_MONTH * self.gb_month


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one message of a kind, on average. `cpu_seconds` is of doors and workers;
    `database_seconds` is None where PostgreSQL's time is not measured, and then `euro` leaves it
    out; `euro` is None without prices."""

    berichtsoort: str
    agency: str
    messages: int
    cpu_seconds: float
    bytes_written: float
    gb_days: float
    euro: float | None
    database_seconds: float | None = None


def costs(
    found: Sequence[Wrote], kinds: Mapping[str, Kind], cpu: Mapping[str, float], prices: Prices
) -> list[Cost]:
    """A row per kind. `cpu` is seconds by role: "door", "worker", and "database" if known."""
    messages = sum(w.messages for w in found)
    statuses = sum(w.statuses for w in found)
    rows = []
    for w in found:
        door = cpu.get("door", 0.0) * w.messages / messages
        worker = cpu.get("worker", 0.0) * w.statuses / statuses if statuses else 0.0
        kind = kinds.get(w.berichtsoort)
        terms = DEFAULT | (kind.retention if kind else {})
        kept = w.payload * terms["payload"] + w.status * terms["status"]
        kept += w.journal * terms["journal"]
        seconds, written = door + worker, w.payload + w.status + w.journal
        share = w.statuses / statuses if statuses else w.messages / messages
        database = cpu["database"] * share if "database" in cpu else None
        euro = prices.of(seconds + (database or 0.0), written, kept)
        rows.append(Cost(
            w.berichtsoort, agencies(kind), w.messages, seconds / w.messages,
            written / w.messages, kept / _GB / w.messages,
            euro / w.messages if prices.any else None,
            None if database is None else database / w.messages,
        ))  # fmt: skip
    return rows


def agencies(kind: Kind | None) -> str:
    """Who receives this kind, in the order of its steps."""
    if kind is None:
        return "unknown"
    steps = [a for s in kind.steps if s.kind is StepKind.DELIVER for a in s.agencies]
    return "+".join(dict.fromkeys(steps)) or kind.ontvanger or "none"


def average(rows: Sequence[Cost], name: str) -> float:
    """The mean of one column over all messages."""
    total = sum(float(getattr(r, name)) * r.messages for r in rows)
    return total / sum(r.messages for r in rows)
