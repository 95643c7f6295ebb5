"""Who is outside: a side for each agency, one for our slow checks and one for the AuSP.

Each has its own threads and its own limit, and within it a lane for each kind, so that one that is
slow or down never holds up another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from openpoort.domain.ids import Oin
from openpoort.domain.kind import StepKind
from openpoort.domain.party import Directory
from openpoort.process.engine.circuit_breaker import Lane
from openpoort.process.flow import behaviours, outcomes, steps, switches, texts
from openpoort.process.flow.context import House, Work
from openpoort.process.ports import Agency, AgencySilent, Authority, Channel
from openpoort.store.messages.rows import JobRow
from openpoort.store.postgres.runtime import Machine

_AHEAD = 8
"""Our own checkers get work ahead: two commits for sixteen checks instead of for two."""


@dataclass(slots=True, eq=False)
class Side:
    """Somebody outside: at most `cap` at once over all workers. `several`: more than one kind may
    come."""

    name: str
    cap: int
    threads: ThreadPoolExecutor
    agency: Agency | None = None
    several: bool = True
    lanes: dict[str, Lane] = field(default_factory=dict)
    turn: int = 0

    @property
    def out(self) -> int:
        return sum(lane.out for lane in self.lanes.values())

    @property
    def full(self) -> bool:
        """As many are out as may be."""
        return any(x.out >= min(x.window, x.cap) for x in self.lanes.values() if x.out)

    def lane(self, name: str) -> Lane:
        """The lane of this name; a new one starts carefully, unless it is our own."""
        lane = self.lanes.get(name)
        if lane is None:
            window = 1 if self.agency is not None else self.cap
            self.lanes[name] = lane = Lane(self.cap, window, again=behaviours.is_again(name))
        return lane

    def serve(self, lane: Lane) -> None:
        """Its turn is over."""
        self.turn += 1
        lane.served = self.turn


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
        self._at_hand: Mapping[str, Side] = {}

    @property
    def out(self) -> int:
        return sum(side.out for side in self._all.values())

    @property
    def full(self) -> bool:
        """One of them takes no more at once."""
        return any(side.full for side in self._all.values())

    def of(self, lane: str, agency: str | None) -> Side | None:
        """The side of a lane; None when there is nobody (any more) to ask."""
        return self.present().get(_side_name(agency) if agency else lane)

    def present(self) -> Mapping[str, Side]:
        """Those of all agencies in the directory, and of checks and AuSP where there are any."""
        directory = self._partners.directory()
        if directory is not self._known:
            self._known, self._at_hand = directory, self._of(directory)
        return self._at_hand

    def _of(self, directory: Directory) -> Mapping[str, Side]:
        wanted: dict[str, tuple[int, Agency | None]] = {}
        if self._house.slow.intersection(self._house.checks):
            wanted[behaviours.CHECK] = (self._checkers * _AHEAD, None)
        if self._partners.authority is not None:
            wanted[behaviours.AUTHORITY] = (4 * _AHEAD, None)
        for a in directory.agencies:
            agency = Agency(a.name, a.oin, a.endpoint, a.channel, a.max_parallel, a.options)
            wanted[_side_name(a.name)] = (a.max_parallel, agency)
        kinds = Counter(
            a for k in self._house.kinds.values() for a in {a for s in k.steps for a in s.agencies}
        )
        for name, (cap, who) in wanted.items():
            side = self._all.get(name)
            if side is None or side.cap != cap:
                side = self._made(name, cap, who, side)
            side.agency = who
            side.several = who is not None and kinds[who.name] > 1
        return {name: self._all[name] for name in wanted}

    def _made(self, name: str, cap: int, who: Agency | None, before: Side | None) -> Side:
        """A new side, or the one of before with another limit: what is out keeps its place."""
        threads = self._machine.pool(cap if who else cap // _AHEAD, thread_name_prefix=name)
        if before is None:
            self._all[name] = before = Side(name, cap, threads)
            return before
        before.threads.shutdown(wait=False)
        before.cap, before.threads = cap, threads
        for lane in before.lanes.values():
            lane.cap, lane.window = cap, min(lane.window, cap) if who else cap
        return before

    def ask(self, side: Side, work: Work, job: JobRow) -> Any:
        """In a thread of `side`: what the outside says. Raises what a channel, a check or the
        authority raises."""
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
            raise AgencySilent(f"channel {agency.channel} is not installed")
        message_id = texts.message_id(work.process.kenmerk, agency.name, job.generation)
        return channel.deliver(outcomes.bericht(work, step), agency, message_id)

    def close(self) -> None:
        for side in self._all.values():
            side.threads.shutdown(wait=False, cancel_futures=True)
        self._all.clear()
        self._known = None


def _side_name(agency: str) -> str:
    return f"agency:{agency}"
