"""Deleting by dropping partitions, with the proof of it in the journal of the same transaction.

The proof names the partition, how many rows it had, and the SHA-256 over their keys in order:
who kept a message can show that it was among those deleted, and nobody can delete more than is
told. `seal` is the checkpoint key's: a proof without it can be made up. Legal holds are asked in
the same transaction, after the lock on the partition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from openpoort.domain.journal import JournalEntry
from openpoort.domain.process import ENDED
from openpoort.domain.seal import Seal, unsealed
from openpoort.store.journal import journal
from openpoort.store.messages import closed_weeks, marks
from openpoort.store.postgres import partitions

Connection = psycopg.Connection[Any]

_KEYS = {"payload": "digest"}
_FACTS = f"""
select coalesce(array_agg(distinct berichtsoort), '{{}}'),
    count(*) filter (where state not in {partitions.states(*ENDED)})
from process where day >= %(monday)s and day < %(monday)s + 7
"""
_HELD = """
select count(*) from hold join register using (kenmerk)
where day >= %(monday)s and day < %(monday)s + 7
"""
_HELD_MONTH = """
select count(distinct l.kenmerk) from hold join journal_leaf l using (kenmerk)
where l.at >= %(start)s and l.at < %(end)s
"""


@dataclass(frozen=True, slots=True)
class Week:
    """What one week of acceptance holds: kinds, processes not ended yet, messages on hold."""

    monday: date
    kinds: frozenset[str]
    open: int
    held: int


@dataclass(frozen=True, slots=True)
class Dropped:
    partition: str
    rows: int


def week(conn: Connection, monday: date) -> Week:
    kinds, still_open = _row(conn, _FACTS, {"monday": monday})
    (held,) = _row(conn, _HELD, {"monday": monday})
    return Week(monday, frozenset(kinds), still_open, held)


def drop_week(
    conn: Connection, table: str, monday: date, at: datetime, seal: Seal = unsealed
) -> Dropped | None:
    """Drop one week of one table with its proof; None when a hold came in between."""
    name = partitions.partition(table, monday)
    with conn.transaction():
        conn.execute(sql.SQL("lock table {} in access exclusive mode").format(sql.Identifier(name)))
        if week(conn, monday).held:
            return None
        digest = _digest(conn, name, _KEYS.get(table, "kenmerk"))
        rows = partitions.drop(conn, table, monday)
        data = {"table": table, "from": str(monday), "rows": rows, "digest": digest}
        _prove(conn, at, data, seal)
        if table == "process":  # in one: what is killed in between would keep the keys for ever
            forget_keys(conn, monday, at, seal)
    return Dropped(name, rows)


def unforgotten(conn: Connection) -> list[date]:
    """Weeks whose keys stayed when their processes went: dropped by a version that could be killed
    between the two."""
    rows = conn.execute("select distinct day - (extract(isodow from day)::int - 1) from register")
    return sorted({monday for (monday,) in rows} - set(partitions.weeks(conn, "process")))


def forget_keys(conn: Connection, monday: date, at: datetime, seal: Seal = unsealed) -> int:
    """Delete the keys of a week whose messages are gone: kenmerk and repeat key."""
    with conn.transaction():
        span = {"monday": monday}
        where = "where day >= %(monday)s and day < %(monday)s + 7"
        rows = conn.execute(f"delete from repeat {where}", span).rowcount
        rows += conn.execute(f"delete from register {where}", span).rowcount
        closed_weeks.forget(conn, monday)
        if rows:
            _prove(conn, at, {"table": "register", "from": str(monday), "rows": rows}, seal)
    return rows


def months(conn: Connection) -> list[date]:
    """First days of the journal's monthly partitions, oldest first."""
    rows = conn.execute(
        "select substr(c.relname, 9) from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where i.inhparent = 'journal'::regclass and c.relname ~ '^journal_[0-9]{6}$' order by 1"
    ).fetchall()
    return [date(int(name[:4]), int(name[4:]), 1) for (name,) in rows]


def held_in_month(conn: Connection, month: date) -> int:
    """Messages on hold with an entry in this month."""
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    return int(_row(conn, _HELD_MONTH, {"start": start, "end": following(start)})[0])


def drop_month(
    conn: Connection, month: date, at: datetime, seal: Seal = unsealed
) -> Dropped | None:
    """Drop one month of the journal's content; its hashes stay, and the tree with them.

    The proof repeats all months dropped before, because the entry that proved an earlier one
    may itself be dropped later. None when a hold or an entry without a place is in the way.
    """
    name = f"journal_{month:%Y%m}"
    with conn.transaction():
        conn.execute(sql.SQL("lock table {} in access exclusive mode").format(sql.Identifier(name)))
        (unplaced,) = _row(
            conn,
            f"select count(*) from {name} j where not exists"
            " (select from journal_leaf l where l.xid = j.xid and l.id = j.id)",
        )
        if unplaced or held_in_month(conn, month):
            return None
        (rows,) = _row(conn, f"select count(*) from {name}")
        digest = _digest(conn, name, "id")
        conn.execute(
            "insert into journal_dropped (month, rows, digest) values (%s, %s, decode(%s, 'hex'))",
            (month, rows, digest),
        )
        conn.execute(sql.SQL("drop table {}").format(sql.Identifier(name)))
        gone = conn.execute("select month, rows from journal_dropped order by month").fetchall()
        data = {"table": "journal", "months": {f"{m:%Y-%m}": n for m, n in gone}, "digest": digest}
        _prove(conn, at, data, seal)
    return Dropped(name, rows)


def hold(
    conn: Connection, kenmerk: str, by: str, reason: str, at: datetime, seal: Seal = unsealed
) -> bool:
    """Keep everything about a message until `lift`; False when it was held already."""
    with conn.transaction():
        done = conn.execute(
            "insert into hold values (%s, %s, %s, %s) on conflict do nothing",
            (kenmerk, at, by, reason),
        ).rowcount
        if done:
            data = {"words": marks.words(reason)}
            journal.add(conn, [seal(JournalEntry("hold.set", at, by, kenmerk, data))])
    return bool(done)


def lift(conn: Connection, kenmerk: str, by: str, at: datetime, seal: Seal = unsealed) -> bool:
    """False when there was no hold."""
    with conn.transaction():
        done = conn.execute("delete from hold where kenmerk = %s", (kenmerk,)).rowcount
        if done:
            journal.add(conn, [seal(JournalEntry("hold.lifted", at, by, kenmerk))])
    return bool(done)


def holds(conn: Connection) -> list[tuple[str, datetime, str, str]]:
    """(kenmerk, since, by, reason), oldest first."""
    return conn.execute(
        "select kenmerk::text, since, by, reason from hold order by since, kenmerk"
    ).fetchall()


def following(month: datetime) -> datetime:
    """The start of the next month."""
    return (month + timedelta(days=32)).replace(day=1)


def _digest(conn: Connection, partition: str, key: str) -> str:
    text = "encode(digest, 'hex')" if key == "digest" else f"{key}::text"
    query = (
        f"select encode(sha256(convert_to(coalesce(string_agg({text} || E'\\n', '' "
        f"order by {text}), ''), 'UTF8')), 'hex') from {partition}"
    )
    return str(_row(conn, query)[0])


def _prove(conn: Connection, at: datetime, data: Mapping[str, object], seal: Seal) -> None:
    journal.add(conn, [seal(JournalEntry("retention.deleted", at, "openpoort", None, data))])


def _row(conn: Connection, query: str, values: Mapping[str, object] | None = None) -> Any:
    row = conn.execute(query, values).fetchone()
    assert row is not None
    return row
