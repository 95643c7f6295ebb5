"""Rounds of local steps: claim a batch under a held lock, do it, write it with one commit.

Steps that follow each other without waiting are done in one go. A step that breaks off by a
mistake of ours is trouble of its own message and of no other.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from openpoort.domain.kind import StepKind
from openpoort.process.engine import batch
from openpoort.process.engine.batch import Item, Needs
from openpoort.process.engine.row_cache import Recent
from openpoort.process.flow import behaviours, steps
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.context import House
from openpoort.process.flow.crashpoints import crash_point
from openpoort.store import queue
from openpoort.store.messages.changes import Process
from openpoort.store.messages.rows import JobRow
from openpoort.store.postgres.aborted import aborted
from openpoort.store.postgres.pool import Connection
from openpoort.store.store import Store
from openpoort.telemetry import logger

BATCH = 50
STUCK = timedelta(minutes=15)
"""How long a job stands aside that cannot even be told to have failed."""
_log = logger("process")
_READERS = frozenset({StepKind.CHECK, StepKind.SPLIT})


class LocalRounds:
    def __init__(self, store: Store, house: House, clock: Clock, recent: Recent) -> None:
        self._store = store
        self._recent = recent
        self._house = house
        self._clock = clock

    def round(self, conn: Connection, size: int = BATCH) -> int:
        """One round; how many jobs were done. Raises when the batch as a whole fails."""
        now = self._clock.now()
        self._store.ready_for({now.date()})
        with conn.transaction():
            jobs = queue.claim(conn, behaviours.LOCAL, now, size)
            if not jobs:
                return 0
            crash_point("after-claim")
            self._do(conn, jobs, now)
            crash_point("before-step-commit")
        crash_point("after-step-commit")
        return len(jobs)

    def careful_round(self, conn: Connection) -> int:
        """After a failed batch: one job at a time; the one that fails alone is parked."""
        now = self._clock.now()
        with conn.transaction():
            jobs = queue.claim(conn, behaviours.LOCAL, now, 1)
            if not jobs:
                return 0
            try:
                with conn.transaction():
                    self._do(conn, jobs, now)
            except Exception as error:
                if conn.closed or conn.broken or aborted(error):
                    raise
                self._broken(conn, jobs, now, error)
        return 1

    def _broken(
        self, conn: Connection, jobs: list[JobRow], now: datetime, error: Exception
    ) -> None:
        """What came of a step could not be written. When not even this can be, the job stands
        aside, for it would stop all others."""
        try:
            with conn.transaction():
                items = self._load(conn, jobs, now, _no_documents)
                queue.finish(conn, jobs)
                for item in items:
                    if item.work is not None:
                        steps.broken(item.work, item.job, error)
                batch.write(conn, [item.process for item in items])
        except Exception as worse:
            if conn.closed or conn.broken:
                raise
            queue.postpone(conn, jobs, now + STUCK)
            for job in jobs:
                _log.error("stands_aside", kenmerk=str(job.kenmerk), fault=steps.told(worse))

    def _load(
        self, conn: Connection, jobs: list[JobRow], now: datetime, needs: Needs
    ) -> list[Item]:
        return batch.load(conn, self._store, self._house, jobs, now, needs, self._recent)

    def _do(self, conn: Connection, jobs: list[JobRow], now: datetime) -> None:
        items = self._load(conn, jobs, now, _needs_documents)
        done: list[Process] = batch.stranded(items)
        for item in items:
            if item.work is None:
                continue
            before = batch.fresh(item.work.process)
            try:
                steps.run(item.work, item.job)
                done.append(item.work.process)
            except Exception as error:  # noqa: BLE001 - told, and tried again
                steps.broken(dataclasses.replace(item.work, process=before), item.job, error)
                done.append(before)
        queue.finish(conn, jobs)
        batch.write(conn, done)


def _needs_documents(house: House, berichtsoort: str, job: JobRow) -> bool:
    """Whether the local steps from this job on read the content."""
    kind = house.kinds[berichtsoort]
    names = [step.name for step in kind.steps]
    for step in kind.steps[names.index(job.step) :]:
        if house.lane(step) != behaviours.LOCAL:
            return False
        if step.kind in _READERS:
            return True
    return False


def _no_documents(house: House, berichtsoort: str, job: JobRow) -> bool:
    return False
