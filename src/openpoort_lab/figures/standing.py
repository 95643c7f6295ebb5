"""Whether a recorded figure still stands: the code that it measured is the code of now, about.

A record names its commit and, for each path that it measured, the git object of that path. An
object stays the same through a rebase, and two of them can be compared wherever both are at hand.
In a shallow clone the older one may be missing: then only a record of unchanged code stands, and of
the others it is said that they cannot be judged here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

MOST_LINES = 200
OLDEST = timedelta(days=60)
_CODE = "src/openpoort/"
_DOOR = ("inbound", "wire", "trust", "keys", "store", "process/intake.py",
"process/reading/answers.py",
         "app/door.py")  # fmt: skip
_READING = (*_DOOR[:5], "process/reading/reader.py", "app/door.py")
_ENGINE = ("process", "store", "outbound", "wire", "app/worker.py")
_CHECKS = ("checks",)
_DRILL = ("app/drill.py", "store/postgres/backups.py", "store/postgres/embedded.py")
_MEASURED: Mapping[str, Sequence[str]] = {
    "status": _READING, "fetch": _READING,
    "process": (*_DOOR, *_ENGINE), "process-15m": (*_DOOR, *_ENGINE),
    "process-vat": (*_DOOR, *_ENGINE, *_CHECKS), "mixed": (*_DOOR, "process/reading/reader.py"),
    "deadline": (*_DOOR, *_ENGINE), "beside": _DOOR, "flat": (*_DOOR, *_READING),
    "checks": _CHECKS, "checks-nt": _CHECKS,
    "chaos": (*_DOOR, *_ENGINE, "devkit/chaos"),
    "chaos-outside": (*_DOOR, *_ENGINE, "devkit/chaos"),
    "restore-drill": _DRILL,
    "clients": ("inbound", "wire"), "controls": ("inbound", "wire", "trust", "keys"),
    "frameworks": ("inbound", "wire", "trust"),
}  # fmt: skip
"""Record -> what it measures, under src/openpoort; handing in (`accept…`) where nothing is said."""
Record = Mapping[str, Any]


def paths(name: str) -> list[str]:
    """What the record `name` measures, from the root of the repository; none within another."""
    found = sorted({_CODE + part for part in _MEASURED.get(name, _DOOR)})
    return [path for path in found if not any(path.startswith(f"{other}/") for other in found)]


def mark(name: str, root: Path, commit: str = "HEAD") -> dict[str, Any]:
    """What a record says of its code: `commit`, and `code` by path. Exits where the code differs
    from the commit: a record of that could not be found again."""
    found = paths(name)
    if commit == "HEAD" and _git(root, "status", "--porcelain", "--", *found).strip():
        sys.exit(f"{name}: commit the code that is measured first; a record names its commit")
    return {
        "commit": _git(root, "rev-parse", commit).strip(),
        "code": {path: _object(root, commit, path) for path in found},
    }


def machine() -> dict[str, Any]:
    """On what it was measured."""
    return {"cores": len(os.sched_getaffinity(0))}


def refusal(record: Record, root: Path, today: date) -> str | None:
    """Why the record does not stand any more; None while it does."""
    if today - date.fromisoformat(record["day"]) > OLDEST:
        return f"older than {OLDEST.days} days"
    if not record.get("commit") or not record.get("code"):
        return "names no commit"
    changed = 0
    for path, before in record["code"].items():
        now = _object(root, "HEAD", path)
        if before is None or now is None:
            return f"{path} is not there any more" if now is None else f"{path} was not there yet"
        try:
            changed += _lines(_git(root, "diff", "--numstat", "HEAD", "--", path))
            if before != now:
                changed += _lines(_git(root, "diff", "--numstat", before, now))
        except subprocess.CalledProcessError:
            return "cannot be judged in this clone: its commit is not here (git fetch --unshallow)"
    if changed > MOST_LINES:
        return f"the code that it measured changed by {changed:,} lines"
    return None


def _lines(numstat: str) -> int:
    """Changed lines of `git diff --numstat`; a line that became another counts once."""
    rows = [line.split("\t")[:2] for line in numstat.splitlines()]
    return sum(max(int(n) if n.isdigit() else 1 for n in row) for row in rows)


def _object(root: Path, commit: str, path: str) -> str | None:
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", f"{commit}:{path}").strip()
    except subprocess.CalledProcessError:
        return None


def _git(root: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout
