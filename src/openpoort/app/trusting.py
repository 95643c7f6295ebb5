"""Whom this gateway believes: the trust store of HOME, for the handshake and for the gate."""

from __future__ import annotations

import ssl
from datetime import datetime

from openpoort.domain.ids import Oin
from openpoort.inbound.tls import Certificates, HostCertificate
from openpoort.keys import anchors as files
from openpoort.keys.pem import PemSigner
from openpoort.outbound.exchange import BadAnswer
from openpoort.process.clock import Clock
from openpoort.settings import Settings
from openpoort.trust.anchors import Anchors, Purpose
from openpoort.trust.sender import Gatekeeper
from openpoort.trust.verdict import Untrusted

ROUTE = "afleverservice"


def anchors(settings: Settings) -> Anchors:
    """The trust store named in `tls.trust`. Raises BadTrustStore."""
    return files.load(settings.path(settings.tls.trust))


def handshake(anchors: Anchors) -> str:
    """PEM of everything a client's chain may end in, for OpenSSL.

    Intermediates are among them: many clients send their leaf alone.
    """
    known = [c for g in anchors.generations for c in (*g.roots, *g.intermediates)]
    known += [p.certificate for p in anchors.pinned.values()]
    return "".join(ssl.DER_cert_to_PEM_cert(c) for c in known)


def certificates(settings: Settings, known: Anchors, clock: Clock) -> Certificates:
    """What the doors present. Raises OSError or ssl.SSLError when a file cannot be used."""
    entries = [
        HostCertificate(
            tuple(host.lower() for host in entry.hosts),
            settings.path(entry.certificate),
            settings.path(entry.key),
            settings.path(entry.signing_certificate) if entry.signing_certificate else None,
            settings.path(entry.signing_key) if entry.signing_key else None,
            entry.active_from,
        )
        for entry in settings.tls.certificates
    ]
    return Certificates(entries, (), clock.now, handshake(known))


def signers(certificates: Certificates) -> list[PemSigner]:
    """One per entry, in order. Raises KeyUnusable."""
    return [
        PemSigner(e.signing_certificate or e.certificate, e.signing_key or e.key)
        for e in certificates.entries
    ]


class Identify:
    """The OIN behind the certificate that signed an agency's answer, judged like any sender's
    (route `afleverservice`), with the evidence at hand."""

    def __init__(self, keeper: Gatekeeper) -> None:
        self._keeper = keeper

    def __call__(self, token: bytes, at: datetime) -> Oin:
        """Raises BadAnswer for a certificate that is not trusted."""
        grounds = self._keeper.grounds
        try:
            judged = self._keeper.verdicts.judge(
                token, Purpose.SIGNATURE, at, grounds.anchors, grounds.evidence, grounds.mode(ROUTE)
            )
        except Untrusted as no:
            raise BadAnswer(f"the answer's certificate is not trusted: {no.reason}") from no
        return judged.oin
