"""The turnstile before a body is read: is this sender within its rate and its share?

It goes by the OIN in the TLS certificate, which the handshake has proved to come from a known
authority; whether the sender may do anything is judged later. A no costs microseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache

from openpoort.domain.ids import Oin
from openpoort.domain.party import Directory
from openpoort.inbound.limits import Limits, Rate, Shares, Wait
from openpoort.trust.subject import oin_of
from openpoort.trust.verdict import Untrusted
from openpoort.wire.xmldsig.certificate import read_certificate


def _no_directory() -> Directory:
    return Directory()


@dataclass(slots=True)
class Turnstile:
    """`directory` gives the rate of a party that has its own."""

    limits: Limits = field(default_factory=lambda: Limits(None))
    shares: Shares = field(default_factory=Shares)
    directory: Callable[[], Directory] = _no_directory

    def enter(self, peer: bytes | None, at: float) -> Wait | None:
        """None: come in, and `leave` must follow. `peer` is the TLS certificate (DER), `at` in
        seconds of a clock that does not step back."""
        sender = whose(peer)
        wait = self.limits.ask(sender, at, self._rate(sender))
        return wait or self.shares.begin(sender)

    def away(self, peer: bytes | None, at: float) -> Wait | None:
        """For who was told to wait and calls again; None: ask `enter`."""
        sender = whose(peer)
        return self.limits.away(sender, at, self._rate(sender))

    def leave(self, peer: bytes | None) -> None:
        self.shares.end(whose(peer))

    def _rate(self, sender: Hashable) -> Rate | None:
        party = self.directory().party(sender) if isinstance(sender, Oin) else None
        if party is None or party.rate is None:
            return None
        return Rate(party.rate, party.burst or max(1, int(party.rate * 10)))


@lru_cache(maxsize=20_000)
def whose(peer: bytes | None) -> Hashable:
    """The OIN in a TLS certificate; its digest when it has none that can be read."""
    if peer is None:
        return None
    try:
        return oin_of(read_certificate(peer), test_oins=True)
    except (Untrusted, ValueError):
        return hashlib.sha256(peer).digest()
