"""Driving a gateway and reading its meters around it; what every scenario is made of."""

from __future__ import annotations

import asyncio
import os
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import uvloop

from openpoort.store.postgres.embedded import Embedded
from openpoort_lab.bench import prepare
from openpoort_lab.bench.gateway import Gateway, counters
from openpoort_lab.bench.limit import rsa_limit
from openpoort_lab.bench.load import Run, Shot, closed, opened
from openpoort_lab.bench.prepare import Order
from openpoort_lab.bench.report import Result, percentile
from openpoort_lab.bench.usage import family, usage

KENMERK = re.compile(rb"<(?:\w+:)?kenmerk>([0-9a-f-]{36})<")
_STAGE = "openpoort_stage_cpu_seconds_total"


@dataclass(frozen=True, slots=True)
class Plan:
    """How to drive. `rate` (a second) makes the loop open; None: closed."""

    messages: int = 5000
    size: int = 20_000
    callers: int = 16
    berichtsoort: str = "Bench"
    rate: float | None = None
    keep_alive: bool = True
    rounds: int = 3
    vat: bool = False  # the sample VAT return, checked for real, instead of filling


def drive(gateway: Gateway, requests: Sequence[bytes], plan: Plan) -> Run:
    """Send prepared requests the way the plan says."""
    if plan.rate is None:
        work = closed(gateway.target, requests, plan.callers, keep_alive=plan.keep_alive)
    else:
        work = opened(gateway.target, requests, plan.callers, plan.rate)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def kenmerken(shots: Sequence[Shot]) -> list[str]:
    """The kenmerk of every acknowledged message."""
    found = (KENMERK.search(s.body) for s in shots if s.status == 200)
    return [match[1].decode() for match in found if match]


def lost(gateway: Gateway, order: Order, acknowledged: Sequence[str], sample: int = 500) -> int:
    """How many of the acknowledged messages the gateway does not know: asked over the wire.

    At most `sample` of them, evenly spread, so that asking costs less than the run.
    """
    step = max(1, len(acknowledged) // sample)
    asked = acknowledged[::step]
    run = drive(gateway, prepare.statusvragen(order, asked), Plan(callers=4))
    known = {k for s in run.shots for k in kenmerken([s])}
    return len(set(asked) - known)


def _stages(before: dict[str, float], after: dict[str, float], messages: int) -> dict[str, float]:
    found = {}
    for key, value in after.items():
        if key.startswith(_STAGE):
            stage = key.split('stage="', 1)[1].split('"', 1)[0]
            found[stage] = round((value - before.get(key, 0.0)) * 1000 / messages, 4)
    return found


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads what the gateway used around a run; `role` names the processes that count."""

    gateway: Gateway
    role: str

    def read(self) -> tuple[float, int, dict[str, float]]:
        """CPU seconds so far, peak bytes of the largest process, own counters."""
        used = [usage(p) for p in self.gateway.pids(self.role)]
        return (
            sum(u.cpu for u in used),
            max((u.peak for u in used), default=0),
            counters(self.gateway),
        )

    def database(self) -> float:
        """CPU seconds of the gateway's own PostgreSQL so far; 0 when it is somebody else's."""
        if self.gateway.pid is None:
            return 0.0
        file = Embedded(self.gateway.home / "postgres").data / "postmaster.pid"
        return family(int(file.read_text().split()[0])) if file.exists() else 0.0


def parts(gateway: Gateway) -> dict[str, float]:
    """CPU seconds so far by part of the measured machine, this client included."""
    found = {
        role: sum(family(pid) for pid in pids) for role, pids in gateway.everyone().items() if pids
    }
    return {**found, "client": sum(os.times()[:2])}


def measure(
    name: str,
    gateway: Gateway,
    plan: Plan,
    make: Callable[[int], Sequence[bytes]],
    expected: Callable[[Shot], bool],
    role: str = "door",
) -> tuple[Result, Run]:
    """`plan.rounds` rounds; the figures are those of the round with the median rate.

    The limit is the median of those before, between and after the rounds: a machine that others
    use too changes its pace by a third within seconds.
    """
    limits = [rsa_limit()]
    meter = Meter(gateway, role)
    rounds: list[tuple[Run, float, int, dict[str, float], float]] = []
    for number in range(plan.rounds):
        requests = make(number)
        cpu, _, before = meter.read()
        database = meter.database()
        run = drive(gateway, requests, plan)
        cpu_after, peak, after = meter.read()
        count = max(1, len(run.shots))
        database_ms = (meter.database() - database) * 1000 / count
        stages = _stages(before, after, count)
        rounds.append((run, (cpu_after - cpu) * 1000 / count, peak, stages, database_ms))
        limits.append(rsa_limit())
    limit = statistics.median(limits)
    rounds.sort(key=lambda r: r[0].rate)
    run, cpu_ms, peak, stages, database_ms = rounds[len(rounds) // 2]
    latencies = [s.latency * 1000 for s in run.shots]
    failed = sum(r.broken + sum(not expected(s) for s in r.shots) for r, *_ in rounds)
    known = sum(stages.values())
    if stages and cpu_ms > known:
        stages = {**stages, "tls_http": round(cpu_ms - known, 4)}
    return Result(
        scenario=name,
        messages=sum(len(r.shots) for r, *_ in rounds),
        rate=round(run.rate, 1),
        cpu_ms_per_message=round(cpu_ms, 4),
        rsa_limit=round(limit, 1),
        ratio_to_limit=round(run.rate / limit, 4),
        p50_ms=round(percentile(latencies, 0.5), 2),
        p95_ms=round(percentile(latencies, 0.95), 2),
        p99_ms=round(percentile(latencies, 0.99), 2),
        peak_bytes=peak,
        lost=0,
        failed=failed,
        stages_ms=stages,
        notes={
            "rates_min": round(rounds[0][0].rate, 1),
            "rates_max": round(rounds[-1][0].rate, 1),
            "rsa_limit_min": round(min(limits), 1),
            "rsa_limit_max": round(max(limits), 1),
            "database_cpu_ms": round(database_ms, 4),
        },
    ), run
