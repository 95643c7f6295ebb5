"""A whole gateway as a user runs it: `openpoort init`, `openpoort serve`, real processes."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from openpoort.client.wus import Client
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Aanlevering, Document
from openpoort.store.postgres.embedded import Embedded

COUNTED = (
    "register", "repeat", "message", "process", "status", "request", "answer", "payload", "job",
    "journal", "mailbox", "parked",
)  # fmt: skip
"""Tables in which a refused request may leave no row."""


def until(holds: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Poll until `holds()` is true; its value."""
    end = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)
    return value


def openpoort(*words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """One command, as typed, beside whatever else runs on this machine."""
    options.setdefault(
        "env", {**os.environ, "OPENPOORT_AGENCY_PORT": "0", "OPENPOORT_HEALTH_PORT": "0"}
    )
    command = [sys.executable, "-m", "openpoort", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=90, check=False, **options
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Gateway:
    """`home` must be made already; `start` gives it free ports and waits for `ready`. The port
    of the agencies stays: it stands in the directory from the first start on."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ("--port", "0")
    agency_port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)

    def start(self) -> Gateway:
        log = (self.home / "serve.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "openpoort", "serve", str(self.home), *self.arguments],
            stdout=subprocess.PIPE, stderr=log, text=True,
            env={
                **os.environ, "OPENPOORT_AGENCY_PORT": str(self.agency_port),
                "OPENPOORT_HEALTH_PORT": "0", **self.environment,
            },
        )  # fmt: skip
        log.close()
        threading.Thread(target=self._listen, daemon=True).start()
        until(lambda: self.lines or self.process is None or self.process.poll() is not None, 60)
        assert self.lines, self.log[-4000:]
        return self

    def _listen(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line)

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        self.process = None
        return code

    @property
    def log(self) -> str:
        return (self.home / "serve.log").read_text()

    @property
    def port(self) -> int:
        found = re.fullmatch(r"ready https://localhost:(\d+)/wus/2\.0/\n", self.lines[0])
        assert found, self.lines
        return int(found[1])

    def pid(self, name: str) -> int:
        """Of a child; waits while it is being started again."""
        file = self.home / "run" / f"{name}.pid"
        return int(until(lambda: file.exists() and file.read_text().strip()))

    @property
    def dsn(self) -> str:
        return Embedded(self.home / "postgres").dsn()

    def counts(self) -> dict[str, int]:
        """Rows per table that a message fills."""
        with psycopg.connect(self.dsn) as conn:
            found = {}
            for table in COUNTED:
                row = conn.execute(f"select count(*) from {table}").fetchone()
                assert row is not None
                found[table] = int(row[0])
        return found

    def client(self, who: str = "bedrijf", **options: Any) -> Client:
        pki = self.home / "pki"
        return Client.from_files(
            f"https://localhost:{self.port}", pki / f"{who}.pem", pki / f"{who}.key",
            pki / "ca.pem", **options,
        )  # fmt: skip

    def tls(self, who: str | None = "bedrijf") -> ssl.SSLContext:
        pki = self.home / "pki"
        context = ssl.create_default_context(cafile=str(pki / "ca.pem"))
        if who:
            context.load_cert_chain(pki / f"{who}.pem", pki / f"{who}.key")
        return context

    def http(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes, dict[str, str]]:
        """One request as it stands; status, body, headers in lower case."""
        connection = http.client.HTTPSConnection(
            "localhost", self.port, context=self.tls(), timeout=60
        )
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, content, {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()


def vat_return(content: bytes, **given: Any) -> Aanlevering:
    """An Omzetbelasting of `bedrijf` for itself, unless `given` says otherwise."""
    values: dict[str, Any] = {
        "berichtsoort": "Omzetbelasting",
        "belanghebbende": Identiteit("001000044B37", "BTW"),
        "rol_belanghebbende": "Bedrijf",
        "inhoud": Document("application/xml", "Omzetbelasting.xbrl", content),
    }
    return Aanlevering(**{**values, **given})
