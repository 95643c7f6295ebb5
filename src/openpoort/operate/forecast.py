"""From a forecast and measured costs to cores, nodes, disk and signatures: arithmetic only.

Everything that is not measured is a parameter with its meaning; nothing is hidden in a factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

_GB = 1e9
_YEAR_SECONDS = 365.25 * 86_400


@dataclass(frozen=True, slots=True)
class Forecast:
    """What comes, what one message costs, what a machine has. Times in ms of one core."""

    year: float = 200e6  # messages a year
    peak_day: float = 0.03  # share of the year that comes on the busiest day
    peak_hour: float = 0.15  # share of that day that comes in its busiest hour
    queries: float = 6.0  # status queries per message
    accept_ms: float = 2.5  # doors, to the signed and committed answer
    process_ms: float = 7.0  # workers, all steps and the delivery
    status_ms: float = 1.5  # doors, one status query
    database_ms: float = 3.0  # PostgreSQL, per message, all of its process
    commits: float = 0.3  # flushes of the log per message: batches are shared under load
    cores: int = 16  # of one machine
    busy: float = 0.6  # how far a core may be used in the busiest hour
    spare: int = 1  # machines of a sort that may be down in that hour
    stored_kb: float = 45.0  # in the tables per message, indexes included
    log_kb: float = 25.0  # write-ahead log per message
    kept_days: float = 90.0  # how long the bulk of it stays
    database_cores: int = 64  # the largest PostgreSQL machine one would run
    flushes: float = 5000.0  # synchronous, replicated log flushes a second it can do
    disk_tb: float = 20.0  # the largest volume one would back up and restore in time


@dataclass(frozen=True, slots=True)
class Sized:
    """Rates a second in the busiest hour; cores at `busy`; disk in TB; `limits` names, for each
    thing that one PostgreSQL has once, which share of it is used, worst first."""

    average_rate: float
    peak_rate: float
    queries_rate: float
    signatures: float
    verifications: float
    door_cores: float
    worker_cores: float
    database_cores: float
    door_nodes: int
    worker_nodes: int
    disk_tb: float
    log_mb_s: float
    limits: tuple[tuple[str, float], ...]

    @property
    def clusters(self) -> int:
        """PostgreSQL clusters needed so that none is used beyond its limits."""
        return max(1, math.ceil(self.limits[0][1]))


def size(f: Forecast) -> Sized:
    """Raises ValueError when a parameter is no positive number (shares: up to 1)."""
    _judge(f)
    peak = f.year * f.peak_day * f.peak_hour / 3600
    asked = peak * f.queries
    doors = (peak * f.accept_ms + asked * f.status_ms) / 1000 / f.busy
    workers = peak * f.process_ms / 1000 / f.busy
    database = (peak * f.database_ms + asked * f.database_ms / 6) / 1000 / f.busy
    kept = f.year / 365.25 * f.kept_days * f.stored_kb * 1000 / 1e12
    limits = {
        "processors of one PostgreSQL": database / f.database_cores,
        "flushes of one log": peak * f.commits / f.flushes,
        "disk of one PostgreSQL": kept / f.disk_tb,
    }
    return Sized(
        average_rate=f.year / _YEAR_SECONDS,
        peak_rate=peak,
        queries_rate=asked,
        signatures=peak * 2 + asked,
        verifications=peak * 2 + asked,
        door_cores=doors,
        worker_cores=workers,
        database_cores=database,
        door_nodes=math.ceil(doors / f.cores) + f.spare,
        worker_nodes=math.ceil(workers / f.cores) + f.spare,
        disk_tb=kept,
        log_mb_s=peak * f.log_kb / 1000,
        limits=tuple(sorted(limits.items(), key=lambda item: -item[1])),
    )


def _judge(f: Forecast) -> None:
    for field in fields(f):
        value = getattr(f, field.name)
        most = 1.0 if field.name in {"peak_day", "peak_hour", "busy"} else 1e15
        least_ok = value >= 0 if field.name in {"queries", "spare"} else value > 0
        if not (math.isfinite(value) and least_ok and value <= most):
            raise ValueError(f"{field.name.replace('_', '-')} cannot be {value:g}")


def lines(f: Forecast, found: Sized) -> list[tuple[str, str]]:
    """The table, as (what, how much)."""
    name, share = found.limits[0]
    return [
        ("messages a year", f"{f.year / 1e6:,.0f} million"),
        ("a second, averaged over the year", f"{found.average_rate:,.1f}"),
        ("a second, in the busiest hour", f"{found.peak_rate:,.0f}"),
        ("status queries a second then", f"{found.queries_rate:,.0f}"),
        ("signatures made a second then", f"{found.signatures:,.0f}"),
        ("signatures verified a second then", f"{found.verifications:,.0f}"),
        (f"door machines of {f.cores} cores ({f.spare} spare)",
         f"{found.door_nodes} ({found.door_cores:,.1f} cores)"),
        (f"worker machines of {f.cores} cores ({f.spare} spare)",
         f"{found.worker_nodes} ({found.worker_cores:,.1f} cores)"),
        ("cores for PostgreSQL", f"{found.database_cores:,.1f}"),
        ("write-ahead log then", f"{found.log_mb_s:,.1f} MB/s"),
        (f"disk for {f.kept_days:.0f} days", f"{found.disk_tb:,.1f} TB"),
        ("breaks first", f"{name}, used for {share:.0%}"),
        ("PostgreSQL clusters", str(found.clusters)),
    ]  # fmt: skip
