"""What messages cost, a row a month, kind and agency: messages, processor time, bytes.

Counted from the journal, of which every entry has one place for ever: the leaf up to which was
counted moves in the same statement that adds to the rows. So an entry counts once, whoever counts,
and a crash leaves either both or neither. Rows outlive the messages that they were counted from.

Processor time comes as absolute seconds of each process; what of it was shared out already stands
beside it. Doors do about the same for every message, workers and PostgreSQL for every line in the
journal (a step each), so their time is shared by messages and by lines. Time in which no message
came waits for the next one.

Bytes are documents, request and answer as handed in, statuses set afterwards, lines of the journal;
without indexes, row headers and the write-ahead log.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]
BATCH = 20_000
"""Leaves in one statement: a second of work or less."""

_SPENT = """
insert into processor_time (process, role, seconds, at) values (%s, %s, %s, now())
on conflict (process) do update
set seconds = greatest(processor_time.seconds, excluded.seconds), at = now()
"""
_FORGET = """
delete from processor_time where counted >= seconds and at < now() - interval '30 days'
"""
# The state of the counting is locked first; whoever finds it locked does nothing.
_COUNT = """
with state as materialized (select leaf from month_counted for update skip locked),
leaves as materialized (
    select l.leaf, l.at, l.kenmerk, octet_length(j.entry) as bytes,
        j.entry like %(accepted)s as accepted, j.entry like %(status)s as status
    from state s
    join journal_leaf l on l.leaf >= s.leaf and l.leaf < s.leaf + %(batch)s
    left join journal j on j.xid = l.xid and j.id = l.id and j.at = l.at),
told as (
    select date_trunc('month', l.at at time zone 'UTC')::date as month, r.berichtsoort,
        l.accepted::int as messages, l.bytes,
        case when l.accepted then
            coalesce((select sum((d ->> 3)::bigint) from message m,
                jsonb_array_elements(m.documents) d
                where m.kenmerk = l.kenmerk and m.day = r.day), 0)
            + coalesce((select sum(octet_length(q.body) + octet_length(q.token)) from request q
                where q.kenmerk = l.kenmerk and q.day = r.day), 0)
            + coalesce((select sum(octet_length(a.body)) from answer a
                where a.kenmerk = l.kenmerk and a.day = r.day), 0)
            else 0 end as payload,
        case when l.status then coalesce((select sum(pg_column_size(s.*)) from status s
            where s.kenmerk = l.kenmerk and s.day = r.day and s.at = l.at), 0)
            else 0 end as statuses
    from leaves l join register r on r.kenmerk = l.kenmerk where l.bytes is not null),
grouped as (
    select t.month, t.berichtsoort, coalesce(k.agency, 'unknown') as agency,
        sum(t.messages) as messages, count(*) as lines,
        sum(t.payload + t.statuses + t.bytes) as bytes,
        sum(t.payload * coalesce(k.payload, %(payload)s)
            + t.statuses * coalesce(k.status, %(kept)s)
            + t.bytes * coalesce(k.journal, %(journal)s))::float8 as byte_days
    from told t left join jsonb_to_recordset(%(kinds)s::jsonb)
        k(berichtsoort text, agency text, payload int, status int, journal int)
        using (berichtsoort)
    group by 1, 2, 3),
totals as (select coalesce(sum(messages), 0) as messages, coalesce(sum(lines), 0) as lines
    from grouped),
due as materialized (
    select p.process, p.role, p.seconds - p.counted as spent from processor_time p, totals t
    where p.seconds > p.counted
        and case p.role when 'door' then t.messages > 0 else t.lines > 0 end
        and exists (select from state)
    for update of p),
spent as (
    select coalesce(sum(spent) filter (where role = 'door'), 0) as door,
        coalesce(sum(spent) filter (where role = 'worker'), 0) as worker,
        sum(spent) filter (where role = 'database') as database
    from due),
taken as (
    update processor_time p set counted = p.counted + d.spent from due d
    where p.process = d.process),
moved as (
    update month_counted c set until = now(),
        leaf = coalesce((select max(leaf) + 1 from leaves), c.leaf)
    where exists (select from state)),
added as (
    insert into month_cost as old
    select g.month, g.berichtsoort, g.agency, g.messages,
        case when t.messages > 0 then s.door * g.messages / t.messages::float8 else 0 end
            + s.worker * g.lines / t.lines::float8,
        s.database * g.lines / t.lines::float8, g.bytes, g.byte_days
    from grouped g, totals t, spent s
    on conflict (month, berichtsoort, agency) do update set
        messages = old.messages + excluded.messages,
        cpu_seconds = old.cpu_seconds + excluded.cpu_seconds,
        database_seconds = coalesce(old.database_seconds + excluded.database_seconds,
            old.database_seconds, excluded.database_seconds),
        bytes = old.bytes + excluded.bytes, byte_days = old.byte_days + excluded.byte_days)
select count(*) from leaves
"""
_ROWS = """
select month, berichtsoort, agency, messages, cpu_seconds, database_seconds, bytes, byte_days
from month_cost order by 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class KindTerms:
    """Who gets a kind, and for how many days each class of its data is kept."""

    berichtsoort: str
    agency: str
    payload: int
    status: int
    journal: int


@dataclass(frozen=True, slots=True)
class Month:
    """Of one kind and agency; `month` is its first day (UTC).

    `cpu_seconds` are of doors and workers; `database_seconds` of PostgreSQL, None when that was
    not measured. `byte_days` is bytes times the days that they are kept.
    """

    month: date
    berichtsoort: str
    agency: str
    messages: int
    cpu_seconds: float
    database_seconds: float | None
    bytes: int
    byte_days: float


@dataclass(frozen=True, slots=True)
class Counted:
    """All rows, and the stretch of time in which they were counted."""

    since: datetime
    until: datetime
    rows: list[Month]


def spent(conn: Connection, process: str, role: str, seconds: float) -> None:
    """Processor seconds of `process` since it began; `role` is door, worker or database."""
    conn.execute(_SPENT, [process, role, seconds])


def count(
    conn: Connection, kinds: Sequence[KindTerms], terms: KindTerms, batch: int = BATCH
) -> int:
    """Count what the journal got since the last time, at most `batch` entries; how many. Nothing
    while another counts. `terms` is what holds for a kind that is not among `kinds`."""
    found = conn.execute(_COUNT, {
        "accepted": b'%"kind":"message.accepted"}', "status": b'%"kind":"status.set"}',
        "batch": batch, "kinds": json.dumps([asdict(kind) for kind in kinds]),
        "payload": terms.payload, "kept": terms.status, "journal": terms.journal,
    }).fetchone()  # fmt: skip
    conn.execute(_FORGET)
    return int(found[0]) if found else 0


def counted(conn: Connection) -> Counted:
    """What was counted so far. Raises psycopg.errors.UndefinedTable before the tables are there."""
    state = conn.execute("select since, until from month_counted").fetchone()
    assert state is not None
    return Counted(state[0], state[1], [Month(*row) for row in conn.execute(_ROWS)])
