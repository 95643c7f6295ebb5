"""What large messages do to the small ones next to them, and to the memory of a door.

Small ones arrive in an open loop, in rounds: alone, and with one sender of large messages beside
them, in turn, so that both see the same machine. The large sender is a process of its own: in
ours its encryption would hold up the small callers and look like the gateway's doing. It steps back
for whoever wants a core (nice): a real sender has a machine of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import uvloop

from openpoort_lab.bench import prepare
from openpoort_lab.bench.gateway import Gateway
from openpoort_lab.bench.limit import rsa_limit
from openpoort_lab.bench.load import Run, Shot, Target, connect
from openpoort_lab.bench.measure import Meter, Plan, drive, kenmerken, lost
from openpoort_lab.bench.report import Result, percentile
from openpoort_lab.bench.scenarios import accepted, order_for
from openpoort_lab.bench.usage import Extra

_SHARE = 0.05  # of the RSA limit: a rate at which no machine is busy with small ones alone
_STEPS_BACK = 10
_BEFORE = 1.0  # seconds for the other process to get its requests


@dataclass(frozen=True, slots=True)
class Large:
    """What the sender beside them hands in during one round: so many, of so many bytes."""

    count: int = 5
    size: int = 15_000_000


def beside(gateway: Gateway, plan: Plan, large: Large) -> tuple[Result, Run]:
    """Figures are those of the small messages with large ones beside them; the notes have those
    of the small ones alone, and the ratios."""
    seed, meter, limit = int(time.time()) % 1_000_000, Meter(gateway, "door"), rsa_limit()
    plan = replace(plan, rate=plan.rate or limit * _SHARE)
    alone: list[Run] = []
    with_them: list[Run] = []
    slow: list[Run] = []
    _alone(gateway, plan, seed)  # warms up: what a door needs anyway is no extra memory
    memory, cpu = Extra(gateway.pids("door")), 0.0
    for number in range(plan.rounds):
        alone.append(_alone(gateway, plan, seed + number * 100 + 10))
        before = meter.read()[0]
        run, large_run = _beside(gateway, plan, large, seed + number * 100 + 50)
        cpu += meter.read()[0] - before
        with_them.append(run)
        slow.append(large_run)
    runs = [*alone, *with_them, *slow]
    shots = [shot for run in runs for shot in run.shots]
    count = sum(len(run.shots) for run in with_them)
    together = Run([s for run in with_them for s in run.shots], sum(r.seconds for r in with_them))
    peak, extra = meter.read()[1], memory.most()
    by_itself, next_to = _p99(alone), _p99(with_them)
    result = Result(
        scenario="beside",
        messages=count,
        rate=round(together.rate, 1),
        cpu_ms_per_message=round(cpu * 1000 / max(1, count), 4),
        rsa_limit=round(limit, 1),
        ratio_to_limit=round(together.rate / limit, 4),
        p50_ms=round(percentile(_latencies(together), 0.5), 2),
        p95_ms=round(percentile(_latencies(together), 0.95), 2),
        p99_ms=round(next_to, 2),
        peak_bytes=peak,
        lost=lost(gateway, order_for(gateway, plan, 1), kenmerken(shots)),
        failed=sum(run.broken for run in runs) + sum(not accepted(shot) for shot in shots),
        notes={
            "alone_p50_ms": round(percentile([x for r in alone for x in _latencies(r)], 0.5), 2),
            "alone_p99_ms": round(by_itself, 2),
            "p99_ratio": round(next_to / by_itself, 3) if by_itself else 0.0,
            "large_messages": sum(len(run.shots) for run in slow),
            "large_size": large.size,
            "large_p50_ms": round(percentile([x for r in slow for x in _latencies(r)], 0.5), 2),
            "extra_memory_bytes": extra,
            "extra_memory_ratio": round(extra / large.size, 3),
        },
    )
    return result, together


def _alone(gateway: Gateway, plan: Plan, seed: int) -> Run:
    return drive(
        gateway, prepare.aanleveringen(order_for(gateway, plan, seed), plan.messages), plan
    )


def _beside(gateway: Gateway, plan: Plan, large: Large, seed: int) -> tuple[Run, Run]:
    """One round with both: the small ones' run, and the large ones'."""
    small = prepare.aanleveringen(order_for(gateway, plan, seed), plan.messages)
    big = order_for(gateway, replace(plan, size=large.size), seed + 25)
    heavy = prepare.aanleveringen(big, large.count)
    assert plan.rate is not None
    every = plan.messages / plan.rate / large.count
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, os.nice, (_STEPS_BACK,)) as other:
        other.submit(time.time).result()  # it is there, and has read its modules
        begin = time.time() + _BEFORE
        sender = other.submit(_send, gateway.target, heavy, every, begin)
        time.sleep(max(0.0, begin - time.time()))
        return drive(gateway, small, plan), sender.result()


def _send(target: Target, requests: Sequence[bytes], every: float, begin: float) -> Run:
    """In the other process: one after the other, each `every` seconds after the one before it or
    when that is answered."""

    async def work() -> Run:
        run, start = Run([], 0.0), time.perf_counter() + max(0.0, begin - time.time())
        connection = await connect(target, target.context())
        for number, request in enumerate(requests):
            await asyncio.sleep(max(0.0, start + number * every - time.perf_counter()))
            due = time.perf_counter() - start
            try:
                status, body = await connection.exchange(request)
            except OSError:
                run.broken += 1
                connection = await connect(target, target.context())
                continue
            run.shots.append(Shot(due, time.perf_counter() - start, status, body))
        connection.close()
        run.seconds = time.perf_counter() - start
        return run

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work())


def _latencies(run: Run) -> list[float]:
    return [shot.latency * 1000 for shot in run.shots]


def _p99(runs: Sequence[Run]) -> float:
    """Of the rounds, the median: one stall of the machine must not decide."""
    return statistics.median(percentile(_latencies(run), 0.99) for run in runs)
