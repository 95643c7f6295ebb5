"""The books of one day, read in one snapshot. Not hot: it reads the partition of the day."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from openpoort.domain.process import ENDED, State
from openpoort.store.postgres import partitions

Connection = psycopg.Connection[Any]
_MOST = 1000  # differences named; more than that is one difference: everything

PROCESSES = """
select p.kenmerk, p.berichtsoort, p.state, m.documents -> 0 ->> 2
from process p join message m on m.kenmerk = p.kenmerk and m.day = p.day
where p.day = %s and (%s::text[] is null or p.berichtsoort = any(%s)) order by p.kenmerk
"""
DELIVERIES = """
select d.kenmerk, d.delivered_at, d.receipt from delivery d
where d.day = %s and d.agency = %s order by d.kenmerk
"""
JOURNALLED = "select entry from journal where at >= %s and at < %s and entry like %s"
CONTRADICTIONS = {
    "is registered but was not kept": """
        select r.kenmerk from register r where r.day = %(day)s and not exists
            (select from message m where m.kenmerk = r.kenmerk and m.day = r.day)""",
    "was kept but has no process": """
        select m.kenmerk from message m where m.day = %(day)s and not exists
            (select from process p where p.kenmerk = m.kenmerk and p.day = m.day)""",
    "is kept but not registered": """
        select m.kenmerk from message m where m.day = %(day)s and not exists
            (select from register r where r.kenmerk = m.kenmerk)""",
    "is running but nothing waits to be done": f"""
        select p.kenmerk from process p where p.day = %(day)s
            and p.state in {partitions.states(State.RUNNING)}
            and not exists (select from job j where j.kenmerk = p.kenmerk)
            and not exists (select from parked x where x.kenmerk = p.kenmerk)""",
    "is parked but is not on the list of the operator": f"""
        select p.kenmerk from process p where p.day = %(day)s
            and p.state in {partitions.states(State.PARKED)}
            and not exists (select from parked x where x.kenmerk = p.kenmerk)""",
    "has ended but work waits to be done": f"""
        select p.kenmerk from process p join job j on j.kenmerk = p.kenmerk
        where p.day = %(day)s and p.state in {partitions.states(*ENDED)}""",
    "waits for its agency but work waits to be done": f"""
        select p.kenmerk from process p join job j on j.kenmerk = p.kenmerk
        where p.day = %(day)s and p.state in {partitions.states(State.WAITING)}""",
    "has statuses that are missing": """
        select p.kenmerk from process p where p.day = %(day)s and p.seq <>
            (select count(*) from status s where s.kenmerk = p.kenmerk and s.day = p.day)""",
}
"""What must not be, as the operator reads it, with the query that finds it."""


@contextmanager
def snapshot(conn: Connection) -> Iterator[None]:
    """Everything read inside is of one moment."""
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        yield


def processes(
    conn: Connection, day: date, kinds: Sequence[str] | None
) -> Iterator[tuple[UUID, str, str, str]]:
    """(kenmerk, kind, state, digest of the content), by kenmerk, a few at a time."""
    with conn.cursor(name="balance") as cursor:
        cursor.itersize = 5000
        wanted = None if kinds is None else list(kinds)
        cursor.execute(PROCESSES, [day, wanted, wanted])
        yield from cursor


def deliveries(conn: Connection, day: date, agency: str) -> Iterator[tuple[UUID, datetime, bytes]]:
    """(kenmerk, when, digest of the receipt) of what one agency got, by kenmerk."""
    with conn.cursor(name="deliveries") as cursor:
        cursor.itersize = 5000
        cursor.execute(DELIVERIES, [day, agency])
        yield from cursor


def contradictions(conn: Connection, day: date) -> list[tuple[UUID, str]]:
    """What the tables say against each other, by kenmerk."""
    found = [
        (row[0], what)
        for what, query in CONTRADICTIONS.items()
        for row in conn.execute(f"{query} limit {_MOST}", {"day": day}).fetchall()
    ]
    return sorted(found)


def journalled(conn: Connection, day: date) -> set[str]:
    """Kenmerken that the journal says were accepted on `day`."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    kind = b'%"kind":"message.accepted"%'
    with conn.cursor(name="journalled") as cursor:
        cursor.itersize = 5000
        rows = cursor.execute(JOURNALLED, [start, start + timedelta(days=1), kind])
        said = (json.loads(entry) for (entry,) in rows)
        return {one["kenmerk"] for one in said if one["kind"] == "message.accepted"}


def days(conn: Connection, kenmerken: Iterable[str]) -> dict[str, date]:
    """The day of acceptance of each of these kenmerken that is known at all."""
    found = conn.execute(
        "select kenmerk::text, day from register where kenmerk::text = any(%s)", [list(kenmerken)]
    ).fetchall()
    return dict(found)
