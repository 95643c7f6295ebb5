"""What the processes of a gateway used, read from /proc: CPU seconds and memory.

A process counts with its children, those that ended (and were waited for) included, so that
checkers and the backends of PostgreSQL are not forgotten.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds (user and system) of one process; its resident bytes, at their peak and now."""

    cpu: float
    peak: int
    resident: int


def usage(pid: int) -> Usage:
    """Zero for a process that is gone."""
    try:
        stat = _stat(pid)
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return Usage(0.0, 0, 0)
    lines = dict(line.split(":", 1) for line in status.splitlines())
    peak, resident = (int(lines.get(k, "0 kB").split()[0]) * 1024 for k in ("VmHWM", "VmRSS"))
    return Usage((int(stat[11]) + int(stat[12])) / _TICK, peak, resident)


class Extra:
    """How much more memory processes take from now on, at their peak, than they have now."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._before = {}
        for pid in pids:
            with contextlib.suppress(OSError):  # it is gone
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak so far, proc(5)
            self._before[pid] = usage(pid).resident

    def most(self) -> int:
        """Bytes, of the process that took most; never less than nothing."""
        return max([0, *(usage(pid).peak - was for pid, was in self._before.items())])


def family(pid: int) -> float:
    """CPU seconds of a process, of its children that ended, and of those that live."""
    try:
        stat = _stat(pid)
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = {int(c) for task in tasks for c in (task / "children").read_text().split()}
    except OSError:
        return 0.0
    return sum(map(int, stat[11:15])) / _TICK + sum(family(child) for child in children)


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on. Raises OSError."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
