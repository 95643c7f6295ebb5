"""TLS of the doors: mutual, 1.2 and 1.3, one certificate per host name.

The client certificate is asked for and checked against the trust store in the handshake;
whether its owner may do anything is judged later (`trust`). Each host name has a context of its
own, chosen by SNI: the server must pick before it knows the sender (settled: Certificates).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
"""TLS 1.2 suites with forward secrecy (NCSC: goed or voldoende); 1.3 has its own list. No DHE:
NCSC phases it out, and it would need a group that clients of its time accept."""


class Session(ssl.SSLObject):
    """TLS of one connection, with its books: `plain` octets went in, `sent` octets came out of
    them and of the handshake. A handshake that fails leaves its alert with the error."""

    outgoing: ssl.MemoryBIO
    plain = 0
    sent = 0

    def do_handshake(self) -> None:
        before = self.outgoing.pending
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as wrong:
            vars(wrong)["alert"] = self.outgoing.read()
            raise
        finally:
            self.sent += self.outgoing.pending - before

    def write(self, data: Any) -> int:
        before = self.outgoing.pending
        done = super().write(data)
        self.plain += done
        self.sent += self.outgoing.pending - before
        return done

    @staticmethod
    def alert_of(wrong: BaseException) -> bytes:
        """What must still be sent to the client; empty when it knows already."""
        alert: bytes = vars(wrong).get("alert", b"")
        return alert


class _Context(ssl.SSLContext):
    """A context whose connections are a Session each."""

    sslobject_class = Session

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *how: Any, **named: Any
    ) -> Session:
        made = super().wrap_bio(incoming, outgoing, *how, **named)
        assert isinstance(made, Session)
        made.outgoing = outgoing
        return made


@dataclass(frozen=True, slots=True)
class HostCertificate:
    """What one host name presents from `active_from` on (None: always).

    `certificate` holds the leaf first, then the intermediates. The signing pair is the TLS pair
    unless the two-certificate profile is set.
    """

    hosts: tuple[str, ...]
    certificate: Path
    key: Path
    signing_certificate: Path | None = None
    signing_key: Path | None = None
    active_from: datetime | None = None


@dataclass(slots=True)
class Certificates:
    """The contexts of a door and which one a connection got.

    Two entries for one host name overlap: the one whose `active_from` came last is presented,
    connections that are open keep theirs, and answers are signed to match (`of`). What client
    certificates may end in comes from files (`client_ca`), as PEM text (`client_pem`), or both.
    """

    entries: Sequence[HostCertificate]
    client_ca: Sequence[Path]
    now: Callable[[], datetime]
    client_pem: str = ""
    _contexts: list[ssl.SSLContext] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.entries:
            raise ValueError("a door needs at least one certificate")
        self._contexts = [self._context(entry) for entry in self.entries]

    def trust(self, client_pem: str) -> None:
        """Let new handshakes end in these certificates too, without a restart. What is no longer
        trusted still passes the handshake until then; the gate refuses its messages."""
        for context in self._contexts:
            context.load_verify_locations(cadata=client_pem)

    def _context(self, entry: HostCertificate) -> ssl.SSLContext:
        context = _Context(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(entry.certificate, entry.key)
        except OSError as wrong:
            why = getattr(wrong, "reason", None) or wrong.strerror
            files = f"{entry.certificate} and {entry.key}"
            raise OSError(f"{files} are no certificate and its key: {why}") from None
        for path in self.client_ca:
            context.load_verify_locations(path)
        if self.client_pem:
            context.load_verify_locations(cadata=self.client_pem)
        context.verify_mode = ssl.CERT_REQUIRED
        context.sni_callback = self._choose
        return context

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
    ) -> None:
        connection.context = self._contexts[self.active(name)]

    def active(self, name: str | None) -> int:
        """The place of the entry for `name`; an unknown or absent name gets the first's host."""
        at = self.now()
        folded = (name or "").lower()
        named = [i for i, e in enumerate(self.entries) if folded in e.hosts]
        if not named:
            first = self.entries[0].hosts
            named = [i for i, e in enumerate(self.entries) if set(e.hosts) & set(first)] or [0]
        begun = [i for i in named if _start(self.entries[i]) <= at.timestamp()]
        return max(begun or named, key=lambda i: _start(self.entries[i]))

    def default(self) -> ssl.SSLContext:
        """The context a listener starts with; the SNI callback may swap it."""
        return self._contexts[self.active(None)]

    def of(self, context: ssl.SSLContext | None) -> int:
        """Which entry a finished handshake used: the index for its signer."""
        for place, candidate in enumerate(self._contexts):
            if candidate is context:
                return place
        return self.active(None)


def _start(entry: HostCertificate) -> float:
    return entry.active_from.timestamp() if entry.active_from else float("-inf")
