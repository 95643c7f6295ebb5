"""What waiting for a standby costs: handing in without one, with one, and at a distance.

One gateway, one pair of servers and one run for all, the settings changed under it in turn, so
that figures can be divided by each other. Distance is made by a relay between the two servers.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpoort.store.postgres import standby
from openpoort_lab.bench import prepare
from openpoort_lab.bench.gateway import own
from openpoort_lab.bench.load import Run
from openpoort_lab.bench.measure import Plan, drive
from openpoort_lab.bench.prepare import Order
from openpoort_lab.bench.report import percentile
from openpoort_lab.bench.scenarios import accepted
from openpoort_lab.failover.pair import Pair, pair
from openpoort_lab.failover.relay import Relay, relay

NONE, ASYNC = "no standby", "asynchronous"
_WARM = 50


@dataclass(frozen=True, slots=True)
class Setting:
    """`commit`: a value of synchronous_commit, NONE or ASYNC. `rtt` in milliseconds."""

    commit: str
    rtt: float = 0.0


@dataclass(frozen=True, slots=True)
class Price:
    """Medians over the rounds; latency in milliseconds. `failed`: not acknowledged, of all."""

    setting: Setting
    rate: float
    p50: float
    p99: float
    failed: int


def settings(rtts: Sequence[float]) -> list[Setting]:
    """All that is measured: each way to commit on loopback, and `on` at each distance."""
    near = [NONE, ASYNC, "remote_write", "on", "remote_apply"]
    return [*(Setting(c) for c in near), *(Setting("on", r) for r in rtts)]


def price(
    folder: Path, messages: int, callers: int, rounds: int, rtts: Sequence[float],
    tell: Callable[[str], None],
) -> list[Price]:  # fmt: skip
    """Raises ServerFailed, BenchRefused."""
    chosen = settings(rtts)
    runs: dict[Setting, list[Run]] = {s: [] for s in chosen}
    with contextlib.ExitStack() as stack:
        lines: list[Relay] = []

        def line(port: int) -> int:
            lines.append(stack.enter_context(relay(port)))
            return lines[0].port

        servers = stack.enter_context(pair(folder, line))
        gateway = stack.enter_context(own(servers.home, "--only", "door"))
        order = Order(gateway.target, "Bench", 20_000, gateway.base)
        count = messages * rounds * len(chosen) + _WARM
        requests = iter(prepare.aanleveringen(order, count))
        plan = Plan(callers=callers)
        drive(gateway, [next(requests) for _ in range(_WARM)], plan)
        for number in range(rounds):
            for setting in chosen:
                tell(f"round {number + 1}: {setting.commit}, {setting.rtt:g} ms")
                _apply(servers, lines[0], setting)
                taken = [next(requests) for _ in range(messages)]
                runs[setting].append(drive(gateway, taken, plan))
        _apply(servers, lines[0], Setting(ASYNC))
    return [_judge(setting, runs[setting]) for setting in chosen]


def _apply(servers: Pair, line: Relay, setting: Setting) -> None:
    """From now on it is so. The standby is stopped for NONE only."""
    line.rtt = 0.0
    if setting.commit == NONE:
        standby.configure(servers.first, synchronous=False)
        servers.second.stop()
        return
    if not servers.second.running():
        servers.second.start()
    standby.streams(servers.first)
    synchronous = setting.commit != ASYNC
    standby.configure(
        servers.first, synchronous=synchronous, commit=setting.commit if synchronous else "on"
    )
    standby.caught_up(servers.first)
    line.rtt = setting.rtt / 1000


def _judge(setting: Setting, runs: list[Run]) -> Price:
    latencies = [[s.latency * 1000 for s in run.shots] for run in runs]
    return Price(
        setting,
        statistics.median(run.rate for run in runs),
        statistics.median(statistics.median(one) for one in latencies),
        statistics.median(percentile(one, 0.99) for one in latencies),
        sum(run.broken + sum(not accepted(s) for s in run.shots) for run in runs),
    )
