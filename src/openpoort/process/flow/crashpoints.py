"""Places where a test may kill a process, as a power cut would; off unless asked for.

`OPENPOORT_CRASH_AT=after-claim` kills at that point the first time, `after-claim:3` the third
time. `OPENPOORT_CRASH_AT=@FILE` reads the same words from FILE whenever a point is passed, so
that a running gateway can be armed; behind them may stand files with the pids to kill instead of
the process that passes. Who strikes renames FILE to FILE.struck: one strike for each arming.
The names follow the numbered points of "One message through the house".
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

VARIABLE = "OPENPOORT_CRASH_AT"

POINTS = {
    "after-body": "1: the request is read, nobody has looked at it",
    "after-reading": "2: the signed parts are known, nothing is decided",
    "after-verdict": "3: the signer is trusted, nothing is kept",
    "after-rights": "4: the sender may send this, nothing is kept",
    "before-accept": "5: the answer is signed, nothing written",
    "after-accept": "5-6: committed with its answer, nobody answered yet",
    "after-claim": "7: a job is held or leased, nothing done",
    "before-step-commit": "8: result, status and next job written, not committed",
    "after-step-commit": "8: committed, nobody told",
    "after-attempt": "9: the attempt is recorded, nothing sent",
    "before-receipt": "9: the agency has read it and keeps nothing yet",
    "after-receipt": "9: the agency keeps it, its answer is not sent",
    "after-delivery": "9: the agency has it, we have not written so",
    "after-read": "10: an answer with new items is made, not sent",
    "before-seen": "10: the answer is sent, its items not yet marked",
}
"""Every point, with its place in the house."""

_asked = os.environ.get(VARIABLE, "")
_file = Path(_asked[1:]) if _asked.startswith("@") else None
_passed = 0
_armed_as: object = None
_told: Callable[[str], None] | None = None


def _point(words: str) -> tuple[str, int]:
    """Name and count. Raises ValueError when there is no such point."""
    name, _, times = words.partition(":")
    if name not in POINTS:
        raise ValueError(f"{VARIABLE}: no such point {name!r}; choose from {', '.join(POINTS)}")
    return name, int(times or 1)


if _asked and _file is None:
    _point(_asked)  # a mistake stops the process at its start


def tell(call: Callable[[str], None] | None) -> None:
    """Have `call` told of every point that is passed: a simulation decides who dies there."""
    global _told  # noqa: PLW0603 - one for the process, like the countdown
    _told = call


def crash_point(name: str) -> None:
    """Die here, or let others die, if this is the point that was asked for."""
    if _told is not None:
        _told(name)
    if not _asked:
        return
    global _passed, _armed_as  # noqa: PLW0603 - one countdown per process is what is meant
    armed_as, words = _words()
    if not words:
        return
    point, times = _point(words[0])
    if name != point:
        return
    _passed = _passed + 1 if armed_as == _armed_as else 1
    _armed_as = armed_as
    if _passed == times and _ours_to_strike():
        kill(words[1:])


def _words() -> tuple[object, Sequence[str]]:
    """What was asked, and a mark that differs for each arming."""
    if _file is None:
        return _asked, [_asked]
    try:
        return _file.stat().st_mtime_ns, _file.read_text().split()
    except OSError:
        return None, ()


def _ours_to_strike() -> bool:
    if _file is None:
        return True
    try:
        _file.rename(_file.with_suffix(".struck"))
    except FileNotFoundError:
        return False
    return True


def kill(files: Sequence[str | Path]) -> None:
    """SIGKILL to the pids at the head of these files, to ourselves last; without files to
    ourselves alone. Who is gone already is left out."""
    pids = []
    for file in files:
        with contextlib.suppress(OSError, ValueError, IndexError):
            pids.append(int(Path(file).read_text().split()[0]))
    me = os.getpid()
    for pid in pids:
        if pid != me:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    if not files or me in pids:
        os.kill(me, signal.SIGKILL)
