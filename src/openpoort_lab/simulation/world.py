"""One simulated world: a gateway on several hosts, senders, agencies, an operator and weather."""

from __future__ import annotations

import contextlib
import gc
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import structlog

from openpoort import telemetry
from openpoort.domain.fault import Fault
from openpoort.domain.kind import Kind, Step, StepKind
from openpoort.domain.message import Operatie, Vraag, ZetStatus
from openpoort.operate import work
from openpoort.operate.work import Act, WorkError
from openpoort.process.flow import crashpoints, kinds
from openpoort.process.reading.reader import Busy
from openpoort.sandbox.agencies import AGENCIES
from openpoort.sandbox.directory import starting
from openpoort.store.store import Store
from openpoort_lab.simulation import gateway
from openpoort_lab.simulation.agencies import Agencies, Ausp, Checker, Shelf, fout
from openpoort_lab.simulation.companies import COMPANY, OFFICE, Companies
from openpoort_lab.simulation.connection import Troubles
from openpoort_lab.simulation.database import Database
from openpoort_lab.simulation.faults import DAY, Trouble, Weather
from openpoort_lab.simulation.gateway import Door, NoAnswer, Site, Worker, verified
from openpoort_lab.simulation.host import Host
from openpoort_lab.simulation.invariants import Laws
from openpoort_lab.simulation.numbers import drawn
from openpoort_lab.simulation.scheduler import Scheduler

OIN_OF = {agency.name: agency.oin for agency in AGENCIES}
LONGEST = 40 * DAY
"""Simulated seconds after which a world that has not come to rest is stuck."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A world that came to rest: `states` of its processes; `digest` of its trace and tables,
    empty when it was not traced."""

    seed: int
    messages: int
    states: dict[str, int]
    repeats: int
    steps: int
    commits: int
    days: float
    digest: str


@cache
def the_kinds() -> dict[str, Kind]:
    """Those shipped, and one that is offered twice and whose repeats go by content."""
    found = dict(kinds.load())
    twice = replace(
        found["eFactuur"], berichtsoort="Nabezorging", repeat="aanleverkenmerk",
        retry_for=timedelta(hours=6), constateringen=True,
        steps=(*found["eFactuur"].steps,
               Step("nog eens", StepKind.REOFFER, None, (), ("DEMODIENST",), {"after_hours": "1"}),
               Step("archief", StepKind.ARCHIVE)),
    )  # fmt: skip
    return found | {twice.berichtsoort: twice}


