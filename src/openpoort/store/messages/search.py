"""What a health page counts: lanes, parked messages, a commit."""

from __future__ import annotations

from typing import Any

import psycopg

Connection = psycopg.Connection[Any]

_QUEUE = """
select lane, count(*), extract(epoch from now() - min(due_at))::float8
from job where due_at <= now() group by lane
"""


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
