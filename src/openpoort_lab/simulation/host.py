"""A simulated machine: threads, events and pools as the standard library has them, but tasks.

A host can die, freeze and have a wrong clock. Waits that time out over and over grow longer, as
on a machine that is starved: three idle days then cost hundreds of polls, not millions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from openpoort.store.postgres.runtime import Machine
from openpoort_lab.simulation.numbers import drawn
from openpoort_lab.simulation.scheduler import Scheduler, Task

LONGEST = 300.0
"""Seconds to which an idle wait grows."""
_IDLE = 0.2  # seconds; a shorter wait lets work collect


class Host:
    """`skew` is how far its clock is off. `quick`: waits stay as short as they are asked for."""

    def __init__(self, name: str, scheduler: Scheduler, *, quick: bool = False) -> None:
        self.name = name
        self.scheduler = scheduler
        self.quick = quick
        self.tasks: dict[Task, None] = {}
        self.sessions: dict[Any, None] = {}
        self.alive = True
        self.frozen_until = 0.0
        self.skew = 0.0
        self.on_death: list[Callable[[], None]] = []
        self._draw = Random(scheduler.draw.getrandbits(64))  # noqa: S311 - repeatable ids
        self.machine = Machine(
            thread=self._thread, event=lambda: Event(self), condition=lambda: Condition(self),
            pool=self._pool, monotonic=lambda: scheduler.now, sleep=scheduler.pause, uuid=self.uuid,
            cpu=lambda: 0.0,
        )  # fmt: skip

    def uuid(self) -> UUID:
        return drawn(self._draw)

    def wall(self) -> float:
        return self.scheduler.wall() + self.skew

    def spawn(self, name: str, run: Callable[[], object]) -> None:
        if self.alive:
            self.scheduler.spawn(f"{self.name}/{name}", run, self)

    def die(self) -> None:
        """As a power cut: tasks end, connections are cut, nobody is told."""
        if not self.alive:
            return
        self.alive = False
        self.scheduler.note(f"{self.name} dies")
        for session in list(self.sessions):
            session.cut()
        tasks, self.tasks = list(self.tasks), {}
        self.scheduler.kill(tasks)
        for call in self.on_death:
            call()

    def _thread(
        self, target: Callable[..., object], args: Any = (), name: str = "thread", **_: object
    ) -> Thread:
        return Thread(self, target, args, name)

    def _pool(self, workers: int, thread_name_prefix: str = "pool") -> Pool:
        return Pool(self, workers, thread_name_prefix)


class Event:
    """threading.Event."""

    def __init__(self, host: Host) -> None:
        self._host, self._set = host, False
        self._waiting: dict[Task, None] = {}
        self._vain = 0

    def is_set(self) -> bool:
        return self._set

    def clear(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set, self._vain = True, 0
        waiting, self._waiting = list(self._waiting), {}
        for task in waiting:
            self._host.scheduler.wake(task, self._host.scheduler.draw.random() * 1e-4)

    def wait(self, timeout: float | None = None) -> bool:
        if self._set:
            return True
        scheduler = self._host.scheduler
        task = scheduler.current
        assert task is not None
        self._waiting[task] = None
        until = None
        if timeout is not None:
            if timeout >= _IDLE and not self._host.quick:
                timeout = min(max(timeout, LONGEST), timeout * 1.5 ** min(self._vain, 50))
            until = scheduler.now + timeout
            self._vain += 1
        scheduler.wait(until)
        self._waiting.pop(task, None)
        return self._set


class Condition:
    """threading.Condition, of which only one task at a time can be inside anyhow."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._waiting: dict[Task, None] = {}

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: object) -> None:
        return None

    def wait(self) -> None:
        task = self._host.scheduler.current
        assert task is not None
        self._waiting[task] = None
        self._host.scheduler.wait(None)

    def notify(self) -> None:
        for task in self._waiting:
            del self._waiting[task]
            self._host.scheduler.wake(task, self._host.scheduler.draw.random() * 1e-4)
            return


class Thread:
    """threading.Thread."""

    def __init__(self, host: Host, target: Callable[..., object], args: Any, name: str) -> None:
        self._host, self._target, self._args, self.name = host, target, args, name
        self._done = Event(host)

    def start(self) -> None:
        self._host.spawn(self.name, self._run)

    def join(self, timeout: float | None = None) -> None:
        self._done.wait(timeout)

    def _run(self) -> None:
        self._target(*self._args)
        self._done.set()


class Pool:
    """concurrent.futures.ThreadPoolExecutor: so many at once, the rest waits in order. Who wants
    to know what comes of a call asks an event loop to run it here."""

    def __init__(self, host: Host, workers: int, name: str) -> None:
        self._host, self._free, self._name = host, workers, name
        self._waiting: deque[Callable[[], object]] = deque()

    def submit(self, call: Callable[..., object], *args: Any) -> None:
        self._waiting.append(partial(call, *args))
        if self._free:
            self._free -= 1
            self._host.spawn(self._name, self._work)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self._waiting.clear()

    def _work(self) -> None:
        while self._waiting:
            with suppress(Exception):  # as in a future that nobody looks at
                self._waiting.popleft()()
        self._free += 1
