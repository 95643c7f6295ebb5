"""Partitions: made ahead of time and when a day needs one, dropped when retention ends.

A partition holds one week of acceptance, Monday to Sunday. It is made beside its table and then
attached, because `create table ... partition of` would lock the whole table against writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from openpoort.domain.process import State

PARTITIONED = (
    "message", "process", "status", "request", "answer", "payload", "delivery", "mailbox", "seen",
    "lookup",
)  # fmt: skip
"""All tables with a `day`; their retention classes differ (docs: retention)."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What makes something new in a table, and the columns that say to whom."""

    event: str
    whose: tuple[str, ...]


WATCHED: Mapping[str, Watched] = {
    "process": Watched("insert or update of seq", ("belang",)),
    "mailbox": Watched("insert", ("owner", "belang")),
}
_LOCK = 0x6F706172  # one maker of partitions at a time, over all processes
Connection = psycopg.Connection[Any]
_PARTITIONS = """
select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
where c.relname = any(%s)
"""


def states(*which: State) -> str:
    """A list of states as SQL text: `('parked', 'running')`."""
    return f"({', '.join(sorted(repr(state.value) for state in which))})"


def week(day: date) -> date:
    """The Monday of the week of `day`: what partitions are named after."""
    return day - timedelta(days=day.weekday())


def days(of: Iterable[date]) -> list[date]:
    """Each once: said apart in a look-up, so that only the partitions of these days are opened."""
    return list(dict.fromkeys(of))


def present() -> date:
    """A day with a partition: where what does not exist is looked for, so that it takes the time
    of what does."""
    return datetime.now(UTC).date()


def partition(table: str, monday: date) -> str:
    return f"{table}_{monday:%Y%m%d}"


def ensure(conn: Connection, day: date, ahead: int = 0) -> None:
    """Make the partitions of the week of `day` and of `ahead` weeks after it, where missing.

    Must not run inside a transaction that has touched the tables: attaching waits for writers.
    """
    mondays = [week(day) + timedelta(weeks=n) for n in range(ahead + 1)]
    wanted = {partition(t, m): (t, m) for m in mondays for t in PARTITIONED}
    with conn.transaction():
        rows = conn.execute(_PARTITIONS, [list(wanted)]).fetchall()
        missing = [name for name in wanted if name not in {row[0] for row in rows}]
        if not missing:
            return
        lock(conn)
        before = settled(conn)
        for name in missing:
            table, monday = wanted[name]
            _make(conn, table, name, monday)
            if table in WATCHED and monday < before:
                watch(conn, table, name)


def ensure_beside(conn: Connection, table: str, other: str, days: Iterable[date]) -> None:
    """Make the partitions of `table` that `days` need, for weeks that `other` has: an older
    version made those without. Outside a transaction, as `ensure`."""
    wanted = {partition(table, m): m for m in sorted({week(day) for day in days})}
    beside = [partition(other, m) for m in wanted.values()]
    rows = conn.execute(_PARTITIONS, [[*wanted, *beside]]).fetchall()
    there = {row[0] for row in rows}
    missing = {n: m for n, m in wanted.items() if n not in there and partition(other, m) in there}
    if missing:
        with conn.transaction():
            lock(conn)
            for name, monday in missing.items():
                _make(conn, table, name, monday)


def lock(conn: Connection) -> None:
    """One at a time makes or watches partitions, until the end of the transaction."""
    conn.execute("select pg_advisory_xact_lock(%s)", [_LOCK])


def settled(conn: Connection) -> date:
    """The day before which every partition there is, or will be made, is watched."""
    row = conn.execute("select before from settled").fetchone()
    assert row is not None
    day: date = row[0]
    return day


def watch(conn: Connection, table: str, name: str) -> None:
    """From here on whoever makes something new in this partition writes it down as late. Waits
    for those who are writing in it: after it, all they did is to be seen."""
    watched = WATCHED[table]
    statement = sql.SQL(
        "create or replace trigger late after {} on {} for each row execute function note_late({})"
    )
    columns = sql.SQL(", ").join(map(sql.Literal, watched.whose))
    conn.execute(statement.format(sql.SQL(watched.event), sql.Identifier(name), columns))


def _make(conn: Connection, table: str, name: str, monday: date) -> None:
    have = conn.execute(
        "select exists(select from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where c.relname = %s)",
        [name],
    ).fetchone()
    if have is not None and have[0]:
        return  # another process made it while we waited for the lock
    parent, child = sql.Identifier(table), sql.Identifier(name)
    conn.execute(
        sql.SQL("create table if not exists {} (like {} including all)").format(child, parent)
    )
    if table == "process":
        # Room on the page for the updates of a running message: they then touch no index.
        conn.execute(sql.SQL("alter table {} set (fillfactor = 60)").format(child))
    conn.execute(
        sql.SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
            parent, child, sql.Literal(monday), sql.Literal(monday + timedelta(weeks=1))
        )
    )


def drop(conn: Connection, table: str, monday: date) -> int:
    """Drop one partition; the number of rows it held. In the caller's transaction, so that the
    journal entry that proves the deletion is committed with it."""
    if table not in PARTITIONED:
        raise ValueError(f"{table} has no partitions")
    name = sql.Identifier(partition(table, monday))
    row = conn.execute(sql.SQL("select count(*) from {}").format(name)).fetchone()
    conn.execute(sql.SQL("drop table {}").format(name))
    return int(row[0]) if row else 0


def weeks(conn: Connection, table: str) -> list[date]:
    """Mondays of the partitions of `table`, oldest first."""
    rows = conn.execute(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " join pg_class p on p.oid = i.inhparent where p.relname = %s order by 1",
        [table],
    ).fetchall()
    return [
        date(int(name[-8:-4]), int(name[-4:-2]), int(name[-2:])) for (name,) in rows
    ]  # fmt: skip
