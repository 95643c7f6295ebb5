"""One kept-alive connection to one place: a request out, its answer in, nothing repeated.

The socket is the standard library's, the HTTP is httptools'. A connection is used again only after
an answer that was whole, that said so, and behind which nothing else came.
Source: RFC 9112 (HTTP/1.1), section 6.3 on where a body ends.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Iterable

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from openpoort.domain.timeouts import Timeouts

_CHUNK = 65536


class NoAnswer(Exception):
    """No usable answer came: refused, cut off, too slow or too large. `str()` says which.

    `heard`: something of an answer had come, so that somebody was there.
    """

    heard = False


class Reading:
    """What of an answer is in: the protocol that httptools calls. Header names in lower case;
    `kept_alive`: the connection may be used again. What comes behind a whole answer is dropped."""

    __slots__ = ("_headed", "_parser", "headers", "kept_alive", "parts", "size", "status", "whole")

    def __init__(self) -> None:
        self.status = self.size = 0
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []
        self.whole = self.kept_alive = self._headed = False
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Raises NoAnswer for what is no HTTP."""
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.whole:
                raise NoAnswer(f"the answer is no HTTP: {error}") from error
            self.kept_alive = False

    def end(self) -> None:
        """Let the parser go: it and we hold each other, and would wait for the collector."""
        self._parser = None

    @property
    def until_closed(self) -> bool:
        """The body ends where the connection does."""
        known = self.headers.keys() & {"content-length", "transfer-encoding"}
        return self._headed and not known

    def on_message_begin(self) -> None:
        self.kept_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.whole:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        if not self.whole:
            assert self._parser is not None
            self._headed, self.status = True, self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        if not self.whole:
            self.size += len(body)
            self.parts.append(body)

    def on_message_complete(self) -> None:
        if self.whole:
            return
        if self.status < 200:  # something in between (100, 103)
            self.headers.clear()
            self._headed = False
        else:
            assert self._parser is not None
            self.whole, self.kept_alive = True, self._parser.should_keep_alive()


class Line:
    """`peer` is the certificate (DER) that the other side presented. Raises OSError when there is
    no connection; used by one thread at a time."""

    __slots__ = ("_poll", "_socket", "heard", "idle_since", "peer")

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None, times: Timeouts):
        plain = socket.create_connection((host, port), times.connect)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _watch(plain, times.unacknowledged)
            secure = context.wrap_socket(plain, server_hostname=host) if context else None
        except BaseException:
            plain.close()
            raise
        self._socket = secure or plain
        self.peer = secure.getpeercert(binary_form=True) if secure else None
        self.heard = False
        self.idle_since = 0.0
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    @property
    def dropped(self) -> bool:
        """The other side has closed it, or said what nobody asked for."""
        return bool(self._poll.poll(0))

    def exchange(self, request: Iterable[bytes], times: Timeouts, most: int) -> Reading:
        """Raises OSError, NoAnswer, or what making the pieces of `request` raises; the line is good
        for nothing then. `heard` says whether anything had come by then."""
        self.heard = False
        deadline = time.monotonic() + times.whole
        self._socket.settimeout(times.read)
        try:
            for piece in request:
                self._bound(times, deadline)
                self._socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            pass  # who refuses a long request may have said why before hanging up (TLS: an EOF)
        reading, got = Reading(), 0
        while not reading.whole:
            data = self._receive(times, deadline)
            if data:
                self.heard = True
                reading.feed(data)
            elif reading.until_closed:
                break
            else:
                raise EOFError
            got += len(data)
            if max(reading.size, got - reading.size) > most:  # the rest is head, or what chunks add
                raise NoAnswer(f"the answer is larger than {most} bytes")
        reading.end()
        return reading

    def _receive(self, times: Timeouts, deadline: float) -> bytes:
        left = self._bound(times, deadline)
        try:
            return self._socket.recv(_CHUNK)
        except TimeoutError:
            if left >= times.read:
                raise
            raise _too_slow(times) from None

    def _bound(self, times: Timeouts, deadline: float) -> float:
        """The seconds left. A drip of one byte per read, or of one piece taken per time-out, would
        pass every time-out of the socket; the deadline ends it. Raises NoAnswer."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise _too_slow(times)
        if left < times.read:
            self._socket.settimeout(left)
        return left

    def close(self) -> None:
        self._socket.close()


def _watch(plain: socket.socket, seconds: float) -> None:
    """A connection whose other end went without a word (a cable, a firewall that forgot it) is an
    error after `seconds`, whether we sent something or wait for an answer."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    every = max(1, int(seconds / 2))
    for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
        if hasattr(socket, name):
            plain.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), every)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def _too_slow(times: Timeouts) -> NoAnswer:
    return NoAnswer(f"no complete answer within {times.whole:g} s")
