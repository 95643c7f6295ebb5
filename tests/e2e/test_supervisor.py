"""Processes under one roof: started again when they die, gone when the supervisor is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openpoort.app.sockets import PortTaken, listen

PROGRAM = """
import signal, sys, time
from pathlib import Path
from openpoort import telemetry
from openpoort.app.supervisor import Child, ChildFailed, Supervisor

run, how = Path(sys.argv[1]), sys.argv[2]
telemetry.configure()

def sleeper(ready):
    ready()
    while True:
        time.sleep(60)

def stubborn(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleeper(ready)

def wrong(ready):
    raise SystemExit(2)

def broken(ready):
    raise RuntimeError("cannot begin")

supervisor = Supervisor(run, lambda: None)
supervisor.watch_signals()
code = 0
try:
    supervisor.add(Child("first-1", sleeper))
    supervisor.add(Child("second-1", globals()[how]))
    supervisor.wait_ready(20)
    print("ready", flush=True)
    supervisor.watch()
except ChildFailed as failed:
    print(failed, flush=True)
    code = failed.code
finally:
    supervisor.stop(("first",), 1.0)
sys.exit(code)
"""


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class House:
    def __init__(self, run: Path, how: str) -> None:
        self.run = run
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(run), how],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline().strip()

    def pid(self, name: str) -> int:
        """Of a child; waits while it is being started again."""
        file = self.run / f"{name}.pid"
        until(lambda: file.exists() and file.read_text().endswith("\n"))
        return int(file.read_text())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[[str], House]]:
    made: list[House] = []

    def make(how: str = "sleeper") -> House:
        made.append(House(tmp_path, how))
        return made[-1]

    yield make
    for one in made:
        one.process.kill()
        one.process.communicate()


def test_sigterm_ends_everybody_with_exit_code_0(house: Callable[[str], House]) -> None:
    one = house("sleeper")
    assert one.first_line == "ready"
    pids = [one.pid("first-1"), one.pid("second-1")]
    one.process.terminate()
    assert one.process.wait(10) == 0
    assert not any(alive(pid) for pid in pids)
    assert list(one.run.glob("*.pid")) == []


def test_ctrl_c_is_as_good(house: Callable[[str], House]) -> None:
    one = house("sleeper")
    one.process.send_signal(signal.SIGINT)
    assert one.process.wait(10) == 0


def test_child_that_ignores_the_signal_is_killed(house: Callable[[str], House]) -> None:
    one = house("stubborn")
    pid = one.pid("second-1")
    one.process.terminate()
    assert one.process.wait(10) == 0
    assert not alive(pid)


def test_killed_child_is_started_again(house: Callable[[str], House]) -> None:
    one = house("sleeper")
    before = one.pid("first-1")
    os.kill(before, signal.SIGKILL)
    until(lambda: one.pid("first-1") != before)
    assert alive(one.pid("first-1"))
    one.process.terminate()
    _, log = one.process.communicate(timeout=10)
    assert '"process": "first-1"' in log
    assert "process ended" in log


def test_children_end_when_the_supervisor_is_killed(house: Callable[[str], House]) -> None:
    one = house("sleeper")
    pids = [one.pid("first-1"), one.pid("second-1")]
    # Also those that were started again, and so inherited more of the parent.
    os.kill(pids[0], signal.SIGKILL)
    until(lambda: one.pid("first-1") != pids[0])
    pids = [one.pid("first-1"), one.pid("second-1")]
    one.process.kill()
    until(lambda: not any(alive(pid) for pid in pids))


def test_child_with_wrong_settings_ends_the_whole_with_its_code(
    house: Callable[[str], House],
) -> None:
    one = house("wrong")
    assert one.first_line == "second-1 ended with exit code 2"
    assert one.process.wait(10) == 2


def test_child_that_cannot_begin_is_tried_a_few_times(house: Callable[[str], House]) -> None:
    one = house("broken")
    assert one.first_line == "second-1 ended with exit code 1"
    assert one.process.wait(10) == 1
    _, log = one.process.communicate()
    assert log.count('"exception": "RuntimeError') == 3  # without its words: they may quote


def test_port_in_use_is_told_before_anything_starts() -> None:
    first = listen(["127.0.0.1"], 0)
    port = first[0].getsockname()[1]
    try:
        with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1"):
            listen(["127.0.0.1"], port)
    finally:
        first[0].close()


def test_free_port_is_the_same_on_every_address() -> None:
    both = listen(["127.0.0.1", "::1"], 0)
    try:
        assert len({sock.getsockname()[1] for sock in both}) == 1
    finally:
        for sock in both:
            sock.close()
