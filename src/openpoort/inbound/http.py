"""HTTP in front of the WUS services: routes, methods, bodies; SOAP begins in `wus.py`.

A service is a path. GET gives its WSDL and schema, POST a message; the SOAPAction header is
ignored (half of the known clients send a wrong one). 503 and 429 are SOAP faults with Retry-After;
whatever else has no SOAP answer is a few words of plain text, or nothing at all for an attack.
"""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from openpoort.domain.fault import Fault
from openpoort.domain.octets import Octets
from openpoort.inbound import body
from openpoort.inbound.body import BodyLimits, BodyRefused, Gone, Pool
from openpoort.inbound.handshake import Noticed
from openpoort.inbound.limits import Wait
from openpoort.inbound.line import Line
from openpoort.inbound.protocol import TooMany, unheard
from openpoort.inbound.server import Receive, Scope, Send
from openpoort.inbound.turns import Turns
from openpoort.inbound.turnstile import Turnstile, whose
from openpoort.process.flow.crashpoints import crash_point
from openpoort.wire.wus import seal, services
from openpoort.wire.wus.services import AFLEVER, SERVICES, Service

XML = b"text/xml; charset=utf-8"
PLAIN = b"text/plain; charset=utf-8"


async def _nothing(_delivered: bool) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `then` is told, when it is over, whether the peer has all of it."""

    status: int
    content: bytes = b""
    content_type: bytes = XML
    headers: tuple[tuple[bytes, bytes], ...] = ()
    then: Callable[[bool], Awaitable[None]] = _nothing


@dataclass(frozen=True, slots=True)
class Post:
    """A request as read: all of the body, the Content-Type, and the connection it came by."""

    service: Service
    raw: Octets
    content_type: str | None
    line: Line


class Exchange(Protocol):
    """What stands behind the doors (`wus.Wus`)."""

    async def __call__(self, post: Post) -> Answer: ...


def _untold(service: Service, line: Line, wait: Wait) -> None:
    """Nobody records it."""


@dataclass(slots=True)
class Door:
    """The ASGI application. `bases` are our URLs without path, the first one the usual one."""

    exchange: Exchange
    bases: tuple[str, ...]
    limits: BodyLimits = field(default_factory=BodyLimits)
    in_flight: int = 1000
    turnstile: Turnstile = field(default_factory=Turnstile)
    turns: Turns = field(default_factory=Turns)
    limited: Callable[[Service, Line, Wait], None] = _untold
    noticed: Noticed = unheard
    served: Mapping[str, Service] = field(
        default_factory=lambda: {p: s for p, s in SERVICES.items() if s is not AFLEVER}
    )
    _busy: int = 0
    _pool: Pool | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line: Line = scope["extensions"]["openpoort.line"]
        service = self._service(scope["path"])
        try:
            answer = await self._answer(scope, service, receive, line)
        except BodyRefused as refused:
            answer = _unread(refused, service)
            self.noticed(line.origin, refused.text)
        except Gone:
            self.noticed(line.origin, "hung up in the middle of a request")
            return
        if answer.then is _nothing:
            await _send(send, answer)
            return
        delivered = False
        try:
            with line.receipt() as receipt:
                await _send(send, answer)
                delivered = receipt is not None and await receipt.acknowledged(len(answer.content))
        finally:
            await asyncio.shield(answer.then(delivered))

    def away(self, line: Line, path: str) -> TooMany | None:
        """What a sender hears who was told to wait and still must; None: let it be asked."""
        wait = self.turnstile.away(line.peer, asyncio.get_running_loop().time())
        service = self._service(path.partition("?")[0]) if wait else None
        if wait is None or service is None:
            return None
        return TooMany(wait.seconds, _busy(service, _OFTEN), XML)

    def _service(self, path: str) -> Service | None:
        return self.served.get(path.rstrip("/"))

    async def _answer(
        self, scope: Scope, service: Service | None, receive: Receive, line: Line
    ) -> Answer:
        if service is None:
            return Answer(404, b"no such service", PLAIN)
        headers = _headers(scope["headers"])
        if scope["method"] == "GET":
            return self._describe(service, scope["query_string"], headers)
        if scope["method"] != "POST":
            return Answer(405, b"use POST", PLAIN, ((b"allow", b"GET, POST"),))
        if self._busy >= self.in_flight:
            raise BodyRefused(503, "too many requests at the moment")
        wait = self.turnstile.enter(line.peer, asyncio.get_running_loop().time())
        if wait is not None:
            if not wait.again:
                self.limited(service, line, wait)
            # The connection stays: a new handshake would cost us more than the refusal.
            return Answer(429, _busy(service, _OFTEN), XML, (_retry_after(wait),))
        self._busy += 1
        try:
            return await self._post(service, receive, headers, line)
        finally:
            self._busy -= 1
            self.turnstile.leave(line.peer)

    async def _post(
        self, service: Service, receive: Receive, headers: dict[bytes, bytes], line: Line
    ) -> Answer:
        if self._pool is None:
            self._pool = Pool(self.limits)
        length = body.announced(headers, self.limits)
        async with self._pool.room(self.limits.size if length is None else length) as room:
            raw = await body.read(receive, length, self.limits)
            self._pool.fit(room, len(raw))
            crash_point("after-body")
            await self.turns.mine(whose(line.peer))
            kind = headers.get(b"content-type")
            post = Post(service, raw, kind.decode("latin-1") if kind else None, line)
            return await self.exchange(post)

    def _describe(self, service: Service, query: bytes, headers: dict[bytes, bytes]) -> Answer:
        asked = query.lower()
        if asked.startswith(b"xsd"):
            return Answer(200, services.xsd())
        if not asked.startswith(b"wsdl"):
            return Answer(405, b"use POST, or GET with ?wsdl", PLAIN, ((b"allow", b"POST"),))
        host = "https://" + headers.get(b"host", b"").decode("latin-1")
        base = host if host in self.bases else self.bases[0]
        return Answer(200, _wsdl(service, base + service.path))


def _unread(refused: BodyRefused, service: Service | None) -> Answer:
    """Of a request that was not read to its end. The sender may not have been either: a client
    that made no mistake gets a fault."""
    close = (b"connection", b"close")
    if refused.status != 503 or service is None:
        return Answer(refused.status, refused.text.encode(), PLAIN, (close,))
    return Answer(503, _busy(service, _FULL), XML, (close, (b"retry-after", b"2")))


_OFTEN = (
    "Er komen te veel verzoeken tegelijk van deze afzender. Wacht zo lang als Retry-After zegt."
)
_FULL = "Digipoort heeft het op dit moment te druk. Probeer het opnieuw na de tijd in Retry-After."


def _busy(service: Service, text: str) -> bytes:
    """A fault to a request that nobody looked at: it names no MessageID."""
    fout = seal.fout(service, Fault(text, reason=400))
    return seal.seal_fault(service, None, fout, message_id=f"uuid:{uuid.uuid4()}", relates_to=None)


def _retry_after(wait: Wait) -> tuple[bytes, bytes]:
    return b"retry-after", str(wait.seconds).encode()


@functools.cache
def _wsdl(service: Service, address: str) -> bytes:
    return services.wsdl(service, address)


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """By name. Raises BodyRefused when one that steers the reading stands there twice."""
    found: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name in found and name in {b"content-length", b"transfer-encoding", b"content-type"}:
            raise BodyRefused(400, f"the header {name.decode('latin-1')} stands there twice")
        found[name] = value
    return found


async def _send(send: Send, answer: Answer) -> None:
    headers = [(b"content-length", str(len(answer.content)).encode())]
    if answer.content:
        headers.append((b"content-type", answer.content_type))
    headers.extend(answer.headers)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})
