"""What must hold after every commit, and when everything has come to rest.

`committed` hears of each transaction the moment it becomes visible and looks at what it touched,
so that the first wrong commit is named and not its consequences. What only the world can know
(who was acknowledged, what an agency holds) is told by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json import JSONDecoder
from typing import Any
from uuid import UUID

from openpoort.domain.fault import Fault
from openpoort.domain.kind import Kind
from openpoort.domain.message import AanleverBevestiging, Vraag
from openpoort.domain.process import AT_WORK, TRANSITIONS, Carried, Event, State
from openpoort.domain.status import FINAL, Status
from openpoort.process.flow import texts
from openpoort.process.flow.behaviours import LOCAL
from openpoort_lab.simulation import rows, walk
from openpoort_lab.simulation.agencies import Shelf
from openpoort_lab.simulation.companies import Order
from openpoort_lab.simulation.database import Change, Database
from openpoort_lab.simulation.scheduler import Scheduler

_TROUBLE = frozenset(told.code for told in TRANSITIONS[State.RUNNING][Event.FAILED].tells)
SOON = 0.25
"""Seconds within which idle workers take up new work when nothing is wrong: half a poll."""
_HELD_UP = 3.0
"""Seconds that a message which its agency can take waits there behind others at most, when nothing
else is wrong. It is a law for a sender of a few messages a second, which these worlds are."""
_ACCEPTED = ("message.accepted",)
_parsed = JSONDecoder().decode
_STARTED = 2.0  # seconds after which every worker listens


class Broken(AssertionError):
    """A law does not hold."""


@dataclass(slots=True)
class _Story:
    """What was committed of one message. `lines`: what its journal may tell once only, and how
    often it does; `set`: statuses by the journal; `began`: they start as its kind says; `first`:
    when each job was first tried."""

    statuses: list[rows.Status] = field(default_factory=list)
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    set: int = 0
    began: bool = False
    first: dict[tuple[str, str | None, int], Any] = field(default_factory=dict)
    redelivered: bool = False


class Laws:
    """`quick`: nothing goes wrong in this world, and work must be taken up at once."""

    def __init__(
        self, database: Database, scheduler: Scheduler, kinds: Mapping[str, Kind], *, quick: bool
    ) -> None:
        self._db, self._scheduler, self._kinds, self._quick = database, scheduler, kinds, quick
        self.checked = 0
        self.is_good: Callable[[str, str], bool] = lambda kenmerk, berichtsoort: True
        self._walks = {name: walk.of(kind) for name, kind in kinds.items()}
        self.faults: Counter[str] = Counter()
        self._stories: dict[UUID, _Story] = {}
        self._since: dict[int, float] = {}
        self._for_later: set[int] = set()
        self._acknowledged: dict[str, Order] = {}
        self._by_message: dict[tuple[str, str], str] = {}
        self._told: Counter[tuple[str, str, str, Any]] = Counter()
        self._checks: dict[str, Callable[[Any, Any], None]] = {
            "status": self._status, "job": self._job, "parked": self._parked,
            "delivery": self._delivery,
        }  # fmt: skip
        database.committed.append(self.committed)

    # --- after every commit ----------------------------------------------------------------

    def committed(self, changes: Sequence[Change], session: Any) -> None:
        self.checked += 1
        touched: dict[UUID, None] = {}
        moved: dict[UUID, tuple[rows.Process, rows.Process]] = {}
        told: dict[UUID, list[rows.Status]] = {}
        for table, old, new in changes:
            if table == "journal":
                self._journal_entry(new)
            elif table == "process" and old is not None and new is not None:
                moved[new.kenmerk] = (moved.get(new.kenmerk, (old, old))[0], new)
            elif table == "status" and old is None:
                told.setdefault(new.kenmerk, []).append(new)
        for table, old, new in changes:
            if table in _OF_A_PROCESS:
                touched[(new if new is not None else old).kenmerk] = None
                check = self._checks.get(table)
                if check is not None:
                    check(old, new)
        for kenmerk in touched:
            self._whole(kenmerk)
        for kenmerk, (before, after) in moved.items():
            self._walk(before, after, [s.code for s in told.get(kenmerk, ())])

    def _walk(self, old: rows.Process, new: rows.Process, codes: Sequence[str]) -> None:
        """What became of a process, and what its sender was told, stand in the table."""
        walks = self._walks[new.berichtsoort]
        if not walk.leads(_place(old), tuple(codes), _place(new), walks):
            way = f"{old.state} -> {new.state}"
            raise Broken(f"{new.kenmerk}: no row of the table leads {way} with {codes}")

    def _story(self, kenmerk: UUID) -> _Story:
        story = self._stories.get(kenmerk)
        if story is None:
            story = self._stories[kenmerk] = _Story()
        return story

    def _whole(self, kenmerk: UUID) -> None:
        """Everything about one message that a transaction touched."""
        known = self._db.known(kenmerk)
        if known is None:
            raise Broken(f"{kenmerk}: kept but not registered")
        place = (kenmerk, known.day)
        if place not in self._db.message.rows:
            raise Broken(f"{kenmerk}: registered but not kept")
        row = self._db.process.rows.get(place)
        process = row.value if row is not None else None
        if process is None:
            raise Broken(f"{kenmerk}: has no process")
        jobs = [row.value for row in self._db.job.of(kenmerk) if row.value is not None]
        parked = [row.value for row in self._db.parked.of(kenmerk) if row.value is not None]
        state = process.state
        if state not in TRANSITIONS:
            raise Broken(f"{kenmerk}: unknown state {state}")
        if state not in AT_WORK and jobs:
            raise Broken(f"{kenmerk}: is {state} and has a job {jobs[0].step}")
        if state == State.RUNNING and not jobs:
            raise Broken(f"{kenmerk}: is running, but nothing waits to be done")
        if state != State.PARKED and parked:
            raise Broken(f"{kenmerk}: is {state}, and on the list of the operator")
        if state == State.PARKED and not parked:
            raise Broken(f"{kenmerk}: is parked, but not on the list of the operator")
        if len(jobs) > 1 and len({(j.step, j.agency, j.generation) for j in jobs}) < len(jobs):
            raise Broken(f"{kenmerk}: a job stands twice")
        story = self._story(kenmerk)
        self._history(process, story)
        accepted = story.lines.get(_ACCEPTED, 0)
        if accepted != 1:
            raise Broken(f"{kenmerk}: accepted {accepted} times by the journal")
        if story.set != len(story.statuses):
            raise Broken(f"{kenmerk}: the journal does not tell of every status")

    def _history(self, process: rows.Process, story: _Story) -> None:
        found = story.statuses
        if not story.began:  # what was told once stays
            start = self._kinds[process.berichtsoort].start
            if tuple(s.code for s in found[: len(start)]) != start:
                codes = [s.code for s in found]
                raise Broken(f"{process.kenmerk}: its history starts with {codes}")
            story.began = True
        if process.seq != len(found) or process.last_at != found[-1].at:
            raise Broken(f"{process.kenmerk}: does not count its own statuses")

    def _status(self, old: rows.Status | None, new: rows.Status | None) -> None:
        if old is not None or new is None:
            raise Broken(f"{(old or new).kenmerk}: a status was changed")  # type: ignore[union-attr]
        found = self._story(new.kenmerk).statuses
        if new.seq != len(found) + 1:
            raise Broken(f"{new.kenmerk}: status {new.seq} follows {len(found)}")
        if found:
            last = found[-1]
            if new.at <= last.at:
                raise Broken(f"{new.kenmerk}: status {new.code} is not later than {last.code}")
            if last.code in FINAL:
                raise Broken(f"{new.kenmerk}: status {new.code} after {last.code}, which is final")
            if new.code == last.code and new.code in _TROUBLE and new.foutcode is None:
                raise Broken(f"{new.kenmerk}: {new.code} twice in one episode")
        if new.code == "420" and self._quick and self._good(new.kenmerk):
            raise Broken(f"{new.kenmerk}: told of trouble that others have")
        found.append(new)

    def _good(self, kenmerk: UUID) -> bool:
        """Its agency can take it, whatever becomes of others."""
        known = self._db.known(kenmerk)
        return known is not None and self.is_good(str(kenmerk), known.berichtsoort)

    def _journal_line(self, entry: Mapping[str, Any]) -> tuple[str, ...]:
        """What may be in the journal of a message once only; () for anything else."""
        data, kind = entry["data"], entry["kind"]
        if kind == "step.done":
            return (kind, data["step"])
        if kind == "delivery.delivered":
            return (kind, data["agency"], data["message_id"])
        if kind in ("message.accepted", "message.split", "message.archived", "message.returned"):
            return (kind,)
        return ()

    def _journal_entry(self, new: rows.Journal) -> None:
        entry = _parsed(new.entry.decode())
        kenmerk, kind = entry["kenmerk"], entry["kind"]
        if kenmerk is None:
            return
        story = self._story(self._db.uuid(kenmerk))
        line = self._journal_line(entry)
        if line:
            story.lines[line] = times = story.lines.get(line, 0) + 1
            if times > 1:
                raise Broken(f"{kenmerk}: twice in the journal: {' '.join(line)}")
        if kind == "status.set":
            story.set += 1
        elif kind == "message.accepted":
            story.set += len(entry["data"]["statuses"])
        elif kind in ("work.released", "work.redelivered"):
            story.redelivered |= kind == "work.redelivered"
            story.first.clear()

    def _job(self, old: rows.Job | None, new: rows.Job | None) -> None:
        now = self._scheduler.now
        if new is not None:
            key, tried = (new.step, new.agency, new.generation), self._story(new.kenmerk).first
            first = tried.setdefault(key, new.first_at)
            if first is None:
                tried[key] = new.first_at
            elif new.first_at != first:
                raise Broken(f"{new.kenmerk}: forgets that {new.step} was first tried at {first}")
            if old is None:
                due = new.due_at.timestamp() - self._scheduler.wall()
                self._since[new.id] = now + max(0.0, due)
                if due > 0.0:  # idle workers of a simulation look seldom
                    self._for_later.add(new.id)
        taken = (new is None or new.fence is not None) and old is not None and old.fence is None
        if taken and old is not None:
            waited = now - self._since.pop(old.id)
            if self._quick and old.lane == LOCAL and waited > SOON and now - waited > _STARTED:
                raise Broken(f"{old.kenmerk}: {old.step} was not taken up for {waited:.2f} s")
            late = waited > _HELD_UP and now - waited > _STARTED
            if self._quick and late and self._is_first_try(old) and self._good(old.kenmerk):
                raise Broken(f"{old.kenmerk}: held up by others for {waited:.2f} s")

    def _is_first_try(self, job: rows.Job) -> bool:
        """At an agency, and it could go at once."""
        return job.agency is not None and not job.attempts and job.id not in self._for_later

    def _parked(self, old: rows.Parked | None, new: rows.Parked | None) -> None:
        if new is None:
            return
        if new.reason.startswith("internal error"):
            raise Broken(f"{new.kenmerk}: parked by a mistake of ours: {new.reason}")
        known = self._db.known(new.kenmerk)
        first = self._story(new.kenmerk).first.get((new.step, new.agency, new.generation))
        if known is not None and new.reason.startswith("gave up") and first is not None:
            tried = new.since - first
            if tried < self._kinds[known.berichtsoort].retry_for:
                raise Broken(f"{new.kenmerk}: given up after {tried}")

    def _delivery(self, old: rows.Delivery | None, new: rows.Delivery | None) -> None:
        if new is None or old is not None:
            raise Broken("a delivery was changed")
        if new.message_id != texts.message_id(new.kenmerk, new.agency, new.generation):
            raise Broken(f"{new.kenmerk}: delivered to {new.agency} under another MessageID")

    # --- what the world tells --------------------------------------------------------------

    def acknowledged(self, order: Order, taken: AanleverBevestiging) -> None:
        """The sender has its answer: everything must be there already."""
        if order.wrong:
            raise Broken(f"order {order.number}: a used MessageID was taken with other values")
        if order.kenmerk not in (None, taken.kenmerk):
            raise Broken(f"order {order.number}: repeated, and got another kenmerk")
        order.kenmerk = taken.kenmerk
        if order.request.kenmerk is not None:
            if taken.kenmerk != order.request.kenmerk:
                raise Broken(f"order {order.number}: shown another kenmerk than its process has")
            return
        kenmerk = self._db.uuid(taken.kenmerk)
        known = self._db.known(kenmerk)
        if known is None:
            raise Broken(f"{kenmerk}: acknowledged, and not there")
        for table in (self._db.message, self._db.process, self._db.request):
            place = table.rows.get((kenmerk, known.day))
            if place is None or place.value is None:
                raise Broken(f"{kenmerk}: acknowledged without a row in {table.name}")
        if not any(row.value is not None for row in self._db.answer.of(kenmerk)):
            raise Broken(f"{kenmerk}: acknowledged, and the answer was not kept")
        other = self._acknowledged.setdefault(taken.kenmerk, order)
        if other is not order and self._kinds[known.berichtsoort].repeat == "message-id":
            raise Broken(f"{kenmerk}: given to orders {other.number} and {order.number}")

    def refused(self, order: Order, fault: Fault) -> None:
        self.faults["refused"] += 1
        if not order.wrong:
            raise Broken(f"order {order.number}: refused: {fault.text}")

    def technical(self, order: Order | None, error: Exception) -> None:
        """The caller gets a technical fault. Fine when the database was gone, else not."""
        self.faults[type(error).__name__] += 1
        name = type(error).__name__
        if self._quick or name not in ("Away", "OperationalError", "UniqueViolation"):
            raise Broken(f"an error instead of an answer: {name}: {error}") from error

    def reading_refused(self, vraag: Vraag, fault: Fault) -> None:
        raise Broken(f"{vraag.operatie} {vraag.kenmerk}: refused: {fault.text}")

    def told(self, requester: str, status: Status) -> None:
        key = (requester, status.kenmerk, status.statuscode, status.tijdstempel)
        self._told[key] += 1
        if self._quick and self._told[key] > 1:
            raise Broken(f"{status.kenmerk}: {status.statuscode} was new twice to {requester}")

    # --- at rest ---------------------------------------------------------------------------

    def at_rest(
        self, orders: Sequence[Order], shelves: Mapping[str, Shelf], pollers: Sequence[str]
    ) -> Counter[str]:
        """After the storm: every order has its answer, every process its end, and everything was
        new to its sender if that is one of `pollers`. Sums by state."""
        for order in orders:
            if order.kenmerk is None and not order.wrong:
                raise Broken(f"order {order.number} was never answered")
        for job in self._db.job.values():
            raise Broken(f"{job.kenmerk}: {job.step} was never done")
        sums: Counter[str] = Counter()
        for process in self._db.process.values():
            sums[process.state] += 1
            if process.sender in pollers:
                self._all_told(process)
        if sums[State.RUNNING] or sums[State.WAITING]:
            raise Broken(f"not at rest: {dict(sums)}")
        if sum(sums.values()) != sum(1 for _ in self._db.register.values()):
            raise Broken("accepted is not delivered + rejected + waiting + parked")
        self._shelves(shelves)
        return sums

    def _all_told(self, process: rows.Process) -> None:
        kenmerk = str(process.kenmerk)
        for s in self._stories[process.kenmerk].statuses:
            if not self._told.get((process.sender, kenmerk, s.code, s.at)):
                raise Broken(f"{process.kenmerk}: {s.code} was never new to its sender")

    def _shelves(self, shelves: Mapping[str, Shelf]) -> None:
        delivered = {(d.agency, d.message_id): d for d in self._db.delivery.values()}
        for (agency, message_id), delivery in delivered.items():
            if message_id not in shelves[agency].kept:
                raise Broken(f"{delivery.kenmerk}: delivered, but {agency} does not have it")
        for agency, shelf in shelves.items():
            for message_id in shelf.mixed:
                raise Broken(f"{agency} got two messages under MessageID {message_id}")
            for message_id, kept in shelf.kept.items():
                if (agency, message_id) not in delivered and not self._excused(kept.kenmerk):
                    raise Broken(f"{kept.kenmerk}: {agency} has it, but not delivered here")

    def _excused(self, kenmerk: str) -> bool:
        """The agency kept it and did not say so; then tries ran out, or an operator stepped in."""
        known = self._db.known(self._db.uuid(kenmerk))
        if known is None:
            raise Broken(f"{kenmerk}: an agency has it, and it is not known here")
        process = self._db.process.rows[known.kenmerk, known.day].value
        stopped = process.state in (State.PARKED, State.CANCELLED)
        return stopped or self._story(known.kenmerk).redelivered


_OF_A_PROCESS = frozenset({"register", "message", "process", "status", "job", "parked",
                           "delivery", "mailbox"})  # fmt: skip


def _place(process: rows.Process) -> tuple[State, State | None]:
    carried = Carried.of(_parsed(process.data) if process.data else {})
    return State(process.state), carried.redelivery_of
