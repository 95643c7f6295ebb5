"""A door for diagnosis: the TLS and HTTP of the gateway, one report per request, nothing stored.

The sender gets what the gateway would answer, to the last octet of a refusal; what would be taken
in gets a fault that says so. A connection that ends before there is a request (a handshake that
fails, what is no HTTP) is a report too.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import uvloop

from openpoort.client.diagnose import reported
from openpoort.client.diagnose.report import Report
from openpoort.client.diagnose.request import Request
from openpoort.client.diagnose.subject import Surroundings
from openpoort.client.diagnose.verdict import Rehearsal
from openpoort.inbound.line import Line
from openpoort.inbound.server import DoorServer, Receive, Scope, Send, ServerLimits
from openpoort.inbound.tls import Certificates

_ADVICE = (
    (
        "no client certificate",
        "the client sent none: give it its certificate and its key (curl: --cert and --key); a "
        "proxy in between must not end TLS",
    ),
    (
        "client certificate refused: unable to get",
        "its issuer is not in the trust store of this gateway: use a certificate of an authority "
        "that is, and send its intermediates along",
    ),
    (
        "client certificate refused: self",
        "it leads to no authority in the trust store of this gateway: use a certificate of one "
        "that does",
    ),
    ("client certificate refused: certificate has expired", "renew the certificate"),
    ("client certificate refused", "use another certificate; its issuer can say what is wrong"),
    (
        "no common TLS version",
        "the client offers TLS 1.1 or older: switch on TLS 1.2 (old .NET: SchUseStrongCrypto; "
        "old Java: https.protocols)",
    ),
    ("no common cipher", "the client must offer an ECDHE suite with AES-GCM or ChaCha20"),
    ("no common group", "the client must offer a curve such as P-256 or X25519"),
    (
        "no common signature algorithm",
        "the client must offer an RSA signature with SHA-256 or better",
    ),
    ("no common protocol", "the client must speak HTTP/1.1 (ALPN http/1.1)"),
    (
        "the client does not trust",
        "give the client the trust anchor of this gateway (HOME/pki/ca.pem; curl: --cacert)",
    ),
    (
        "the client does not accept",
        "the name that is called must stand in the certificate, and the client must trust its "
        "issuer (HOME/pki/ca.pem; curl: --cacert)",
    ),
    ("plain HTTP", "call https://, not http://"),
    ("not TLS", "call https://; a proxy in between must pass TLS through"),
    ("hung up", "the client ended it: its own log says why, mostly that it does not trust us"),
)
"""What a reason begins with -> what to do."""


@dataclass(slots=True)
class Listener:
    """Serves on bound `sockets` until a signal or, with `once`, after one report. `around` is
    asked anew for each request; `show` gets each report before its answer is sent."""

    sockets: list[socket.socket]
    certificates: Certificates
    around: Callable[[], Surroundings]
    show: Callable[[Report], None]
    once: bool = False
    _server: DoorServer | None = None

    def run(self, started: Callable[[], None] = lambda: None) -> None:
        server = DoorServer(self, self.certificates, ServerLimits(drain_seconds=2), self._cut)
        server.on_started = started
        self._server = server
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(self.sockets))

    def _done(self) -> None:
        if self.once and self._server is not None:
            self._server.should_exit = True

    def _cut(self, origin: str, reason: str) -> None:
        """For `DoorServer.noticed`."""
        advice = next((what for begin, what in _ADVICE if reason.startswith(begin)), "")
        report = Report(fout=f"no request was read: the connection is ended ({reason})")
        report.wrong("connection", reason, advice)
        self.show(report)
        self._done()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line: Line = scope["extensions"]["openpoort.line"]
        body, sent, whole = bytearray(), [], False

        async def heard() -> dict[str, Any]:
            nonlocal whole
            message = await receive()
            body.extend(message.get("body", b""))
            whole = message["type"] == "http.request" and not message.get("more_body", False)
            return message

        async def keep(message: dict[str, Any]) -> None:
            sent.append(message)

        around = self.around()
        with ThreadPoolExecutor(1) as threads:
            rehearsal = Rehearsal(around, threads)
            await rehearsal.door()(scope, heard, keep)
        if not sent:  # hung up in the middle
            self._cut(line.origin, "hung up in the middle of a request")
            return
        content = b"".join(message.get("body", b"") for message in sent[1:])
        given = rehearsal.given(sent[0]["status"], content)
        request = Request(bytes(body), *_head(scope), line.peer, whole)
        self.show(reported(request, around, given))
        with line.receipt() as receipt:
            for message in sent:
                await send(message)
            if receipt is not None:
                await receipt.acknowledged(len(content))
        self._done()


def _head(scope: Scope) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Method, target and headers."""
    query = scope["query_string"].decode("latin-1")
    target = scope["path"] + (f"?{query}" if query else "")
    headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"])
    return scope["method"], target, headers
