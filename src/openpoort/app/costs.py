"""What the running gateway measured of itself: its own counters, and what its messages wrote."""

from __future__ import annotations

import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from openpoort.app.database import server
from openpoort.operate.costs import Cost, Prices, costs
from openpoort.process.flow import kinds
from openpoort.settings import Settings
from openpoort.store.messages.costs import wrote

HEALTH = "run/health"


class NotRunning(Exception):
    """No gateway of this HOME answers at its health port."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of the messages accepted from `since` up to `until`; `rows` by kind."""

    since: datetime
    until: datetime
    cpu: dict[str, float]
    rows: list[Cost]


def measure(settings: Settings, others: Sequence[str] = ()) -> Measured:
    """Since the gateway of this HOME started. `others` are base addresses of the health ports of
    further machines on the same database. Raises NotRunning, psycopg.Error, OSError, KindError."""
    file = settings.home / HEALTH
    try:
        own = file.read_text().strip()
    except FileNotFoundError:
        raise NotRunning(f"no gateway has run in {settings.home}") from None
    cpu: dict[str, float] = {}
    for base in dict.fromkeys([own, *others]):
        for role, seconds in _counted(base).items():
            cpu[role] = cpu.get(role, 0.0) + seconds
    since = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    until = datetime.now(UTC)
    with server(settings) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
        found = wrote(conn, since, until)
    priced = Prices(settings.prices.cpu_hour, settings.prices.gb_written, settings.prices.gb_month)
    rows = costs(found, kinds.load(settings.home / "kinds"), cpu, priced)
    return Measured(since, until, cpu, rows)


def parts(settings: Settings) -> int:
    """What somebody deploys: openpoort, PostgreSQL, and the outside AuSP if one is set."""
    return 3 if settings.ausp.url else 2


def drill(home: Path) -> Path:
    """Where `restore-drill` records its last run."""
    return home / "measures" / "restore-drill.json"


def _counted(base: str) -> dict[str, float]:
    """CPU seconds by role; `database` only of an embedded PostgreSQL."""
    try:
        with urllib.request.urlopen(base + "/metrics", timeout=10) as answer:  # noqa: S310  # our own file or the operator's word
            text = answer.read().decode()
    except (OSError, ValueError) as wrong:
        raise NotRunning(f"nothing answers at {base}: {wrong}") from None
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "openpoort_cpu_seconds_total":
                found[sample.labels["role"]] = sample.value
            if sample.name == "openpoort_database_cpu_seconds_total":
                found["database"] = sample.value
    return found
