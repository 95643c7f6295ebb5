"""What a process of the gateway holds of the database: address, connections, outside payloads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import psycopg

from openpoort.store import messages, tables
from openpoort.store.messages import Accept, Accepted, Answered
from openpoort.store.payloads import Places
from openpoort.store.pool import Pool, connect
from openpoort.store.writer import Batcher

Connection = psycopg.Connection[Any]
WEEKS_AHEAD = 2


def _nothing(name: str) -> None:
    """No crash is wanted."""


class Store:
    """One per process. `outside` keeps large documents; without any all stay in the database.
    `crash_point` is called at the named points where a test may want to die."""

    def __init__(
        self,
        dsn: str,
        *,
        outside: Places = (),
        readers: int = 8,
        bound: int = 1000,
        crash_point: Callable[[str], None] = _nothing,
        connect: Callable[[str], Connection] = connect,
    ) -> None:
        self.dsn = dsn
        self._connect = connect
        self.outside = outside
        self.pool = Pool(self.connect, readers)
        self.crash_point = crash_point
        self._bound = bound
        self._weeks: set[date] = set()
        self._making = threading.Lock()

    def connect(self) -> Connection:
        return self._connect(self.dsn)

    def ready_for(self, days: set[date]) -> None:
        """Make the partitions that `days` need. Cheap when they are known to be there; else on
        a connection of its own, outside every transaction."""
        if {tables.week(day) for day in days} <= self._weeks:
            return
        with self._making, self.connect() as conn:
            for day in sorted(days):
                tables.ensure(conn, day, WEEKS_AHEAD)
                self._weeks.add(tables.week(day))

    def batcher(
        self, name: str, work: Callable[[Connection, Sequence[Any]], Sequence[Any]], batch: int = 64
    ) -> Batcher[Any, Any]:
        return Batcher(name, self.connect, work, bound=self._bound, batch=batch)

    def take_in(
        self, conn: Connection, items: Sequence[Accept | Answered]
    ) -> list[Accepted | Exception | None]:
        """Accepted messages and sent answers of one batch, in one transaction, in any mixture."""
        accepts = [item for item in items if isinstance(item, Accept)]
        answers = [item for item in items if isinstance(item, Answered)]
        self.ready_for({item.message.day for item in accepts})
        with conn.transaction():
            accepted = iter(messages.accept(conn, accepts) if accepts else ())
            if answers:
                messages.answered(conn, answers)
                self.crash_point("before-answered")
            results = [next(accepted) if isinstance(item, Accept) else None for item in items]
            if any(isinstance(r, Accepted) and not r.repeated for r in results):
                conn.execute("select pg_notify(%s, '')", [messages.WAKE])
                self.crash_point("before-accept")
        if accepts:
            self.crash_point("after-accept")
        if answers:
            self.crash_point("after-answered")
        return results

    def close(self) -> None:
        self.pool.close()
