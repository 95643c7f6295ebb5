"""The append-only journal: writing entries and reading them back.

`add` appends in the caller's transaction, so what is done and the line that tells of it are
committed together or not at all; a journal that cannot be written refuses the request by
construction. Entries have no place in the tree yet: `store/journal/sequencer.py` gives it after
commit, because the order of ids is not the order of commits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from openpoort.domain.journal import JournalEntry

ADD = """
insert into journal (at, entry)
select * from unnest(%b::timestamptz[], %b::bytea[])
"""
"""One statement for any number of entries; use with `parameters` (also in a pipeline)."""


def parameters(entries: Sequence[JournalEntry]) -> tuple[list[datetime], list[bytes]]:
    """What `ADD` asks for, in its order."""
    return [entry.at for entry in entries], [entry.canonical() for entry in entries]


def add(conn: psycopg.Connection[Any], entries: Sequence[JournalEntry]) -> None:
    """Append `entries`, in their order, in the caller's open transaction."""
    if entries:
        conn.execute(ADD, parameters(entries))


def ahead(conn: psycopg.Connection[Any], at: datetime, months: int = 3) -> None:
    """Make the partitions of the month of `at` and those after it, where missing.

    Waits a second at most for the lock: it is tried again within the hour, and until then the
    default partition takes what has no month of its own.
    """
    with conn.transaction():
        conn.execute("set local lock_timeout = '1s'")
        with contextlib.suppress(psycopg.errors.LockNotAvailable), conn.transaction():
            conn.execute(
                "select journal_month((%s::date + n * interval '1 month')::date)"
                " from generate_series(0, %s) n",
                (at.astimezone(UTC).date(), months - 1),
            )
