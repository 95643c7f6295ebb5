"""The worker: claims jobs, does the step, writes result, status and next job in one go.

Three threads: local steps, steps that wait for somebody else, and an ear for wake-ups from other
processes. A poll is the net under the wake-ups. Any number of engines may run on one database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from openpoort.domain.crash import said
from openpoort.domain.party import Directory
from openpoort.process.engine.executors import Partners
from openpoort.process.engine.local_steps import BATCH, LocalRounds
from openpoort.process.engine.remote_steps import OutsideRounds
from openpoort.process.engine.row_cache import Recent
from openpoort.process.flow import steps
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.context import House
from openpoort.process.ports import Authority, Channel
from openpoort.store import queue
from openpoort.store.payloads import payloads
from openpoort.store.postgres.aborted import until_done
from openpoort.store.postgres.pool import Connection
from openpoort.store.store import Store
from openpoort.telemetry import logger

POLL = 0.5
"""Seconds after which a worker looks for itself, woken or not."""
GATHER = 0.1
"""Seconds that a busy worker lets work collect: a statement for 25 messages costs little more
than for one. The first message after a quiet moment never waits."""
ORPHANS = 2.0
"""Seconds between looks for leases whose holder died."""
_QUICK_POLL = 0.02  # with a clock that runs faster: what falls due must not wait for real time
_SWEEP = 6 * 3600.0  # seconds between looks for documents without a row
_ORPHANED = timedelta(days=1)
_PATIENCE = 30.0  # how long a stopping engine waits for answers that are under way


class Engine:
    """Call `run` in a thread or process of its own; `wake` from any thread."""

    def __init__(
        self,
        store: Store,
        house: House,
        directory: Callable[[], Directory],
        channels: Mapping[str, Channel],
        authority: Authority | None = None,
        clock: Clock | None = None,
        *,
        switches: bool = False,
        lease: float = 330.0,
    ) -> None:
        self._store = store
        self._clock = clock or Clock()
        self._poll = POLL if self._clock.factor == 1.0 else _QUICK_POLL
        self._machine = machine = store.machine
        self._local_work = machine.event()
        self._outside_work = machine.event()
        recent = Recent()
        self._local = LocalRounds(store, house, self._clock, recent)
        partners = Partners(directory, dict(channels), authority, switches)
        self._outside = OutsideRounds(
            store, house, partners, self._clock, recent, self._outside_work.set, lease=lease
        )
        self._log = logger("process")

    def wake(self) -> None:
        """There may be work."""
        self._local_work.set()
        self._outside_work.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; steps that are under way are finished first."""
        machine = self._machine
        threads = [
            machine.thread(target=self._kept_up, args=[self._outside_loop, stop], name="outside"),
            machine.thread(target=self._kept_up, args=[self._listen, stop], name="listen"),
        ]
        for thread in threads:
            thread.start()
        self._kept_up(self._local_loop, stop)
        for thread in threads:
            thread.join()
        self._outside.close()

    def run_until_idle(self, seconds: float = 60.0) -> None:
        """For tests and tools: work in this thread until nothing is due or under way."""
        end = self._machine.monotonic() + seconds
        with self._store.connect() as conn:
            while self._machine.monotonic() < end:
                busy = self._local.round(conn) + self._outside.round(conn)
                if busy:
                    continue
                if not self._outside.out:
                    return
                self._outside_work.wait(0.05)
                self._outside_work.clear()
        raise TimeoutError("the engine is still busy")

    def _local_loop(self, conn: Connection, stop: threading.Event) -> None:
        careful = 0
        while not stop.is_set():
            self._local_work.clear()
            if careful:
                careful -= 1
                done = until_done(lambda: self._local.careful_round(conn))
            else:
                try:
                    done = until_done(lambda: self._local.round(conn))
                except Exception as error:
                    if conn.closed or conn.broken:
                        raise
                    fault = steps.told(error)
                    self._log.error("a batch of steps failed; one at a time now", fault=fault)
                    careful, done = 2 * BATCH, 1
            if not done:
                self._local_work.wait(self._poll)
                continue
            self._outside_work.set()
            if done < BATCH:
                stop.wait(GATHER)

    def _outside_loop(self, conn: Connection, stop: threading.Event) -> None:
        end: float | None = None
        held, looked = False, -ORPHANS
        self._outside.resume(conn)
        while True:
            if self._machine.monotonic() - looked >= ORPHANS:
                looked = self._machine.monotonic()
                held = held or queue.hold(conn, self._outside.fence)
                queue.release_orphans(conn)
            if stop.is_set():
                end = end or self._machine.monotonic() + _PATIENCE
                if not self._outside.out or self._machine.monotonic() > end:
                    return
            self._outside_work.clear()
            done = self._outside.round(conn, new=not stop.is_set())
            if self._outside.made_local:
                self._outside.made_local = False
                self._local_work.set()
            if not done:
                self._outside_work.wait(self._poll)
            self._outside.gather(GATHER)

    def _listen(self, conn: Connection, stop: threading.Event) -> None:
        queue.listen(conn)
        swept = self._machine.monotonic()
        while not stop.is_set():
            if queue.heard(conn, 1.0):
                self.wake()
                stop.wait(GATHER)  # who takes in many tells of each batch; once is enough
            if self._machine.monotonic() - swept > _SWEEP:
                swept = self._machine.monotonic()
                self._sweep()

    def _sweep(self) -> None:
        """Remove documents of messages that were never taken in, or are kept no longer."""
        outside = self._store.outside
        if not outside:
            return
        # Documents carry the day of the house's clock and the time of the place's own.
        before = min(self._clock.now(), datetime.now(UTC)) - _ORPHANED
        try:
            with self._store.pool.lend() as conn:
                removed = payloads.sweep(conn, outside, before)
            self._log.info("swept", orphans=removed)
        except payloads.PayloadUnavailable as wrong:
            self._log.warning("not_swept", reason=str(wrong))

    def _kept_up(
        self, loop: Callable[[Connection, threading.Event], None], stop: threading.Event
    ) -> None:
        """Run `loop` on a connection; on a new one whenever it broke: the database may restart."""
        while True:
            try:
                with self._store.connect() as conn:
                    loop(conn, stop)
                    return
            except Exception as error:  # noqa: BLE001 - a worker outlives its database
                self._log.error("worker_lost_database", error=said(error))
                if stop.wait(1.0):
                    return
