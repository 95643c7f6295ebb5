"""Health and metrics, on a local port of their own: never on the doors' port.

`/health/live`: this process answers. `/health/ready`: the journal takes an entry (rolled back) and
the database a commit, confirmed by the synchronous standby where there is one; a door that cannot
store must get no traffic. `/metrics`: what all processes of this `serve` counted, plus what only
the database knows.
"""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from openpoort.domain.journal import JournalEntry
from openpoort.store.journal import journal
from openpoort.store.messages import search
from openpoort.store.postgres import pooler, postmaster
from openpoort.store.postgres.primary import Lost, connect

_SECONDS = 3


def ready_state(dsn: str) -> dict[str, str]:
    """Part -> "ok" or what is wrong, in words without secrets."""
    state = {"database": "ok", "journal": "ok"}
    try:
        with connect(dsn, silence=_SECONDS) as conn:
            try:
                with conn.transaction(force_rollback=True):
                    journal.add(conn, [JournalEntry("health.probe", datetime.now(UTC), "health")])
            except psycopg.Error as wrong:
                state["journal"] = f"cannot be written: {wrong.sqlstate}"
            search.beat(conn, socket.gethostname())
            if pooler.takes_apart(conn, dsn):
                state["database"] = pooler.WHAT
    except Lost as wrong:
        state["database"] = f"does not take a commit: {wrong}"
        state["journal"] = "not available"
    except psycopg.Error as wrong:
        state["database"] = f"not available: {wrong.sqlstate or type(wrong).__name__}"
        state["journal"] = "not available"
    return state


class _Database:
    """Gauges read from the database when somebody asks; lanes are bounded by agencies and kinds."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def collect(self) -> Iterator[Metric]:
        up = all(v == "ok" for v in ready_state(self._dsn).values())
        yield GaugeMetricFamily(
            "openpoort_ready", "1 when database and journal can be written", value=float(up)
        )
        try:
            with connect(self._dsn, silence=_SECONDS) as conn:
                lanes, parked = search.queue(conn), search.parked(conn)
        except psycopg.Error:
            return
        due = GaugeMetricFamily("openpoort_jobs_due", "Jobs that are due", labels=["lane"])
        age = GaugeMetricFamily(
            "openpoort_queue_age_seconds", "How long the oldest job is overdue", labels=["lane"]
        )
        for lane, (count, seconds) in lanes.items():
            due.add_metric([lane], count)
            age.add_metric([lane], seconds)
        yield due
        yield age
        yield GaugeMetricFamily(
            "openpoort_messages_parked", "Messages that wait for a person", value=parked
        )


class _Processor:
    """Processor time of an embedded PostgreSQL since this process began, all of its processes.

    A server that is started again begins at nothing: what its forerunner used stays counted up to
    the last time that somebody asked.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._before = 0.0
        found = postmaster.spent(data)
        self._last = found or ("", 0.0)
        self._begin = found[1] if found else 0.0

    def collect(self) -> Iterator[Metric]:
        found = postmaster.spent(self._data)
        if found is not None:
            if found[0] != self._last[0]:
                self._before += self._last[1] - self._begin
                self._begin = 0.0
            self._last = found
        yield CounterMetricFamily(
            "openpoort_database_cpu_seconds", "CPU time of the embedded PostgreSQL",
            value=max(0.0, self._before + self._last[1] - self._begin),
        )  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    server_version = "openpoort"
    sys_version = ""
    dsn: str
    registry: CollectorRegistry

    def do_GET(self) -> None:
        if self.path == "/health/live":
            self._say(200, b'{"live": true}\n', "application/json")
        elif self.path == "/health/ready":
            state = ready_state(self.dsn)
            good = all(v == "ok" for v in state.values())
            self._say(200 if good else 503, json.dumps(state).encode() + b"\n", "application/json")
        elif self.path == "/metrics":
            text = generate_latest(self.registry)
            self._say(200, text, "text/plain; version=0.0.4; charset=utf-8")
        else:
            self._say(404, b"", "text/plain")

    def _say(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Without the library's page, which says back what was asked."""
        self.close_connection = True
        self._say(code, b"", "text/plain")

    def log_message(self, format: str, *args: object) -> None:
        """A probe every second is no news."""


def run_health(
    sock: socket.socket, dsn: str, ready: Callable[[], None], data: Path | None = None
) -> None:
    """Serve on a bound socket until SIGTERM; `data` is the folder of an embedded PostgreSQL."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    registry.register(_Database(dsn))
    if data is not None:
        registry.register(_Processor(data))
    _Handler.dsn, _Handler.registry = dsn, registry
    sock.setblocking(True)
    server = ThreadingHTTPServer(sock.getsockname()[:2], _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = sock
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, _end)
    ready()
    server.serve_forever(poll_interval=0.5)


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)
