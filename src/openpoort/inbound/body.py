"""Reading a request body under caps of size, time and memory.

What is longer than `HELD` goes on to disk, so that a large request costs the door the memory of a
piece. A slow or endless sender costs us at most its own connection. Compressed bodies are refused:
nobody sends them, and a bomb would unpack behind every cap. Chunked bodies are counted like
any other: the parser below refuses a request with both lengths (smuggling).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpoort.domain.octets import Octets
from openpoort.store.payloads.spool import NoRoom, Spooled

Receive = Callable[[], Awaitable[dict[str, Any]]]
HELD = 1024 * 1024
"""Octets of a body that are held before they are put on disk."""


_TOO_MANY = "too many large requests at the moment"


class BodyRefused(Exception):
    """An HTTP answer without a SOAP body: `status`, and one sentence of plain text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Gone(Exception):
    """The sender closed the connection before the body was complete: nobody to answer."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes and seconds. `pool` is what all requests in hand may take together; `spool` the
    folder for what is longer than HELD (None: memory).

    A body must arrive within `grace` seconds plus one second per `rate` bytes received, and no
    gap may be longer than `gap` seconds.
    """

    size: int = 64 * 1024 * 1024
    pool: int = 256 * 1024 * 1024
    small: int = 256 * 1024
    grace: float = 20.0
    gap: float = 15.0
    rate: float = 16 * 1024
    spool: Path | None = None


@dataclass(slots=True)
class Room:
    """Octets of the pool that one request takes."""

    size: int


class Pool:
    """Room for large requests. Small ones never wait: they are bounded by the connections."""

    def __init__(self, limits: BodyLimits) -> None:
        self.limits = limits
        self.used = 0

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[Room]:
        """Hold `size` bytes. Raises BodyRefused 503 at once when there is no room."""
        room = Room(self._counts(size))
        if self.used + room.size > self.limits.pool:
            raise BodyRefused(503, _TOO_MANY)
        self.used += room.size
        try:
            yield room
        finally:
            self.used -= room.size

    def fit(self, room: Room, size: int) -> None:
        """The request turned out to take `size` bytes: give the rest back."""
        self.used += self._counts(size) - room.size
        room.size = self._counts(size)

    def _counts(self, size: int) -> int:
        return size if size > self.limits.small else 0


def announced(headers: dict[bytes, bytes], limits: BodyLimits) -> int | None:
    """The Content-Length (None when chunked). Raises BodyRefused on what we do not read."""
    coding = headers.get(b"content-encoding", b"identity").strip().lower()
    if coding not in {b"identity", b""}:
        raise BodyRefused(415, "Content-Encoding is not supported")
    chunked = headers.get(b"transfer-encoding")
    if chunked is not None:
        if b"content-length" in headers:
            raise BodyRefused(400, "both Content-Length and Transfer-Encoding")
        if chunked.strip().lower() != b"chunked":
            raise BodyRefused(501, "Transfer-Encoding is not supported")
        return None
    text = headers.get(b"content-length")
    if text is None:
        return 0
    if not text.isdigit() or len(text) > 12:
        raise BodyRefused(400, "Content-Length is not a number")
    if int(text) > limits.size:
        raise BodyRefused(413, f"the request is larger than {limits.size} bytes")
    return int(text)


async def read(receive: Receive, length: int | None, limits: BodyLimits) -> Octets:
    """The whole body. Raises BodyRefused (408 too slow, 413 too large, 503 no room) or Gone."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    first, more = await _next(receive, limits.gap)
    _within(len(first), limits)
    if not more and (length is None or len(first) == length):
        return first
    body = io.BytesIO()  # gives its bytes away without a copy, unlike a bytearray
    size, spooled = body.write(first), None
    while more:
        part, more = await _next(receive, limits.gap)
        size += body.write(part)
        _within(size, limits)
        if body.tell() > HELD and limits.spool is not None:
            spooled = await _spool(spooled, body.getvalue(), limits.spool)
            body = io.BytesIO()
        if loop.time() - begin > limits.grace + size / limits.rate:
            raise BodyRefused(408, "the request came in too slowly")
    if length is not None and size != length:
        raise Gone
    if spooled is None or limits.spool is None:
        return body.getvalue()
    return await _spool(spooled, body.getvalue(), limits.spool)


async def _spool(spooled: Spooled | None, piece: bytes, folder: Path) -> Spooled:
    """In a thread: a disk that has much to write holds up whoever writes to it."""

    def append() -> Spooled:
        to = Spooled(folder) if spooled is None else spooled
        to.append(piece)
        return to

    try:
        return await asyncio.to_thread(append)
    except NoRoom:
        raise BodyRefused(503, _TOO_MANY) from None


def _within(size: int, limits: BodyLimits) -> None:
    if size > limits.size:
        raise BodyRefused(413, f"the request is larger than {limits.size} bytes")


async def _next(receive: Receive, gap: float) -> tuple[bytes, bool]:
    try:
        async with asyncio.timeout(gap):
            message = await receive()
    except TimeoutError:
        raise BodyRefused(408, "the request came in too slowly") from None
    if message["type"] != "http.request":
        raise Gone
    return message.get("body", b""), message.get("more_body", False)
