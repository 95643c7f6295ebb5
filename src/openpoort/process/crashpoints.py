"""Places where a test may kill this process, as a power cut would; off unless asked for.

`OPENPOORT_CRASH_AT=after-claim` kills at that point the first time, `after-claim:3` the third
time. The names follow the numbered points of "One message through the house".
"""

from __future__ import annotations

import os
import signal

VARIABLE = "OPENPOORT_CRASH_AT"

POINTS = {
    "before-accept": "5: the answer is signed, nothing written",
    "after-accept": "5-6: committed with its answer, nobody answered yet",
    "after-claim": "7: a job is held or leased, nothing done",
    "before-step-commit": "8: result, status and next job written, not committed",
    "after-step-commit": "8: committed, nobody told",
    "after-attempt": "9: the attempt is recorded, nothing sent",
    "after-delivery": "9: the agency has it, we have not written so",
    "after-read": "10: an answer with new items is made, not sent",
    "before-seen": "10: the answer is sent, its items not yet marked",
}
"""Every point, with its place in the house."""

_name, _, _times = os.environ.get(VARIABLE, "").partition(":")
if _name and _name not in POINTS:
    raise ValueError(f"{VARIABLE}: no such point {_name!r}; choose from {', '.join(POINTS)}")
_left = int(_times or 1) if _name else 0


def crash_point(name: str) -> None:
    """Die here if this is the point that was asked for."""
    global _left  # noqa: PLW0603 - one countdown per process is what is meant
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
