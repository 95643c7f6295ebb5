"""The batching thread: takes what is queued, does it in one go, answers every caller.

One caller alone waits for nobody. A writer that had several waits a few milliseconds for more,
because a commit costs the database as much as three messages in it (decision 0045). A batch
that fails is done again item by item, so that one bad row spoils nobody else's. The queue is
bounded: `Busy` rather than growth.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import psycopg

from openpoort.domain.crash import said
from openpoort.store.postgres.aborted import until_done
from openpoort.store.postgres.primary import usable
from openpoort.store.postgres.runtime import Machine
from openpoort.telemetry import logger

MACHINE = Machine()
_log = logger("store")
GATHER = 0.005
"""Seconds that a writer waits for company when it had some the last time."""
GATHER_READING = 0.002
"""The same for look-ups, which commit nothing: a batch costs less, so less is worth waiting."""
Item = TypeVar("Item")
Result = TypeVar("Result")

Connect = Callable[[], "psycopg.Connection[tuple[object, ...]]"]


class Busy(Exception):
    """The queue is full; the door says 503 with Retry-After `retry_after` (seconds)."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__(f"too busy; try again in {retry_after} s")
        self.retry_after = retry_after


@dataclass(slots=True)
class _Asked(Generic[Item, Result]):
    """An item and who waits for it, in which event loop."""

    item: Item
    waiter: asyncio.Future[Result]
    loop: asyncio.AbstractEventLoop
    outcome: Result | Exception | None = None


class Away(Busy):
    """The database cannot be reached, or went away in the middle: whether it was done is not
    known. Who asks again gets the truth."""

    def __init__(self) -> None:
        super().__init__(2)


class Batcher(Generic[Item, Result]):
    """One thread, one connection. `work` gets a connection and the items; it returns one result
    or exception per item, in order, and commits by itself before it returns."""

    def __init__(
        self,
        name: str,
        connect: Connect,
        work: Callable[
            [psycopg.Connection[tuple[object, ...]], Sequence[Item]], Sequence[Result | Exception]
        ],
        *,
        bound: int = 1000,
        batch: int = 64,
        gather: float = 0.0,
        machine: Machine = MACHINE,
    ) -> None:
        self._connect = connect
        self._work = work
        self._bound = bound
        self._batch = batch
        self._queue: deque[_Asked[Item, Result]] = deque()
        self._wake = machine.condition()
        self._closing = self._crowded = False
        self._gather, self._sleep, self._time = gather, machine.sleep, machine.cpu
        self._told = False
        self._cpu = self._asked = 0.0
        self._conn: psycopg.Connection[tuple[object, ...]] | None = None
        self._thread = machine.thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def cpu_since(self) -> float:
        """CPU seconds the thread used since this was last asked; from one thread only."""
        asked, self._asked = self._asked, self._cpu
        return self._cpu - asked

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def done(self, item: Item) -> Result:
        """The result of `item`, after the commit. Raises Busy when the queue is full."""
        loop = asyncio.get_running_loop()
        asked: _Asked[Item, Result] = _Asked(item, loop.create_future(), loop)
        with self._wake:
            if self._closing:
                raise Busy(5)
            if len(self._queue) >= self._bound:
                raise Busy(1)
            self._queue.append(asked)
            self._wake.notify()
        return await asked.waiter

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(60)

    def _take(self) -> list[_Asked[Item, Result]]:
        with self._wake:
            while not self._queue and not self._closing:
                self._wake.wait()
        if self._crowded and self._gather and not self._closing:
            self._sleep(self._gather)
        with self._wake:
            size = min(len(self._queue), self._batch)
            self._crowded = size > 1
            return [self._queue.popleft() for _ in range(size)]

    def _run(self) -> None:
        while taken := self._take():
            live = [asked for asked in taken if not asked.waiter.cancelled()]
            if live:
                self._do(live)
                _tell(live)
            self._cpu = self._time()
        if self._conn is not None:
            self._conn.close()

    def _do(self, batch: list[_Asked[Item, Result]]) -> None:
        try:
            items = [asked.item for asked in batch]
            outcomes = until_done(lambda: self._work(self._connection(), items))
        except Exception as error:  # noqa: BLE001 - whatever went wrong belongs to the callers
            self._drop_if_broken()
            if self._lost(error):
                # Nobody's own fault, and not for us to try again: what was committed is found as
                # a repeat then, without a commit of its own that says it is safe.
                self._away(batch, error)
                return
            if len(batch) == 1:
                batch[0].outcome = error
                return
            for asked in batch:
                self._do([asked])
            return
        self._told = False
        for asked, outcome in zip(batch, outcomes, strict=True):
            asked.outcome = outcome

    def _lost(self, error: Exception) -> bool:
        """Our connection, or one that the work made: an error of the server's own has a code."""
        return isinstance(error, psycopg.OperationalError) and (
            self._conn is None or error.sqlstate is None
        )

    def _away(self, batch: list[_Asked[Item, Result]], error: Exception) -> None:
        if not self._told:  # once an outage: senders repeat many times a second
            self._told = True
            _log.error("database away", batcher=self._thread.name, why=said(error))
        for asked in batch:
            asked.outcome = Away()
            asked.outcome.__cause__ = error

    def _connection(self) -> psycopg.Connection[tuple[object, ...]]:
        if self._conn is None or not usable(self._conn):
            stale, self._conn = self._conn, None
            if stale is not None:
                stale.close()
            self._conn = self._connect()
        return self._conn

    def _drop_if_broken(self) -> None:
        """A connection in doubt is thrown away: the next batch starts with a fresh one."""
        if self._conn is not None and (self._conn.closed or self._conn.broken):
            with contextlib.suppress(psycopg.Error):
                self._conn.close()
            self._conn = None


def _tell(batch: Sequence[_Asked[Any, Any]]) -> None:
    """Wake each event loop once for all of its waiters: a wake-up each costs more than a row."""
    for loop in {asked.loop for asked in batch}:
        with contextlib.suppress(RuntimeError):  # a loop that was closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, [a for a in batch if a.loop is loop])


def _settle(batch: Sequence[_Asked[Any, Any]]) -> None:
    for asked in batch:
        if asked.waiter.done():
            continue  # whoever waited has hung up
        if isinstance(asked.outcome, Exception):
            asked.waiter.set_exception(asked.outcome)
        else:
            asked.waiter.set_result(asked.outcome)
