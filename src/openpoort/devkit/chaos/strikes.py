"""What can hit a gateway: a kill at a numbered point in the code, or one from outside.

Every kill is SIGKILL on a pid that this run started itself: of a child by its pid file, of the
supervisor by its own process, of PostgreSQL by the pid file of the data directory in this HOME.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openpoort.process.crashpoints import POINTS


@dataclass(frozen=True, slots=True)
class Strike:
    """`crash_at` goes into the environment of the gateway; `hit` kills from outside."""

    name: str
    crash_at: str | None = None
    hit: Callable[[Path, int], None] | None = None


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _recorded(file: Path) -> int | None:
    try:
        return int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def kill_role(home: Path, role: str) -> None:
    """Kill the children whose name begins with `role`."""
    for file in (home / "run").glob(f"{role}*.pid"):
        if pid := _recorded(file):
            _kill(pid)


def kill_postgres(home: Path) -> None:
    """Kill the postmaster of this HOME; its children notice and end by themselves."""
    if pid := _recorded(home / "postgres" / "data" / "postmaster.pid"):
        _kill(pid)


def _everything(home: Path, supervisor: int) -> None:
    _kill(supervisor)
    for role in ("door", "worker", "agency", "health"):
        kill_role(home, role)
    kill_postgres(home)


def _role(role: str) -> Callable[[Path, int], None]:
    return lambda home, _: kill_role(home, role)


def strikes(seed: int) -> list[Strike]:
    """All strikes, in an order drawn from `seed`."""
    draw = random.Random(seed)  # noqa: S311 - an order, not a secret
    found = [Strike(f"point {p}", crash_at=f"{p}:{draw.randint(2, 40)}") for p in POINTS]
    found += [
        Strike("kill door", hit=_role("door")),
        Strike("kill worker", hit=_role("worker")),
        Strike("kill agency", hit=_role("agency")),
        Strike("kill PostgreSQL", hit=lambda home, _: kill_postgres(home)),
        Strike("kill everything", hit=_everything),
    ]
    draw.shuffle(found)
    return found
