"""Who is outside: a side for each agency, one for our slow checks and one for the AuSP.

Each has its own threads, its own window and its own limit, so that one that is slow or down never
holds up another.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from openpoort.domain.ids import Oin
from openpoort.domain.kind import StepKind
from openpoort.domain.party import Directory
from openpoort.process import flow, outcomes, steps, switches, texts
from openpoort.process.lanes import Lane
from openpoort.process.ports import Agency, Authority, Channel, DeliveryFailed
from openpoort.process.work import House, Work
from openpoort.store.machine import Machine
from openpoort.store.rows import JobRow

_AHEAD = 8
"""Our own checkers get work ahead: two commits for sixteen checks instead of for two."""


@dataclass(slots=True, eq=False)
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


class Sides:
    """The sides by name, kept up with the directory."""

    def __init__(self, house: House, partners: Partners, machine: Machine, checkers: int) -> None:
        self._house, self._partners = house, partners
        self._machine, self._checkers = machine, checkers
        self._all: dict[str, Side] = {}
        self._known: Directory | None = None
        self._at_hand: list[Side] = []

    @property
    def out(self) -> int:
        return sum(side.lane.out for side in self._all.values())

    @property
    def full(self) -> bool:
        """One of them takes no more at once."""
        return any(side.lane.full for side in self._all.values())

    def present(self) -> list[Side]:
        """Sides of all agencies in the directory, and of checks and AuSP where there are any."""
        directory = self._partners.directory()
        if directory is not self._known:
            self._known, self._at_hand = directory, self._of(directory)
        return self._at_hand

    def _of(self, directory: Directory) -> list[Side]:
        wanted: dict[str, tuple[int, Agency | None]] = {}
        if self._house.slow.intersection(self._house.checks):
            wanted[flow.CHECK] = (self._checkers * _AHEAD, None)
        if self._partners.authority is not None:
            wanted[flow.AUTHORITY] = (4 * _AHEAD, None)
        for a in directory.agencies:
            agency = Agency(a.name, a.oin, a.endpoint, a.channel, a.max_parallel, a.options)
            wanted[flow.agency_lane(a.name)] = (a.max_parallel, agency)
        for name, (cap, who) in wanted.items():
            side = self._all.get(name)
            if side is None or side.lane.cap != cap:
                self._all[name] = side = Side(
                    name,
                    Lane(cap, window=1 if who else cap, out=side.lane.out if side else 0),
                    self._machine.pool(cap if who else cap // _AHEAD, thread_name_prefix=name),
                )
            side.agency = who
        return [self._all[name] for name in wanted]

    def ask(self, side: Side, work: Work, job: JobRow) -> Any:
        """In a thread of `side`: what the outside says. Raises what a channel, a check or the
        authority raises, and DeliveryFailed."""
        step = work.kind.step(job.step)
        if step.kind is StepKind.CHECK:
            return steps.look(work, step)
        if step.kind is StepKind.AUTHORISE:
            assert self._partners.authority is not None
            sender = Oin(work.message.sender)
            return self._partners.authority.ask(
                sender, work.kind, work.message.belanghebbende, work.now
            )
        agency = side.agency
        assert agency is not None
        if self._partners.switches:
            switches.at_delivery(switches.of(work.message.aanleverkenmerk))
        channel = self._partners.channels.get(agency.channel)
        if channel is None:
            raise DeliveryFailed(f"channel {agency.channel} is not installed")
        message_id = texts.message_id(work.process.kenmerk, agency.name, job.generation)
        return channel.deliver(outcomes.bericht(work, step), agency, message_id)

    def close(self) -> None:
        for side in self._all.values():
            side.threads.shutdown(wait=False, cancel_futures=True)
        self._all.clear()
        self._known = None
