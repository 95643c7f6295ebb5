"""What a process of the gateway holds of the database: address, connections, outside payloads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import psycopg

from openpoort.store.messages import arrival, messages
from openpoort.store.messages.rows import Accept, Accepted, Answered
from openpoort.store.payloads.payloads import Places
from openpoort.store.postgres import partitions
from openpoort.store.postgres.group_commit import MACHINE, Batcher
from openpoort.store.postgres.pool import Pool
from openpoort.store.postgres.primary import connect
from openpoort.store.postgres.runtime import Machine

Connection = psycopg.Connection[Any]
WEEKS_AHEAD = 2


def _nothing(name: str) -> None:
    """No crash is wanted."""


class Store:
    """One per process. `outside` keeps large documents; without any all stay in the database.
    `crash_point` is called at the named points where a test may want to die; `machine` makes the
    threads of whatever works on this store."""

    def __init__(
        self,
        dsn: str,
        *,
        outside: Places = (),
        readers: int = 8,
        bound: int = 1000,
        crash_point: Callable[[str], None] = _nothing,
        connect: Callable[[str], Connection] = connect,
        machine: Machine = MACHINE,
    ) -> None:
        self.dsn = dsn
        self._connect = connect
        self.outside = outside
        self.pool = Pool(self.connect, readers)
        self.crash_point = crash_point
        self.machine = machine
        self._bound = bound
        self._weeks: set[date] = set()
        self._making = threading.Lock()
        self._certificates: tuple[Connection | None, set[bytes]] = (None, set())

    def connect(self) -> Connection:
        """A fresh connection. It may lead to another server, which has other partitions when it
        was promoted or restored without the last ones: those are looked at again."""
        self._weeks.clear()
        return self._connect(self.dsn)

    def ready_for(self, days: set[date]) -> None:
        """Make the partitions that `days` need. Cheap when they are known to be there; else on
        a connection of its own, outside every transaction."""
        if {partitions.week(day) for day in days} <= self._weeks:
            return
        with self._making, self._connect(self.dsn) as conn:
            for day in sorted(days):
                partitions.ensure(conn, day, WEEKS_AHEAD)
                self._weeks.add(partitions.week(day))

    def batcher(
        self,
        name: str,
        work: Callable[[Connection, Sequence[Any]], Sequence[Any]],
        *,
        gather: float = 0.0,
    ) -> Batcher[Any, Any]:
        """`gather`: seconds to wait for company under load."""
        return Batcher(
            name, self.connect, work, bound=self._bound, gather=gather, machine=self.machine
        )

    def take_in(
        self, conn: Connection, items: Sequence[Accept | Answered]
    ) -> list[Accepted | Exception | None]:
        """Accepted messages with their answers, and answers to repeats, in any mixture; all of it
        in one transaction, which mostly is one statement."""
        accepts = [item for item in items if isinstance(item, Accept)]
        answers = [item for item in items if isinstance(item, Answered)]
        self.ready_for({item.message.day for item in accepts})
        self.crash_point("before-accept")
        alone = not answers and all(item.content_key is None for item in accepts)
        with contextlib.nullcontext() if alone else conn.transaction():
            accepted = iter(messages.accept(conn, accepts, self._known(conn)) if accepts else ())
            if answers:
                messages.answered(conn, answers)
            results = [next(accepted) if isinstance(item, Accept) else None for item in items]
        self._certificates[1].update(arrival.certificates_of(accepts))
        self.crash_point("after-accept")
        return results

    def _known(self, conn: Connection) -> set[bytes]:
        """Certificates that this connection has put in: sent once, not with every message."""
        if self._certificates[0] is not conn:
            self._certificates = (conn, set())
        return self._certificates[1]

    def close(self) -> None:
        self.pool.close()
