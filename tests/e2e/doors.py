"""A door on loopback with an exchange of our own behind it: HTTP and TLS without the house."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from openpoort.app.sockets import listen
from openpoort.inbound.body import BodyLimits
from openpoort.inbound.http import Answer, Door, Post
from openpoort.inbound.server import DoorServer, ServerLimits
from openpoort.inbound.tls import Certificates, HostCertificate
from openpoort.wire.wus.signed_message import SoapFault
from openpoort.wire.wus.soap import open_answer


@dataclass
class Echo:
    """Answers with the body it got, and remembers what it saw."""

    posts: list[Post] = field(default_factory=list)
    delivered: list[bool] = field(default_factory=list)

    async def __call__(self, post: Post) -> Answer:
        self.posts.append(post)

        async def then(done: bool) -> None:
            self.delivered.append(done)

        return Answer(200, bytes(post.raw), then=then)


@dataclass
class Running:
    port: int
    echo: Echo
    pki: Path
    door: Door
    noticed: list[tuple[str, str]]

    def context(
        self, who: str | None = "bedrijf", version: ssl.TLSVersion | None = None
    ) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.pki / "ca.pem"))
        if who:
            context.load_cert_chain(self.pki / f"{who}.pem", self.pki / f"{who}.key")
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    @contextmanager
    def connect(
        self,
        context: ssl.SSLContext | None = None,
        name: str = "localhost",
        session: ssl.SSLSession | None = None,
    ) -> Iterator[ssl.SSLSocket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain:
            used = context or self.context()
            with used.wrap_socket(plain, server_hostname=name, session=session) as tls:
                yield tls

    def ask(self, request: bytes, **how: object) -> bytes:
        """Send `request` and read until the door closes or the answer is complete."""
        with self.connect(**how) as tls:  # type: ignore[arg-type]  # passed through
            tls.sendall(request)
            return read_answer(tls)


def read_answer(tls: ssl.SSLSocket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        part = tls.recv(65536)
        if not part:
            return got
        got += part
    head, _, rest = got.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(rest) < length:
        part = tls.recv(65536)
        if not part:
            break
        rest += part
    return head + b"\r\n\r\n" + rest


def refused(door: Running, context: ssl.SSLContext, request: bytes) -> bool:
    """Whether the connection is cut, in the handshake or right after it, without an answer."""
    try:
        return door.ask(request, context=context) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def cut(tls: ssl.SSLSocket, piece: bytes, times: int) -> bool:
    """Whether the door ends the connection, while or after `piece` is sent `times` times."""
    try:
        for _ in range(times):
            tls.sendall(piece)
        while tls.recv(65536):
            pass
    except TimeoutError:
        return False
    except (ssl.SSLError, OSError):
        return True
    return True


def post(path: str, body: bytes, *headers: bytes) -> bytes:
    head = [b"POST " + path.encode() + b" HTTP/1.1", b"host: localhost"]
    if not any(h.lower().startswith((b"content-length", b"transfer-encoding")) for h in headers):
        head.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*head, *headers, b"", b""]) + body


def busy_fault(answer: bytes) -> str:
    """The code in the SOAP fault of a 503 or 429; a client that reads nothing else finds it."""
    head, _, content = answer.partition(b"\r\n\r\n")
    assert b"content-type: text/xml; charset=utf-8" in head
    fault = open_answer(content, "text/xml; charset=utf-8")
    assert isinstance(fault, SoapFault)
    assert fault.fout is not None
    assert "Retry-After" in fault.fout.foutbeschrijving
    assert fault.faultcode == "soapenv:Server"
    return fault.fout.foutcode


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@contextmanager
def running(
    pki: Path,
    limits: ServerLimits | None = None,
    body: BodyLimits | None = None,
    entries: list[HostCertificate] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Running]:
    entries = entries or [
        HostCertificate(("localhost", "127.0.0.1"), pki / "server.pem", pki / "server.key")
    ]
    certificates = Certificates(entries, [pki / "ca.pem"], now)
    sockets = listen(["127.0.0.1"], 0)
    port = sockets[0].getsockname()[1]
    echo = Echo()
    door = Door(echo, (f"https://localhost:{port}",), body or BodyLimits())
    limits = limits or ServerLimits(drain_seconds=1)
    noticed: list[tuple[str, str]] = []
    server = DoorServer(
        door, certificates, limits, lambda *told: noticed.append(told), away=door.away
    )
    started = threading.Event()
    server.on_started = started.set

    def serve() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(sockets))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield Running(port, echo, pki, door, noticed)
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
