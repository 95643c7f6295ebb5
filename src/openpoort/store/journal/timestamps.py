"""Time-stamps of checkpoints: which one is due, the tokens, and how asking goes.

Only the newest checkpoint is ever due. A journal only grows, so its time-stamp holds for all
before it, and a TSA that was away for a day leaves no queue behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]
_LOCK = 0x6F70_7473_6121  # "optsa!": one asker at a time over all nodes


@dataclass(frozen=True, slots=True)
class Due:
    """A checkpoint without a time-stamp: its key and its signed note."""

    size: int
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A token (DER) over `note`, the nonce it answers, and the time it claims."""

    note: str
    stamped_at: datetime
    nonce: int
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A checkpoint for people; the rest None while it has no time-stamp."""

    size: int
    at: datetime
    note: str
    kept: Kept | None


@contextmanager
def alone(conn: Connection) -> Iterator[bool]:
    """Whether no other node asks just now; keeps it so meanwhile. `conn` is in autocommit."""
    row = conn.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    mine = bool(row and row[0])
    try:
        yield mine
    finally:
        if mine and not conn.broken:
            conn.execute("select pg_advisory_unlock(%s)", (_LOCK,))


def due(conn: Connection, at: datetime, pause: timedelta) -> Due | None:
    """The newest checkpoint, when it has no time-stamp and the last asking is `pause` ago."""
    row = conn.execute(
        "select c.size, c.at, c.note, t.size from journal_checkpoint c"
        " left join journal_timestamp t on (t.size, t.at) = (c.size, c.at), timestamping s"
        " where s.asked_at is null or not s.asked_at between %s and %s"
        " order by c.size desc, c.at desc limit 1",
        (at - pause, at),
    ).fetchone()
    return Due(*row[:3]) if row is not None and row[3] is None else None


def put(conn: Connection, point: Due, kept: Kept, at: datetime) -> bool:
    """Keep a token that was judged good; whether asking had failed until now."""
    with conn.transaction():
        conn.execute(
            "insert into journal_timestamp (size, at, stamped_at, nonce, token)"
            " values (%s, %s, %s, %s, %s) on conflict do nothing",
            (point.size, point.at, kept.stamped_at, kept.nonce, kept.token),
        )
        row = conn.execute("select failing_since from timestamping for update").fetchone()
        conn.execute(
            "update timestamping set asked_at = %s, failing_since = null, reason = null", (at,)
        )
    return row is not None and row[0] is not None


def failed(conn: Connection, reason: str, at: datetime) -> bool:
    """Note a try that brought nothing; whether it is the first of its row."""
    with conn.transaction():
        row = conn.execute("select failing_since from timestamping for update").fetchone()
        conn.execute(
            "update timestamping set asked_at = %s, reason = %s,"
            " failing_since = coalesce(failing_since, %s)",
            (at, reason, at),
        )
    return row is not None and row[0] is None


def failing(conn: Connection) -> tuple[datetime, str] | None:
    """Since when no time-stamp could be had, and the last reason; None when all is well."""
    row = conn.execute("select failing_since, reason from timestamping").fetchone()
    return (row[0], row[1]) if row is not None and row[0] is not None else None


def of(conn: Connection, notes: Sequence[str]) -> list[Kept]:
    """The tokens over checkpoints with these notes, by size."""
    rows = conn.execute(
        "select c.note, t.stamped_at, t.nonce::text, t.token from journal_timestamp t"
        " join journal_checkpoint c on (c.size, c.at) = (t.size, t.at)"
        " where c.note = any(%s) order by t.size, t.at",
        (list(notes),),
    )
    return [Kept(note, at, int(nonce), token) for note, at, nonce, token in rows]


def listed(conn: Connection, most: int) -> list[Row]:
    """The newest checkpoints, newest first, with their time-stamps."""
    rows = conn.execute(
        "select c.size, c.at, c.note, t.stamped_at, t.nonce::text, t.token"
        " from journal_checkpoint c"
        " left join journal_timestamp t on (t.size, t.at) = (c.size, c.at)"
        " order by c.size desc, c.at desc limit %s",
        (most,),
    )
    return [
        Row(size, at, note, Kept(note, stamped, int(nonce), token) if token is not None else None)
        for size, at, note, stamped, nonce, token in rows
    ]
