"""One thread, one seed: who goes on, when, and what time it is.

Everything that would be a thread, a process or a caller elsewhere is a task here: a greenlet that
runs until it pauses, waits or ends. One heap of (time, who) decides who is next, and every pause
draws its length from the seeded generator, so that the same seed gives the same order in every
run. Nothing here looks at a real clock, and no order depends on a hash.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
KEPT = 400
"""Last lines of the trace that a failure shows."""


class Died(GreenletExit):  # type: ignore[misc]
    """The host that this task ran on was killed; nothing of it goes on."""


class Stuck(Exception):
    """Nothing can happen any more although somebody waits."""


class Task:
    """A greenlet with its place in the schedule. `owner` is the host it dies with, if any."""

    __slots__ = ("glet", "name", "owner", "turn")

    def __init__(self, name: str, owner: Any, run: Callable[[], object], parent: greenlet) -> None:
        self.name = name
        self.owner = owner
        self.turn = 0
        self.glet = greenlet(run, parent)


class Scheduler:
    """`now` is simulated seconds since the start; `draw` the one source of chance. `traced`:
    keep a trace and its digest, which changes nothing but takes time."""

    def __init__(self, seed: int | str, *, traced: bool = True) -> None:
        self.traced = traced
        self.draw = Random(seed)  # noqa: S311 - a schedule, not a secret
        self._random = self.draw.random
        self.now = 0.0
        self.steps = 0
        self.current: Task | None = None
        self.failure: BaseException | None = None
        self.over = self._ended = False
        self.tasks: dict[Task, None] = {}
        self._until = 0.0
        self._heap: list[tuple[float, float, int, Any, int]] = []
        self._count = 0
        self._main = getcurrent()
        self._digest = hashlib.blake2b(digest_size=16)
        self.trace: deque[tuple[float, str, str]] = deque(maxlen=KEPT)

    def note(self, *what: object) -> None:
        """One line of the trace: what was done, by whom, when. Its digest names the whole run."""
        if not self.traced:
            return
        who = self.current.name if self.current is not None else "-"
        line = " ".join(map(str, what))
        self.trace.append((self.now, who, line))
        self._digest.update(f"{self.now:.6f} {who} {line}\n".encode())

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def wall(self) -> float:
        """Seconds since 1970 by a clock that is right."""
        return START + self.now

    def spawn(self, name: str, run: Callable[[], object], owner: Any = None) -> Task:
        """Start a task, a moment from now."""

        def whole() -> None:
            try:
                run()
            except GreenletExit:
                pass
            except BaseException as error:  # noqa: BLE001 - told by `run` below
                self.fail(error)

        task = Task(name, owner, whole, self._main)
        self.tasks[task] = None
        if owner is not None:
            owner.tasks[task] = None
        self._push(self.now + self.draw.random() * 1e-4, task, task.turn)
        return task

    def at(self, when: float, call: Callable[[], object]) -> None:
        """Have `call`, which must not wait, called at `when`."""
        self._push(when, call, -1)

    def pause(self, seconds: float) -> None:
        """The current task goes on after `seconds`."""
        task, when = self._here(), self.now + seconds
        heap, owner = self._heap, task.owner
        first = not heap or when < heap[0][0]
        if first and when <= self._until and (owner is None or owner.frozen_until <= when):
            # As if it had been switched to, its place among equals drawn and all.
            self._random()
            self.now = when
            self.steps += 1
            task.turn += 1
        else:
            self._push(when, task, task.turn)
            self._main.switch()

    def wait(self, until: float | None) -> None:
        """The current task goes on at `until`, or when `wake` is called for it."""
        task = self._here()
        if until is not None:
            self._push(until, task, task.turn)
        self._main.switch()

    def wake(self, task: Task, after: float = 0.0) -> None:
        """Let a waiting task go on; a wake-up it waited for in vain does not reach it twice."""
        task.turn += 1
        self._push(self.now + after, task, task.turn)

    def fail(self, error: BaseException) -> None:
        """The run is over; the first reason counts."""
        if self.failure is None:
            self.failure = error
            self._until = 0.0

    def run(self, until: float) -> None:
        """Go on until somebody sets `over`. Raises what a task raised, or Stuck."""
        heap, pop, self._until = self._heap, heapq.heappop, until
        while not self.over:
            if not heap:
                raise Stuck(f"nobody has anything to do at {self.now:.1f} s")
            when, _, _, what, turn = pop(heap)
            if when > until:
                raise Stuck(f"not at rest after {until:.0f} simulated seconds")
            if turn == -1:
                self.now = max(self.now, when)
                what()
            elif turn == what.turn:
                self._resume(when, what, turn)
            if self.failure is not None:
                raise self.failure

    def _resume(self, when: float, task: Task, turn: int) -> None:
        glet, owner = task.glet, task.owner
        if glet.dead:
            return
        if owner is not None and owner.frozen_until > when:
            self._push(owner.frozen_until + self._random() * 1e-3, task, turn)
            return
        if when > self.now:
            self.now = when
        self.steps += 1
        task.turn += 1
        self.current = task
        glet.switch()
        self.current = None
        if glet.dead:
            self._gone(task)

    def kill(self, tasks: list[Task]) -> None:
        """End tasks as a SIGKILL would: nothing they hold is given back by them. Not from a task:
        a greenlet that ends goes back to the scheduler."""
        assert self.current is None
        for task in tasks:
            task.turn += 1
            if task.glet:
                # Its own handlers run, but whatever they touch belongs to a dead host.
                self.current = task
                task.glet.throw(Died)
                self.current = None
            self._gone(task)

    def end(self) -> None:
        """Kill whoever is left: a greenlet that waits is never collected, nor is what it knows."""
        self.over = self._ended = True
        self.kill(list(self.tasks))
        self._heap.clear()

    def _gone(self, task: Task) -> None:
        self.tasks.pop(task, None)
        if task.owner is not None:
            task.owner.tasks.pop(task, None)

    def _here(self) -> Task:
        task = self.current
        if task is None:
            raise RuntimeError("only a task can wait")
        if self._ended or (task.owner is not None and not task.owner.alive):
            raise Died
        return task

    def _push(self, when: float, what: Any, turn: int) -> None:
        self._count += 1
        heapq.heappush(self._heap, (when, self._random(), self._count, what, turn))
