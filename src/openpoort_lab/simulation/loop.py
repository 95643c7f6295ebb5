"""An event loop of asyncio on the scheduler: what a door's coroutines run in.

Only what the doors' side of the process uses; anything else is no attribute of it.
Callbacks run one after the other and never wait; what may wait goes to a pool of the host.
"""

from __future__ import annotations

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, cast

from openpoort_lab.simulation.host import Host, Pool

_THREADS = 32


class Loop:
    """One per door; it dies with its host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._ready: deque[asyncio.Handle] = deque()
        self._drawn = False
        self._pool: Pool = host.machine.pool(_THREADS, thread_name_prefix="asyncio")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return not self._host.alive

    def time(self) -> float:
        return self._host.scheduler.now

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=cast(Any, self))

    def create_task(self, coro: Coroutine[Any, Any, Any], **_: Any) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=cast(Any, self))

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, cast(Any, self), context)
        self._put(handle)
        return handle

    def _put(self, handle: asyncio.Handle) -> None:
        self._ready.append(handle)
        if not self._drawn:
            self._drawn = True
            scheduler = self._host.scheduler
            scheduler.at(scheduler.now + scheduler.draw.random() * 5e-5, self._drain)

    call_soon_threadsafe = call_soon

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:  # fmt: skip
        timer = asyncio.TimerHandle(when, callback, args, cast(Any, self), context)

        def due() -> None:
            if not timer.cancelled() and self._host.alive:
                self._put(timer)  # itself: it may be cancelled before its turn

        self._host.scheduler.at(when, due)
        return timer

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:  # fmt: skip
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        return None

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """As `asyncio.wrap_future` does it for a pool: what nobody waits for is not begun."""
        future, pool = self.create_future(), executor or self._pool

        def work() -> None:
            if future.cancelled():
                return
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 - it belongs to who asked
                self.call_soon(_settle, future, None, error)
            else:
                self.call_soon(_settle, future, result, None)

        pool.submit(work)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tasks of a host that died are thrown away while they wait; nothing else may happen."""
        error = context.get("exception")
        if self._host.alive and error is not None:
            self._host.scheduler.fail(error)

    def _drain(self) -> None:
        self._drawn = False
        if not self._host.alive:
            self._ready.clear()
            return
        if self._host.frozen_until > self._host.scheduler.now:
            self._drawn = True
            self._host.scheduler.at(self._host.frozen_until, self._drain)
            return
        events._set_running_loop(cast(Any, self))
        try:
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            events._set_running_loop(None)
        if self._ready and not self._drawn:
            self._drawn = True
            scheduler = self._host.scheduler
            scheduler.at(scheduler.now + scheduler.draw.random() * 5e-5, self._drain)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return  # whoever asked has hung up
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
