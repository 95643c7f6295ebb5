"""Where something can be new to somebody, without a look at every week.

A week is settled when it is old. From then on triggers write down in `late` to whom something
becomes new in it and on which day, in the transaction that makes it new: a status that comes after
months, a message that is taken in on a day gone by. Once a list of what is new was complete,
`nothing_new` says for that question (a requester's, about a party) up to where: before the settled
weeks ended nothing else was new but on these days. So a poll opens the weeks that are not settled,
those days, and the late ones. Nobody's clock matters for it. Decision 47 has the argument.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from json import dumps
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors, sql

from openpoort.store.postgres import partitions

Connection = psycopg.Connection[Any]
AGE = timedelta(weeks=2)
"""Between the week that is settled and the present one. Most messages have ended by then; what
changes later costs its writer a row."""

_UNWATCHED = """
select p.relname, to_date(right(c.relname, 8), 'YYYYMMDD') from pg_inherits i
    join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
where p.relname = any(%s) and right(c.relname, 8) < %s and not exists (
    select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'late')
order by 2, 1 desc
"""
_SETTLED = "update settled set before = %s where before < %s"
SPAN = """
select (select before from settled),
    array(select day from late where who = any(%b::text[])
        union select unnest(but) from nothing_new where question = any(%b::uuid[])),
    array(select question from nothing_new where question = any(%b::uuid[]) order by question),
    array(select before from nothing_new where question = any(%b::uuid[]) order by question)
"""
LEARN = """
insert into nothing_new (question, before, but)
select question, before, array(select jsonb_array_elements_text(but)::date)
from unnest(%s::uuid[], %s::date[], %s::jsonb[]) t(question, before, but) order by question
on conflict (question) do update set before = excluded.before, but = excluded.but
    where nothing_new.before < excluded.before
"""
FORGET_LATE = "delete from late where day >= %s and day < %s"
FORGET = """
delete from nothing_new where question = any(array(
    select question from nothing_new where before <= %s order by question for update))
"""
"""In the order of `LEARN`."""


def settle(conn: Connection, today: date, patience: str = "1s") -> date:
    """Settle the weeks that are old enough; the day before which all are. `conn` is outside a
    transaction. Who writes in such a week is waited for with `patience`; the rest is for the next
    time."""
    before = partitions.week(today) - AGE
    try:
        while _settle_one(conn, before, patience):
            pass
    except (errors.LockNotAvailable, errors.DeadlockDetected, errors.UndefinedTable):
        pass  # somebody writes in it, or drops it
    return partitions.settled(conn)


def _settle_one(conn: Connection, before: date, patience: str) -> bool:
    """The oldest week that is not yet; False when there was none. Weeks are made under the same
    lock, so none that is older comes between."""
    with conn.transaction():
        conn.execute("select set_config('lock_timeout', %s, true)", [patience])
        partitions.lock(conn)
        left = conn.execute(_UNWATCHED, [list(partitions.WATCHED), f"{before:%Y%m%d}"]).fetchall()
        until = left[0][1] + timedelta(weeks=1) if left else before
        known = partitions.settled(conn)
        for table, monday in left:
            if monday < until:
                partitions.watch(conn, table, partitions.partition(table, monday))
            if monday < min(until, known):
                _note_all(conn, table, partitions.partition(table, monday))
        conn.execute(_SETTLED, [until, until])
    return bool(left)


def _note_all(conn: Connection, table: str, partition: str) -> None:
    """A week that was made among settled ones by a version that knows nothing of them."""
    for column in partitions.WATCHED[table].whose:
        conn.execute(
            sql.SQL("insert into late select distinct {}, day from {}").format(
                sql.Identifier(column), sql.Identifier(partition)
            )
        )


@dataclass(frozen=True, slots=True)
class Span:
    """Days on which something can be new: `since` and after it, and some before it, in `days`
    together with `since` itself: with an empty list PostgreSQL opens every week.

    `settled` ends the settled weeks, `known` is up to where each question was answered before.
    """

    since: date
    days: list[date]
    settled: date
    known: Mapping[UUID, date]


ALL = Span(date.min, [date.min], date.min, {})


def question(*words: str | None) -> UUID:
    """What is asked, as a key: it is kept longer than what it is about."""
    return UUID(bytes=sha256(dumps(words).encode()).digest()[:16])


def span(conn: Connection, questions: Sequence[UUID], whose: Iterable[str]) -> Span:
    """For `questions` about what is new to or about `whose`. Ask it before the list itself: what
    is committed between the two is then in the list, or late the next time."""
    asked = list(questions)
    row = conn.execute(SPAN, [list(whose), asked, asked, asked], binary=True).fetchone()
    assert row is not None
    settled, days, found, before = row
    known = dict.fromkeys(asked, date.min) | dict(zip(found, before, strict=True))
    since = min(known.values(), default=date.min)
    return Span(since, [since, *(day for day in days if day < since)], settled, known)


def learn(conn: Connection, found: Span, days: Mapping[UUID, Collection[date]]) -> None:
    """The list over `found` was complete: these are the days of what was new, by question."""
    moved = sorted(q for q, before in found.known.items() if before < found.settled)
    if moved:
        but = [dumps(sorted({str(d) for d in days.get(q, ()) if d < found.settled})) for q in moved]
        conn.execute(LEARN, [moved, [found.settled] * len(moved), but])


def forget(conn: Connection, monday: date) -> None:
    """What was said about a week that is gone. An older one may have been kept: what was late in
    it stays, and an answer of long ago that is forgotten is only given again."""
    following = monday + timedelta(weeks=1)
    conn.execute(FORGET_LATE, [monday, following])
    conn.execute(FORGET, [following])
