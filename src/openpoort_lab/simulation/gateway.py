"""Doors, workers and the operator's desk: the real process on simulated machines.

Nothing of `store` or `process` is replaced but where it gets its threads, its connection, its
clock and its numbers; partitions, which follow from the day alone, are taken as there.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar

import psycopg
from lxml import etree

from openpoort.checks.split import split
from openpoort.domain.ids import Oin
from openpoort.domain.kind import Kind
from openpoort.domain.message import (
    AanleverBevestiging,
    Aanlevering,
    Antwoord,
    Received,
    Vraag,
    ZetStatus,
)
from openpoort.domain.party import Directory
from openpoort.process.engine.engine import Engine
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.context import House
from openpoort.process.intake import Intake
from openpoort.process.ports import Authority, Channel, Check
from openpoort.process.reading.reader import Reader
from openpoort.store.store import Store
from openpoort.trust.sender import VerifiedMessage, VerifiedSender
from openpoort.wire.wus.signed_message import Addressing, Algorithms, SignedMessage
from openpoort_lab.simulation.connection import Connection, Troubles
from openpoort_lab.simulation.database import Database
from openpoort_lab.simulation.host import Host
from openpoort_lab.simulation.loop import Loop
from openpoort_lab.simulation.scheduler import Scheduler

T = TypeVar("T")
_BODY = etree.Element("body")
_CREATED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_ALGORITHMS = Algorithms("rsa-sha256", frozenset({"sha256"}), 2048, "sha256")
PATIENCE = 60.0
"""Seconds that a caller waits for an answer before it hangs up."""


class NoAnswer(Exception):
    """The caller does not know what became of its request."""


class Storage(Store):
    """The store of one simulated host."""

    def ready_for(self, days: set[date]) -> None:
        """Partitions are not simulated."""


@dataclass(slots=True)
class Site:
    """What all hosts of a gateway share."""

    scheduler: Scheduler
    database: Database
    troubles: Troubles
    kinds: Mapping[str, Kind]
    directory: Directory
    channels: Mapping[str, Channel]
    checks: Mapping[str, Check]
    authority: Authority | None
    crash_point: Callable[[str], None]
    connect: Callable[[Site, Host], Any]

    def store(self, host: Host) -> Store:
        return Storage(
            "simulated", connect=lambda _: self.connect(self, host), machine=host.machine,
            crash_point=self.crash_point, readers=1000,
        )  # fmt: skip

    def house(self, host: Host) -> House:
        ask = self.authority is not None
        return House(self.kinds, self.checks, ask=ask, new_kenmerk=host.uuid, split=split)


def connect(site: Site, host: Host) -> Any:
    """A connection to the simulated database alone."""
    return Connection(site.database, host, site.troubles)


class Worker:
    """An engine on a host of its own, working until the host dies."""

    def __init__(self, site: Site, host: Host) -> None:
        self.host = host
        engine = Engine(
            site.store(host), site.house(host), lambda: site.directory, site.channels,
            site.authority, Clock(wall=host.wall),
        )  # fmt: skip
        stop = host.machine.event()
        host.spawn("local", lambda: engine.run(stop))


class Door:
    """Intake and reader behind an event loop, called by tasks that are not on this host."""

    def __init__(self, site: Site, host: Host) -> None:
        self.host = host
        self._scheduler = site.scheduler
        self._loop: Any = Loop(host)
        store, house, clock = site.store(host), site.house(host), Clock(wall=host.wall)
        self._clock = clock
        self._intake = Intake(store, house, lambda: site.directory, clock)
        self._reader = Reader(store, house, lambda: site.directory, clock)
        self._asked: dict[Coroutine[Any, Any, Any], Any] = {}
        host.on_death.append(self._hang_up)

    def hand_in(
        self, who: VerifiedMessage, request: Aanlevering, raw: bytes
    ) -> AanleverBevestiging:
        """As `inbound.wus` does it: taken in and kept with its answer, and only then answered."""

        async def act() -> AanleverBevestiging:
            received = Received(raw, self._clock.now())
            taken = await self._intake.aanleveren(
                who, request, received, lambda said: f"answer {said.kenmerk}".encode()
            )
            return taken.bevestiging

        return self._ask(act())

    def zet_status(self, who: VerifiedMessage, request: ZetStatus) -> None:
        async def act() -> None:
            raw = Received(request.kenmerk.encode(), self._clock.now())
            await self._intake.zet_status(who, request, raw)

        self._ask(act())

    def ask(self, who: VerifiedMessage, vraag: Vraag, lost: bool) -> Antwoord:
        """The answer is there before it is marked as had. `lost`: it does not get through, and
        the door notices."""
        got: list[Antwoord] = []

        async def act() -> None:
            reading = await self._reader.vraag(who, vraag)
            if lost:
                await reading.release()
                return
            got.append(reading.antwoord)
            with contextlib.suppress(psycopg.OperationalError):  # then it is new once more
                await reading.delivered()

        with contextlib.suppress(NoAnswer):
            self._ask(act())
        if not got:
            raise NoAnswer
        return got[0]

    def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        """The answer, or what was raised instead. Raises NoAnswer when the door died or is slow."""
        scheduler = self._scheduler
        caller = scheduler.current
        assert caller is not None
        if not self.host.alive:
            work.close()
            raise NoAnswer
        over = scheduler.now + PATIENCE
        task = asyncio.Task(work, loop=self._loop)
        self._asked[work] = caller
        task.add_done_callback(lambda _: self._call_back(work))
        while not task.done() and self.host.alive and scheduler.now < over:
            scheduler.wait(over)
        if not task.done():
            if self.host.alive:
                self._asked[work] = None
                task.cancel()
            raise NoAnswer
        return task.result()

    def _call_back(self, work: Coroutine[Any, Any, Any]) -> None:
        caller = self._asked.pop(work, None)
        if caller is not None:
            self._scheduler.wake(caller, self._scheduler.draw.random() * 1e-3)

    def _hang_up(self) -> None:
        for work, caller in self._asked.items():
            if inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
                work.close()
            if caller is not None:
                self._scheduler.wake(caller)
        self._asked.clear()


def verified(oin: str, message_id: str) -> VerifiedMessage:
    """A message as it stands behind the gate of `trust`."""
    signed = SignedMessage(
        body=_BODY, addressing=Addressing(None, "action", message_id), created=_CREATED,
        expires=None, token=b"token of " + oin.encode(), algorithms=_ALGORITHMS,
    )  # fmt: skip
    return VerifiedMessage(_sender(oin), signed)


@cache
def _sender(oin: str) -> VerifiedSender:
    return VerifiedSender(Oin(oin), "Voorbeeld", "ab" * 32, "cd" * 32)
