"""Steps that wait for somebody else: leased, done in threads, written when the answer is there.

The lease and the status that the sender sees (405) are committed before anything is sent. The
result is written only while our fence still stands: who comes too late writes nothing, and the
agency sees the same MessageID again. Each agency has its own threads, its own window and its own
limit, so that one that is slow or down never holds up another.
"""

from __future__ import annotations

import queue as threads_queue
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from openpoort.domain.ids import Oin
from openpoort.domain.kind import Step, StepKind
from openpoort.domain.party import Directory
from openpoort.process import batch, flow, outcomes, steps, switches, texts
from openpoort.process.batch import Item
from openpoort.process.clock import Clock
from openpoort.process.crashpoints import crash_point
from openpoort.process.lanes import Lane
from openpoort.process.outcomes import Result
from openpoort.process.ports import (
    Agency,
    Authority,
    Channel,
    CheckUnavailable,
    DeliveryFailed,
    DeliveryRefused,
)
from openpoort.process.work import House, Work
from openpoort.store import queue
from openpoort.store.changes import Process
from openpoort.store.messages import JobRow
from openpoort.store.payloads import PayloadUnavailable
from openpoort.store.pool import Connection
from openpoort.store.store import Store

HELD_FOR = timedelta(minutes=15)
"""How long a message waits, told that its agency is down, unless the agency comes back."""
_BATCH = 50
_AHEAD = 8
"""Our own checkers get work ahead: two commits for sixteen checks instead of for two."""


@dataclass(slots=True)
class Side:
    """One lane with its threads."""

    name: str
    lane: Lane
    threads: ThreadPoolExecutor
    agency: Agency | None = None


