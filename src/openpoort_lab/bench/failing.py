"""What messages that an agency cannot take do to those it can: how long these wait.

Two gateways, in turn, with as many messages a second: one gets good ones alone, of the other every
second one is bad, which its agency answers with a fault each time it comes. Waiting is from the
acceptance to 400, by the times that the sender sees.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace

import psycopg

from openpoort.store.postgres.embedded import Embedded
from openpoort_lab.bench import prepare
from openpoort_lab.bench.gateway import Gateway
from openpoort_lab.bench.limit import rsa_limit
from openpoort_lab.bench.load import Run
from openpoort_lab.bench.measure import Meter, Plan, drive, kenmerken, lost
from openpoort_lab.bench.report import Result, percentile
from openpoort_lab.bench.scenarios import accepted, order_for

ALWAYS_FAULT = "MaximaalAantalAfleverpogingen"
"""An aanleverkenmerk that the demo agency answers with AFS400, each time."""
SWITCHED_OFF = {"OPENPOORT_SWITCHES_AANSLUIT_SUITE": "false"}
"""Or the gateway would play the fault itself."""
RATE = 20.0
PATIENCE = 60.0
"""Seconds after the last is handed in; who waits then counts with what it has waited so far."""
_TIMES = """
select m.kenmerk::text, m.accepted_at, (
    select max(at) from status s where s.kenmerk = m.kenmerk and s.day = m.day and code = '400')
from message m where m.kenmerk = any(%s::uuid[])
"""


def failing(alone: Gateway, beside: Gateway, plan: Plan) -> tuple[Result, Run]:
    """Figures are those of the good ones with bad ones beside them; the notes have those of the
    good ones alone, and the ratio."""
    rate = plan.rate or RATE
    plan = replace(plan, rate=rate)
    twice = replace(plan, messages=2 * plan.messages, rate=2 * rate)
    seed, limit = int(time.time()) % 1_000_000, rsa_limit()
    for gateway in (alone, beside):
        _round(gateway, replace(plan, messages=50), seed, bad=0)  # warms up
    meter, cpu, without, with_them, runs = Meter(beside, "worker"), 0.0, [], [], []
    for number in range(plan.rounds):
        waits, run = _round(alone, twice, seed + 1 + 10 * number, bad=0)
        without += waits
        before = meter.read()[0]
        waits, shared = _round(beside, plan, seed + 5 + 10 * number, bad=plan.messages)
        cpu += meter.read()[0] - before
        with_them += waits
        runs += [run, shared]
    shots = [shot for run in runs for shot in run.shots]
    together = Run([s for run in runs[1::2] for s in run.shots], sum(r.seconds for r in runs[1::2]))
    p95 = percentile(with_them, 0.95), percentile(without, 0.95)
    known = kenmerken(runs[-1].shots)
    result = Result(
        scenario="failing",
        messages=len(with_them),
        rate=round(together.rate, 1),
        cpu_ms_per_message=round(cpu * 1000 / max(1, len(together.shots)), 4),
        rsa_limit=round(limit, 1),
        ratio_to_limit=round(together.rate / limit, 4),
        p50_ms=round(percentile(with_them, 0.5), 1),
        p95_ms=round(p95[0], 1),
        p99_ms=round(percentile(with_them, 0.99), 1),
        peak_bytes=meter.read()[1],
        lost=lost(beside, order_for(beside, plan, 1), known),
        failed=sum(run.broken for run in runs) + sum(not accepted(shot) for shot in shots),
        notes={
            "bad_messages": len(together.shots) - len(with_them),
            "alone_p50_ms": round(percentile(without, 0.5), 1),
            "alone_p95_ms": round(p95[1], 1),
            "alone_p99_ms": round(percentile(without, 0.99), 1),
            "longest_ms": round(max(with_them, default=0.0), 1),
            "p95_ratio": round(p95[0] / p95[1], 3) if p95[1] else 0.0,
        },
    )
    return result, together


def _round(gateway: Gateway, plan: Plan, seed: int, bad: int) -> tuple[list[float], Run]:
    """How long each good one waited, in milliseconds, and the run. The good ones keep their rate,
    whatever is between them."""
    order = order_for(gateway, plan, seed)
    good = prepare.aanleveringen(order, plan.messages)
    order = replace(order, seed=seed + 3, aanleverkenmerk=ALWAYS_FAULT)
    requests = [*good, *prepare.aanleveringen(order, bad)]
    random.Random(seed).shuffle(requests)  # noqa: S311 - an order, not a secret
    assert plan.rate is not None
    run = drive(gateway, requests, replace(plan, rate=plan.rate * len(requests) / len(good)))
    sent = [shot for shot in run.shots if ALWAYS_FAULT.encode() not in shot.body]
    return _waits(gateway, kenmerken(sent)), run


def _waits(gateway: Gateway, asked: Sequence[str]) -> list[float]:
    server = Embedded(gateway.home / "postgres")
    end = time.monotonic() + PATIENCE
    with psycopg.connect(server.start()) as conn:
        try:
            while True:
                rows = conn.execute(_TIMES, [list(asked)]).fetchall()
                conn.rollback()
                if all(row[2] for row in rows) or time.monotonic() > end:
                    break
                time.sleep(0.5)
            now = conn.execute("select clock_timestamp()").fetchone()
        finally:
            server.stop()
    assert now is not None
    return [((done or now[0]) - begin).total_seconds() * 1000 for _, begin, done in rows]
