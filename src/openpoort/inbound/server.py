"""The HTTP server of a door: uvicorn with what a public mutual-TLS port needs besides.

The peer certificate goes into the scope (in the style of the ASGI `tls` extension, but as DER);
a request head has a size and a deadline; when there are too many connections the one that has
been idle longest makes room, so that idling costs an attacker his own connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from openpoort.inbound.handshake import Arrivals, Noticed
from openpoort.inbound.line import Line
from openpoort.inbound.tls import Certificates

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


_AT_ONCE = 64 * 1024
_DEAF = (0.5, 1.0)
"""Seconds for which a sender that was told to wait and calls again is not read: not all of its
connections the same, or they would all call in the same millisecond."""
_CONTINUE = b"HTTP/1.1 100 "
_TOO_MANY = (
    b"HTTP/1.1 429 Too Many Requests\r\n%scontent-length: 17\r\n"
    b"content-type: text/plain; charset=utf-8\r\nretry-after: %d\r\n\r\ntoo many requests"
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


Away = Callable[[Line], int]
"""Seconds that the sender on this connection must still stay away; 0: it need not."""


def _never(_line: Line) -> int:
    return 0


class _InOnePiece:
    """A transport for one answer: its head waits for the body, so that both leave in one TLS
    record and one system call."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
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
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""


def unheard(_origin: str, _reason: str) -> None:
    """Nobody listens."""


def protocol(
    limits: ServerLimits,
    certificates: Certificates,
    noticed: Noticed = unheard,
    away: Away = _never,
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
            heads, waiting = self.heads, self.in_head
            super().data_received(data)
            if not (waiting and self.in_head and heads == self.heads):
                return  # a head ended in these bytes; only those of an unfinished one count
            if self.head_timer is None:
                self._arm()
            self.head_bytes += len(data)
            if self.head_bytes > limits.head_bytes and not self.transport.is_closing():
                noticed(self.line.origin, "request head too large")
                self.transport.write(
                    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                    b"connection: close\r\ncontent-length: 0\r\n\r\n"
                )
                self.transport.close()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.in_head = True
            self.scope["extensions"] = {"openpoort.line": self.line}  # type: ignore[dict-item]  # a value of ours

        def on_headers_complete(self) -> None:
            self.in_head = False
            self.heads += 1
            self.head_bytes = 0
            self._disarm()
            idle.pop(self, None)
            seconds = self._away()
            if seconds:
                self._turn_away(seconds)
            else:
                super().on_headers_complete()
                if self.scope["method"] != "HEAD":
                    self.cycle.transport = _InOnePiece(self.transport)  # type: ignore[assignment]  # what a cycle needs of one

        def on_body(self, body: bytes) -> None:
            if not self.refused:
                super().on_body(body)

        def on_message_complete(self) -> None:
            self.in_head = True
            if self.refused:
                self.refused = False
            else:
                super().on_message_complete()

        def _away(self) -> int:
            """Only plain requests, one after the other; odd ones go the ordinary way."""
            busy = self.cycle is not None and not self.cycle.response_complete
            if busy or self.expect_100_continue or not self.parser.should_keep_alive():
                return 0
            return away(self.line) if self.parser.get_method() == b"POST" else 0

        def _turn_away(self, seconds: int) -> None:
            self.refused = self.turned_away = True
            idle[self] = None
            idle.move_to_end(self, last=False)  # the first to make room
            if self.flow.write_paused:  # it does not even read its answers
                self.transport.abort()
                return
            dated = b"".join(b"%s: %s\r\n" % pair for pair in self.server_state.default_headers)
            self.transport.write(_TOO_MANY % (dated, seconds))
            self.flow.pause_reading()
            self.loop.call_later(random.uniform(*_DEAF), self._listen_again)  # noqa: S311  # no secret
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

        def on_response_complete(self) -> None:
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


class DoorServer(uvicorn.Server):
    """uvicorn's server on sockets that are already bound, with a deadline on handshakes."""

    def __init__(
        self,
        app: App,
        certificates: Certificates,
        limits: ServerLimits,
        noticed: Noticed = unheard,
        away: Away = _never,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol(limits, certificates, noticed, away),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=limits.keep_alive_seconds,
                timeout_graceful_shutdown=limits.drain_seconds,
            )
        )
        self.limits = limits
        self._noticed, self._certificates = noticed, certificates
        self.on_started: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        config, loop = self.config, asyncio.get_running_loop()

        def build() -> asyncio.Protocol:
            build_one: Any = config.http_protocol_class
            made: asyncio.Protocol = build_one(config, self.server_state, {}, loop)
            return made

        self._arrivals = Arrivals(
            build,
            self._certificates.default,
            self._noticed,
            self.limits.handshake_seconds,
            self.limits.handshakes,
        )
        self.servers = []
        for sock in sockets or []:
            self._arrivals.listen(sock, self.limits.backlog)
        self.started = True
        self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._arrivals.close()
        await self._arrivals.wait_closed()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """As uvicorn's, but a caught signal is not raised again: we end with exit code 0."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()
