"""CRLs and OCSP answers of a development authority: right, stale, early, or signed by another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from openpoort.sandbox.authority import Ca, Leaf


def crl(
    ca: Ca,
    at: datetime,
    revoked: Iterable[x509.Certificate] = (),
    *,
    lasts: timedelta = timedelta(days=1),
    signer: Ca | None = None,
    number: int = 1,
) -> bytes:
    """A CRL (DER) of `ca`, issued at `at`. `signer` signs in its place: a forgery."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(at)
        .next_update(at + lasts)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False
        )
    )
    for certificate in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(certificate.serial_number)
            .revocation_date(at)
            .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            .build()
        )
    made = builder.sign((signer or ca).key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def ocsp_answer(
    ca: Ca,
    leaf: x509.Certificate,
    at: datetime,
    *,
    revoked: bool = False,
    lasts: timedelta = timedelta(hours=4),
    responder: Leaf | None = None,
) -> bytes:
    """An OCSP answer (DER) about `leaf`, signed by its issuer or by a delegated `responder`."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf,
        issuer=ca.certificate,
        algorithm=hashes.SHA1(),  # noqa: S303 - names the certificate; RFC 6960 clients use SHA-1
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=at,
        next_update=at + lasts,
        revocation_time=at if revoked else None,
        revocation_reason=None,
    )
    certificate = responder.certificate if responder else ca.certificate
    key = responder.key if responder else ca.key
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, certificate)
    if responder is not None:
        builder = builder.certificates([responder.certificate])
    made = builder.sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)
