"""Steps that wait for somebody else: leased, done in threads, written when the answer is there.

The lease and the status that the sender sees (405) are committed before anything is sent. The
result is written only while our fence still stands: who comes too late writes nothing, and the
agency sees the same MessageID again.
"""

from __future__ import annotations

import dataclasses
import queue as threads_queue
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from openpoort.domain.kind import StepKind
from openpoort.process.engine import batch
from openpoort.process.engine.batch import Item, Needs
from openpoort.process.engine.circuit_breaker import BEHIND, FIRST_PAUSE, Lane, shared
from openpoort.process.engine.executors import Partners, Side, Sides
from openpoort.process.engine.local_steps import STUCK
from openpoort.process.engine.row_cache import Recent
from openpoort.process.flow import behaviours, outcomes, steps, switches
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.context import House, Work
from openpoort.process.flow.crashpoints import crash_point
from openpoort.process.flow.outcomes import Result
from openpoort.process.flow.steps import told
from openpoort.process.ports import AgencyBusy, AgencySilent, DeliveryFailed, DeliveryRefused
from openpoort.store import queue
from openpoort.store.messages.changes import Process
from openpoort.store.messages.rows import JobRow
from openpoort.store.postgres.aborted import until_done
from openpoort.store.postgres.pool import Connection
from openpoort.store.store import Store
from openpoort.telemetry import logger

_BATCH = 50
_FEW = 2
"""As many may wait for an agency without it being worth a pause to collect more."""


@dataclass(slots=True, eq=False)
class _Out:
    job: JobRow
    side: Side
    lane: Lane
    work: Work
    result: Result | None = field(default=None)
    unwritable: bool = False


@dataclass(frozen=True, slots=True)
class _Turn:
    """So many of a lane may go out."""

    side: Side
    name: str
    lane: Lane
    count: int


