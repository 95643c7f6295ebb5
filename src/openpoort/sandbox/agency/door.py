"""The demo agencies as one process: a TLS port, and an agency behind each path.

`/demodienst/wus/2.0/afleverservice/1.2`, `/demoregister/…`; all present the same TLS certificate
and sign with their own. Each has one thread beside the loop, which takes whatever came
in while it was busy: the more there is, the fewer syncs and wake-ups each costs.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from openpoort.inbound import body
from openpoort.inbound.body import BodyLimits, BodyRefused, Gone
from openpoort.inbound.server import DoorServer, Receive, Scope, Send, ServerLimits
from openpoort.inbound.tls import Certificates
from openpoort.sandbox.agency.deliveries import Agency, Closed, Reply, Request
from openpoort.wire.wus.services import AFLEVER


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    return sock


def path_of(name: str) -> str:
    return f"/{name.lower()}{AFLEVER.path}"


class _Asked(NamedTuple):
    request: Request
    reply: asyncio.Future[Reply]
    loop: asyncio.AbstractEventLoop


class Desk:
    """The thread of one agency. `AT_ONCE` bounds how long the first of a batch waits; `limits`
    are those of a delivery."""

    AT_ONCE = 16

    def __init__(self, agency: Agency) -> None:
        self.limits = BodyLimits(spool=agency.setting.folder)
        self._agency = agency
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=agency.setting.name, daemon=True)
        self._thread.start()

    async def receive(self, request: Request) -> Reply:
        """Raises Closed, or whatever went wrong."""
        loop = asyncio.get_running_loop()
        asked = _Asked(request, loop.create_future(), loop)
        self._asked.put(asked)
        return await asked.reply

    def close(self) -> None:
        """What came in is answered first."""
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._asked.get()) is not None:
            batch = [first]
            while len(batch) < self.AT_ONCE and not self._asked.empty():
                asked = self._asked.get()
                if asked is None:
                    self._asked.put(None)
                    break
                batch.append(asked)
            replies = self._agency.receive([asked.request for asked in batch])
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                first.loop.call_soon_threadsafe(_tell, batch, replies)


def _tell(batch: Sequence[_Asked], replies: Sequence[Reply | Exception]) -> None:
    for asked, reply in zip(batch, replies, strict=True):
        if asked.reply.done():
            continue  # whoever waited has hung up
        if isinstance(reply, Exception):
            asked.reply.set_exception(reply)
        else:
            asked.reply.set_result(reply)


class Door:
    """ASGI application over the agencies, by path."""

    def __init__(self, agencies: Mapping[str, Agency]) -> None:
        self._desks = {path_of(name): Desk(agency) for name, agency in agencies.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        desk = self._desks.get(scope["path"])
        if desk is None or scope["method"] != "POST":
            await _answer(send, Reply(404 if desk is None else 405, b""))
            return
        headers = dict(scope["headers"])
        try:
            raw = await body.read(receive, body.announced(headers, desk.limits), desk.limits)
        except BodyRefused as refused:
            await _answer(send, Reply(refused.status, b""))
            return
        except Gone:
            return
        content_type = headers.get(b"content-type", b"").decode("latin-1") or None
        try:
            reply = await desk.receive((raw, content_type))
        except Closed:
            _line(scope).transport.abort()
            return
        if reply.wait:
            await asyncio.sleep(reply.wait)
        await _answer(send, reply, None if not reply.half else scope)

    def close(self) -> None:
        for desk in self._desks.values():
            desk.close()


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
