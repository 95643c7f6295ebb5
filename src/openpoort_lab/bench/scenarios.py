"""What can be measured: accepting, the whole process, reading, fetching, a mix, a deadline day.

Each scenario prepares its requests, drives the gateway, counts what came back and asks the
gateway afterwards for the messages it acknowledged. `lost` other than 0 is the worst news.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

from openpoort_lab.bench import prepare
from openpoort_lab.bench.gateway import BenchRefused, Gateway
from openpoort_lab.bench.limit import rsa_limit
from openpoort_lab.bench.load import Run, Shot
from openpoort_lab.bench.measure import Meter, Plan, drive, kenmerken, lost, measure, parts
from openpoort_lab.bench.prepare import Order
from openpoort_lab.bench.report import Result, percentile
from openpoort_lab.bench.usage import Extra

_FINAL = re.compile(rb"<(?:\w+:)?statuscode>(500|400|410|311|510)<")


def accepted(shot: Shot) -> bool:
    return shot.status == 200 and b"aanleverResponse" in shot.body


def answered(shot: Shot) -> bool:
    return shot.status == 200 and b"getStatussenProcesResponse" in shot.body


def order_for(gateway: Gateway, plan: Plan, seed: int) -> Order:
    if plan.vat:
        sample = (gateway.home / "samples" / "Omzetbelasting.xbrl").read_bytes()
        return Order(
            gateway.target, "Omzetbelasting", len(sample), gateway.base, seed, document=sample
        )
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
    return replace(result, lost=missing), run, seen


def status(gateway: Gateway, plan: Plan, known: Sequence[str]) -> tuple[Result, Run]:
    """getStatussenProces for messages handed in before."""

    def make(number: int) -> Sequence[bytes]:
        wanted = [known[i % len(known)] for i in range(plan.messages)]
        return prepare.statusvragen(order_for(gateway, plan, number), wanted)

    return measure("status", gateway, plan, make, answered)


def process(gateway: Gateway, plan: Plan, patience: float = 300.0) -> tuple[Result, Run]:
    """From the first request until the last message has its final status.

    Time and meters are read when the last ones have it; that all have it is asked afterwards.
    The rate counts the whole process: accepting, all steps, delivery, the agency's verdict. Of
    large messages the notes have the memory that each part took for them, in times their size.
    """
    large = plan.size > prepare.LARGE
    if large:  # what everybody needs anyway is no extra memory
        process(gateway, Plan(messages=200, callers=8, berichtsoort=plan.berichtsoort), patience)
    memory = {role: Extra(pids) for role, pids in gateway.everyone().items() if large}
    limit = rsa_limit()
    order = order_for(gateway, plan, int(time.time()) % 1_000_000)
    requests = prepare.aanleveringen(order, plan.messages)
    meters = [Meter(gateway, role) for role in ("door", "worker")]
    cpu, before = sum(m.read()[0] for m in meters), parts(gateway)
    begin = time.perf_counter()
    run = drive(gateway, requests, plan)
    names = kenmerken(run.shots)
    open_ones, end = list(names), time.perf_counter() + patience
    seconds = time.perf_counter() - begin
    readings, after = [m.read() for m in meters], parts(gateway)
    while open_ones and time.perf_counter() < end:
        # The last ones accepted end last: ask a few of those before asking all.
        probe = drive(gateway, prepare.statusvragen(order, open_ones[-4:]), Plan(callers=1))
        seconds = time.perf_counter() - begin
        readings, after = [m.read() for m in meters], parts(gateway)
        if not all(_FINAL.search(s.body) for s in probe.shots):
            time.sleep(0.1)
            continue
        if probe.shots:
            rest = drive(gateway, prepare.statusvragen(order, open_ones), Plan(callers=4))
            open_ones = [
                k[0] for s in rest.shots if not _FINAL.search(s.body) and (k := kenmerken([s]))
            ]
    done = len(names) - len(open_ones)
    each = {p: round((after[p] - before.get(p, 0.0)) * 1000 / max(1, done), 3) for p in after}
    rate = done / seconds if done else 0.0
    extra = {
        f"{role}_extra_memory_ratio": round(memory[role].most() / plan.size, 3)
        for role in ("door", "worker", "agency")
        if role in memory
    }
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
        parts_ms={**each, "all": round(sum(each.values()), 3)},
        notes={"accept_rate": round(run.rate, 1), "seconds": round(seconds, 2), **extra},
    ), run


def fetch(gateway: Gateway, plan: Plan) -> tuple[Result, Run]:
    """getBerichtenKenmerk: the content of messages an agency left for the company."""
    known = _left_for_us(gateway, plan)

    def make(number: int) -> Sequence[bytes]:
        wanted = [known[i % len(known)] for i in range(plan.messages)]
        return prepare.ophaalvragen(order_for(gateway, plan, number), wanted)

    def good(shot: Shot) -> bool:
        return shot.status == 200 and b"inhoud>" in shot.body

    return measure("fetch", gateway, plan, make, good)


def _left_for_us(
    gateway: Gateway, plan: Plan, count: int = 100, seconds: float = 30.0
) -> list[str]:
    """Service messages handed in by the demo agency, once they can be fetched."""
    pki = gateway.home / "pki"
    agency = replace(gateway.target, certificate=pki / "agency.pem", key=pki / "agency.key")
    order = Order(agency, "Servicebericht", plan.size, gateway.base, int(time.time()) % 1_000_000)
    run = drive(
        replace(gateway, target=agency), prepare.aanleveringen(order, count), Plan(callers=4)
    )
    names = kenmerken(run.shots)
    if len(names) < count:
        raise BenchRefused(f"the agency could hand in only {len(names)} of {count} messages")
    end = time.perf_counter() + seconds
    ours = order_for(gateway, plan, 1)
    while time.perf_counter() < end:
        found = drive(gateway, prepare.ophaalvragen(ours, names[-10:]), Plan(callers=2))
        if all(b"inhoud>" in s.body for s in found.shots):
            return names
        time.sleep(0.2)
    raise BenchRefused(f"messages of the agency could not be fetched after {seconds:.0f} s")


def mixed(gateway: Gateway, plan: Plan) -> tuple[Result, Run]:
    """Six in ten hand in, four ask for a status: what a working day looks like."""
    _, _, known = accept(gateway, replace(plan, messages=500, rounds=1, rate=None))
    seed = int(time.time()) % 1_000_000 + 500

    def make(number: int) -> Sequence[bytes]:
        draw = random.Random(number)  # noqa: S311 - an order, not a secret
        hand_in = plan.messages * 6 // 10
        asked = [draw.choice(known) for _ in range(plan.messages - hand_in)]
        requests = [
            *prepare.aanleveringen(order_for(gateway, plan, seed + number * 100), hand_in),
            *prepare.statusvragen(order_for(gateway, plan, number), asked),
        ]
        draw.shuffle(requests)
        return requests

    return measure("mixed", gateway, plan, make, lambda s: accepted(s) or answered(s))


def deadline(gateway: Gateway, plan: Plan) -> tuple[Result, Run]:
    """A quiet day and then its last hour: one twentieth of the rate, then all of it.

    Figures are those of the busy part; `quiet_p99_ms` stands beside it. `plan.rate` is the peak.
    """
    peak = plan.rate or 200.0
    seed = int(time.time()) % 1_000_000
    quiet_count = max(20, plan.messages // 20)
    calm = prepare.aanleveringen(order_for(gateway, plan, seed), quiet_count)
    quiet = drive(gateway, calm, replace(plan, rate=peak / 20))

    def make(number: int) -> Sequence[bytes]:
        return prepare.aanleveringen(
            order_for(gateway, plan, seed + 100 + number * 100), plan.messages
        )

    result, run = measure("deadline", gateway, replace(plan, rate=peak), make, accepted)
    names = kenmerken([*quiet.shots, *run.shots])
    notes = {
        **result.notes,
        "peak_rate_asked": peak,
        "quiet_p99_ms": round(percentile([s.latency * 1000 for s in quiet.shots], 0.99), 2),
    }
    missing = lost(gateway, order_for(gateway, plan, 1), names)
    later = [replace(s, due=s.due + quiet.seconds, done=s.done + quiet.seconds) for s in run.shots]
    whole = Run([*quiet.shots, *later], quiet.seconds + run.seconds, quiet.broken + run.broken)
    failed = result.failed + quiet.broken + sum(not accepted(s) for s in quiet.shots)
    return replace(result, lost=missing, failed=failed, notes=notes), whole
