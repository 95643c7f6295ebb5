"""What is trusted, as a versioned value: generations of roots side by side, and pinned leaves.

A generation is a set of roots with their intermediates, accepted for one or both purposes within
a window; which key usages it demands is data, so that the single-purpose certificates that come
from 2026 on are a configuration. `keys/anchors.py` reads the value from files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openpoort.domain.ids import Oin


class Purpose(StrEnum):
    """`authentication` is TLS; `signature` is the token of a message."""

    AUTHENTICATION = "authentication"
    SIGNATURE = "signature"


CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"


@dataclass(frozen=True, slots=True)
class Usage:
    """One of `key_usage` and one of `extended` (dotted OIDs) must stand in the certificate.

    An empty set asks nothing. anyExtendedKeyUsage never counts: it says nothing about purpose.
    """

    key_usage: frozenset[str]
    extended: frozenset[str]


MULTI_PURPOSE: Mapping[Purpose, Usage] = {
    Purpose.AUTHENTICATION: Usage(frozenset({"digital_signature"}), frozenset({CLIENT_AUTH})),
    Purpose.SIGNATURE: Usage(
        frozenset({"digital_signature", "content_commitment"}),
        frozenset({CLIENT_AUTH, EMAIL_PROTECTION, DOCUMENT_SIGNING}),
    ),
}
"""One certificate for both, as clients have had since 2021."""

SINGLE_PURPOSE: Mapping[Purpose, Usage] = {
    Purpose.AUTHENTICATION: Usage(frozenset({"digital_signature"}), frozenset({CLIENT_AUTH})),
    Purpose.SIGNATURE: Usage(
        frozenset({"digital_signature", "content_commitment"}),
        frozenset({EMAIL_PROTECTION, DOCUMENT_SIGNING}),
    ),
}
"""Two certificates: the TLS one cannot sign messages, the signing one cannot open TLS."""


@dataclass(frozen=True, slots=True)
class Generation:
    """Certificates are DER. `since` is included, `until` excluded; None follows the roots.

    `policies` (dotted OIDs) of which the leaf must carry one; empty asks none. Under one root may
    stand products for people too, whose serialNumber also has 20 digits and is no OIN.
    """

    name: str
    roots: tuple[bytes, ...] = field(repr=False)
    intermediates: tuple[bytes, ...] = field(default=(), repr=False)
    purposes: frozenset[Purpose] = frozenset(Purpose)
    usage: Mapping[Purpose, Usage] = field(default_factory=lambda: MULTI_PURPOSE)
    policies: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def accepted(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Pinned:
    """One leaf that is accepted as it stands, whoever issued it: for tests and transitions.

    Its validity is still judged; its issuer, usage and revocation are not. `oin` replaces the
    subject serialNumber.
    """

    certificate: bytes = field(repr=False)
    oin: Oin
    purposes: frozenset[Purpose] = frozenset(Purpose)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The whole trust store. `version` changes with every byte of its content; verdicts are
    cached under it. `test_oins` admits OINs with the test prefix."""

    version: str
    generations: tuple[Generation, ...]
    pinned: Mapping[str, Pinned] = field(default_factory=dict)  # by SHA-256 in hex
    test_oins: bool = False
