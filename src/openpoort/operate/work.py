"""What an operator does with messages that wait for a person (`openpoort work`).

Every act needs a reason and stands in the journal with the operator's name, in the transaction
of the act itself. A dry run does everything and rolls back: what it tells is what would happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from openpoort.domain.kind import Step
from openpoort.domain.process import ENDED, Event, NotPossible, State
from openpoort.operate import story
from openpoort.operate.story import Moment, Waits
from openpoort.process.engine.batch import Documents
from openpoort.process.flow import behaviours, outcomes
from openpoort.process.flow.context import House, Work
from openpoort.process.flow.transitions import happen
from openpoort.store import queue
from openpoort.store.messages import changes, message_export, messages, parked, reading
from openpoort.store.messages.parked import Parked
from openpoort.store.messages.reading import Known
from openpoort.store.messages.rows import JobRow, StatusRow
from openpoort.store.postgres.pool import Connection
from openpoort.store.store import Store

__all__ = ["Act", "Parked", "Shown", "WorkError", "cancel", "list_parked", "redeliver", "release",
           "show"]  # fmt: skip


class WorkError(Exception):
    """What was asked cannot be done: why, for the operator."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, why, when. `dry_run`: only tell what would happen."""

    operator: str
    reason: str
    at: datetime
    dry_run: bool = False

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise WorkError("give a reason")


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything an operator needs to judge one message."""

    known: Known
    message_id: str
    aanleverkenmerk: str | None
    state: str
    statuses: tuple[StatusRow, ...]
    parked: tuple[Parked, ...]
    jobs: tuple[JobRow, ...]
    deliveries: tuple[tuple[str, int, datetime], ...]
    moments: tuple[Moment, ...]
    waits: tuple[Waits, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What an act did, or in a dry run would do: statuses set and jobs made."""

    kenmerk: str
    state: str
    statuses: tuple[str, ...]
    jobs: tuple[str, ...]
    dry_run: bool


def list_parked(
    store: Store, *, agency: str | None = None, berichtsoort: str | None = None
) -> list[Parked]:
    """What waits for a person, longest first."""
    with store.pool.lend() as conn:
        return parked.listed(conn, agency=agency, berichtsoort=berichtsoort)


def show(store: Store, kenmerk: UUID) -> Shown:
    """Raises WorkError for an unknown kenmerk."""
    with store.pool.lend() as conn, conn.transaction():
        known = reading.known(conn, [kenmerk]).get(kenmerk)
        if known is None:
            raise WorkError(f"no message with kenmerk {kenmerk}")
        process = changes.lock(conn, [(kenmerk, known.day)])[kenmerk]
        statuses = tuple(reading.statuses(conn, [(kenmerk, known.day)])[kenmerk])
        waiting = tuple(parked.of(conn, kenmerk))
        jobs = tuple(job for job, _ in parked.jobs(conn, kenmerk))
        made = tuple(parked.delivered_to(conn, kenmerk, known.day))
        message = messages.messages(conn, [(kenmerk, known.day)])[kenmerk]
        return Shown(
            known, message.berichtkenmerk, message.aanleverkenmerk, process.state, statuses,
            waiting, jobs, made,
            story.moments(message_export.entries(conn, kenmerk), statuses),
            story.waits(process.state, jobs, waiting, [agency for agency, _, _ in made]),
        )  # fmt: skip


def release(store: Store, house: House, kenmerk: UUID, act: Act) -> Done:
    """Try again what was parked, with a fresh retry period. The MessageID stays the same, so an
    agency that has the message after all sees a repeat."""
    with _opened(store, house, kenmerk, act) as (conn, work):
        waiting = parked.of(conn, kenmerk)
        if not waiting:
            raise WorkError(f"{kenmerk} is not parked; state {work.process.state}")
        parked.remove(conn, [x.id for x in waiting])
        work.process.go(Event.RELEASE)
        work.process.carried.broken_tries = 0
        for x in waiting:
            j = x.job
            lane = behaviours.agency_lane(j.agency, work.kind.berichtsoort) if j.agency else j.lane
            work.process.jobs.append(
                JobRow(x.day, kenmerk, j.step, lane, act.at, j.agency, j.generation)
            )
        return _done(conn, work, act, "work.released", {})


