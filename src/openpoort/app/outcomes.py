"""What the doors did, told three ways: metrics for the graphs, security events for the operator,
log lines for whoever looks into one case.

Labels are bounded: services, operations and codes come from our own tables, never from a sender.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from prometheus_client import Counter, Histogram

from openpoort import telemetry
from openpoort.domain.event import CATALOGUE, FAILED, REFUSED, Event
from openpoort.domain.ids import Oin
from openpoort.wire.wus.services import Operation, Service

ACCEPTED = Counter(
    "openpoort_requests_accepted_total", "Requests answered with a yes", ["service", "operation"]
)
REFUSED_COUNT = Counter(
    "openpoort_requests_refused_total", "Requests refused, by code", ["service", "code"]
)
SECONDS = Histogram(
    "openpoort_request_seconds",
    "From the whole body read to the answer ready",
    ["service"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
STAGES = Counter(
    "openpoort_stage_cpu_seconds_total", "CPU time of the doors by stage of a request", ["stage"]
)
CPU = Counter("openpoort_cpu_seconds_total", "CPU time of a process", ["role"])

_log = telemetry.logger("door")


CUT = Counter("openpoort_connections_refused_total", "Connections cut before a request was whole")
_EVENTS_A_SECOND = 10


@functools.cache
def _accepted(service: str, operation: str) -> tuple[Counter, Histogram]:
    return ACCEPTED.labels(service, operation), SECONDS.labels(service)


class Connections:
    """Records connections that never became a request: each is counted, ten a second are
    written down, so that a flood fills no disk."""

    def __init__(self, now: Callable[[], datetime], door: str) -> None:
        self._now = now
        self._door = door
        self._second = 0
        self._written = 0

    def __call__(self, origin: str, reason: str) -> None:
        CUT.inc()
        now = self._now()
        if int(now.timestamp()) != self._second:
            self._second, self._written = int(now.timestamp()), 0
        self._written += 1
        if self._written > _EVENTS_A_SECOND:
            return
        details: dict[str, str | int] = {"reason": reason}
        telemetry.emit(
            Event("connection.refused", self._door, REFUSED, origin, "unknown", now, details)
        )


class Outcomes:
    """Implements `inbound.wus.Outcomes`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        # Looked up once: finding a labelled counter costs as much as a small digest.
        stages = ("verify", "authorise", "read", "store", "sign")
        self._stages = {name: STAGES.labels(name) for name in stages}

    def accepted(self, service: Service, operation: Operation, seconds: float) -> None:
        count, took = _accepted(service.name, operation.name)
        count.inc()
        took.observe(seconds)

    def spent(self, stage: str, seconds: float) -> None:
        self._stages[stage].inc(max(0.0, seconds))

    def refused(
        self, service: Service, action: str, code: str, oin: Oin | None, origin: str, why: str,
        about: str = "",
    ) -> None:  # fmt: skip
        """`action` names the event; `code` is a fault code or an HTTP status; `about` is what the
        event is about when that is not the service."""
        REFUSED_COUNT.labels(service.name, code).inc()
        known = CATALOGUE[action].details
        details: dict[str, str | int] = {}
        if "reason" in known:
            details["reason"] = why
        if "code" in known:
            details["code"] = code
        if "http_status" in known:
            details["http_status"] = int(code)
        if "retry_after" in known:
            details["retry_after"] = int(why) if why.isdigit() else 1
        telemetry.emit(
            Event(
                action,
                about or service.path,
                _result(action, code),
                origin,
                oin.value if oin else "unknown",
                self._now(),
                details,
            )
        )


_COUNT_SECONDS = 2.0
_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """CPU seconds of this process, of children that ended and of those that live (checkers)."""
    total = sum(os.times()[:4])
    with contextlib.suppress(OSError):  # where /proc is not, living children count when they end
        for task in Path("/proc/self/task").iterdir():
            for pid in (task / "children").read_text().split():
                with contextlib.suppress(OSError):
                    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                    total += sum(map(int, fields[11:15])) / _TICK
    return total


@contextlib.contextmanager
def counted_cpu(role: str) -> Iterator[None]:
    """Meanwhile the CPU time of this process is added to `role`, every two seconds."""
    stop, last = threading.Event(), 0.0

    def count() -> None:
        nonlocal last
        ended = False
        while not ended:
            ended = stop.wait(_COUNT_SECONDS)
            now = cpu_seconds()
            CPU.labels(role).inc(max(0.0, now - last))
            last = max(last, now)

    thread = threading.Thread(target=count, name="cpu", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _result(action: str, code: str) -> str:
    """Failed when it was our own fault (ALS400), for the actions that can."""
    ours = code.endswith("400") and len(code) > 3
    return FAILED if ours and FAILED in CATALOGUE[action].results else REFUSED
