"""The months as they are counted: each process tells its processor time, workers count."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from openpoort import telemetry
from openpoort.app.outcomes import cpu_seconds
from openpoort.domain.kind import Kind
from openpoort.operate.costs import agencies
from openpoort.operate.retention import DEFAULT
from openpoort.store.messages import months
from openpoort.store.messages.months import BATCH, KindTerms
from openpoort.store.postgres import postmaster
from openpoort.store.postgres.primary import connect

EVERY = 5.0
"""Seconds between two rounds: what a process that is killed leaves untold of its time."""
_UNKNOWN = KindTerms("", "unknown", DEFAULT["payload"], DEFAULT["status"], DEFAULT["journal"])
_log = telemetry.logger("months")


@dataclass(frozen=True, slots=True)
class Ledger:
    """One process; `role` is door or worker. `kinds` are those to count by, None for a process
    that only tells its time; `data` is the folder of an embedded PostgreSQL, told along."""

    dsn: str
    role: str
    kinds: Mapping[str, Kind] | None = None
    data: Path | None = None
    name: str = field(default_factory=lambda: str(uuid.uuid4()))

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Meanwhile a round every while, and a last one at the end."""
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,), name="months", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(5)

    def _run(self, stop: threading.Event) -> None:
        ended = False
        while not ended:
            ended = stop.wait(EVERY)
            try:
                self.round()
            except psycopg.Error as wrong:
                _log.warning("month_not_counted", problem=type(wrong).__name__)

    def round(self) -> None:
        """Tell and count once. Raises psycopg.Error; what was not told is told the next time."""
        with connect(self.dsn) as conn:
            months.spent(conn, f"{self.role} {self.name}", self.role, cpu_seconds())
            if self.data is not None and (server := postmaster.spent(self.data)):
                months.spent(conn, server[0], "database", server[1])
            if self.kinds is not None:
                known = terms(self.kinds)
                while months.count(conn, known, _UNKNOWN) == BATCH:
                    pass


def terms(kinds: Mapping[str, Kind]) -> list[KindTerms]:
    """As the counting asks for them."""
    return [
        KindTerms(name, agencies(kind), **{k: (DEFAULT | dict(kind.retention))[k] for k in DEFAULT})
        for name, kind in kinds.items()
    ]
