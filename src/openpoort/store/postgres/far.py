"""Times that PostgreSQL has and Python has not: `infinity`, years before 1 and after 9999.

Nothing here writes one; who owns the database can. Read as the first or the last that there is,
such a row is compared like any other, where an exception would hide all that comes after it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.datetime import DateLoader, TimestamptzLoader

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class _Moment(TimestamptzLoader):
    def load(self, data: Buffer) -> datetime:
        try:
            return super().load(data)
        except (psycopg.DataError, OverflowError):
            return _FIRST if _early(data) else _LAST


class _Day(DateLoader):
    def load(self, data: Buffer) -> date:
        try:
            return super().load(data)
        except psycopg.DataError:
            return date.min if _early(data) else date.max


def _early(data: Buffer) -> bool:
    text = bytes(data)
    return text.startswith(b"-") or text.endswith(b"BC")


def readable(conn: psycopg.Connection[Any]) -> None:
    """From here on `conn` reads every time."""
    conn.adapters.register_loader("timestamptz", _Moment)
    conn.adapters.register_loader("date", _Day)
