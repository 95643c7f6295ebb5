"""What an agency still has to tell the gateway: statuses and return messages, kept on disk.

A job is a file written before the delivery is confirmed, and taken away when the gateway has
answered it. A crash in between repeats the job with the same MessageID, which the gateway
recognises. A few threads do the jobs; one that fails waits and is tried again.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LONGEST_PAUSE = 30.0
PATIENCE = 6
"""Attempts before a refusal counts: a verdict may overtake the confirmation it belongs to."""


class TryLater(Exception):
    """The gateway could not be told now."""


class NeverMind(Exception):
    """The gateway refused; after `PATIENCE` times the job goes to `geweigerd/`."""


@dataclass(slots=True)
class _Waiting:
    path: Path
    due: float
    pause: float
    refusals: int = 0


class Outbox:
    """Files in `folder`; `tell` does one job (its JSON) and raises TryLater or NeverMind.

    `pause` is the wait in seconds after a first failure; it doubles with each.
    """

    def __init__(
        self,
        folder: Path,
        tell: Callable[[dict[str, Any]], None],
        *,
        threads: int = 4,
        pause: float = 0.2,
    ) -> None:
        self._folder = folder
        self._tell = tell
        self._pause = pause
        folder.mkdir(parents=True, exist_ok=True)
        self._wake = threading.Condition()
        self._waiting = [_Waiting(path, 0.0, pause) for path in sorted(folder.glob("*.json"))]
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, name=f"agency-outbox-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def put(self, name: str, job: dict[str, Any]) -> None:
        """Keep a job under a name that is the same for the same job."""
        path = self._folder / (hashlib.sha256(name.encode()).hexdigest()[:32] + ".json")
        part = path.with_suffix(".part")
        part.write_text(json.dumps(job), encoding="utf-8")
        part.replace(path)
        with self._wake:
            self._waiting.append(_Waiting(path, 0.0, self._pause))
            self._wake.notify()

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=10)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            self._do(job)

    def _next(self) -> _Waiting | None:
        with self._wake:
            while not self._stopping:
                now = time.monotonic()
                if self._waiting:
                    job = min(self._waiting, key=lambda waiting: waiting.due)
                    if job.due <= now:
                        self._waiting.remove(job)
                        return job
                    self._wake.wait(job.due - now)
                else:
                    self._wake.wait()
            return None

    def _do(self, job: _Waiting) -> None:
        if not job.path.exists():
            return
        try:
            self._tell(json.loads(job.path.read_text(encoding="utf-8")))
        except TryLater:
            self._again(job)
        except NeverMind as no:
            job.refusals += 1
            if job.refusals < PATIENCE:
                self._again(job)
            else:
                self._set_aside(job, str(no))
        else:
            job.path.unlink()

    def _again(self, job: _Waiting) -> None:
        job.due = time.monotonic() + job.pause
        job.pause = min(job.pause * 2, _LONGEST_PAUSE)
        with self._wake:
            self._waiting.append(job)
            self._wake.notify()

    def _set_aside(self, job: _Waiting, reason: str) -> None:
        refused = self._folder / "geweigerd"
        refused.mkdir(exist_ok=True)
        text = f"{reason}\n{job.path.read_text(encoding='utf-8')}"
        (refused / job.path.name).write_text(text, encoding="utf-8")
        job.path.unlink()
