"""Steps that wait for somebody else: leased, done in threads, written when the answer is there.

The lease and the status that the sender sees (405) are committed before anything is sent. The
result is written only while our fence still stands: who comes too late writes nothing, and the
agency sees the same MessageID again.
"""

from __future__ import annotations

import queue as threads_queue
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openpoort.domain.kind import StepKind
from openpoort.process import batch, flow, outcomes, steps, switches
from openpoort.process.batch import Item, Needs
from openpoort.process.clock import Clock
from openpoort.process.crashpoints import crash_point
from openpoort.process.outcomes import Result
from openpoort.process.ports import (
    CheckUnavailable,
    DeliveryFailed,
    DeliveryRefused,
)
from openpoort.process.recent import Recent
from openpoort.process.sides import Partners, Side, Sides
from openpoort.process.work import House, Work
from openpoort.store import queue
from openpoort.store.aborted import until_done
from openpoort.store.changes import Process
from openpoort.store.payloads import PayloadUnavailable
from openpoort.store.pool import Connection
from openpoort.store.rows import JobRow
from openpoort.store.store import Store

_BATCH = 50
_FEW = 2
"""As many may wait for an agency without it being worth a pause to collect more."""


@dataclass(slots=True)
class _Out:
    job: JobRow
    side: Side
    work: Work
    result: Result | None = field(default=None)


class OutsideRounds:
    """All of it happens in one thread, except what is submitted to the threads of a side.

    `wake` is called from those threads when a result is in. `lease` is real time, seconds, and
    must be longer than any channel waits for an answer.
    """

    def __init__(
        self, store: Store, house: House, partners: Partners, clock: Clock, recent: Recent,
        wake: Callable[[], None], *, lease: float = 300.0, checkers: int = 2,
    ) -> None:  # fmt: skip
        self._store, self._house, self._partners, self._clock = store, house, partners, clock
        self._recent, self._wake, self._lease = recent, wake, lease
        self._machine = store.machine
        self.fence = store.machine.uuid()
        self._sides = Sides(house, partners, store.machine, checkers)
        self._sent: set[int] = set()
        self._reopened: dict[str, None] = {}
        self._results: threads_queue.SimpleQueue[_Out] = threads_queue.SimpleQueue()
        self._all_in = store.machine.event()
        self.made_local = False

    @property
    def out(self) -> int:
        """Jobs handed to threads and not yet written."""
        return self._sides.out

    def close(self) -> None:
        self._sides.close()

    def gather(self, seconds: float) -> None:
        """Let answers collect for `seconds`.

        Not longer than until all have answered when only a few are out, or when an agency takes
        no more at once: then waiting collects nothing and costs it time.
        """
        self._all_in.clear()
        if self.out > _FEW and not self._sides.full:
            self._machine.sleep(seconds)
        elif self._results.qsize() < self.out:
            self._all_in.wait(seconds)

    def resume(self, conn: Connection) -> None:
        """On a new connection: a lease whose commit we never heard of may stand, in our name and
        with nobody at work on it. It is let go, or it would wait for its whole term."""
        queue.let_go(conn, self.fence, self._sent)

    def round(self, conn: Connection, *, new: bool = True) -> int:
        """Write what came back and send out what may go; how many jobs were touched."""
        self._hasten(conn)
        outs = self._answered()
        now = self._clock.now()
        try:
            sides = self._sides_with_work(conn, outs, now) if new else []
            done = sum(self._hold(conn, side, now) for side in sides if side.lane.closed(now))
        except Exception:
            self._put_back(outs)
            raise
        return done + self._exchange(conn, outs, [s for s in sides if not s.lane.closed(now)], now)

    def _put_back(self, outs: Iterable[_Out]) -> None:
        """Answers are for the next connection: one that is dropped keeps its place for ever."""
        for out in outs:
            self._results.put(out)

    def _sides_with_work(self, conn: Connection, outs: list[_Out], now: datetime) -> list[Side]:
        """Where something is due and may go, or must be held.

        What an answer says about its lane counts before more is sent: a lane with trouble among
        `outs`, or one that an answer may open again, has its turn in the next round.
        """
        unsure = [o.side for o in outs if o.side.lane.closed(now) or (o.result and o.result.error)]
        sides = [
            s
            for s in self._sides.present()
            if s not in unsure and (s.lane.closed(now) or self._room(s, outs, now))
        ]
        due = queue.due(conn, [side.name for side in sides], now) if sides else frozenset()
        return [s for s in sides if s.name in due or self._probe(conn, s, now)]

    def _probe(self, conn: Connection, side: Side, now: datetime) -> bool:
        """Everything was put off, but somebody must find out whether the agency is back."""
        lane = side.lane
        return lane.down and not lane.closed(now) and queue.hasten(conn, side.name, now, 1) > 0

    def _room(self, side: Side, outs: list[_Out], now: datetime) -> int:
        """How many may go out, when the answers `outs` have been written."""
        return side.lane.room(now, back=sum(out.side is side for out in outs))

    def _answered(self) -> list[_Out]:
        """Results that are in, at most a batch."""
        outs: list[_Out] = []
        while len(outs) < _BATCH:
            try:
                outs.append(self._results.get_nowait())
            except threads_queue.Empty:
                break
        return outs

    def _load(
        self, conn: Connection, jobs: list[JobRow], now: datetime, needs: Needs
    ) -> list[Item]:
        return batch.load(conn, self._store, self._house, jobs, now, needs, self._recent)

    def _exchange(
        self, conn: Connection, outs: list[_Out], sides: list[Side], now: datetime
    ) -> int:
        """Answers in and messages out, with one commit; how many of both."""
        if not outs and not sides:
            return 0
        if outs:
            crash_point("after-delivery")
        try:
            sent, leased = until_done(lambda: self._write(conn, outs, sides, now))
        except Exception:
            if conn.closed or conn.broken:
                # The database went away. Our leases stand: written on the next connection.
                self._put_back(outs)
            if conn.closed or conn.broken or not outs:
                raise
            sent, leased = [], 0
            self._write_each(conn, outs)
        else:
            for out in outs:
                self._account(out)
        # Nothing between the commit and here may fail: what is leased must go, and what came back
        # must give its place free, whatever becomes of the connection.
        for out in sent:
            out.side.lane.out += 1
            self._sent.add(out.job.id)
            out.side.threads.submit(self._do, out)
        self._hasten(conn)
        return len(outs) + leased

    def _write(
        self, conn: Connection, outs: list[_Out], sides: list[Side], now: datetime
    ) -> tuple[list[_Out], int]:
        """One transaction; what is to be sent when it is committed, and how many were leased.

        A message that is in `outs` and on its way to another agency is one process, loaded once.
        """
        with conn.transaction():
            mine = queue.finish(conn, [out.job for out in outs]) if outs else set()
            won = _each_job_once(out for out in outs if out.job.id in mine)
            leased = [(side, job) for side in sides for job in self._leased(conn, side, outs, now)]
            if leased:
                crash_point("after-claim")
            jobs = [*(out.job for out in won), *(job for _, job in leased)]
            items = self._load(conn, jobs, now, _but(mine)) if jobs else []
            self._settle(won, items[: len(won)])
            sent = [
                _Out(item.job, side, item.work)
                for (side, _), item in zip(leased, items[len(won) :], strict=True)
                if item.work is not None
            ]
            if ended := [item.job for item in items[len(won) :] if item.work is None]:
                queue.finish(conn, ended)
            for out in sent:
                outcomes.begin(out.work, out.job)
            changed = _once(item.work for item in items if item.work is not None)
            self.made_local |= any(j.lane == flow.LOCAL for p in changed for j in p.jobs)
            batch.write(conn, changed + batch.stranded(items))
            if outs:
                crash_point("before-step-commit")
        if outs:
            crash_point("after-step-commit")
        if leased:
            crash_point("after-attempt")
        return sent, len(leased)

    def _leased(
        self, conn: Connection, side: Side, outs: list[_Out], now: datetime
    ) -> list[JobRow]:
        room = min(self._room(side, outs, now), _BATCH)
        return queue.lease(conn, side.name, now, room, side.lane.cap, self.fence, self._lease)

    def _do(self, out: _Out) -> None:
        """In a thread: ask, and hand the answer back whatever it is."""
        try:
            answer = self._sides.ask(out.side, out.work, out.job)
            out.result = Result(out.job, answer)
        except (DeliveryRefused, DeliveryFailed, CheckUnavailable, PayloadUnavailable) as error:
            out.result = Result(out.job, error=error)
        except Exception as error:  # noqa: BLE001 - a fault of ours counts as trouble, not as a no
            out.result = Result(out.job, error=DeliveryFailed(f"{type(error).__name__}: {error}"))
        self._results.put(out)
        if self._results.qsize() >= self.out:
            self._all_in.set()
        self._wake()

    def _write_each(self, conn: Connection, outs: list[_Out]) -> None:
        """After a failed batch: one at a time."""
        for place, out in enumerate(outs):
            try:
                self._write_alone(conn, out)
            except Exception:
                # Not even that (a plan from before a migration): on the next connection.
                self._put_back(outs[place:])
                raise
            self._account(out)

    def _write_alone(self, conn: Connection, out: _Out) -> None:
        """After a failed batch: a result that cannot be written parks its own message only."""
        try:
            until_done(lambda: self._write(conn, [out], [], self._clock.now()))
        except Exception as error:
            if conn.closed or conn.broken:
                raise
            now = self._clock.now()
            reason = f"internal error: {type(error).__name__}: {error}"
            with conn.transaction():
                if queue.finish(conn, [out.job]):
                    items = self._load(conn, [out.job], now, _no_documents)
                    for item in items:
                        if item.work is not None:
                            steps.park(item.process, item.job, now, reason)
                        batch.write(conn, [item.process])

    def _settle(self, won: list[_Out], items: list[Item]) -> None:
        for out, item in zip(won, items, strict=True):
            if item.work is not None and out.result is not None:
                outcomes.settle(item.work, out.result)

    def _account(self, out: _Out) -> None:
        """What the result says about the lane itself."""
        lane, side, result = out.side.lane, out.side, out.result
        lane.out -= 1
        self._sent.discard(out.job.id)
        if side.agency is None or result is None:
            return
        if isinstance(result.error, PayloadUnavailable):
            return  # our trouble, not the agency's
        if result.error is None or isinstance(result.error, DeliveryRefused):
            if lane.success():
                self._reopened[side.name] = None
        elif not switches.of(out.work.message.aanleverkenmerk) or not self._partners.switches:
            lane.failure(self._clock.now())

    def _hasten(self, conn: Connection) -> None:
        """What was put off for an agency that is back may go now; after a lost connection, on the
        next one."""
        while self._reopened:
            name = next(iter(self._reopened))
            queue.hasten(conn, name, self._clock.now())
            del self._reopened[name]

    def _hold(self, conn: Connection, side: Side, now: datetime) -> int:
        """The agency is down: tell senders so, once, without trying each message."""
        with conn.transaction():
            jobs = queue.claim(conn, side.name, now, _BATCH)
            if not jobs:
                return 0
            items = self._load(conn, jobs, now, _no_documents)
            queue.finish(conn, jobs)
            for item in items:
                if item.work is not None:
                    outcomes.held(item.work, item.job, now)
            told = _once(item.work for item in items if item.work is not None)
            batch.write(conn, told + batch.stranded(items))
        return len(jobs)


def _each_job_once(outs: Iterable[_Out]) -> list[_Out]:
    """The first answer for each job: a worker that lost its lease and leased the job anew has
    two, both under its own fence."""
    first: dict[int, _Out] = {}
    for out in outs:
        first.setdefault(out.job.id, out)
    return list(first.values())


def _once(works: Any) -> list[Process]:
    """Each process once, though two of its jobs may be in a batch."""
    return list({work.process.kenmerk: work.process for work in works}.values())


def _needs_documents(house: House, berichtsoort: str, job: JobRow) -> bool:
    return house.kinds[berichtsoort].step(job.step).kind is not StepKind.AUTHORISE


def _but(done: Collection[int]) -> Needs:
    """Documents for jobs that are to be sent, not for those that are done."""
    return lambda house, soort, job: job.id not in done and _needs_documents(house, soort, job)


def _no_documents(house: House, berichtsoort: str, job: JobRow) -> bool:
    return False
