"""HTTP/1.1 on one connection of a door: uvicorn's protocol, bounded where anybody may call.

A request head has a size, a number of fields and a deadline; what comes beside a body (sizes of
chunks, trailers) has a bound that grows with the body. When there are too many connections the one
that has been idle longest makes room, so that idling costs an attacker his own connections.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from openpoort.inbound.handshake import Noticed
from openpoort.inbound.line import Line
from openpoort.inbound.tls import Certificates

_AT_ONCE = 64 * 1024
_FIELDS = 100
"""Fields of one request, trailers included; each costs more than its octets."""
_PIECES, _PIECE = 256, 32
"""Pieces of a body, by chunks or by reads: so many, and one more for each so many octets."""
_BESIDE = 8 * 1024
"""Octets beside a body, and one more for each four of it: sizes of chunks, extensions, trailers."""
_OFFER = frozenset({b"upgrade", b"http2-settings"})
_DEAF = (0.5, 1.0)
"""Seconds for which a sender that was told to wait and calls again is not read: not all of its
connections the same, or they would all call in the same millisecond."""
_CONTINUE = b"HTTP/1.1 100 "
_TOO_MANY = (
    b"HTTP/1.1 429 Too Many Requests\r\n%scontent-length: %d\r\n"
    b"content-type: %s\r\nretry-after: %d\r\n\r\n%s"
)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Seconds, bytes and connections per door process."""

    head_bytes: int = 32 * 1024
    head_seconds: float = 15.0
    keep_alive_seconds: int = 75
    handshake_seconds: float = 15.0
    handshakes: int = 500
    connections: int = 10_000
    backlog: int = 2048
    drain_seconds: int = 4


class TooMany(NamedTuple):
    """What a sender hears that must stay away: for how many seconds yet, and in which words."""

    seconds: int
    content: bytes
    content_type: bytes


Away = Callable[[Line, str], TooMany | None]
"""For the sender on this connection, by the path it asks for; None: let it be asked."""


def never(_line: Line, _path: str) -> None:
    return None


class _Enough(Exception):
    """Stops the parser in the middle of what it was fed."""


class _InOnePiece:
    """A transport for one answer: its head waits for the body, so that both leave in one TLS
    record and one system call."""

    __slots__ = ("_head", "_line", "_transport")

    def __init__(self, line: Line) -> None:
        self._line = line
        self._transport = line.transport
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        if self._head is None and not data.startswith(_CONTINUE):
            self._head = data
        elif self._head and len(data) <= _AT_ONCE:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        else:
            self._flush()
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._line.end()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""


def _parser(protocol: HttpToolsProtocol) -> Any:
    """As uvicorn makes it: data after a request that ends its connection is dropped."""
    made = httptools.HttpRequestParser(protocol)
    made.set_dangerous_leniencies(lenient_data_after_close=True)
    return made


