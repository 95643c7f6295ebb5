"""What processes used, read from /proc: CPU seconds and peak memory."""

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


def family_cpu(pid: int) -> float:
    """CPU seconds of a process with its children: those there are and those that ended."""
    ticks = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = _stat(int(folder.name))
            except OSError:
                continue
            if int(folder.name) == pid:
                ticks += sum(int(stat[i]) for i in (11, 12, 13, 14))
            elif int(stat[1]) == pid:
                ticks += int(stat[11]) + int(stat[12])
    return ticks / _TICK


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on. Raises OSError."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
