"""One failover under load: the primary is struck, the standby promoted, every promise checked.

The gateway is the real program with a DSN that names both servers; nobody restarts or tells it.
A company sends over mutual TLS and repeats what it got no answer to. What a cluster manager does
(notice, decide, promote) is done here: notice is a pause, the rest is `pg_promote`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import uvloop

from openpoort.store.messages import consistency
from openpoort.store.postgres import standby
from openpoort_lab.bench import prepare
from openpoort_lab.bench.gateway import Gateway, own
from openpoort_lab.bench.prepare import Order
from openpoort_lab.chaos.sender import Company
from openpoort_lab.chaos.verdict import LOST, fair, whole
from openpoort_lab.failover.pair import Pair, pair

STRIKES = ("kill", "freeze", "lag")
"""SIGKILL; SIGSTOP, thawed after the promotion (a partition that heals); SIGKILL while the
standby is behind."""
_BEHIND = 1.5  # seconds for which the standby falls behind before the primary is killed


@dataclass(frozen=True, slots=True)
class Plan:
    """`detect`: seconds until somebody notices that the primary is gone."""

    strike: str
    synchronous: bool = True
    messages: int = 400
    seed: int = 1
    detect: float = 1.0
    patience: float = 180.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """`lost`: acknowledged and not there. `broken`: a sentence for each broken promise.

    `out`: seconds between the last acknowledgement before and the first after the promotion;
    `promote` of it until the standby took writes, `gateway` of it from there on.
    """

    plan: Plan
    acknowledged: int
    repeats: int
    lost: int
    out: float
    promote: float
    gateway: float
    seconds: float
    broken: tuple[str, ...]

    def record(self) -> dict[str, object]:
        return {
            "strike": self.plan.strike, "synchronous": self.plan.synchronous,
            "seed": self.plan.seed, "acknowledged": self.acknowledged, "repeats": self.repeats,
            "lost": self.lost, "seconds_without_service": round(self.out, 2),
            "detect_seconds": self.plan.detect, "promote_seconds": round(self.promote, 2),
            "gateway_seconds": round(self.gateway, 2), "broken": len(self.broken),
        }  # fmt: skip


@dataclass(slots=True)
class _Blow:
    """Strikes once `after` messages are acknowledged; keeps the times of all of them."""

    servers: Pair
    plan: Plan
    after: int
    at: list[float] = field(default_factory=list)
    promoted: float = 0.0
    promote: float = 0.0
    problem: Exception | None = None
    _due: threading.Event = field(default_factory=threading.Event)

    def told(self, _kenmerk: str) -> None:
        self.at.append(time.monotonic())
        if len(self.at) == self.after:
            self._due.set()

    def run(self) -> None:
        """In a thread."""
        if not self._due.wait(self.plan.patience):
            return
        try:
            self._strike()
            time.sleep(self.plan.detect)
            self.promote = standby.promote(self.servers.second)
        except Exception as problem:  # noqa: BLE001 - told by the thread that waits for us
            self.problem = problem
        self.promoted = time.monotonic()

    def _strike(self) -> None:
        first = self.servers.first
        if self.plan.strike == "freeze":
            standby.freeze(first)
            return
        if self.plan.strike == "lag":
            standby.hold_back(first)
            time.sleep(_BEHIND)
        standby.kill(first)

    @property
    def gap(self) -> tuple[float, float]:
        """Seconds without service, and those of them after the promotion: the longest silence
        between two acknowledgements that ended after the blow."""
        struck = self.after - 1
        silences = [(b - a, b) for a, b in pairwise(self.at[struck:])]
        if not silences:
            return 0.0, 0.0
        longest, end = max(silences)
        return longest, max(0.0, end - self.promoted)


def one_round(folder: Path, plan: Plan) -> Outcome:
    """Raises Unanswered when the gateway does not come back, ServerFailed."""
    begin = time.monotonic()
    draw = random.Random(plan.seed)  # noqa: S311 - a moment, not a secret
    with pair(folder) as servers:
        standby.configure(servers.first, synchronous=plan.synchronous)
        blow = _Blow(servers, plan, max(1, int(plan.messages * draw.uniform(0.15, 0.4))))
        with own(servers.home) as gateway:
            striker = threading.Thread(target=blow.run, daemon=True)
            striker.start()
            company = _send(gateway, plan, plan.messages, plan.seed, blow)
            got = company.acknowledged
            striker.join()
            if blow.problem is not None:
                raise blow.problem
            after = _old_primary_returns(gateway, servers, plan)
            # What an asynchronous standby lost may well never end: no use to wait for it.
            patience = plan.patience if plan.synchronous else 10.0
            left = _drained(servers.dsn, [*got, *after], patience)
            broken = whole(servers.dsn, servers.home, [*got, *after])
            broken += fair(servers.dsn, company)
            if after:
                strays = standby.holds(servers.first, after)
                broken += [f"{kenmerk}: written to the old primary" for kenmerk in strays]
    if left:
        broken = [f"{left} messages did not end in {patience:.0f} s", *broken]
    lost = sum(sentence.endswith(LOST) for sentence in broken)
    out, gateway_part = blow.gap
    return Outcome(
        plan, len(got) + len(after), company.repeats, lost, out, blow.promote, gateway_part,
        time.monotonic() - begin, tuple(broken),
    )  # fmt: skip


def _send(
    gateway: Gateway, plan: Plan, count: int, seed: int, blow: _Blow | None = None
) -> Company:
    order = Order(gateway.target, "Bench", 4000, "https://localhost", seed)
    requests = prepare.aanleveringen(order, count)
    company = Company(gateway.target, order)
    if blow is not None:
        company.acknowledge = blow.told
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(company.hand_in(requests, plan.patience))
    return company


def _old_primary_returns(gateway: Gateway, servers: Pair, plan: Plan) -> list[str]:
    """It thaws and takes writes, and its address stands first in the DSN. Doors and workers are
    killed, so that they choose anew; what is sent now must not go to it. The kenmerken."""
    if plan.strike != "freeze":
        return []
    standby.thaw(servers.first)
    for role in ("door", "worker"):
        for pid in gateway.pids(role):
            os.kill(pid, signal.SIGKILL)
    return _send(gateway, plan, max(1, plan.messages // 4), plan.seed + 10_000).acknowledged


def _drained(dsn: str, kenmerken: list[str], patience: float) -> int:
    end = time.monotonic() + patience
    while left := consistency.unfinished(dsn, kenmerken):
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    return left


def rounds(folder: Path, plans: list[Plan]) -> Iterator[Outcome]:
    """A round for each plan, each with servers of its own."""
    for number, plan in enumerate(plans):
        yield one_round(folder / str(number), plan)
