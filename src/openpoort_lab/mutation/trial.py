"""The tests of a module run against a mutant, in a copy of the source that Python finds first.

The work tree is never written to. A trial that hangs has noticed the mistake as well: the test
runner ends the test that hangs, and closes what it opened.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from openpoort.store.postgres.embedded import Embedded
from openpoort_lab.mutation.mutants import Mutant

ROOT = Path(__file__).resolve().parents[3]
"""Of the work tree; the tests stand in it."""
EACH_TEST = 60
"""Seconds that one test may take."""
PASSED, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Judged:
    """`killed`: a test failed. `first` is the name of that test, empty when none did."""

    mutant: Mutant
    killed: bool
    first: str


class Odd(Exception):
    """The tests could not be run: not with this mutant, or without any; the message says how."""


class Copy:
    """A copy of the source, in which one file at a time is another, and a server for its tests:
    to start one for each mutant would take longer than the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        source = folder / "src"
        shutil.copytree(ROOT / "src", source)
        self._server = Embedded(folder / "postgres")
        self._server.start()

    def end(self) -> None:
        self._server.stop()

    def holds(self, path: str, text: str) -> None:
        file = self.folder / "src" / path
        file.write_text(text, encoding="utf-8")
        for stale in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            stale.unlink()  # known by size and second, which two mutants may share

    def run(self, tests: Sequence[str], seconds: float) -> tuple[int, str]:
        """The exit code of the test runner, and what it said."""
        source = self.folder / "src"
        command = [
            sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider",
            "-o", f"pythonpath={source} .", f"--timeout={EACH_TEST}",
            f"--basetemp={self.folder / 'tmp'}", *tests,
        ]  # fmt: skip
        environment = os.environ | {
            "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1",
            "TEST_POSTGRES": str(self.folder / "postgres"),
        }  # fmt: skip
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # so that the server it started is stopped
            said, _ = process.communicate()
            return FAILED, f"FAILED took longer than {seconds:.0f} s\n{said}"
        return process.returncode, said


def trials(
    mutants: Sequence[tuple[Mutant, Sequence[str]]], folder: Path, at_once: int, seconds: float
) -> Iterator[Judged]:
    """Judge each mutant by its tests, `at_once` at a time, in their order. Raises Odd when tests
    fail without a mistake: every mutant would count as noticed."""
    copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()

    def judge(one: tuple[Mutant, Sequence[str]]) -> Judged:
        mutant, tests = one
        copy = copies.get()
        original = (ROOT / "src" / mutant.path).read_text(encoding="utf-8")
        try:
            copy.holds(mutant.path, mutant.source)
            code, said = copy.run(tests, seconds)
        finally:
            copy.holds(mutant.path, original)
            copies.put(copy)
        return Judged(mutant, code != PASSED, "" if code == PASSED else _first(said, code))

    with ExitStack() as stack:
        for number in range(at_once):
            copies.put(copy := Copy(folder / str(number)))
            stack.callback(copy.end)
        tests = list(dict.fromkeys(test for _, each in mutants for test in each))
        code, said = copy.run(tests, 10 * seconds)
        if code != PASSED:
            raise Odd(f"without any mistake the tests end with {code}:\n{said[-2000:]}")
        with ThreadPoolExecutor(at_once) as pool:
            yield from pool.map(judge, mutants)


def _first(said: str, code: int) -> str:
    """What noticed it."""
    for line in said.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            return line.split(" ", 1)[1].split(" - ")[0]
    return f"exit code {code}"
