"""The queue: jobs by lane, claimed with skip-locked, held by a lock or by a lease.

A lane is a row of work that waits for one thing: `local` for our own steps, one per agency and
kind, one for slow checks. Lanes never wait for each other; those of an agency share its places.
A held job stays locked by the transaction that does it. A leased job is committed to its holder for
a time by the server's clock; its fence, a random value, must still stand when the result is
written, so a holder that came too late writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from openpoort.store.messages.rows import WAKE, JobRow

Connection = psycopg.Connection[Any]

_COLUMNS = (
    "j.day, j.kenmerk, j.step, j.lane, j.due_at, j.agency, j.generation, j.attempts,"
    " j.first_at, j.fence, j.id"
)
DUE = """
select id from job where lane = %s and due_at <= %s
    and (fence is null or lease_until < clock_timestamp())
order by due_at, id limit %s for update skip locked
"""

CLAIM = f"select {_COLUMNS} from job j where id = any(array({DUE})) order by due_at, id"


def claim(conn: Connection, lane: str, now: datetime, limit: int) -> list[JobRow]:
    """Lock up to `limit` due jobs for this transaction, oldest first."""
    rows = conn.execute(CLAIM, [lane, now, limit], binary=True).fetchall()
    return [JobRow(*row) for row in rows]


LANES = """
with recursive l(lane, agency) as (
    (select lane, agency from job order by lane, due_at, id limit 1)
    union all
    select n.lane, n.agency from l, lateral (
        select lane, agency from job where lane > l.lane order by lane, due_at, id limit 1) n
)
select lane, agency, exists (
    select from job where lane = l.lane and due_at <= %s
        and (fence is null or lease_until < clock_timestamp()))
from l
"""
# Each step of the recursion is one look into the index: jobs are many, lanes are few.


def lanes(conn: Connection, now: datetime) -> list[tuple[str, str | None, bool]]:
    """Every lane that has jobs, whoever should do them: its name, the agency they are for, and
    whether one is due."""
    return conn.execute(LANES, [now]).fetchall()


TRY_LANE = "select pg_try_advisory_xact_lock(hashtextextended(%s, 1))"
# The count is of a snapshot taken after the side was locked: a statement sees what was committed
# before it began, so the lock must be a statement of its own.
LEASE = f"""
update job j set fence = %s, attempts = attempts + 1, first_at = coalesce(first_at, %s),
    lease_until = clock_timestamp() + make_interval(secs => %s)
where id = any(array(
    select id from job where lane = %s and due_at <= %s
        and (fence is null or lease_until < clock_timestamp()) and kenmerk <> all(%s::uuid[])
    order by due_at, id limit greatest(0, least(%s, %s - (
        select count(*) from job where (lane = %s or agency = %s) and fence is not null
            and lease_until >= clock_timestamp())))
    for update skip locked))
returning {_COLUMNS}
"""


def enter(conn: Connection, side: str) -> bool:
    """Lock a side for this transaction. False when another worker is leasing from it at this
    moment: it will see to it."""
    mine = conn.execute(TRY_LANE, ["lane:" + side]).fetchone()
    return mine is not None and bool(mine[0])


def lease(
    conn: Connection,
    lane: str,
    agency: str | None,
    now: datetime,
    limit: int,
    cap: int,
    fence: UUID,
    seconds: float,
    but: Collection[UUID] = (),
) -> list[JobRow]:
    """Lease up to `limit` due jobs, so that over all workers at most `cap` of this lane, or of all
    lanes of this agency, are out; none of the messages `but`. After `enter`.

    Returns them with their attempt counted.
    """
    rows = conn.execute(
        LEASE,
        [fence, now, seconds, lane, now, list(but), limit, cap, lane, agency], binary=True,
    ).fetchall()  # fmt: skip
    return sorted((JobRow(*row) for row in rows), key=lambda job: (job.due_at, job.id))


HOLD = "select pg_try_advisory_lock(hashtextextended(%s, 2))"
ORPHANS = """
update job set lease_until = clock_timestamp() where id = any(array(
    select id from job where fence is not null
    and lease_until > clock_timestamp() and not exists (
    select 1 from pg_locks l join pg_database d on d.oid = l.database
    where l.locktype = 'advisory' and l.objsubid = 1 and d.datname = current_database()
    and (l.classid::int8 << 32) | l.objid::int8 = hashtextextended(job.fence::text, 2))
    for update skip locked))
"""
"""Never waits: a job that somebody has in hand at this moment is no orphan, or the next time."""
NOTIFY = "select pg_notify(%s, '')"
HASTEN = """
update job set due_at = %s where id = any(array(
    select id from job where lane = %s and due_at > %s and fence is null
        and first_at is not null and kenmerk <> all(%s::uuid[])
    order by due_at, id limit %s for update skip locked))
"""
LISTEN = f"listen {WAKE}"


def hold(conn: Connection, fence: UUID) -> bool:
    """Show that the holder of `fence` lives, as long as this connection does. False while an
    earlier connection of the same holder has not been seen to end: try again."""
    row = conn.execute(HOLD, [str(fence)]).fetchone()
    return bool(row and row[0])


def release_orphans(conn: Connection) -> int:
    """End the leases of holders that died: nobody waits for a lease to run out after a crash.

    A holder that only lost its connection may still answer; its fence no longer stands then.
    """
    return conn.execute(ORPHANS).rowcount


FINISH = """
delete from job where id = any(array(
    select j.id from job j join unnest(%b::int8[], %b::uuid[]) w(id, fence) on j.id = w.id
    where j.fence is not distinct from w.fence order by j.id for update of j)) returning id
"""
"""Whoever waits for jobs locks them in the order of their ids."""


LET_GO = """
update job set lease_until = clock_timestamp() where id = any(array(
    select id from job where fence = %s and lease_until > clock_timestamp()
    and id <> all(%s::int8[]) order by id for update))
"""


def let_go(conn: Connection, fence: UUID, but: Collection[int]) -> None:
    """End the leases of `fence` at once, all but those of these jobs."""
    conn.execute(LET_GO, [fence, list(but)])


def finish(conn: Connection, jobs: Sequence[JobRow]) -> set[int]:
    """Take done jobs off the queue; the ids of those that were still ours."""
    rows = conn.execute(
        FINISH, [[job.id for job in jobs], [job.fence for job in jobs]], binary=True
    ).fetchall()
    return {row[0] for row in rows}


POSTPONE = "update job set due_at = %s, fence = null, lease_until = null where id = any(%s)"


def postpone(conn: Connection, jobs: Sequence[JobRow], until: datetime) -> None:
    """Move claimed jobs to a later time."""
    conn.execute(POSTPONE, [until, [job.id for job in jobs]])


def wake(conn: Connection) -> None:
    """Tell the workers, once per batch: a notification per message halves the rate (measured)."""
    conn.execute(NOTIFY, [WAKE])


def hasten(
    conn: Connection,
    lane: str,
    now: datetime,
    limit: int | None = None,
    but: Collection[UUID] = (),
) -> int:
    """What was tried or held before may go again now, oldest first (None: all of it), none of the
    messages `but`; how many."""
    return conn.execute(HASTEN, [now, lane, now, list(but), limit]).rowcount


def listen(conn: Connection) -> None:
    """Hear of work that other processes commit."""
    conn.execute(LISTEN)


ASK = "select 1"


def heard(conn: Connection, seconds: float) -> bool:
    """Wait up to `seconds` for a wake-up; then ask, for a frozen server is silent as well."""
    if any(True for _ in conn.notifies(timeout=seconds, stop_after=1)):
        return True
    conn.execute(ASK)
    return False
