"""The demo agencies as one process: a TLS port, and an agency behind each path.

`/demodienst/wus/2.0/afleverservice/1.2` and `/demoregister/…`; both present the same TLS
certificate and sign with their own. Blocking work runs in threads beside the loop.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openpoort.devkit.agency import Agency, Closed, Reply
from openpoort.inbound import body
from openpoort.inbound.body import BodyLimits, BodyRefused, Gone
from openpoort.inbound.server import DoorServer, Receive, Scope, Send, ServerLimits
from openpoort.inbound.tls import Certificates
from openpoort.wire.services import AFLEVER

_LIMITS = BodyLimits()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    return sock


def path_of(name: str) -> str:
    return f"/{name.lower()}{AFLEVER.path}"


class Door:
    """ASGI application over the agencies, by path."""

    def __init__(self, agencies: Mapping[str, Agency], threads: int = 32) -> None:
        self._agencies = {path_of(name): agency for name, agency in agencies.items()}
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="agency")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        agency = self._agencies.get(scope["path"])
        if agency is None or scope["method"] != "POST":
            await _answer(send, Reply(404 if agency is None else 405, b""))
            return
        headers = dict(scope["headers"])
        try:
            raw = bytes(await body.read(receive, body.announced(headers, _LIMITS), _LIMITS))
        except BodyRefused as refused:
            await _answer(send, Reply(refused.status, b""))
            return
        except Gone:
            return
        content_type = headers.get(b"content-type", b"").decode("latin-1") or None
        loop = asyncio.get_running_loop()
        try:
            reply = await loop.run_in_executor(self._threads, agency.receive, raw, content_type)
        except Closed:
            _line(scope).transport.abort()
            return
        if reply.wait:
            await asyncio.sleep(reply.wait)
        await _answer(send, reply, None if not reply.half else scope)

    def close(self) -> None:
        self._threads.shutdown()


async def _answer(send: Send, reply: Reply, half: Scope | None = None) -> None:
    head: list[tuple[bytes, bytes]] = [
        (b"content-type", b"text/xml; charset=utf-8"),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": head})
    if half is None:
        await send({"type": "http.response.body", "body": reply.body})
        return
    part = reply.body[: len(reply.body) // 2]
    await send({"type": "http.response.body", "body": part, "more_body": True})
    _line(half).transport.close()


def _line(scope: Scope) -> Any:
    return scope["extensions"]["openpoort.line"]


def server(
    door: Door, certificates: Certificates, started: Callable[[], None] = lambda: None
) -> DoorServer:
    """`run(sockets=[…])` serves until SIGINT or SIGTERM; `started` is called once it answers."""
    made = DoorServer(door, certificates, ServerLimits())
    made.on_started = started
    return made
