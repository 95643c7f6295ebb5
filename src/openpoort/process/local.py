"""Rounds of local steps: claim a batch under a held lock, do it, write it with one commit.

Steps that follow each other without waiting are done in one go. A step that breaks off by a
mistake of ours parks its own message and no other.
"""

from __future__ import annotations

from datetime import datetime

from openpoort.domain.kind import StepKind
from openpoort.process import batch, flow, steps
from openpoort.process.batch import Item, Needs
from openpoort.process.clock import Clock
from openpoort.process.crashpoints import crash_point
from openpoort.process.recent import Recent
from openpoort.process.work import House
from openpoort.store import queue
from openpoort.store.aborted import aborted
from openpoort.store.changes import Process
from openpoort.store.pool import Connection
from openpoort.store.rows import JobRow
from openpoort.store.store import Store

BATCH = 50
_READERS = frozenset({StepKind.CHECK, StepKind.CONVERT, StepKind.SPLIT})


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
            jobs = queue.claim(conn, flow.LOCAL, now, size)
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
            jobs = queue.claim(conn, flow.LOCAL, now, 1)
            if not jobs:
                return 0
            try:
                with conn.transaction():
                    self._do(conn, jobs, now)
            except Exception as error:
                if aborted(error):
                    raise
                # Whatever else it is, an operator must see it.
                items = self._load(conn, jobs, now, _no_documents)
                queue.finish(conn, jobs)
                batch.write(conn, batch.stranded(items))
                for item in items:
                    if item.work is not None:
                        steps.park(item.work.process, item.job, now, _reason(error))
                        batch.write(conn, [item.work.process])
        return 1

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
            except Exception as error:  # noqa: BLE001 - parked with its reason
                steps.park(before, item.job, now, _reason(error))
                done.append(before)
        queue.finish(conn, jobs)
        batch.write(conn, done)


def _needs_documents(house: House, berichtsoort: str, job: JobRow) -> bool:
    """Whether the local steps from this job on read the content."""
    kind = house.kinds[berichtsoort]
    names = [step.name for step in kind.steps]
    for step in kind.steps[names.index(job.step) :]:
        if house.lane(step) != flow.LOCAL:
            return False
        if step.kind in _READERS:
            return True
    return False


def _no_documents(house: House, berichtsoort: str, job: JobRow) -> bool:
    return False


def _reason(error: Exception) -> str:
    return f"internal error: {type(error).__name__}: {error}"
