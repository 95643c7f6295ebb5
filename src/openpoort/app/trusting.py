"""Whom this gateway believes: the trust store of HOME, for the handshake and for the gate."""

from __future__ import annotations

import ssl
from datetime import datetime

from openpoort.domain.ids import Oin
from openpoort.inbound.tls import Certificates, HostCertificate
from openpoort.keys import anchors as files
from openpoort.keys.seam import Key, is_token, open_key
from openpoort.outbound.exchange import BadAnswer
from openpoort.process.flow.clock import Clock
from openpoort.settings import Certificate, Settings
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
            settings.path(entry.signing_key)
            if entry.signing_key and not is_token(entry.signing_key)
            else None,
            entry.active_from,
        )
        for entry in settings.tls.certificates
    ]
    return Certificates(entries, (), clock.now, handshake(known))


def signer(settings: Settings, entry: Certificate) -> Key:
    """What signs for the hosts of `entry`: a file, or a token named by URI. Raises KeyUnusable."""
    name = entry.signing_key or entry.key
    certificate = settings.path(entry.signing_certificate or entry.certificate)
    return open_key(certificate, name if is_token(name) else settings.path(name))


def signers(settings: Settings) -> list[Key]:
    """One per entry of `tls.certificates`, in order. Raises KeyUnusable."""
    return [signer(settings, entry) for entry in settings.tls.certificates]


def try_signers(settings: Settings) -> None:
    """Open every key that is a file and let it go. A token is left to the process that signs with
    it: a library that was started before a fork is dead after it. Raises KeyUnusable."""
    for entry in settings.tls.certificates:
        if not is_token(entry.signing_key or entry.key):
            signer(settings, entry)


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
