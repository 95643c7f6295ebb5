"""Runs the reference variant beside the gateway that was just measured."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace

from openpoort.store.postgres.embedded import Embedded
from openpoort_lab.bench import prepare
from openpoort_lab.bench.gateway import BenchRefused, Gateway, free_port
from openpoort_lab.bench.measure import Plan, drive
from openpoort_lab.bench.scenarios import order_for


def reference_rate(gateway: Gateway, plan: Plan) -> float:
    """Accepted messages a second of the reference variant: median of the plan's rounds.

    It uses the same certificates, the same PostgreSQL and the same prepared kind of requests.
    """
    dsn = Embedded(gateway.home / "postgres").dsn()
    port = free_port()
    module = "openpoort_lab.bench.reference"
    server = subprocess.Popen(
        [sys.executable, "-m", module, str(gateway.home), str(port), dsn], stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        if server.stdout.readline().strip() != b"ready":
            raise BenchRefused("the reference variant did not start; it needs xmlsec (make .venv)")
        peer = replace(gateway, target=replace(gateway.target, port=port), pid=None, metrics=None)
        rates = []
        for number in range(plan.rounds):
            order = order_for(gateway, plan, 7_000_000 + number * 100)
            run = drive(peer, prepare.aanleveringen(order, plan.messages), plan)
            if run.broken or not run.shots or any(s.status != 200 for s in run.shots):
                codes = sorted({s.status for s in run.shots})
                raise BenchRefused(
                    f"the reference variant refused messages: {run.broken} broken, {codes}"
                )
            rates.append(run.rate)
        return sorted(rates)[len(rates) // 2]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        assert server.stdout is not None
        server.stdout.close()
