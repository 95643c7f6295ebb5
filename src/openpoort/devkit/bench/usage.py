"""What the processes of a gateway used, read from /proc: CPU seconds and peak memory."""

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
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return Usage(0.0, 0)
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return Usage((int(stat[11]) + int(stat[12])) / _TICK, int(peak.split()[1]) * 1024)
