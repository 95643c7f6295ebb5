"""Jobs that wait for a person, and what an operator does with the work of a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg

from openpoort.store.messages.changes import Parking
from openpoort.store.messages.rows import JobRow

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Parked:
    """One parked job."""

    id: int
    day: date
    kenmerk: UUID
    berichtsoort: str
    sender: str
    job: Parking


_SELECT = """
select p.id, p.day, p.kenmerk, r.berichtsoort, r.sender, p.step, p.lane, p.agency, p.generation,
    p.attempts, p.since, p.reason
from parked p join register r on r.kenmerk = p.kenmerk
"""
LISTED = f"""{_SELECT}
where (%s::text is null or p.agency = %s) and (%s::text is null or r.berichtsoort = %s)
order by p.since, p.id limit %s
"""
OF = f"{_SELECT} where p.kenmerk = %s order by p.id"
REMOVE = "delete from parked where id = any(%s)"
JOBS = """
select day, kenmerk, step, lane, due_at, agency, generation, attempts, first_at, fence, id,
    fence is not null and lease_until >= clock_timestamp()
from job where kenmerk = %s order by id
"""
JOBS_LOCKED = JOBS + "for update nowait"
DELIVERED_TO = """
select agency, generation, delivered_at from delivery where kenmerk = %s and day = %s
order by delivered_at
"""


def listed(
    conn: Connection,
    *,
    agency: str | None = None,
    berichtsoort: str | None = None,
    limit: int = 1000,
) -> list[Parked]:
    """Oldest first; those of one agency or kind where asked."""
    asked = [agency, agency, berichtsoort, berichtsoort, limit]
    rows = conn.execute(LISTED, asked).fetchall()
    return [_parked(row) for row in rows]


def of(conn: Connection, kenmerk: UUID) -> list[Parked]:
    rows = conn.execute(OF, [kenmerk]).fetchall()
    return [_parked(row) for row in rows]


def _parked(row: Sequence[Any]) -> Parked:
    number, day, kenmerk, berichtsoort, sender = row[:5]
    return Parked(number, day, kenmerk, berichtsoort, sender, Parking(*row[5:]))


def remove(conn: Connection, ids: Sequence[int]) -> None:
    conn.execute(REMOVE, [list(ids)])


class Held(Exception):
    """A worker has this message in hand at this moment."""


def jobs(conn: Connection, kenmerk: UUID, *, lock: bool = False) -> list[tuple[JobRow, bool]]:
    """Jobs on the queue for a message, and whether each is out at this moment.

    With `lock` they are locked for the transaction. Raises Held rather than wait: a worker locks
    first the job and then the process, an operator the other way round.
    """
    try:
        rows = conn.execute(JOBS_LOCKED if lock else JOBS, [kenmerk]).fetchall()
    except psycopg.errors.LockNotAvailable:
        raise Held from None
    return [(JobRow(*row[:11]), row[11]) for row in rows]


def delivered_to(conn: Connection, kenmerk: UUID, day: date) -> list[tuple[str, int, datetime]]:
    """(agency, generation, when) of deliveries made."""
    return conn.execute(DELIVERED_TO, [kenmerk, day]).fetchall()
