"""What stands in `postmaster.pid`, and whether to believe it.

After kill -9, a container restart or a full disk the file may be empty, name a process that is
long gone, a zombie nobody reaped, or a stranger that got the same number. PostgreSQL refuses to
start on the last three; so we look, and take the file away only when no process uses the data.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ORPHAN_SECONDS = 15.0
_TICK = os.sysconf("SC_CLK_TCK")


class ServerFailed(Exception):
    """The embedded server did not start; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A process that is, or was, the server."""

    pid: int

    @property
    def alive(self) -> bool:
        """A process with this number exists and is more than a zombie."""
        return _state(self.pid) not in {None, "Z", "X"}


def current(data: Path) -> Postmaster | None:
    """The living postmaster on `data`, if `postmaster.pid` tells the truth."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    found = Postmaster(pid)
    return found if pid > 1 and found.alive and _works_in(pid, data) else None


def clear_stale(data: Path) -> None:
    """Remove a `postmaster.pid` that lies. Raises ServerFailed while a server lives on `data`.

    Backends of a killed postmaster outlive it for a moment and still write; the file carries
    the shared memory key by which PostgreSQL would notice them, so it goes only after them.
    """
    if current(data) is not None:
        raise ServerFailed(f"a server is already running on {data} but does not answer")
    end = time.monotonic() + _ORPHAN_SECONDS
    while orphans := processes_in(data):
        if time.monotonic() > end:
            raise ServerFailed(f"processes {orphans} still use {data}; stop them first")
        time.sleep(0.02)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _state(pid: int) -> str | None:
    """The letter of the process state; None when there is none, "?" where /proc is not."""
    if _PROC.joinpath("self/stat").exists():
        try:
            return _PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "?"


def _works_in(pid: int, data: Path) -> bool:
    """Every server process has the data directory as its working directory."""
    if not _PROC.joinpath("self").exists():
        return True
    try:
        return _PROC.joinpath(str(pid), "cwd").readlink() == data.resolve()
    except OSError:
        return False


def processes_in(data: Path) -> list[int]:
    """Pids of all server processes on `data`, the postmaster among them."""
    found = []
    with contextlib.suppress(OSError):
        for entry in _PROC.iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                pid = int(entry.name)
                if _works_in(pid, data) and _state(pid) not in {None, "Z", "X"}:
                    found.append(pid)
    return found


def spent(data: Path) -> tuple[str, float] | None:
    """A name for the server on `data` since it started, and the processor seconds of all its
    processes, those that ended included; None when none runs or /proc is not there."""
    server = current(data)
    if server is None:
        return None
    try:
        started = (data / "postmaster.pid").read_text().split("\n")[2]
        tasks = _PROC.joinpath(str(server.pid), "task").iterdir()
        children = [pid for task in tasks for pid in (task / "children").read_text().split()]
        ticks = sum(_ticks(server.pid))
    except (OSError, IndexError, ValueError):
        return None
    for pid in children:
        with contextlib.suppress(OSError, ValueError):  # it ended: then the postmaster has its time
            ticks += sum(_ticks(int(pid))[:2])
    return f"postgres {server.pid} {started}", ticks / _TICK


def _ticks(pid: int) -> list[int]:
    """Own user and system time, and that of children that ended. Raises OSError, ValueError."""
    stat = _PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()
    return [int(value) for value in stat[11:15]]