@dataclass(frozen=True, slots=True)
class Partners:
    """Who is outside: channels by name, the AuSP, agencies through the directory."""

    directory: Callable[[], Directory]
    channels: dict[str, Channel]
    authority: Authority | None = None
    switches: bool = False


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
        self, store: Store, house: House, partners: Partners, clock: Clock,
        wake: Callable[[], None], *, lease: float = 300.0, checkers: int = 2,
    ) -> None:  # fmt: skip
        self._store, self._house, self._partners, self._clock = store, house, partners, clock
        self._wake, self._lease, self._checkers = wake, lease, checkers
        self.fence = uuid.uuid4()
        self._sides: dict[str, Side] = {}
        self._results: threads_queue.SimpleQueue[_Out] = threads_queue.SimpleQueue()
        self.made_local = False

    @property
    def out(self) -> int:
        """Jobs handed to threads and not yet written."""
        return sum(side.lane.out for side in self._sides.values())

    def round(self, conn: Connection, *, new: bool = True) -> int:
        """Write what came back, then send out what may go; how many jobs were touched."""
        done = self._finish(conn)
        if not new:
            return done
        for side in self._present():
            now = self._clock.now()
            if side.lane.closed(now):
                done += self._hold(conn, side, now)
            elif side.lane.room(now):
                done += self._send(conn, side, now)
        return done

    def close(self) -> None:
        for side in self._sides.values():
            side.threads.shutdown(wait=False, cancel_futures=True)
        self._sides.clear()

    def _present(self) -> list[Side]:
        """Sides of all agencies in the directory, and of checks and AuSP where there are any."""
        wanted: dict[str, tuple[int, Agency | None]] = {}
        if self._house.slow.intersection(self._house.checks):
            wanted[flow.CHECK] = (self._checkers * _AHEAD, None)
        if self._partners.authority is not None:
            wanted[flow.AUTHORITY] = (4 * _AHEAD, None)
        for a in self._partners.directory().agencies:
            agency = Agency(a.name, a.oin, a.endpoint, a.channel, a.max_parallel, a.options)
            wanted[flow.agency_lane(a.name)] = (a.max_parallel, agency)
        for name, (cap, who) in wanted.items():
            side = self._sides.get(name)
            if side is None or side.lane.cap != cap:
                self._sides[name] = side = Side(
                    name,
                    Lane(cap, window=1 if who else cap, out=side.lane.out if side else 0),
                    ThreadPoolExecutor(cap if who else cap // _AHEAD, thread_name_prefix=name),
                )
            side.agency = who
        return [self._sides[name] for name in wanted]

    def _send(self, conn: Connection, side: Side, now: datetime) -> int:
        room = min(side.lane.room(now), _BATCH)
        with conn.transaction():
            jobs = queue.lease(conn, side.name, now, room, side.lane.cap, self.fence, self._lease)
            if not jobs:
                return 0
            crash_point("after-claim")
            items = batch.load(conn, self._store, self._house, jobs, now, _needs_documents)
            ended = [item.job for item in items if item.work is None]
            if ended:
                queue.finish(conn, ended)
            live = [(item.job, item.work) for item in items if item.work is not None]
            for job, work in live:
                _begin(work, job)
            batch.write(conn, _once(work for _, work in live) + batch.stranded(items))
        crash_point("after-attempt")
        for job, work in live:
            side.lane.out += 1
            side.threads.submit(self._do, _Out(job, side, work))
        return len(jobs)

    def _do(self, out: _Out) -> None:
        """In a thread: ask, and hand the answer back whatever it is."""
        try:
            answer = self._ask(out)
            out.result = Result(out.job, answer)
        except (DeliveryRefused, DeliveryFailed, CheckUnavailable, PayloadUnavailable) as error:
            out.result = Result(out.job, error=error)
        except Exception as error:  # noqa: BLE001 - a fault of ours counts as trouble, not as a no
            out.result = Result(out.job, error=DeliveryFailed(f"{type(error).__name__}: {error}"))
        self._results.put(out)
        self._wake()

    def _ask(self, out: _Out) -> Any:
        work, job = out.work, out.job
        step = work.kind.step(job.step)
        if step.kind is StepKind.CHECK:
            return steps.look(work, step)
        if step.kind is StepKind.AUTHORISE:
            assert self._partners.authority is not None
            sender = Oin(work.message.sender)
            return self._partners.authority.ask(
                sender, work.kind, work.message.belanghebbende, work.now
            )
        agency = out.side.agency
        assert agency is not None
        if self._partners.switches:
            switches.at_delivery(switches.of(work.message.aanleverkenmerk))
        channel = self._partners.channels.get(agency.channel)
        if channel is None:
            raise DeliveryFailed(f"channel {agency.channel} is not installed")
        message_id = texts.message_id(work.process.kenmerk, agency.name, job.generation)
        return channel.deliver(outcomes.bericht(work, step), agency, message_id)

    def _finish(self, conn: Connection) -> int:
        """Write results that are in, as many as there are, in one transaction."""
        outs: list[_Out] = []
        while len(outs) < _BATCH:
            try:
                outs.append(self._results.get_nowait())
            except threads_queue.Empty:
                break
        if not outs:
            return 0
        crash_point("after-delivery")
        try:
            self._write(conn, outs)
        except Exception:
            if conn.closed or conn.broken:
                # The database went away. Our leases stand: written on the next connection.
                for out in outs:
                    self._results.put(out)
                raise
            for place, out in enumerate(outs):
                try:
                    self._write_alone(conn, out)
                except Exception:
                    # Not even that (a plan from before a migration): on the next connection.
                    for left in outs[place:]:
                        self._results.put(left)
                    for settled in outs[:place]:
                        self._account(conn, settled)
                    raise
        for out in outs:
            self._account(conn, out)
        return len(outs)

    def _write_alone(self, conn: Connection, out: _Out) -> None:
        """After a failed batch: a result that cannot be written parks its own message only."""
        try:
            self._write(conn, [out])
        except Exception as error:
            if conn.closed or conn.broken:
                raise
            now = self._clock.now()
            reason = f"internal error: {type(error).__name__}: {error}"
            with conn.transaction():
                if queue.finish(conn, [out.job]):
                    items = batch.load(
                        conn, self._store, self._house, [out.job], now, _no_documents
                    )
                    for item in items:
                        if item.work is not None:
                            steps.park(item.process, item.job, now, reason)
                        batch.write(conn, [item.process])

    def _write(self, conn: Connection, outs: list[_Out]) -> None:
        now = self._clock.now()
        with conn.transaction():
            mine = queue.finish(conn, [out.job for out in outs])
            won = [out for out in outs if out.job.id in mine]
            if won:
                jobs = [out.job for out in won]
                items = batch.load(conn, self._store, self._house, jobs, now, _no_documents)
                self._settle(won, items)
                changed = _once(item.work for item in items if item.work is not None)
                self.made_local |= any(j.lane == flow.LOCAL for p in changed for j in p.jobs)
                batch.write(conn, changed + batch.stranded(items))
            crash_point("before-step-commit")
        crash_point("after-step-commit")

    def _settle(self, won: list[_Out], items: list[Item]) -> None:
        for out, item in zip(won, items, strict=True):
            if item.work is not None and out.result is not None:
                outcomes.settle(item.work, out.result)

    def _account(self, conn: Connection, out: _Out) -> None:
        """What the result says about the lane itself."""
        lane, side, result = out.side.lane, out.side, out.result
        lane.out -= 1
        if side.agency is None or result is None:
            return
        if isinstance(result.error, PayloadUnavailable):
            return  # our trouble, not the agency's
        if result.error is None or isinstance(result.error, DeliveryRefused):
            if lane.success():
                queue.hasten(conn, side.name, self._clock.now())
        elif not switches.of(out.work.message.aanleverkenmerk) or not self._partners.switches:
            lane.failure(self._clock.now())

    def _hold(self, conn: Connection, side: Side, now: datetime) -> int:
        """The agency is down: tell senders so, once, without trying each message."""
        with conn.transaction():
            jobs = queue.claim(conn, side.name, now, _BATCH)
            if not jobs:
                return 0
            items = batch.load(conn, self._store, self._house, jobs, now, _no_documents)
            queue.finish(conn, jobs)
            for item in items:
                if item.work is not None:
                    _held(item.work, item.job, now)
            told = _once(item.work for item in items if item.work is not None)
            batch.write(conn, told + batch.stranded(items))
        return len(jobs)


def _begin(work: Work, job: JobRow) -> None:
    """Before a message goes out: the attempt in the journal, and 405 the first time."""
    p, step = work.process, work.kind.step(job.step)
    _begun(work, step)
    kind = "delivery.attempted" if job.agency else "step.attempted"
    p.note(kind, work.now, {"step": step.name, "agency": job.agency, "attempt": job.attempts})


def _begun(work: Work, step: Step) -> None:
    """405 once per step; not for a step that says nothing when it is done either."""
    p, begins = work.process, flow.BEHAVIOUR[step.kind].begins
    if begins and step.ok is not None and p.data.get("begun") != step.name:
        p.data["begun"] = step.name
        p.add(begins, work.now)


def _held(work: Work, job: JobRow, now: datetime) -> None:
    p, step = work.process, work.kind.step(job.step)
    first = job.first_at or now
    end = first + work.kind.retry_for
    if now >= end:
        steps.give_up(work, job, "the agency was down all the time")
        return
    _begun(work, step)
    steps.trouble(work, step)
    later = min(now + HELD_FOR, end)
    p.jobs.append(replace(job, due_at=later, first_at=first, fence=None))


def _once(works: Any) -> list[Process]:
    """Each process once, though two of its jobs may be in a batch."""
    return list({work.process.kenmerk: work.process for work in works}.values())


def _needs_documents(house: House, berichtsoort: str, job: JobRow) -> bool:
    return house.kinds[berichtsoort].step(job.step).kind is not StepKind.AUTHORISE


def _no_documents(house: House, berichtsoort: str, job: JobRow) -> bool:
    return False
