"""HTTPS to others: one pooled client with mutual TLS, time-outs and a bounded answer.

Knows bytes and addresses, nothing of SOAP. It never follows a redirect, and repeats only for who
says that a repeat is safe: once, on a new connection, when a kept one gave no sign of life.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, urlsplit

from openpoort.domain.timeouts import DEFAULT, Timeouts
from openpoort.outbound.line import Line, NoAnswer
from openpoort.wire.xml.streamed_body import Body

__all__ = ["Answer", "Https", "NoAnswer", "Timeouts", "TlsRefused", "tls_context"]

MAX_ANSWER = 64 * 1024 * 1024
_TOGETHER = 64 * 1024
"""Octets of body up to which a copy costs less than a second TLS record and system call."""
_SAFE = "%/:=&?~#+!$,;'@()*[]"
_FIXED = "Accept-Encoding: identity\r\nUser-Agent: openpoort\r\n"


class TlsRefused(NoAnswer):
    """The TLS handshake failed: one side does not accept the other's certificate."""


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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a URL leads: `shown` is how a person and the Host header name it."""

    secure: bool
    host: str
    port: int
    shown: str
    path: str


@lru_cache(maxsize=1024)
def _place(url: str) -> _Place:
    """Raises NoAnswer for what is no http or https address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise NoAnswer(f"{url} is no address: {error}") from error
    if parts.scheme not in ("https", "http") or not host:
        raise NoAnswer(f"{url} is no address; give one as https://host/path")
    secure = parts.scheme == "https"
    path = quote(parts.path or "/", safe=_SAFE)
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    shown = parts.netloc.rpartition("@")[2]
    return _Place(secure, host, port or (443 if secure else 80), shown, path + query)


