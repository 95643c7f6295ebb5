"""What the processes of a gateway used, read from /proc: CPU seconds and peak memory.

A process counts with its children, those that ended (and were waited for) included, so that
checkers and the backends of PostgreSQL are not forgotten.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds (user and system) and peak resident bytes of one process."""

    cpu: float
    peak: int


def usage(pid: int) -> Usage:
    """Zero for a process that is gone."""
    try:
        stat = _stat(pid)
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return Usage(0.0, 0)
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return Usage((int(stat[11]) + int(stat[12])) / _TICK, int(peak.split()[1]) * 1024)


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