def redeliver(
    store: Store, house: House, kenmerk: UUID, act: Act, *, agency: str | None = None
) -> Done:
    """Deliver once more as a new delivery, with a new MessageID: for an agency that lost what it
    got. Only for a message that was delivered before, or is parked at its delivery."""
    with _opened(store, house, kenmerk, act) as (conn, work):
        p = work.process
        if p.state is State.CANCELLED:
            raise WorkError(f"{kenmerk} was cancelled")
        if parked.jobs(conn, kenmerk, lock=True):
            raise WorkError(f"{kenmerk} is still being worked on; wait, or cancel it")
        step = _delivery(work)
        made = parked.delivered_to(conn, kenmerk, p.day)
        waiting = [x for x in parked.of(conn, kenmerk) if x.job.agency]
        agencies = [agency] if agency else sorted({m[0] for m in made} | {
            x.job.agency for x in waiting if x.job.agency})  # fmt: skip
        if not agencies or not set(agencies) <= set(step.agencies):
            raise WorkError(f"{kenmerk} was not delivered before; agencies of its kind: "
                            f"{', '.join(step.agencies)}")  # fmt: skip
        parked.remove(conn, [x.id for x in waiting])
        used = [m[1] for m in made] + [x.job.generation for x in waiting]
        generation = max(100, *(n + 1 for n in used))
        p.go(Event.REDELIVER)
        p.open = len(agencies)
        for name in agencies:
            lane = behaviours.agency_lane(name, work.kind.berichtsoort)
            p.jobs.append(JobRow(p.day, kenmerk, step.name, lane, act.at, name, generation))
        return _done(conn, work, act, "work.redelivered", {"agencies": agencies})


def cancel(store: Store, house: House, kenmerk: UUID, act: Act) -> Done:
    """End a message that will not be delivered: 410 for the sender. Not while an attempt is out,
    for then the agency may have it. Of a message that is delivered once more only that delivery
    is ended: to its sender it stays what it was."""
    with _opened(store, house, kenmerk, act) as (conn, work):
        p = work.process
        if p.state in ENDED:
            raise WorkError(f"{kenmerk} has ended already: {p.state}")
        on_queue = parked.jobs(conn, kenmerk, lock=True)
        if any(out for _, out in on_queue):
            raise WorkError(f"{kenmerk} is being delivered at this moment; try again later")
        queue.finish(conn, [job for job, _ in on_queue])
        parked.remove(conn, [x.id for x in parked.of(conn, kenmerk)])
        if p.carried.redelivery_of is not None:
            outcomes.as_it_was(work)
        else:
            happen(p, Event.CANCEL, act.at)
        return _done(conn, work, act, "work.cancelled", {})


class _Undo(Exception):
    """Ends a dry run."""


@contextmanager
def _opened(
    store: Store, house: House, kenmerk: UUID, act: Act
) -> Iterator[tuple[Connection, Work]]:
    """The message, locked in a transaction that a dry run rolls back."""
    with store.pool.lend() as conn:
        try:
            with conn.transaction():
                known = reading.known(conn, [kenmerk]).get(kenmerk)
                if known is None:
                    raise WorkError(f"no message with kenmerk {kenmerk}")
                place = [(kenmerk, known.day)]
                process = changes.lock(conn, place)[kenmerk]
                message = messages.messages(conn, place)[kenmerk]
                kind = house.kinds.get(known.berichtsoort)
                if kind is None:
                    raise WorkError(f"kind {known.berichtsoort} is not installed any more")
                read = Documents(message.documents, {}, store)
                yield conn, Work(house, kind, process, message, act.at, read)
                if act.dry_run:
                    raise _Undo
                queue.wake(conn)
        except _Undo:
            return
        except NotPossible as wrong:
            raise WorkError(f"{kenmerk}: {wrong}") from None
        except parked.Held:
            raise WorkError(f"{kenmerk} is in the hands of a worker; try again") from None


def _done(conn: Connection, work: Work, act: Act, kind: str, data: dict[str, object]) -> Done:
    p = work.process
    p.note(kind, act.at, data | {"reason": act.reason[:500]}, act.operator)
    done = Done(
        str(p.kenmerk), p.state, tuple(s.code for s in p.statuses),
        tuple(j.step + (f" to {j.agency}" if j.agency else "") for j in p.jobs), act.dry_run,
    )  # fmt: skip
    changes.apply(conn, [p])
    return done


def _delivery(work: Work) -> Step:
    for step in work.kind.steps:
        if step.kind in behaviours.DELIVERING:
            return step
    raise WorkError(f"messages of kind {work.kind.berichtsoort} are not delivered")