def tls_context(
    certificate: Path | None, key: Path | None, ca: Path | None, pem: str = ""
) -> ssl.SSLContext:
    """TLS 1.2 or newer; host names checked. Without `ca` (a file) and `pem` (its text) the
    machine's own roots count.

    Raises OSError (ssl.SSLError) if a file is missing or certificate and key do not belong
    together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if pem:
        context.load_verify_locations(cadata=pem)
    elif ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=ca)
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key)
        except OSError as wrong:
            why = getattr(wrong, "reason", None) or wrong.strerror
            files = f"{certificate} and {key}"
            raise OSError(f"{files} are no certificate and its key: {why}") from None
    return context


class Https:
    """A pool of kept-alive connections, `connections` of them idle; safe to share between
    threads."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        timeouts: Timeouts | None = None,
        max_answer: int = MAX_ANSWER,
        connections: int = 8,
    ) -> None:
        self._context = context
        self.timeouts = timeouts or DEFAULT
        self._max_answer = max_answer
        self._most = connections
        self._idle: dict[tuple[bool, str, int], list[Line]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._trusting = 0

    def post(self, url: str, body: Body, headers: Mapping[str, str]) -> Answer:
        """Raises NoAnswer, or what making the pieces of `body` raises; any HTTP status is an
        answer."""
        return self.exchange("POST", url, body, headers, self.timeouts)

    def get(self, url: str) -> Answer:
        """Raises NoAnswer; any HTTP status is an answer."""
        return self.exchange("GET", url, None, {}, self.timeouts)

    def repeating(self, times: Timeouts | None = None) -> Repeating:
        """The same connections for requests that may be repeated, with these time-outs."""
        return Repeating(self, times or self.timeouts)

    @property
    def idle(self) -> int:
        """Connections that are kept and not in use."""
        return sum(map(len, self._idle.values()))

    def trust(self, context: ssl.SSLContext) -> None:
        """From here on connections are made with `context`; those that are kept and were judged
        by the one before are let go."""
        with self._lock:
            self._context = context
            self._trusting += 1
            lines = [line for kept in self._idle.values() for line in kept]
            self._idle.clear()
        for line in lines:
            line.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            lines = [line for kept in self._idle.values() for line in kept]
            self._idle.clear()
        for line in lines:
            line.close()

    def __enter__(self) -> Https:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def exchange(
        self,
        method: str,
        url: str,
        body: Body | None,
        headers: Mapping[str, str],
        times: Timeouts,
        *,
        repeat: bool = False,
    ) -> Answer:
        """One request and its answer. Raises as `post`."""
        place = _place(url)
        times = times.sending(len(body or b""))
        line = self._kept(place, times)
        if line is not None:
            try:
                return self._ask(line, method, place, body, headers, times)
            except NoAnswer as no:
                if no.heard or not repeat:
                    raise
                self._forget(place)  # what stood idle beside it went the same way
        return self._ask(self._new(place, times), method, place, body, headers, times)

    def _ask(
        self,
        line: Line,
        method: str,
        place: _Place,
        body: Body | None,
        headers: Mapping[str, str],
        times: Timeouts,
    ) -> Answer:
        trusting, request = self._trusting, _request(method, place, body, headers)
        try:
            reading = line.exchange(request, times, self._max_answer)
        except NoAnswer as no:
            line.close()
            no.heard = line.heard
            raise
        except (OSError, EOFError) as error:
            line.close()
            said = _explained(place.shown, error)
            said.heard = line.heard
            raise said from error
        except BaseException:
            line.close()
            raise
        self._give_back(place, line, reading.kept_alive and trusting == self._trusting)
        return Answer(reading.status, reading.headers, b"".join(reading.parts), line.peer)

    def _kept(self, place: _Place, times: Timeouts) -> Line | None:
        """The connection used last that may be used again."""
        oldest = time.monotonic() - times.idle
        line = None
        with self._lock:
            kept = self._idle.get((place.secure, place.host, place.port), [])
            past = [x for x in kept if x.idle_since <= oldest]  # those used last stand last
            del kept[: len(past)]
            while kept and line is None:
                line = kept.pop()
                if line.dropped:
                    past.append(line)
                    line = None
        for x in past:
            x.close()
        return line

    def _forget(self, place: _Place) -> None:
        with self._lock:
            kept = self._idle.pop((place.secure, place.host, place.port), [])
        for line in kept:
            line.close()

    def _new(self, place: _Place, times: Timeouts) -> Line:
        """Raises NoAnswer."""
        context = self._context if place.secure else None
        try:
            return Line(place.host, place.port, context, times)
        except TimeoutError as error:
            raise NoAnswer(f"no connection with {place.shown} in time") from error
        except (OSError, ValueError) as error:
            raise _explained(place.shown, error) from error

    def _give_back(self, place: _Place, line: Line, usable: bool) -> None:
        if usable:
            line.idle_since = time.monotonic()
            with self._lock:
                kept = self._idle.setdefault((place.secure, place.host, place.port), [])
                if not self._closed and len(kept) < self._most:
                    kept.append(line)
                    return
        line.close()


class Repeating:
    """As `Https`, for requests that the other side knows again: see `Https.repeating`."""

    def __init__(self, http: Https, times: Timeouts) -> None:
        self._http, self._times = http, times

    def post(self, url: str, body: Body, headers: Mapping[str, str]) -> Answer:
        """Raises as `Https.post`."""
        return self._http.exchange("POST", url, body, headers, self._times, repeat=True)

    def close(self) -> None:
        """The connections are not ours."""


def _request(
    method: str, place: _Place, body: Body | None, headers: Mapping[str, str]
) -> Iterable[bytes]:
    """The bytes to send, in pieces."""
    lines = [f"{method} {place.path} HTTP/1.1\r\nHost: {place.shown}\r\n{_FIXED}"]
    lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
    if body is None:
        return ("".join([*lines, "\r\n"]).encode("latin-1"),)
    head = "".join([*lines, f"Content-Length: {len(body)}\r\n\r\n"]).encode("latin-1")
    if not isinstance(body, bytes):
        return chain((head,), body)
    return (head + body,) if len(body) <= _TOGETHER else (head, body)


def _explained(place: str, error: Exception) -> NoAnswer:
    """One sentence for a person; the cause stays attached."""
    if isinstance(error, ssl.SSLError):
        return TlsRefused(f"TLS with {place} failed: {error}")
    if isinstance(error, socket.gaierror):
        return NoAnswer(f"the name in {place} is unknown")
    if isinstance(error, ConnectionRefusedError):
        return NoAnswer(f"nothing listens at {place}")
    if isinstance(error, TimeoutError):
        return NoAnswer(f"{place} did not answer in time")
    if isinstance(error, EOFError):
        return NoAnswer(f"{place} broke off before the end of its answer")
    return NoAnswer(f"no answer from {place}: {error}")
