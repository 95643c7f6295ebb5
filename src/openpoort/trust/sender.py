"""The gate: an envelope whose signature holds comes in, a verified message goes out, or nothing.

The two are different types, so that an unjudged envelope cannot be passed on by mistake. Time,
trust store and evidence are arguments; nothing here reads a clock or a file.
Source: settled points, Certificates; Digikoppeling WB013, PKI003.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from openpoort.domain.ids import Oin
from openpoort.wire.signed import SignedMessage


@dataclass(frozen=True, slots=True)
class VerifiedSender:
    """Who signed, as judged. Fingerprints are SHA-256 in lower-case hex; `tls_fingerprint` is
    empty when the message did not come over TLS (an imported one)."""

    oin: Oin
    common_name: str
    token_fingerprint: str
    tls_fingerprint: str


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """A signed message and its judged sender: what the process asks for."""

    sender: VerifiedSender
    message: SignedMessage


class Admits(Protocol):
    """What a door needs of the gatekeeper."""

    def admit(
        self, message: SignedMessage, tls_leaf: bytes | None, at: datetime, route: str = ""
    ) -> VerifiedMessage:
        """Raises Refusal (403: the certificate is the reason) or Fault."""
        ...
