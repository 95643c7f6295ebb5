"""The queue: jobs by lane, claimed with skip-locked, held by a lock or by a lease.

A lane is a row of work that waits for one thing: `local` for our own steps, one per agency, one
for slow checks. Lanes never wait for each other. A held job stays locked by the transaction that
does it. A leased job is committed to its holder for a time by the server's clock; its fence, a
random value, must still stand when the result is written, so a holder that came too late writes
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from openpoort.store.rows import WAKE, JobRow

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


DUE_LANES = """
select l from unnest(%s::text[]) l where exists (
    select from job where lane = l and due_at <= %s
        and (fence is null or lease_until < clock_timestamp()))
"""


def due(conn: Connection, lanes: Sequence[str], now: datetime) -> frozenset[str]:
    """Those of these lanes on which something is due: a cheap look before a lane is locked."""
    rows = conn.execute(DUE_LANES, [list(lanes), now]).fetchall()
    return frozenset(row[0] for row in rows)


TRY_LANE = "select pg_try_advisory_xact_lock(hashtextextended(%s, 1))"
# The count is of a snapshot taken after the lane was locked: a statement sees what was committed
# before it began, so the lock must be a statement of its own.
LEASE = f"""
update job j set fence = %s, attempts = attempts + 1, first_at = coalesce(first_at, %s),
    lease_until = clock_timestamp() + make_interval(secs => %s)
where id = any(array(
    select id from job where lane = %s and due_at <= %s
        and (fence is null or lease_until < clock_timestamp())
    order by due_at, id limit greatest(0, least(%s, %s - (
        select count(*) from job where lane = %s and fence is not null
            and lease_until >= clock_timestamp())))
    for update skip locked))
returning {_COLUMNS}
"""


def lease(
    conn: Connection, lane: str, now: datetime, limit: int, cap: int, fence: UUID, seconds: float
) -> list[JobRow]:
    """Lease up to `limit` due jobs, so that over all workers at most `cap` of this lane are out.

    Returns them with their attempt counted. Nothing when another worker is leasing from this
    lane at this moment: it will see to it.
    """
    mine = conn.execute(TRY_LANE, ["lane:" + lane]).fetchone()
    if mine is None or not mine[0]:
        return []
    rows = conn.execute(
        LEASE, [fence, now, seconds, lane, now, limit, cap, lane], binary=True
    ).fetchall()
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
        and first_at is not null order by due_at, id limit %s for update skip locked))
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


def next_due(conn: Connection, lanes: Sequence[str]) -> datetime | None:
    """When the first waiting job of these lanes falls due; None when nothing waits."""
    row = conn.execute(
        "select min(d) from unnest(%b::text[]) l, lateral ("
        " select due_at as d from job where lane = l and fence is null order by due_at, id limit 1"
        ") x",
        [list(lanes)],
    ).fetchone()
    return row[0] if row else None


def waiting(conn: Connection) -> dict[str, int]:
    """Jobs on the queue per lane, for the metrics."""
    return dict(conn.execute("select lane, count(*) from job group by lane").fetchall())


def wake(conn: Connection) -> None:
    """Tell the workers, once per batch: a notification per message halves the rate (measured)."""
    conn.execute(NOTIFY, [WAKE])


def hasten(conn: Connection, lane: str, now: datetime, limit: int | None = None) -> int:
    """What was tried or held before may go again now, oldest first (None: all of it); how many."""
    return conn.execute(HASTEN, [now, lane, now, limit]).rowcount


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
