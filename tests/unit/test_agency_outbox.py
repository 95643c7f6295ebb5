"""What an agency must still tell: kept on disk, told once, again after a failure or a crash."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpoort.sandbox.agency.outbox import PATIENCE, NeverMind, Outbox, TryLater

Job = dict[str, Any]


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.json"))


def test_job_is_told_and_its_file_goes(tmp_path: Path) -> None:
    told: list[Job] = []
    box = Outbox(tmp_path, told.append)
    box.start()
    box.put("a", {"n": 1})
    until(lambda: not files(tmp_path))
    box.stop()
    assert told == [{"n": 1}]


def test_job_that_fails_is_told_again(tmp_path: Path) -> None:
    tries: list[Job] = []

    def tell(job: Job) -> None:
        tries.append(job)
        if len(tries) < 3:
            raise TryLater

    box = Outbox(tmp_path, tell, pause=0.01)
    box.start()
    box.put("a", {"n": 1})
    until(lambda: not files(tmp_path))
    box.stop()
    assert tries == [{"n": 1}] * 3


def test_jobs_left_by_a_crash_are_told_at_the_next_start(tmp_path: Path) -> None:
    Outbox(tmp_path, lambda job: None).put("a", {"n": 1})
    assert len(files(tmp_path)) == 1
    told = threading.Event()
    box = Outbox(tmp_path, lambda job: told.set())
    box.start()
    assert told.wait(10)
    box.stop()


def test_refused_job_is_set_aside_with_the_reason_after_some_patience(tmp_path: Path) -> None:
    tries: list[Job] = []

    def tell(job: Job) -> None:
        tries.append(job)
        raise NeverMind("ZSS100: onbekend")

    box = Outbox(tmp_path, tell, pause=0.01)
    box.start()
    box.put("a", {"n": 1})
    until(lambda: not files(tmp_path))
    box.stop()
    (aside,) = (tmp_path / "geweigerd").iterdir()
    assert aside.read_text().startswith("ZSS100: onbekend\n")
    assert len(tries) == PATIENCE


def test_one_slow_job_does_not_hold_up_another(tmp_path: Path) -> None:
    slow, quick = threading.Event(), threading.Event()

    def tell(job: Job) -> None:
        if job["n"] == 1:
            assert slow.wait(10)
        else:
            quick.set()

    box = Outbox(tmp_path, tell, threads=2)
    box.start()
    box.put("a", {"n": 1})
    box.put("b", {"n": 2})
    assert quick.wait(10)
    slow.set()
    until(lambda: not files(tmp_path))
    box.stop()
