"""Which line of a cluster's history a primary writes, by its timeline and where each was left.

A promotion begins a timeline with the next number. Two servers that are promoted apart from each
other, an old primary that comes back and believes it still leads for one, begin timelines of one
number: only the place in the log where they left the one before tells them apart. PostgreSQL writes
it in `pg_wal/NNNNNNNN.history`, one line for each earlier timeline: number, position, reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from openpoort.telemetry import logger

_READ = "pg_read_file(text, bigint, bigint, boolean)"
ASK = f"""
select (select system_identifier from pg_control_system()),
    case when pg_is_in_recovery() then null
        else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end,
    has_function_privilege('{_READ}', 'execute')
"""
HISTORY = "select pg_read_file(%s, 0, 1048576, true)"
# In a statement of its own: the right to a function is asked for even where a case leaves it out.
_log = logger("store")
_told: set[int] = set()


@dataclass(frozen=True, slots=True)
class Lineage:
    """`left`: (timeline, position) of each timeline before this one, oldest first; None when we
    may not read it, and the number is all we know."""

    cluster: int
    timeline: int
    left: tuple[tuple[int, str], ...] | None

    def follows(self, earlier: Lineage) -> bool:
        """Whether this is the same line of history, or a continuation of it."""
        if self.timeline < earlier.timeline:
            return False
        if self.left is None or earlier.left is None:
            return True
        if self.timeline == earlier.timeline:
            return self.left == earlier.left
        begin, rest = self.left[: len(earlier.left)], self.left[len(earlier.left) :]
        return begin == earlier.left and bool(rest) and rest[0][0] == earlier.timeline

    def __str__(self) -> str:
        came = f", begun from {self.left[-1][0]} at {self.left[-1][1]}" if self.left else ""
        return f"timeline {self.timeline}{came}"


def of(conn: psycopg.Connection[Any]) -> Lineage | None:
    """That of the server behind `conn`; None for a standby."""
    row = conn.execute(ASK).fetchone()
    assert row is not None
    cluster, timeline, allowed = row
    if timeline is None:
        return None
    if timeline == 1:
        return Lineage(cluster, timeline, ())
    if not allowed:
        if cluster not in _told:
            _told.add(cluster)
            _log.warning("timeline_history_unreadable", grant=f"execute on function {_READ}")
        return Lineage(cluster, timeline, None)
    (text,) = conn.execute(HISTORY, [f"pg_wal/{timeline:08X}.history"]).fetchone() or (None,)
    return Lineage(cluster, timeline, None if text is None else parse(text))


def parse(text: str) -> tuple[tuple[int, str], ...]:
    """The lines of a history file, comments and reasons left out."""
    lines = (line.split(None, 2) for line in text.splitlines())
    return tuple((int(x[0]), x[1]) for x in lines if len(x) > 1 and x[0].isdigit())
