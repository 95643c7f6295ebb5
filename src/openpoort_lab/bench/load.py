"""A load generator that costs little: prepared requests over kept-open mutual TLS connections.

Closed loop: every caller sends its next request when the answer is in. Open loop: requests are
due at times drawn beforehand, and latency counts from the due time, so that a stalled gateway
cannot hide its stalls (no coordinated omission). Bounded by the list of prepared requests.
"""

from __future__ import annotations

import asyncio
import collections
import random
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

_HEADER_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: host and port, and the caller's own certificate."""

    host: str
    port: int
    certificate: Path
    key: Path
    ca: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass(frozen=True, slots=True)
class Shot:
    """One answer: when it was due and done (seconds on the run's clock), HTTP code, body."""

    due: float
    done: float
    status: int
    body: bytes = field(repr=False)

    @property
    def latency(self) -> float:
        return self.done - self.due


@dataclass(slots=True)
class Run:
    """All answers of one run. `seconds` is from the first request to the last answer."""

    shots: list[Shot]
    seconds: float
    broken: int = 0

    @property
    def rate(self) -> float:
        return len(self.shots) / self.seconds if self.seconds else 0.0


def http_request(target: Target, path: str, body: bytes) -> bytes:
    """The bytes of one POST, ready to write."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n"
        f'Content-Type: text/xml; charset=utf-8\r\nSOAPAction: ""\r\n'
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One kept-open connection with at most one request under way."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._need = -1
        self._waiter: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionResetError("closed by the gateway"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._need < 0:
            end = self._buffer.find(_HEADER_END)
            if end < 0:
                return
            head = bytes(self._buffer[:end]).lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            self._need = end + 4 + length
        if len(self._buffer) >= self._need and self._waiter is not None:
            status = int(self._buffer[9:12])
            body = bytes(self._buffer[self._buffer.find(_HEADER_END) + 4 : self._need])
            del self._buffer[: self._need]
            self._need = -1
            if not self._waiter.done():
                self._waiter.set_result((status, body))

    async def exchange(self, request: bytes) -> tuple[int, bytes]:
        assert self._transport is not None
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiter

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def connect(target: Target, context: ssl.SSLContext) -> Connection:
    """A fresh mutual TLS connection. Raises OSError."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(
        Connection, target.host, target.port, ssl=context, server_hostname="localhost"
    )
    return protocol


async def closed(
    target: Target, requests: Sequence[bytes], callers: int, *, keep_alive: bool = True
) -> Run:
    """Send all requests through `callers` callers, each waiting for its answer."""
    context = target.context()
    queue = collections.deque(requests)
    run = Run([], 0.0)
    begin = time.perf_counter()

    async def caller() -> None:
        connection = await connect(target, context)
        try:
            while queue:
                request = queue.popleft()
                due = time.perf_counter() - begin
                try:
                    if not keep_alive:
                        connection.close()
                        connection = await connect(target, context)
                    status, body = await connection.exchange(request)
                except OSError:
                    run.broken += 1
                    connection.close()
                    connection = await connect(target, context)
                    continue
                run.shots.append(Shot(due, time.perf_counter() - begin, status, body))
        finally:
            connection.close()

    await asyncio.gather(*(caller() for _ in range(callers)))
    run.seconds = time.perf_counter() - begin
    return run


async def opened(
    target: Target, requests: Sequence[bytes], callers: int, rate: float, seed: int = 1
) -> Run:
    """Send the requests at `rate` a second with exponential gaps; `callers` connections."""
    context = target.context()
    draw = random.Random(seed)  # noqa: S311 - arrival times, not secrets
    run = Run([], 0.0)
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(callers):
        idle.put_nowait(await connect(target, context))
    begin = time.perf_counter()
    tasks: list[asyncio.Task[None]] = []

    async def one(due: float, request: bytes) -> None:
        connection = await idle.get()
        try:
            status, body = await connection.exchange(request)
        except OSError:
            run.broken += 1
            connection = await connect(target, context)
        else:
            run.shots.append(Shot(due, time.perf_counter() - begin, status, body))
        finally:
            idle.put_nowait(connection)

    due = 0.0
    for request in requests:
        due += draw.expovariate(rate)
        wait = due - (time.perf_counter() - begin)
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(due, request)))
    await asyncio.gather(*tasks)
    run.seconds = time.perf_counter() - begin
    while not idle.empty():
        idle.get_nowait().close()
    return run
