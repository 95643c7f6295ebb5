"""The gateway under measurement: one of our own in a folder of its own, or a running one.

An own gateway is the real program (`openpoort serve`) with everything on that production has
on; only its message kinds gain one (`Bench`) without an XBRL check.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import urllib3

from openpoort_lab.bench.load import Target
from openpoort_lab.bench.prepare import own_target

BENCH_KIND = """\
berichtsoort = "Bench"
title = "Kind for measuring: checked for structure, delivered, confirmed"
direction = "aanleveren"
identity_types = ["BTW"]
rollen = ["Bedrijf"]
extensions = [".xml"]
ontvanger = "DEMODIENST"

[[steps]]
name = "autoriseren"
kind = "authorise"
ok = "200"

[[steps]]
name = "controleren"
kind = "check"
checks = ["structure"]
ok = "301"

[[steps]]
name = "afleveren"
kind = "deliver"
agencies = ["DEMODIENST"]
ok = "400"

[[steps]]
name = "terugmelden"
kind = "report"
ok = "500"
"""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class BenchRefused(Exception):
    """What was asked cannot or may not be measured; the message says what to change."""


def aim(url: str, allowed: str | None) -> tuple[str, int]:
    """Host and port of `url`. Refuses to aim load at another machine unless its name is given a
    second time. Raises BenchRefused."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        parts, host, port = None, "", 0
    if parts is None or parts.scheme != "https" or not host:
        raise BenchRefused(f"--url {url} is no address; give one as https://localhost:8443")
    if host not in _LOOPBACK and host != allowed:
        raise BenchRefused(
            f"bench sends load to this machine only; to aim at {host} add --target-host {host}"
        )
    return host, port


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway: where to send, its home, and the pid of its supervisor (if ours)."""

    target: Target
    base: str
    home: Path
    pid: int | None
    metrics: str | None = None

    def pids(self, role: str) -> list[int]:
        """Processes of an own gateway with this role (`door`, `worker`, `agency`)."""
        files = (self.home / "run").glob(f"{role}*.pid") if self.pid is not None else ()
        return [int(file.read_text()) for file in files]

    def everyone(self) -> dict[str, list[int]]:
        """The processes of an own gateway by part; PostgreSQL by its first one."""
        found = {role: self.pids(role) for role in ("door", "worker", "agency")}
        file = self.home / "postgres" / "data" / "postmaster.pid"
        if self.pid is not None and file.exists():
            found["postgres"] = [int(file.read_text().split()[0])]
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(
    home: Path, *words: str, port: int = 0, extra: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], Gateway]:
    """`openpoort init` (when `home` is new) and `openpoort serve`, until it is ready.

    `port` 0 takes a free one; `extra` goes into the environment of the gateway. Raises
    BenchRefused when it does not start.
    """
    port, agency, health = port or free_port(), free_port(), free_port()
    program = [sys.executable, "-m", "openpoort"]
    environment = {
        **os.environ,
        "OPENPOORT_AGENCY_PORT": str(agency),
        "OPENPOORT_DOOR_PROCESSES": str(os.cpu_count() or 1),  # one a core, as production has
        "OPENPOORT_DOOR_RATE": "1000000",  # the limit stays on; one sender may use it all
        "OPENPOORT_HEALTH_PORT": str(health),
        **(extra or {}),
    }
    if not (home / "openpoort.toml").exists():
        subprocess.run([*program, "init", str(home)], check=True, stdout=subprocess.DEVNULL)
        (home / "kinds" / "Bench.toml").write_text(BENCH_KIND)
    with (home / "bench.log").open("ab") as log:
        server = subprocess.Popen(
            [*program, "serve", str(home), "--port", str(port), *words],
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
        )
    assert server.stdout is not None
    line = server.stdout.readline().decode()
    if not line.startswith("ready "):
        stop(server)
        said = (home / "bench.log").read_text(errors="replace")[-1500:]
        raise BenchRefused(f"the gateway did not start; {home / 'bench.log'} ends with:\n{said}")
    metrics = f"http://127.0.0.1:{health}/metrics"
    target = own_target(home, port)
    return server, Gateway(target, f"https://localhost:{port}", home, server.pid, metrics)


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a gateway that `start` made, in order; it may be dead already."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    assert server.stdout is not None
    server.stdout.close()


@contextlib.contextmanager
def own(home: Path, *words: str, extra: Mapping[str, str] | None = None) -> Iterator[Gateway]:
    """A gateway of our own in `home`, stopped at the end by its own pid."""
    server, gateway = start(home, *words, extra=extra)
    try:
        yield gateway
    finally:
        stop(server)


def counters(gateway: Gateway) -> dict[str, float]:
    """The gateway's own counters by name and labels; empty when they cannot be read."""
    if gateway.metrics is None:
        return {}
    try:
        answer = urllib3.request("GET", gateway.metrics, timeout=3, retries=False)
    except urllib3.exceptions.HTTPError:
        return {}
    lines = answer.data.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {key: float(value) for key, value in pairs}
