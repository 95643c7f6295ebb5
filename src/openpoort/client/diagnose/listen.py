"""A door for diagnosis: mutual TLS, any path, one report per request, never a message stored.

The sender gets a SOAP fault that says how many checks are wrong, so that its own code finishes
its exchange; the report is for the person who listens. Any client certificate that leads to the
given anchor is let in; without an anchor any at all, which then is only shown.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from openpoort.client.diagnose.report import Outcome, Report
from openpoort.client.diagnose.request import Request
from openpoort.domain.fault import Fout
from openpoort.wire import seal
from openpoort.wire.services import AANLEVER, SERVICES, wsdl, xsd

MAX_BODY = 64 * 1024 * 1024
_NO_ID = "uuid:00000000-0000-4000-8000-000000000000"


class Listener:
    """Serves until `close`. `judge` makes the report of one request and shows it."""

    def __init__(
        self, port: int, certificate: Path, key: Path, ca: Path, judge: Callable[[Request], Report]
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(ca)
        # Optional, so that a client without a certificate is told so instead of cut off.
        context.verify_mode = ssl.CERT_OPTIONAL
        self._server = _Server(("127.0.0.1", port), context, judge)
        self.port: int = self._server.server_address[1]

    def run_until(self, done: Callable[[], bool]) -> None:
        """Serve until `done` says so; it is asked after every connection and ten times a second."""
        self._server.timeout = 0.1
        while not done():
            self._server.handle_request()

    def close(self) -> None:
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        judge: Callable[[Request], Report],
    ) -> None:
        super().__init__(address, _Handler)
        self.judge = judge
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake runs in the request's own thread: a slow client holds up nobody else.
        assert isinstance(request, socket.socket)
        request.settimeout(30)
        try:
            with self._context.wrap_socket(request, server_side=True) as tls:
                super().finish_request(tls, client_address)
        except (OSError, ssl.SSLError):
            return


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        service = SERVICES.get(self.path.partition("?")[0])
        asked = self.path.partition("?")[2].lower()
        if service is None or asked not in ("wsdl", "xsd"):
            self._send(404, b"")
            return
        address = f"https://{self.headers.get('Host', 'localhost')}{service.path}"
        self._send(200, wsdl(service, address) if asked == "wsdl" else xsd())

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            self._send(413, b"")
            return
        headers = tuple((n.lower(), v) for n, v in self.headers.items())
        tls = self.connection
        leaf = tls.getpeercert(binary_form=True) if isinstance(tls, ssl.SSLSocket) else None
        request = Request(self.rfile.read(int(length)), "POST", self.path, headers, leaf)
        self._send(500, _fault(self.path, self.server.judge(request)))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the report is the output."""


def _fault(path: str, report: Report) -> bytes:
    service = SERVICES.get(path.partition("?")[0].rstrip("/"), AANLEVER)
    wrong = sum(check.outcome is Outcome.WRONG for check in report.checks)
    text = f"Diagnose: {wrong} controles fout; het bericht is niet in behandeling genomen."
    fout = Fout(f"{service.letters}100", f"{text}\n\n{report.fout}".strip())
    return seal.seal_fault(service, None, fout, message_id=_NO_ID, relates_to=None)
