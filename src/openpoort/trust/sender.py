"""The gate: an envelope whose signature holds comes in, a verified message goes out, or nothing.

The two are different types, so that an unjudged envelope cannot be passed on by mistake. Time,
trust store and evidence are arguments; nothing here reads a clock or a file.
Source: settled points, Certificates; Digikoppeling WB013, PKI003.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from openpoort.domain.fault import Refusal
from openpoort.domain.ids import Oin
from openpoort.domain.party import Directory
from openpoort.trust.anchors import Anchors, Purpose
from openpoort.trust.chain import fingerprint
from openpoort.trust.policy import Policy
from openpoort.trust.revocation import Evidence, FailMode
from openpoort.trust.verdict import Judged, Reason, Untrusted
from openpoort.trust.verdicts import Verdicts
from openpoort.wire.wus.signed_message import SignedMessage


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


class CertificateRefused(Refusal):
    """Refusal 403: `fingerprint` names the certificate that is the reason."""

    def __init__(self, what: str, fingerprint: str) -> None:
        super().__init__(what, status=403)
        self.fingerprint = fingerprint


class Admits(Protocol):
    """What a door needs of the gatekeeper."""

    def admit(
        self, message: SignedMessage, tls_leaf: bytes | None, at: datetime, route: str = ""
    ) -> VerifiedMessage:
        """Raises Refusal (403: the certificate is the reason) or Fault."""
        ...


@dataclass(frozen=True, slots=True)
class Grounds:
    """Everything a judgement rests on, at one moment. Replace it whole: a judgement never sees
    half of a change. `modes` gives the fail mode per route (`default` for the rest)."""

    anchors: Anchors
    evidence: Evidence = field(default_factory=Evidence)
    directory: Directory = field(default_factory=Directory)
    policy: Policy = field(default_factory=Policy)
    modes: Mapping[str, FailMode] = field(default_factory=dict)

    def mode(self, route: str) -> FailMode:
        return self.modes.get(route) or self.modes.get("default", FailMode.SOFT)


def _ignore(oin: Oin, names: tuple[str, ...], at: datetime) -> None:
    """Nobody counts."""


@dataclass(slots=True)
class Gatekeeper:
    """Judges senders on `grounds`. `noticed` hears of every algorithm in use that will end."""

    grounds: Grounds
    noticed: Callable[[Oin, tuple[str, ...], datetime], None] = _ignore
    verdicts: Verdicts = field(default_factory=Verdicts)

    def admit(
        self, message: SignedMessage, tls_leaf: bytes | None, at: datetime, route: str = ""
    ) -> VerifiedMessage:
        """The message with its judged sender.

        Raises CertificateRefused (403) when a certificate is the reason, AlgorithmRefused for an
        algorithm that is no longer accepted. `tls_leaf` is DER; None for a message that came in
        another way.
        """
        grounds = self.grounds
        token = self._judge(message.token, Purpose.SIGNATURE, at, grounds, route)
        party = grounds.directory.party(token.oin)
        tls = ""
        if tls_leaf is not None:
            caller = self._judge(tls_leaf, Purpose.AUTHENTICATION, at, grounds, route)
            tls = caller.fingerprint
            if caller.oin != token.oin and (party is None or caller.oin not in party.tls_oins):
                raise _refused(Purpose.AUTHENTICATION, Reason.OTHER_OIN, tls_leaf)
        own_until = party.sha1_until if party is not None else None
        ending = grounds.policy.check(message.algorithms, at, own_until)
        if ending:
            self.noticed(token.oin, ending, at)
        return VerifiedMessage(
            VerifiedSender(token.oin, token.common_name, token.fingerprint, tls), message
        )

    def _judge(
        self, leaf: bytes, purpose: Purpose, at: datetime, grounds: Grounds, route: str
    ) -> Judged:
        mode = grounds.mode(route)
        try:
            return self.verdicts.judge(leaf, purpose, at, grounds.anchors, grounds.evidence, mode)
        except Untrusted as no:
            raise _refused(purpose, no.reason, leaf) from no


def _refused(purpose: Purpose, reason: Reason, leaf: bytes) -> CertificateRefused:
    which = "token" if purpose is Purpose.SIGNATURE else "tls"
    return CertificateRefused(f"certificate-{which}-{reason}", fingerprint(leaf))
