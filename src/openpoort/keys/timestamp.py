"""Asking a time-stamping authority over HTTP, in the background only (RFC 3161 3.4).

The transport proves nothing: the token is believed for its signature (`trust/timestamp.py`). So
what is bounded here is what a broken or hostile TSA could cost: bytes, and time as a whole.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cryptography import x509

from openpoort.trust.timestamp import Asked, BadStamp, token_of

MAX_BYTES = 128 * 1024
SECONDS = 10.0


class BadAnchors(ValueError):
    """The file does not hold certificates; the message names the file."""


@dataclass(frozen=True, slots=True)
class Tsa:
    """Where to ask (http or https), whom to believe, and the policy to ask for (OID, or empty)."""

    url: str
    anchors: tuple[x509.Certificate, ...] = field(repr=False)
    policy: str = ""


def load_anchors(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates (PEM) of a file, at least one. Raises BadAnchors; OSError without a file."""
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except ValueError:
        raise BadAnchors(
            f"{path} holds no certificates of a time-stamping authority in PEM"
        ) from None


def ask(url: str, asked: Asked, seconds: float = SECONDS) -> bytes:
    """The token (DER) that the TSA answers, not judged yet. Raises BadStamp."""
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.netloc, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=seconds)
    begin = time.monotonic()
    try:
        connection.connect()
        # A time-out of sockets counts from byte to byte: one byte a second would never meet it.
        end = threading.Timer(seconds, _hang_up, [connection.sock])
        end.daemon = True
        end.start()
        try:
            answer, content = _exchange(connection, parts, asked.request)
        finally:
            end.cancel()
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = time.monotonic() - begin >= seconds
        reason = "no answer in time" if late else type(error).__name__
        raise BadStamp(f"the TSA cannot be reached: {reason}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise BadStamp(f"the TSA answered HTTP {answer.status}")
    if len(content) > MAX_BYTES:
        raise BadStamp(f"the TSA answered more than {MAX_BYTES} bytes")
    if answer.length:
        raise BadStamp("the TSA cannot be reached: no whole answer in time")
    return token_of(content)


def _exchange(
    connection: http.client.HTTPConnection, parts: SplitResult, request: bytes
) -> tuple[http.client.HTTPResponse, bytes]:
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    connection.request("POST", path, request, {"Content-Type": "application/timestamp-query"})
    answer = connection.getresponse()
    return answer, answer.read(MAX_BYTES + 1)


def _hang_up(sock: socket.socket) -> None:
    """End whatever waits on the connection."""
    with contextlib.suppress(OSError):  # it ended by itself meanwhile
        sock.shutdown(socket.SHUT_RDWR)
