"""HTTPS to others: one pooled client with mutual TLS, time-outs and a bounded answer.

Knows bytes and addresses, nothing of SOAP. It never follows a redirect and never repeats by
itself: whether a repeat is safe is the caller's knowledge, not the transport's.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.util.ssl_match_hostname import CertificateError

MAX_ANSWER = 64 * 1024 * 1024
_CHUNK = 65536


class NoAnswer(Exception):
    """No usable answer came: refused, cut off, too slow or too large. `str()` says which."""


class TlsRefused(NoAnswer):
    """The TLS handshake failed: one side does not accept the other's certificate."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `whole` bounds the exchange from the first byte sent to the last received."""

    connect: float = 10.0
    read: float = 30.0
    whole: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`tls_leaf` is the certificate (DER) that the other side presented on this connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    tls_leaf: bytes | None = field(default=None, repr=False)

    @property
    def content_type(self) -> str | None:
        return self.headers.get("content-type")


def tls_context(certificate: Path | None, key: Path | None, ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer; host names checked. Without `ca` the machine's own roots count.

    Raises OSError (ssl.SSLError) if a file is missing or certificate and key do not belong
    together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=ca)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


class Https:
    """A pool of kept-alive connections; safe to share between threads."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        timeouts: Timeouts | None = None,
        max_answer: int = MAX_ANSWER,
        connections: int = 8,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._max_answer = max_answer
        self._pool = urllib3.PoolManager(
            ssl_context=context, maxsize=connections, block=False, retries=False
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises NoAnswer; any HTTP status is an answer."""
        return self._exchange("POST", url, body, headers)

    def get(self, url: str) -> Answer:
        """Raises NoAnswer; any HTTP status is an answer."""
        return self._exchange("GET", url, None, {})

    def close(self) -> None:
        self._pool.clear()

    def __enter__(self) -> Https:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _exchange(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        deadline = time.monotonic() + self._timeouts.whole
        timeout = urllib3.Timeout(connect=self._timeouts.connect, read=self._timeouts.read)
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers=dict(headers),
                timeout=timeout,
                redirect=False,
                preload_content=False,
            )
        except (HTTPError, OSError, ValueError) as error:
            raise _explained(url, error) from error
        try:
            answer = self._read(response, deadline)
            response.drain_conn()
            response.release_conn()
        except (HTTPError, OSError) as error:
            raise _explained(url, error) from error
        finally:
            # After a success the connection is back in the pool and this does nothing; after
            # anything else what is unread would be taken for the next answer.
            response.close()
        return answer

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> Answer:
        leaf = _leaf(response)
        parts: list[bytes] = []
        size = 0
        # A drip of one byte per read would pass every socket time-out; the deadline ends it.
        while chunk := response.read1(_CHUNK, decode_content=False):
            size += len(chunk)
            if size > self._max_answer:
                raise NoAnswer(f"the answer is larger than {self._max_answer} bytes")
            if time.monotonic() > deadline:
                raise NoAnswer(f"no complete answer within {self._timeouts.whole:g} s")
            parts.append(chunk)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, b"".join(parts), leaf)


def _leaf(response: urllib3.BaseHTTPResponse) -> bytes | None:
    sock = getattr(response.connection, "sock", None)
    return sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None


def _explained(url: str, error: Exception) -> NoAnswer:
    """One sentence for a person; the cause stays attached."""
    place = urllib3.util.parse_url(url).netloc or url
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError | CertificateError):
            return TlsRefused(f"TLS with {place} failed: {cause}")
        if isinstance(cause, NameResolutionError):
            return NoAnswer(f"the name in {place} is unknown")
        if isinstance(cause, ConnectionRefusedError):
            return NoAnswer(f"nothing listens at {place}")
        if isinstance(cause, ConnectTimeoutError) and not isinstance(cause, NewConnectionError):
            return NoAnswer(f"no connection with {place} in time")
        if isinstance(cause, ReadTimeoutError | TimeoutError):
            return NoAnswer(f"{place} did not answer in time")
        if isinstance(cause, IncompleteRead):
            return NoAnswer(f"{place} broke off in the middle of its answer")
        cause = getattr(cause, "reason", None) or cause.__cause__ or cause.__context__
        if not isinstance(cause, BaseException):
            break
    return NoAnswer(f"no answer from {place}: {error}")
