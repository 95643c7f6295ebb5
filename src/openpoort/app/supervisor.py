"""Processes under one roof: started, watched, started again, and never left behind.

Each child is forked from this process, which has no threads: sockets and settings are simply
there, memory is shared, a restart takes milliseconds. A child reports ready by a byte on its
pipe. When this process dies, however, the life line (a pipe nobody writes to) ends and every
child stops by itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from openpoort.telemetry import logger

_log = logger("app.supervisor")
_STEADY_SECONDS = 30.0  # a child that lived this long starts again without delay
_SLOWEST = 5.0
USAGE = 2
"""Exit code of a child that found its settings wrong: starting it again will not help."""


@dataclass(slots=True)
class Child:
    """One place in the house: `body` runs in the child and gets `ready` to call once."""

    name: str
    body: Callable[[Callable[[], None]], None]
    pid: int | None = None
    ready: bool = False
    begun: float = 0.0
    again_at: float | None = 0.0
    failures: int = 0
    code: int = 0
    _pipe: int | None = None


class ChildFailed(Exception):
    """A child could not start; it has said why on stderr. `code` is its exit code."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} ended with exit code {code}")
        self.code = code


@dataclass(slots=True)
class Supervisor:
    """`run` holds a file NAME.pid per child, for operators and for tests that kill."""

    run: Path
    tick: Callable[[], None]
    children: list[Child] = field(default_factory=list)
    stopping: bool = False
    _life: tuple[int, int] = field(default_factory=os.pipe)
    _wake: tuple[int, int] = field(default_factory=os.pipe)

    def watch_signals(self) -> None:
        """From now on SIGINT and SIGTERM ask for an orderly end."""
        for end in self._wake:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def add(self, child: Child) -> None:
        self.children.append(child)
        self._start(child)

    def wait_ready(self, seconds: float) -> None:
        """Until every child is ready. Raises ChildFailed or TimeoutError."""
        end = time.monotonic() + seconds
        while not self.stopping and not all(c.ready for c in self.children):
            self._turn(0.5)
            for child in self.children:
                if child.failures >= 3 or child.code == USAGE:
                    raise ChildFailed(child.name, child.code)
            if time.monotonic() > end:
                late = ", ".join(c.name for c in self.children if not c.ready)
                raise TimeoutError(f"not ready after {seconds:.0f} s: {late}")

    def watch(self) -> None:
        """Keep everybody alive until a signal says stop."""
        while not self.stopping:
            self._turn(1.0)
            self.tick()

    def stop(self, order: Iterable[str], seconds: float) -> None:
        """End the children whose names begin with each word, then the rest; never waits longer
        than `seconds` for a group before it kills."""
        self.stopping = True
        for prefix in (*order, ""):
            group = [c for c in self.children if c.pid and c.name.startswith(prefix)]
            self._end(group, seconds)
        signal.set_wakeup_fd(-1)
        for end in (*self._life, *self._wake):
            os.close(end)

    def _end(self, group: list[Child], seconds: float) -> None:
        for child in group:
            _kill(child.pid, signal.SIGTERM)
        end = time.monotonic() + seconds
        while any(c.pid for c in group):
            for child in group:
                self._reap(child)
            if time.monotonic() > end:
                for child in group:
                    _kill(child.pid, signal.SIGKILL)
            time.sleep(0.01)

    def _turn(self, seconds: float) -> None:
        """Wait for news, take it in, start again whoever is due."""
        now = time.monotonic()
        due = [c.again_at for c in self.children if c.pid is None and c.again_at is not None]
        wait = max(0.0, min([seconds, *(at - now for at in due)]))
        pipes = {c._pipe: c for c in self.children if c._pipe is not None}
        readable, _, _ = select.select([self._wake[0], *pipes], [], [], wait)
        for end in readable:
            if end == self._wake[0]:
                with contextlib.suppress(BlockingIOError):
                    os.read(end, 4096)
            else:
                self._hear(pipes[end])
        for child in self.children:
            self._reap(child)
            if self.stopping or child.pid is not None or child.again_at is None:
                continue
            if child.again_at <= time.monotonic():
                self._start(child)

    def _hear(self, child: Child) -> None:
        assert child._pipe is not None
        child.ready = os.read(child._pipe, 1) == b"r" or child.ready
        os.close(child._pipe)
        child._pipe = None

    def _reap(self, child: Child) -> None:
        if child.pid is None:
            return
        done, status = os.waitpid(child.pid, os.WNOHANG)
        if done == 0:
            return
        if child._pipe is not None:
            self._hear(child)
        code = child.code = os.waitstatus_to_exitcode(status)
        lived = time.monotonic() - child.begun
        child.failures = 1 if lived > _STEADY_SECONDS else child.failures + 1
        delay = 0.0 if lived > _STEADY_SECONDS else min(_SLOWEST, 0.1 * 2 ** (child.failures - 1))
        child.again_at = time.monotonic() + delay
        child.pid, child.ready = None, False
        self._pid_file(child).unlink(missing_ok=True)
        if not self.stopping:
            _log.error("process ended", process=child.name, code=code, again_in=round(delay, 1))

    def _pid_file(self, child: Child) -> Path:
        return self.run / f"{child.name}.pid"

    def _start(self, child: Child) -> None:
        ours, theirs = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            self._become(child, theirs)
        os.close(theirs)
        child.pid, child._pipe, child.begun = pid, ours, time.monotonic()
        child.again_at = None
        self._pid_file(child).write_text(f"{pid}\n")

    def _become(self, child: Child, pipe: int) -> None:
        """The child's whole life; never returns into the parent's code."""
        code = 1
        try:
            os.setpgid(0, 0)  # Ctrl-C goes to the supervisor alone, which ends us in order
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            os.close(self._life[1])
            for end in (*self._wake, *(c._pipe for c in self.children if c._pipe is not None)):
                os.close(end)
            threading.Thread(target=_end_with, args=(self._life[0],), daemon=True).start()
            child.body(lambda: _say_ready(pipe))
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except OSError as wrong:
            what = f"{wrong.filename}: {wrong.strerror}" if wrong.filename else str(wrong)
            sys.stderr.write(f"openpoort: {child.name}: {what}\n")
        except BaseException as error:  # noqa: BLE001  # nothing may unwind into the parent's frames
            _log.critical("died", process=child.name, exc_info=error)
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)


def _say_ready(pipe: int) -> None:
    with contextlib.suppress(OSError):
        os.write(pipe, b"r")
        os.close(pipe)


def _end_with(life: int) -> None:
    """Wait for the end of the life line, then ask ourselves to stop; insist after a while."""
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
    os._exit(1)


def _kill(pid: int | None, number: int) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
