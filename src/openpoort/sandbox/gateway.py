"""A gateway as a real process, for the demo and for tests: made, started, watched, stopped."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STOP_SECONDS = 30.0


class NotStarted(Exception):
    """`serve` ended, or did not print `ready` in time; `str()` holds its last words."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running `openpoort serve`. `log` holds its stderr."""

    home: Path
    url: str
    log: Path
    process: subprocess.Popen[str]


def init(home: Path, hosts: tuple[str, ...] = ()) -> None:
    """`openpoort init HOME`. Raises NotStarted with what it said."""
    words = [word for host in hosts for word in ("--host", host)]
    done = subprocess.run(
        [sys.executable, "-m", "openpoort", "init", str(home), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotStarted(done.stderr or done.stdout)


@contextmanager
def serving(
    home: Path, *, seconds: float = 60.0, environment: Mapping[str, str] | None = None
) -> Iterator[Gateway]:
    """`openpoort serve HOME` on free ports until the block ends. Raises NotStarted."""
    log = home.parent / f"{home.name}.log"
    ports = {"OPENPOORT_AGENCY_PORT": "0", "OPENPOORT_HEALTH_PORT": "0"}
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "openpoort", "serve", str(home), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **ports, **(environment or {})},
        )
        try:
            yield Gateway(home, _ready(process, log, seconds), log, process)
        finally:
            _stop(process)


def _ready(process: subprocess.Popen[str], log: Path, seconds: float) -> str:
    """The address in the line `ready URL`; other lines before it are skipped."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    try:
        while (line := lines.get(timeout=seconds)) is not None:
            word, _, url = line.strip().partition(" ")
            if word == "ready":
                return url
    except queue.Empty:
        pass
    said = "\n".join(log.read_text(encoding="utf-8").splitlines()[-10:])
    raise NotStarted(f"the gateway did not start\n{said}")


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
