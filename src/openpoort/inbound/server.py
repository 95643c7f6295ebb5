"""The HTTP server of a door: uvicorn with a protocol, and a way of arriving, of our own.

The connection under a request goes into its scope (`openpoort.line`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from openpoort.inbound.handshake import Arrivals, Noticed
from openpoort.inbound.protocol import Away, ServerLimits, never, protocol, unheard
from openpoort.inbound.tls import Certificates

__all__ = ["App", "DoorServer", "Receive", "Scope", "Send", "ServerLimits"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class DoorServer(uvicorn.Server):
    """uvicorn's server on sockets that are already bound."""

    def __init__(
        self,
        app: App,
        certificates: Certificates,
        limits: ServerLimits,
        noticed: Noticed = unheard,
        away: Away = never,
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
