"""Reading a request body under caps of size, time and memory.

A slow or endless sender costs us at most its own connection. Compressed bodies are refused:
nobody sends them, and a bomb would unpack behind every cap. Chunked bodies are counted like
any other: the parser below refuses a request with both lengths (smuggling).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]


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
    """Bytes and seconds. `pool` is the memory all bodies being read may take together.

    A body must arrive within `grace` seconds plus one second per `rate` bytes received, and no
    gap may be longer than `gap` seconds.
    """

    size: int = 64 * 1024 * 1024
    pool: int = 256 * 1024 * 1024
    small: int = 256 * 1024
    grace: float = 20.0
    gap: float = 15.0
    rate: float = 16 * 1024


class Pool:
    """Memory for large bodies. Small ones never wait: they are bounded by the connections."""

    def __init__(self, limits: BodyLimits) -> None:
        self.limits = limits
        self.used = 0

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """Hold `size` bytes. Raises BodyRefused 503 at once when there is no room."""
        taken = size if size > self.limits.small else 0
        if self.used + taken > self.limits.pool:
            raise BodyRefused(503, "too many large requests at the moment")
        self.used += taken
        try:
            yield
        finally:
            self.used -= taken


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


async def read(receive: Receive, length: int | None, limits: BodyLimits) -> bytes:
    """The whole body. Raises BodyRefused (408 too slow, 413 too large) or Gone."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    first, more = await _next(receive, limits.gap)
    _within(len(first), limits)
    if not more and (length is None or len(first) == length):
        return first
    body = io.BytesIO()  # gives its bytes away without a copy, unlike a bytearray
    size = body.write(first)
    while more:
        part, more = await _next(receive, limits.gap)
        size += body.write(part)
        _within(size, limits)
        if loop.time() - begin > limits.grace + size / limits.rate:
            raise BodyRefused(408, "the request came in too slowly")
    if length is not None and size != length:
        raise Gone
    return body.getvalue()


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