class World:
    """`connect` makes connections (the twin run has its own); `severity` None draws it.
    `traced`: with the steps that led to its end, and a digest."""

    content_repeats = 2

    def __init__(
        self, seed: int, messages: int, *, severity: float | None = None, traced: bool = True,
        connect: Callable[[Site, Host], Any] = gateway.connect,
    ) -> None:  # fmt: skip
        self.seed, self.messages = seed, messages
        self.scheduler = Scheduler(seed, traced=traced)
        draw = self.scheduler.draw
        self._ids = Random(draw.getrandbits(64))  # noqa: S311 - repeatable ids
        if severity is None:
            severity = draw.choice((0.0, 0.3, 1.0, 1.0, 3.0))
        self.quick = severity == 0.0
        self.troubles, self.trouble = Troubles(), Trouble()
        self.points: dict[str, int] = {}
        self.point_names = list(crashpoints.POINTS)
        self.database = Database(self.scheduler.wall)
        self.kinds = the_kinds()
        self.laws = Laws(self.database, self.scheduler, self.kinds, quick=self.quick)
        self.agencies = Agencies(self.scheduler, self.kinds, self._speak)
        for name in OIN_OF:
            self.agencies.shelves[name] = Shelf()
        self.checkers = [Checker(n, self.scheduler) for n in ("structure", "filing", "plain")]
        self.checkers.append(Checker("xbrl", self.scheduler, seconds=0.05))
        self.ausp = Ausp(self.scheduler) if draw.random() < 0.5 else None
        most = draw.choice((1, 8, 32))
        self.agencies.sore = draw.choice((0.0, 0.1, 0.4))
        if most > 1:  # who takes one at a time is held up by any
            self.agencies.hung = draw.choice(("", "", "Omzetbelasting", "eFactuur"))
        self.laws.is_good = self.agencies.is_good
        directory = starting()
        directory = replace(
            directory, agencies=tuple(replace(a, max_parallel=most) for a in directory.agencies)
        )
        self.site = Site(
            self.scheduler, self.database, self.troubles, self.kinds, directory,
            {"wus": self.agencies}, {c.name: c for c in self.checkers}, self.ausp, self._passes,
            connect,
        )  # fmt: skip
        names = ["Omzetbelasting", "eFactuur", "Jaarrekening-Kopie", "Verzamelfactuur",
                 "Nabezorging", "Servicebericht", "Retourbericht"]  # fmt: skip
        self.mix = (names, (8, 4, 2, 1, 1, 1, 1))
        self.doors: list[Door] = []
        self.workers: list[Worker] = []
        self._born = 0
        self._speaking = 0
        self.companies = Companies(self)
        self._desk = Host("desk", self.scheduler)
        self._desk_store: Store = self.site.store(self._desk)
        self._rate = draw.choice((20.0, 500.0, 3000.0)) if not self.quick else 5.0
        for _ in range(draw.randint(1, 2)):
            self._open_door()
        for _ in range(draw.randint(1, 3)):
            self._hire_worker()
        self.weather = Weather(self, severity)

    def uuid(self) -> UUID:
        return drawn(self._ids)

    # --- hosts -----------------------------------------------------------------------------

    def hosts(self) -> list[Host]:
        """Those that are alive, of the gateway."""
        found = [door.host for door in self.doors] + [worker.host for worker in self.workers]
        return [host for host in found if host.alive]

    def _host(self, role: str) -> Host:
        self._born += 1
        return Host(f"{role}{self._born}", self.scheduler, quick=self.quick)

    def _open_door(self) -> None:
        host = self._host("door")
        self.doors.append(Door(self.site, host))
        host.on_death.append(lambda: self._again(host, self.doors, self._open_door))

    def _hire_worker(self) -> None:
        host = self._host("worker")
        self.workers.append(Worker(self.site, host))
        host.on_death.append(lambda: self._again(host, self.workers, self._hire_worker))

    def _again(self, host: Host, among: list[Any], make: Callable[[], None]) -> None:
        """A host that died is replaced after a while."""
        among[:] = [x for x in among if x.host is not host]
        scheduler = self.scheduler
        scheduler.at(scheduler.now + scheduler.draw.choice((0.1, 5.0, 60.0)), make)

    def a_door(self) -> Door:
        """Raises NoAnswer when there is none."""
        if not self.doors:
            raise NoAnswer
        return self.scheduler.draw.choice(self.doors)

    def mend(self) -> None:
        for host in self.hosts():
            host.frozen_until = host.skew = 0.0
            host.quick = False
        self.break_checkers(0.0)

    def break_checkers(self, share: float) -> None:
        for checker in self.checkers:
            checker.broken = share
        if self.ausp is not None:
            self.ausp.broken = share

    def _passes(self, point: str) -> None:
        """A numbered point of the code is passed; whoever passes it may die there."""
        task = self.scheduler.current
        left = self.points.get(point)
        if left is None or task is None or task.owner is None or task.owner is self._desk:
            return
        self.points[point] = left - 1
        if left == 1:
            del self.points[point]
            self.scheduler.note(f"dies at {point}")
            self.scheduler.at(self.scheduler.now, task.owner.die)
            self.scheduler.wait(None)

    # --- people ----------------------------------------------------------------------------

    def delivered_to_agency(self) -> str | None:
        """A kenmerk that DEMODIENST may send a return message about."""
        known = [o for o in self.companies.orders[-100:]
                 if o.kenmerk and o.request.berichtsoort == "Omzetbelasting"]  # fmt: skip
        return self.scheduler.draw.choice(known).kenmerk if known else None

    def _speak(self, agency: str, kenmerk: str, code: str, after: float) -> None:
        """An agency sets a status, and keeps at it until it is answered."""
        self._speaking += 1
        message_id = f"urn:uuid:{self.uuid()}"

        def say() -> None:
            scheduler = self.scheduler
            scheduler.pause(after)
            at = datetime.fromtimestamp(scheduler.wall(), UTC)
            request = ZetStatus(kenmerk, code, at, fout=fout(code))
            while True:
                try:
                    self.a_door().zet_status(verified(OIN_OF[agency], message_id), request)
                except Fault:
                    break
                except (NoAnswer, Busy):
                    pass
                except Exception as error:  # noqa: BLE001 - the door makes a fault of it
                    self.laws.technical(None, error)
                else:
                    break
                scheduler.pause(1.0 + 10.0 * scheduler.draw.random())
            self._speaking -= 1

        self.scheduler.spawn(f"{agency} speaks", say)

    def operate(self) -> None:
        """One act of an operator, mostly on what is parked."""
        draw = self.scheduler.draw
        store, house = self._desk_store, self.site.house(self._desk)
        at = datetime.fromtimestamp(self.scheduler.wall(), UTC)
        try:
            waiting = [x.kenmerk for x in work.list_parked(store)]
            known = [self.database.uuid(o.kenmerk) for o in self.companies.orders[-200:]
                     if o.kenmerk and not o.request.kenmerk]  # fmt: skip
            chosen = draw.choice(waiting or known or [UUID(int=0)])
            act = Act("beheerder", "proef", at, dry_run=draw.random() < 0.2)
            draw.choice((work.release, work.redeliver, work.cancel))(store, house, chosen, act)
        except WorkError:
            pass
        except Exception as error:  # noqa: BLE001 - the operator sees it and tries again later
            self.laws.technical(None, error)

    # --- one run ---------------------------------------------------------------------------

    def run(self) -> Ended:
        """Send everything, let the weather pass, come to rest. Raises Broken or Stuck."""
        with _quiet(), _told(self._passes), uncollected():
            self._run()
        states = self.laws.at_rest(self.companies.orders, self.agencies.shelves, (COMPANY, OFFICE))
        return Ended(
            self.seed, len(self.companies.orders), dict(sorted(states.items())),
            self.companies.repeats, self.scheduler.steps, self.laws.checked,
            self.scheduler.now / DAY, self._digest(),
        )  # fmt: skip

    def _run(self) -> None:
        self.scheduler.spawn("story", self._story)
        self.scheduler.run(LONGEST)

    def _story(self) -> None:
        scheduler, draw = self.scheduler, self.scheduler.draw
        for number in range(self.messages):
            order = self.companies.order(number)
            self.companies.orders.append(order)
            self.companies.open += 1
            scheduler.spawn(f"order {number}", partial(self.companies.hand_in, order))
            if draw.random() < 0.05:
                scheduler.spawn("poll", self.companies.poll)
            scheduler.pause(draw.expovariate(self._rate))
        scheduler.pause(draw.choice((0.0, 60.0, 3600.0)))
        self.weather.calm()
        while self.companies.open or self._speaking or self.database.job.rows:
            scheduler.pause(5.0)
        self._ask_everything()
        scheduler.over = True

    def _ask_everything(self) -> None:
        """Both companies ask for what is new until nothing is."""
        asked = {
            (p.sender, p.berichtsoort, p.belang): None for p in self.database.process.values()
            if p.sender in (COMPANY, OFFICE)
        }  # fmt: skip
        identities = {
            (o.request.belanghebbende.key): o.request.belanghebbende for o in self.companies.orders
        }
        for sender, kind, belang in asked:
            who = identities[tuple(belang.split(":"))]
            vraag = Vraag(Operatie.NIEUWE_STATUSSEN, berichtsoort=kind, belanghebbende=who)
            while self.companies.ask(self.a_door, sender, vraag) != 0:
                self.scheduler.pause(1.0)

    def end(self) -> None:
        """Let go of everybody and everything, so that the next world finds the room free."""
        for host in (*self.hosts(), self._desk):
            host.alive = False
        self.scheduler.end()
        self.database.forget()
        for part in (self.laws, self.companies, self.agencies):
            vars(part).clear()  # they know each other, and would be kept until a search

    def _digest(self) -> str:
        """Of the trace and of every row that is left."""
        if not self.scheduler.traced:
            return ""
        digest = hashlib.blake2b(self.scheduler.digest.encode(), digest_size=16)
        for table in self.database.tables:
            for value in table.values():
                digest.update(repr(tuple(value)).encode())
        return digest.hexdigest()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the house logs of the faults we inject is not for the eyes."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    telemetry.security_log(Path("/dev/null"))
    try:
        yield
    finally:
        telemetry.security_log(None)
        structlog.configure(**before)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """What ends when it is thrown away ends at a moment that the seed fixes."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextlib.contextmanager
def _told(call: Callable[[str], None]) -> Iterator[None]:
    crashpoints.tell(call)
    try:
        yield
    finally:
        crashpoints.tell(None)