def _without_offer(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Header lines without Upgrade and what goes with it."""
    for name, value in headers:
        if name == b"connection":
            wanted = [t for t in value.split(b",") if t.strip().lower() not in _OFFER]
            yield b"connection: " + b",".join(wanted or [b"keep-alive"])
        elif name not in _OFFER:
            yield name + b": " + value


def unheard(_origin: str, _reason: str) -> None:
    """Nobody listens."""


def protocol(
    limits: ServerLimits,
    certificates: Certificates,
    noticed: Noticed = unheard,
    away: Away = never,
) -> type[HttpToolsProtocol]:
    """A protocol class for one door; `idle` is shared by its connections, oldest first.

    Who was told to wait (429) and calls again is refused here, on the bytes of the head: no
    task, no scope, its body is dropped, and for up to a second nothing more is read. A storm
    then waits in the sender's own buffers; who waits as told never notices.
    """
    idle: OrderedDict[HttpToolsProtocol, None] = OrderedDict()

    class DoorProtocol(HttpToolsProtocol):
        line: Line
        heads = 0
        head_bytes = 0
        in_head = True
        fields = pieces = body_octets = 0  # of this request
        framing = 0  # what came beside them: sizes of chunks, their extensions, trailers
        deaf = False  # for good: whatever comes is no request
        head_timer: asyncio.TimerHandle | None = None
        refused = False  # the request whose body is coming in
        turned_away = False  # the connection, for up to a second

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
            super().connection_made(transport)
            self.line = Line(transport, certificates)
            idle[self] = None
            self._arm()
            if len(self.connections) > limits.connections and idle:
                oldest, _ = idle.popitem(last=False)
                oldest.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self.line.lost = True
            self.line.stir()
            self._disarm()
            idle.pop(self, None)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self.line.stir()
            if self.deaf:
                return
            self._unset_keepalive_if_required()
            heads, waiting, before = self.heads, self.in_head, self.body_octets
            self._feed(data)
            if heads != self.heads or self.transport.is_closing():
                return  # a head ended in these bytes; only those of an unfinished part count
            if waiting and self.in_head:
                if self.head_timer is None:
                    self._arm()
                self.head_bytes += len(data)
                if self.head_bytes > limits.head_bytes:
                    self._cut("431 Request Header Fields Too Large", "request head too large")
            elif not waiting and not self.in_head:
                self.framing += len(data) - (self.body_octets - before)
                if self.framing > _BESIDE + self.body_octets // 4:
                    self._cut("400 Bad Request", "chunks or trailers without end")

        def _feed(self, data: bytes) -> None:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                self._decline(data[offer.args[0] :])
            except httptools.HttpParserError:
                if self.deaf:
                    return  # we have had enough ourselves
                if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
                    self.send_400_response("Invalid HTTP request received.")
                else:  # the request was whole: answer it, and listen to nothing after it
                    noticed(self.line.origin, "octets after a request that are no HTTP")
                    self.deaf, self.cycle.keep_alive = True, False

        def _decline(self, rest: bytes) -> None:
            """The client would rather speak something else (Upgrade: h2c). It may not, so what it
            sent is HTTP/1.1: the parser, which passes over the body, gets it without the offer."""
            if self.parser.get_method() == b"CONNECT":
                self.send_400_response("CONNECT is not supported")
                return
            request = (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
            lines = [b"%s %s HTTP/%s" % request, *_without_offer(self.headers), b"", b""]
            self.parser = _parser(self)
            self._feed(b"\r\n".join(lines) + rest)

        def _cut(self, status: str, reason: str) -> None:
            noticed(self.line.origin, reason)
            self.deaf = True
            head = f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(head.encode())
            self.transport.close()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.in_head = True
            self.fields = 0
            self.scope["extensions"] = {"openpoort.line": self.line}  # type: ignore[dict-item]  # a value of ours

        def on_header(self, name: bytes, value: bytes) -> None:
            if self.in_head:
                super().on_header(name, value)
            self.fields += 1  # a trailer counts, and is read by nobody
            if self.fields > _FIELDS:
                self._cut("431 Request Header Fields Too Large", "too many header fields")
                raise _Enough

        def on_headers_complete(self) -> None:
            if self.deaf or self.parser.should_upgrade():
                return
            self.in_head = False
            self.body_octets = self.framing = self.pieces = 0
            self.heads += 1
            self.head_bytes = 0
            self._disarm()
            idle.pop(self, None)
            told = self._away()
            if told:
                self._turn_away(told)
            else:
                super().on_headers_complete()
                if self.scope["method"] != "HEAD":
                    self.cycle.transport = _InOnePiece(self.line)  # type: ignore[assignment]  # what a cycle needs of one

        def on_body(self, body: bytes) -> None:
            self.body_octets += len(body)
            self.pieces += 1
            if self.pieces > _PIECES + self.body_octets // _PIECE:
                self._cut("400 Bad Request", "chunks of hardly an octet")
                raise _Enough
            if not self.refused and not self.deaf:
                super().on_body(body)

        def on_message_complete(self) -> None:
            if self.deaf or self.parser.should_upgrade():
                return
            self.in_head = True
            if self.refused:
                self.refused = False
            else:
                super().on_message_complete()
            if not self.parser.should_keep_alive():
                self.deaf = True  # this was the last request, whatever comes after it

        def _away(self) -> TooMany | None:
            """Only plain requests, one after the other; odd ones go the ordinary way."""
            busy = self.cycle is not None and not self.cycle.response_complete
            if busy or self.expect_100_continue or not self.parser.should_keep_alive():
                return None
            if self.parser.get_method() != b"POST":
                return None
            return away(self.line, self.url.decode("latin-1"))

        def _turn_away(self, told: TooMany) -> None:
            self.refused = self.turned_away = True
            idle[self] = None
            idle.move_to_end(self, last=False)  # the first to make room
            if self.flow.write_paused:  # it does not even read its answers
                self.transport.abort()
                return
            dated = b"".join(b"%s: %s\r\n" % pair for pair in self.server_state.default_headers)
            size, kind = len(told.content), told.content_type
            self.transport.write(_TOO_MANY % (dated, size, kind, told.seconds, told.content))
            self.flow.pause_reading()
            self.loop.call_later(random.uniform(*_DEAF), self._listen_again)  # noqa: S311  # no secret
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

        def on_response_complete(self) -> None:
            if self.line.ending:
                self.server_state.total_requests += 1
                return
            if not self.line.lost:
                idle[self] = None
            super().on_response_complete()

        def _listen_again(self) -> None:
            self.turned_away = False
            if not self.transport.is_closing():
                self.flow.resume_reading()

        def shutdown(self) -> None:
            if self.turned_away:
                self.transport.abort()  # not being read, it would not notice the end either
            else:
                super().shutdown()

        def _arm(self) -> None:
            self.head_timer = self.loop.call_later(limits.head_seconds, self._late)

        def _disarm(self) -> None:
            if self.head_timer is not None:
                self.head_timer.cancel()
                self.head_timer = None

        def _late(self) -> None:
            self.head_timer = None
            if self.in_head and not self.transport.is_closing():
                if self.head_bytes:
                    noticed(self.line.origin, "request head too slow")
                self.transport.abort()

        def send_400_response(self, msg: str) -> None:
            noticed(self.line.origin, "not HTTP")
            super().send_400_response(msg)

    return DoorProtocol
