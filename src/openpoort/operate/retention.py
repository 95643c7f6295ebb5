"""When what may go: per kind and class, a number of days after the week of acceptance.

A partition holds a week of all kinds together, so it goes when the longest term of the kinds in
it has passed. Nothing goes while a process of that week is open or one of its messages is on
legal hold. Order: payload, then status, then the keys; the journal by month, content only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from openpoort.domain.kind import Kind
from openpoort.domain.seal import Seal, unsealed
from openpoort.store.messages import retention
from openpoort.store.messages.retention import Dropped, Week
from openpoort.store.postgres import partitions
from openpoort.store.postgres.pool import Connection

CLASSES: Mapping[str, tuple[str, ...]] = {
    "payload": ("payload", "request", "answer"),
    "status": ("message", "status", "delivery", "mailbox", "seen", "lookup", "process"),
}
"""Tables per class; `process` last, because it says which kinds a week holds."""

DEFAULT = {"payload": 90, "status": 730, "journal": 3650}
"""Days, for kinds that do not say."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A partition past its term that stays, and why."""

    partition: str
    why: str


Outcome = Dropped | Kept


def term(kinds: Mapping[str, Kind], present: frozenset[str], name: str) -> timedelta:
    """The longest term of class `name` among the kinds present; of all kinds when none is known
    any more."""
    asked = [kinds[k] for k in present or frozenset(kinds) if k in kinds]
    return timedelta(days=max((k.retention.get(name, DEFAULT[name]) for k in asked),
                              default=DEFAULT[name]))  # fmt: skip


def run(
    conn: Connection,
    kinds: Mapping[str, Kind],
    now: datetime,
    *,
    dry: bool = False,
    seal: Seal = unsealed,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Drop what is past its term at `now`; what was dropped (in a dry run: would be, with no
    rows counted) or kept though past it, each told as it is done. Each is a transaction of its
    own, so that who is killed goes on where he stopped. `conn` is outside a transaction."""
    found: list[Outcome] = []
    today = now.astimezone(UTC).date()
    for name, of_class in CLASSES.items():
        for table in of_class:
            for monday in partitions.weeks(conn, table):
                week = retention.week(conn, monday)
                if monday + timedelta(weeks=1) + term(kinds, week.kinds, name) > today:
                    continue
                found.append(_week(conn, table, week, now, dry, seal))
                tell(found[-1])
    for monday in () if dry else retention.unforgotten(conn):
        retention.forget_keys(conn, monday, now, seal)
    longest = term(kinds, frozenset(), "journal")
    for month in retention.months(conn):
        end = retention.following(datetime(month.year, month.month, 1, tzinfo=UTC))
        if end + longest <= now:
            found.append(_month(conn, month, now, dry, seal))
            tell(found[-1])
    return found


def _week(
    conn: Connection, table: str, week: Week, now: datetime, dry: bool, seal: Seal
) -> Outcome:
    name = partitions.partition(table, week.monday)
    if week.open:
        return Kept(name, f"{week.open} messages of that week have not ended")
    if week.held:
        return Kept(name, f"{week.held} messages of that week are on hold")
    if dry:
        return Dropped(name, 0)
    return _drop(name, lambda: retention.drop_week(conn, table, week.monday, now, seal))


def _month(conn: Connection, month: date, now: datetime, dry: bool, seal: Seal) -> Outcome:
    name = f"journal_{month:%Y%m}"
    if held := retention.held_in_month(conn, month):
        return Kept(name, f"{held} messages of that month are on hold")
    if dry:
        return Dropped(name, 0)
    return _drop(name, lambda: retention.drop_month(conn, month, now, seal))


def _drop(name: str, act: Callable[[], Dropped | None]) -> Outcome:
    return act() or Kept(name, "a hold, or an entry that has no place yet")
