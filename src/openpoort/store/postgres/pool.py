"""A few connections, lent out one at a time to threads that block.

A database that is away is `Away`, for which the door says 503: nobody is at fault, try again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from openpoort.store.postgres.group_commit import Away, Busy
from openpoort.store.postgres.primary import usable

Connection = psycopg.Connection[Any]


class Pool:
    """At most `size` connections; broken ones are thrown away, the last used comes first."""

    def __init__(self, make: Callable[[], Connection], size: int, *, patience: float = 5.0) -> None:
        self._make = make
        self._patience = patience
        self._room = threading.BoundedSemaphore(size)
        self._idle: list[Connection] = []
        self._closed = False

    def take(self) -> Connection:
        """A connection of one's own, to be given back. Raises Busy when none comes free, Away."""
        if not self._room.acquire(timeout=self._patience):
            raise Busy(2)
        try:
            while self._idle:
                conn = self._idle.pop()
                if usable(conn):
                    return conn
                conn.close()
            return self._make()
        except psycopg.OperationalError as error:
            self._room.release()
            raise Away from error
        except BaseException:
            self._room.release()
            raise

    def give(self, conn: Connection) -> None:
        idle = conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        if self._closed or conn.closed or not idle:
            conn.close()
        else:
            self._idle.append(conn)
        self._room.release()

    @contextlib.contextmanager
    def lend(self) -> Iterator[Connection]:
        conn = self.take()
        try:
            yield conn
        except psycopg.OperationalError as error:
            gone = conn.closed
            conn.close()  # in doubt
            if gone:
                raise Away from error
            raise
        finally:
            self.give(conn)

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()