class OutsideRounds:
    """All of it happens in one thread, except what is submitted to the threads of a side.

    `wake` is called from those threads when a result is in. `lease` is real time, seconds, and
    must be longer than any channel waits for an answer.
    """

    def __init__(
        self, store: Store, house: House, partners: Partners, clock: Clock, recent: Recent,
        wake: Callable[[], None], *, lease: float = 330.0, checkers: int = 2,
    ) -> None:  # fmt: skip
        self._store, self._house, self._partners, self._clock = store, house, partners, clock
        self._recent, self._wake, self._lease = recent, wake, lease
        self._machine = store.machine
        self.fence = store.machine.uuid()
        self._sides = Sides(house, partners, store.machine, checkers)
        self._sent: set[int] = set()
        self._reopened: dict[Side, tuple[UUID, ...]] = {}
        self._results: threads_queue.SimpleQueue[_Out] = threads_queue.SimpleQueue()
        self._all_in = store.machine.event()
        self.made_local = False
        self._log = logger("process")

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
            turns, held = self._turns(conn, outs, now) if new else ([], 0)
        except Exception:
            self._put_back(outs)
            raise
        return held + self._exchange(conn, outs, turns, now)

    def _put_back(self, outs: Iterable[_Out]) -> None:
        """Answers are for the next connection: one that is dropped keeps its place for ever."""
        for out in outs:
            self._results.put(out)

    def _turns(self, conn: Connection, outs: list[_Out], now: datetime) -> tuple[list[_Turn], int]:
        """What may go out, and how many were held: those of an agency that is down, or for which
        there is nobody to ask.

        What an answer says about its lane counts before more is sent: a lane that met silence in
        `outs`, or one that an answer may open again, has its turn in the next round.
        """
        unsure = {
            o.lane for o in outs
            if o.lane.closed(now) or (o.result and isinstance(o.result.error, AgencySilent))
        }  # fmt: skip
        waiting: dict[Side, dict[Lane, str]] = {}
        held = 0
        for name, agency, due in queue.lanes(conn, now):
            side = self._sides.of(name, agency)
            lane = side.lane(name) if side is not None else None
            if name == behaviours.LOCAL or lane in unsure:
                continue
            if side is None or lane is None or lane.closed(now):
                held += self._hold(conn, name, now) if due else 0
            elif due or self._probe(conn, name, lane, now):
                waiting.setdefault(side, {})[lane] = name
        return [
            _Turn(side, names[lane], lane, min(count, _BATCH))
            for side, names in waiting.items()
            for lane, count in self._shared(side, names, outs, now).items()
        ], held

    def _probe(self, conn: Connection, name: str, lane: Lane, now: datetime) -> bool:
        """Everything was put off, but somebody must find out whether the agency is back: one that
        did not meet its silence."""
        return lane.down and not lane.out and queue.hasten(conn, name, now, 1, lane.silent) > 0

    def _shared(
        self, side: Side, waiting: Collection[Lane], outs: list[_Out], now: datetime
    ) -> dict[Lane, int]:
        back = [out.lane for out in outs if out.side is side]
        every = side.lanes.values()
        return shared(side.cap, every, waiting, now, back=back, several=side.several)

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
        self, conn: Connection, outs: list[_Out], turns: list[_Turn], now: datetime
    ) -> int:
        """Answers in and messages out, with one commit; how many of both."""
        if not outs and not turns:
            return 0
        if outs:
            crash_point("after-delivery")
        try:
            sent, leased = until_done(lambda: self._write(conn, outs, turns, now))
        except Exception as error:
            if conn.closed or conn.broken:
                # The database went away. Our leases stand: written on the next connection.
                self._put_back(outs)
                raise
            self._log.error("a batch of results failed; one at a time now", fault=told(error))
            sent, leased = [], 0
            if outs:
                self._write_each(conn, outs)
            else:
                for turn in turns:
                    self._set_aside(conn, turn.name, now, outcomes.begin)
        else:
            for out in outs:
                self._account(out)
        # Nothing between the commit and here may fail: what is leased must go, and what came back
        # must give its place free, whatever becomes of the connection.
        for out in sent:
            out.lane.out += 1
            self._sent.add(out.job.id)
            out.side.threads.submit(self._do, out)
        self._hasten(conn)
        return len(outs) + leased

    def _write(
        self,
        conn: Connection,
        outs: list[_Out],
        turns: list[_Turn],
        now: datetime,
        *,
        apart: bool = False,
    ) -> tuple[list[_Out], int]:
        """One transaction; what is to be sent when it is committed, and how many were leased.

        A message that is in `outs` and on its way to another agency is one process, loaded once.
        """
        with conn.transaction():
            mine = queue.finish(conn, [out.job for out in outs]) if outs else set()
            won = _each_job_once(out for out in outs if out.job.id in mine)
            leased = self._leased(conn, turns, now)
            if leased:
                crash_point("after-claim")
            jobs = [*(out.job for out in won), *(job for _, job in leased)]
            items = self._load(conn, jobs, now, _but(mine)) if jobs else []
            self._settle(won, items[: len(won)], apart=apart)
            sent = [
                _Out(item.job, turn.side, turn.lane, item.work)
                for (turn, _), item in zip(leased, items[len(won) :], strict=True)
                if item.work is not None
            ]
            if ended := [item.job for item in items[len(won) :] if item.work is None]:
                queue.finish(conn, ended)
            for out in sent:
                outcomes.begin(out.work, out.job)
            changed = _once(item.work for item in items if item.work is not None)
            self.made_local |= any(j.lane == behaviours.LOCAL for p in changed for j in p.jobs)
            batch.write(conn, changed + batch.stranded(items))
            if outs:
                crash_point("before-step-commit")
        if outs:
            crash_point("after-step-commit")
        if leased:
            crash_point("after-attempt")
        return sent, len(leased)

    def _leased(
        self, conn: Connection, turns: list[_Turn], now: datetime
    ) -> list[tuple[_Turn, JobRow]]:
        ours = {side: queue.enter(conn, side.name) for side in {turn.side: None for turn in turns}}
        leased = []
        for turn in turns:
            if ours[turn.side]:
                turn.side.serve(turn.lane)
                leased += [(turn, job) for job in self._lease_of(conn, turn, now)]
        return leased

    def _lease_of(self, conn: Connection, turn: _Turn, now: datetime) -> list[JobRow]:
        side, agency = turn.side, turn.side.agency
        asked = (conn, turn.name, agency.name if agency else None, now, turn.count, side.cap,
                 self.fence, self._lease)  # fmt: skip
        if turn.lane.down and (probe := queue.lease(*asked, turn.lane.silent)):
            return probe
        return queue.lease(*asked)  # of a lane that is down: nobody else waits

    def _do(self, out: _Out) -> None:
        """In a thread: ask, and hand the answer back whatever it is."""
        try:
            answer = self._sides.ask(out.side, out.work, out.job)
            out.result = Result(out.job, answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, `outcomes` knows what it means
            out.result = Result(out.job, error=error)
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
                # Not even that (a plan from before a migration): on the next connection. One that
                # fails there as well is let go of, for it would stand in the way of all others:
                # when its lease is over it is done once more.
                hopeless = out.unwritable and not (conn.closed or conn.broken)
                out.unwritable = not (conn.closed or conn.broken)
                self._put_back(outs[place + hopeless :])
                if hopeless:
                    self._account(out)
                raise
            self._account(out)

    def _write_alone(self, conn: Connection, out: _Out) -> None:
        """After a failed batch: a result that cannot be written is trouble of its own message."""
        try:
            try:
                until_done(lambda: self._write(conn, [out], [], self._clock.now()))
            except steps.Broke:  # what the agency said stands, whatever becomes of the next step
                until_done(lambda: self._write(conn, [out], [], self._clock.now(), apart=True))
        except Exception as error:
            if conn.closed or conn.broken:
                raise
            now = self._clock.now()
            with conn.transaction():
                if queue.finish(conn, [out.job]):
                    items = self._load(conn, [out.job], now, _no_documents)
                    for item in items:
                        if item.work is not None:
                            steps.broken(item.work, item.job, error)
                    batch.write(conn, [item.process for item in items])

    def _set_aside(
        self, conn: Connection, name: str, now: datetime, act: Callable[[Work, JobRow], None]
    ) -> None:
        """Of a lane whose batch failed: what fails by itself too waits, and the others go on."""
        with conn.transaction():
            for job in queue.claim(conn, name, now, _BATCH):
                try:
                    with conn.transaction(force_rollback=True):
                        items = self._load(conn, [job], now, _needs_documents)
                        for work in [item.work for item in items if item.work is not None]:
                            act(work, job)
                        batch.write(conn, [item.process for item in items])
                except Exception as error:
                    if conn.closed or conn.broken:
                        raise
                    queue.postpone(conn, [job], now + STUCK)
                    self._log.error("stands_aside", kenmerk=str(job.kenmerk), fault=told(error))

    def _settle(self, won: list[_Out], items: list[Item], *, apart: bool) -> None:
        for out, item in zip(won, items, strict=True):
            if item.work is not None and out.result is not None:
                work = dataclasses.replace(item.work, apart=True) if apart else item.work
                outcomes.settle(work, out.result)

    def _account(self, out: _Out) -> None:
        """What the result says about the lane itself."""
        lane, side, result = out.lane, out.side, out.result
        lane.out -= 1
        self._sent.discard(out.job.id)
        if side.agency is None or result is None:
            return
        error = result.error
        if error and self._partners.switches and switches.of(out.work.message.aanleverkenmerk):
            return
        if isinstance(error, AgencySilent):
            pause = error.pause if isinstance(error, AgencyBusy) else FIRST_PAUSE
            lane.met_silence(out.job.kenmerk, self._clock.now(), pause)
        ours = error is not None and not isinstance(error, DeliveryRefused | DeliveryFailed)
        if ours or isinstance(error, AgencySilent):
            return
        suspects = tuple(lane.silent)
        if lane.answered():
            self._reopened[side] = suspects

    def _hasten(self, conn: Connection) -> None:
        """What was put off for an agency that is back may go now, of all kinds; after a lost
        connection, on the next one. Those that met its silence go last: it may be theirs. What it
        answered badly waits for its own time."""
        while self._reopened:
            side, suspects = next(iter(self._reopened.items()))
            now = self._clock.now()
            for name, agency, _ in queue.lanes(conn, now):
                if side.agency and agency == side.agency.name and not behaviours.is_again(name):
                    queue.hasten(conn, name, now, but=suspects)
                    queue.hasten(conn, name, now + BEHIND)
            for lane in side.lanes.values():
                lane.try_now()
            del self._reopened[side]

    def _hold(self, conn: Connection, name: str, now: datetime) -> int:
        """Nobody can be asked: tell senders so, once, without trying each message."""
        try:
            with conn.transaction():
                jobs = queue.claim(conn, name, now, _BATCH)
                if not jobs:
                    return 0
                items = self._load(conn, jobs, now, _no_documents)
                queue.finish(conn, jobs)
                for item in items:
                    if item.work is not None:
                        outcomes.held(item.work, item.job, now)
                heard = _once(item.work for item in items if item.work is not None)
                batch.write(conn, heard + batch.stranded(items))
        except Exception:
            if conn.closed or conn.broken:
                raise
            self._set_aside(conn, name, now, lambda work, job: outcomes.held(work, job, now))
            return 0
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
