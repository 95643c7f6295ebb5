"""Messages as an operator looks for them: newest first, few at a time, with where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

Connection = psycopg.Connection[Any]

_LISTED = """
select m.kenmerk, m.berichtsoort, m.sender, m.accepted_at, p.state,
    (select s.code from status s where s.kenmerk = m.kenmerk and s.day = m.day
        order by s.seq desc limit 1)
from message m join process p on p.kenmerk = m.kenmerk and p.day = m.day
where (%(kind)s::text is null or m.berichtsoort = %(kind)s)
    and (%(sender)s::text is null or m.sender = %(sender)s)
    and (%(state)s::text is null or p.state = %(state)s)
    and (%(since)s::timestamptz is null or m.accepted_at >= %(since)s)
order by m.day desc, m.accepted_at desc limit %(limit)s
"""
_QUEUE = """
select lane, count(*), extract(epoch from now() - min(due_at))::float8
from job where due_at <= now() group by lane
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `state` is the engine's word, `status` the last code its sender sees."""

    kenmerk: UUID
    berichtsoort: str
    sender: str
    accepted_at: datetime
    state: str
    status: str | None


def listed(
    conn: Connection,
    *,
    berichtsoort: str | None = None,
    sender: str | None = None,
    state: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
) -> list[Line]:
    """Newest first."""
    asked = {
        "kind": berichtsoort, "sender": sender, "state": state, "since": since, "limit": limit,
    }  # fmt: skip
    return [Line(*row) for row in conn.execute(_LISTED, asked)]


def queue(conn: Connection) -> dict[str, tuple[int, float]]:
    """Per lane: jobs that are due, and how many seconds the oldest is overdue."""
    return {lane: (int(n), max(0.0, age)) for lane, n, age in conn.execute(_QUEUE)}


def beat(conn: Connection, node: str) -> None:
    """A small commit of its own: shows that one is possible and, with it, safe."""
    conn.execute(
        "insert into heartbeat (node, at) values (%s, clock_timestamp())"
        " on conflict (node) do update set at = excluded.at",
        [node],
    )


def parked(conn: Connection) -> int:
    """Messages that wait for a person."""
    row = conn.execute("select count(*) from parked").fetchone()
    assert row is not None
    return int(row[0])
