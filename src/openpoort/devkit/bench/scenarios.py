"""What can be measured: accepting, the whole process, reading statuses, fetching, a deadline day.

Each scenario prepares its requests, drives the gateway, counts what came back and asks the
gateway afterwards for every message it acknowledged. `lost` other than 0 is the worst news.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import uvloop

from openpoort.devkit.bench import prepare
from openpoort.devkit.bench.gateway import Gateway, counters
from openpoort.devkit.bench.limit import rsa_limit
from openpoort.devkit.bench.load import Run, Shot, closed, opened
from openpoort.devkit.bench.prepare import Order
from openpoort.devkit.bench.report import Result, percentile
from openpoort.devkit.bench.usage import usage

_KENMERK = re.compile(rb"<(?:\w+:)?kenmerk>([0-9a-f-]{36})<")
_FINAL = re.compile(rb"<(?:\w+:)?statuscode>(500|400|410|311|510)<")
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
    found = (_KENMERK.search(s.body) for s in shots if s.status == 200)
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


def measure(
    name: str,
    gateway: Gateway,
    plan: Plan,
    make: Callable[[int], Sequence[bytes]],
    expected: Callable[[Shot], bool],
    role: str = "door",
) -> tuple[Result, Run]:
    """`plan.rounds` rounds; the figures are those of the round with the median rate."""
    limit = rsa_limit()
    meter = Meter(gateway, role)
    rounds: list[tuple[Run, float, int, dict[str, float]]] = []
    for number in range(plan.rounds):
        requests = make(number)
        cpu, _, before = meter.read()
        run = drive(gateway, requests, plan)
        cpu_after, peak, after = meter.read()
        count = max(1, len(run.shots))
        rounds.append((run, (cpu_after - cpu) * 1000 / count, peak, _stages(before, after, count)))
    rounds.sort(key=lambda r: r[0].rate)
    run, cpu_ms, peak, stages = rounds[len(rounds) // 2]
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
        notes={"rates_min": round(rounds[0][0].rate, 1), "rates_max": round(rounds[-1][0].rate, 1)},
    ), run


def accepted(shot: Shot) -> bool:
    return shot.status == 200 and b"aanleverResponse" in shot.body


def answered(shot: Shot) -> bool:
    return shot.status == 200 and b"getStatussenProcesResponse" in shot.body


def order_for(gateway: Gateway, plan: Plan, seed: int) -> Order:
    return Order(gateway.target, plan.berichtsoort, plan.size, gateway.base, seed)


def accept(gateway: Gateway, plan: Plan) -> tuple[Result, Run, list[str]]:
    """Hand in; answered means committed. Returns the acknowledged kenmerken as well."""
    seen: list[str] = []
    seed = int(time.time()) % 1_000_000

    def make(number: int) -> Sequence[bytes]:
        return prepare.aanleveringen(order_for(gateway, plan, seed + number * 100), plan.messages)

    def good(shot: Shot) -> bool:
        if not accepted(shot):
            return False
        seen.extend(kenmerken([shot]))
        return True

    result, run = measure("accept", gateway, plan, make, good)
    missing = lost(gateway, order_for(gateway, plan, 1), seen)
    return _with(result, lost=missing), run, seen


def status(gateway: Gateway, plan: Plan, known: Sequence[str]) -> tuple[Result, Run]:
    """getStatussenProces for messages handed in before."""

    def make(number: int) -> Sequence[bytes]:
        wanted = [known[i % len(known)] for i in range(plan.messages)]
        return prepare.statusvragen(order_for(gateway, plan, number), wanted)

    return measure("status", gateway, plan, make, answered)


def process(gateway: Gateway, plan: Plan, patience: float = 300.0) -> tuple[Result, Run]:
    """From the first request until the last message has its final status.

    The rate counts the whole process: accepting, all steps, delivery, the agency's verdict.
    """
    limit = rsa_limit()
    order = order_for(gateway, plan, int(time.time()) % 1_000_000)
    requests = prepare.aanleveringen(order, plan.messages)
    meters = [Meter(gateway, role) for role in ("door", "worker")]
    cpu = sum(m.read()[0] for m in meters)
    begin = time.perf_counter()
    run = drive(gateway, requests, plan)
    names = kenmerken(run.shots)
    open_ones, end = list(names), time.perf_counter() + patience
    seconds = time.perf_counter() - begin
    while open_ones and time.perf_counter() < end:
        # The last ones accepted end last: ask a few of those before asking all.
        probe = drive(gateway, prepare.statusvragen(order, open_ones[-20:]), Plan(callers=2))
        seconds = time.perf_counter() - begin
        if not all(_FINAL.search(s.body) for s in probe.shots):
            time.sleep(0.1)
            continue
        if probe.shots:
            rest = drive(gateway, prepare.statusvragen(order, open_ones), Plan(callers=4))
            open_ones = [
                k[0] for s in rest.shots if not _FINAL.search(s.body) and (k := kenmerken([s]))
            ]
    done = len(names) - len(open_ones)
    readings = [m.read() for m in meters]
    rate = done / seconds if done else 0.0
    return Result(
        scenario="process",
        messages=len(names),
        rate=round(rate, 1),
        cpu_ms_per_message=round((sum(r[0] for r in readings) - cpu) * 1000 / max(1, done), 4),
        rsa_limit=round(limit, 1),
        ratio_to_limit=round(rate / limit, 4),
        p50_ms=round(statistics.median([s.latency * 1000 for s in run.shots] or [0.0]), 2),
        p95_ms=round(percentile([s.latency * 1000 for s in run.shots], 0.95), 2),
        p99_ms=round(percentile([s.latency * 1000 for s in run.shots], 0.99), 2),
        peak_bytes=max(r[1] for r in readings),
        lost=len(open_ones),
        failed=run.broken + sum(not accepted(s) for s in run.shots),
        notes={"accept_rate": round(run.rate, 1), "seconds": round(seconds, 2)},
    ), run


def _with(result: Result, **changes: int) -> Result:
    import dataclasses

    return dataclasses.replace(result, **changes)  # type: ignore[arg-type]  # only int fields
