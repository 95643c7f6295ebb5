"""Fetching CRLs and OCSP answers over HTTP, in the background only.

Where to fetch follows from certificates with a valid path. What comes back is believed when its
issuer signed it (or, for OCSP, a responder that the issuer appointed); the transport proves
nothing. Source: RFC 5280 4.2.1.13, RFC 6960 appendix A. Indirect and delta CRLs are not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import urllib3
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from openpoort.trust.anchors import Anchors

MAX_BYTES = 32 * 1024 * 1024
SECONDS = 10.0
_RETRY = timedelta(minutes=5)
_NO_NEXT_UPDATE = timedelta(hours=1)


class FetchFailed(Exception):
    """No usable evidence; the message is for the operator and holds no personal data."""


@dataclass(frozen=True, slots=True)
class Source:
    """One place to ask. `subject` is the SHA-256 of the certificate asked about (OCSP), empty
    for a CRL. `issuer` is the certificate (DER) that must have signed."""

    kind: str
    url: str
    issuer: bytes = field(repr=False)
    subject: str = ""
    request: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """Evidence (DER) whose signature holds, and its life."""

    content: bytes = field(repr=False)
    this_update: datetime
    next_update: datetime


def sources(leaves: Iterable[bytes], anchors: Anchors) -> tuple[Source, ...]:
    """Everything to be asked about `leaves` and the intermediates above them, each once."""
    authorities = [
        x509.load_der_x509_certificate(der)
        for generation in anchors.generations
        for der in (*generation.roots, *generation.intermediates)
    ]
    certificates = [*map(x509.load_der_x509_certificate, leaves), *authorities]
    found: dict[tuple[str, str], Source] = {}
    for certificate in certificates:
        issuer = _issuer(certificate, authorities)
        if issuer is None or certificate.subject == certificate.issuer:
            continue
        for source in _of(certificate, issuer):
            found.setdefault((source.url, source.subject), source)
    return tuple(found.values())


def due(found: Found | None, tried_at: datetime | None, at: datetime) -> bool:
    """Whether it is time to ask again: in the last quarter of its life, at most every 5 minutes."""
    if tried_at is not None and tried_at <= at < tried_at + _RETRY:
        return False
    if found is None:
        return True
    return at >= found.next_update - (found.next_update - found.this_update) / 4


def fetch(source: Source, pool: urllib3.PoolManager) -> Found:
    """Ask once. Raises FetchFailed."""
    content = _get(source, pool)
    issuer = x509.load_der_x509_certificate(source.issuer)
    try:
        return _crl(content, issuer) if source.kind == "crl" else _ocsp(content, issuer)
    except (ValueError, InvalidSignature, TypeError, x509.InvalidVersion) as error:
        raise FetchFailed(f"{source.kind} is not what it should be: {error}") from error


def pool() -> urllib3.PoolManager:
    """Connections for fetching: bounded time, few redirects, no retries (the schedule retries)."""
    return urllib3.PoolManager(
        num_pools=16, timeout=urllib3.Timeout(total=SECONDS), retries=urllib3.Retry(0, redirect=2)
    )


def _get(source: Source, connections: urllib3.PoolManager) -> bytes:
    method, body, headers = "GET", source.request, {}
    if source.request is not None:
        method, headers = "POST", {"Content-Type": "application/ocsp-request"}
    try:
        answer = connections.request(
            method, source.url, body=body, headers=headers, preload_content=False
        )
        with answer:
            if answer.status != 200:
                raise FetchFailed(f"HTTP {answer.status}")
            content = answer.read(MAX_BYTES + 1)
    except urllib3.exceptions.HTTPError as error:
        raise FetchFailed(type(error).__name__) from error
    if len(content) > MAX_BYTES:
        raise FetchFailed(f"more than {MAX_BYTES} bytes")
    return content


def _crl(content: bytes, issuer: x509.Certificate) -> Found:
    is_pem = content.startswith(b"-----BEGIN")
    crl = x509.load_pem_x509_crl(content) if is_pem else x509.load_der_x509_crl(content)
    if crl.issuer != issuer.subject:
        raise FetchFailed("the CRL is of another issuer")
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or not crl.is_signature_valid(key):
        raise FetchFailed("the CRL is not signed by its issuer")
    start, end = crl.last_update_utc, crl.next_update_utc
    return Found(crl.public_bytes(Encoding.DER), start, end or start + _NO_NEXT_UPDATE)


def _ocsp(content: bytes, issuer: x509.Certificate) -> Found:
    answer = ocsp.load_der_ocsp_response(content)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise FetchFailed(f"OCSP status {answer.response_status.name}")
    hash_algorithm = answer.signature_hash_algorithm
    if hash_algorithm is None or isinstance(hash_algorithm, hashes.SHA1 | hashes.MD5):
        raise FetchFailed("the OCSP answer is signed with a weak algorithm")
    for key in _responders(answer, issuer):
        try:
            key.verify(
                answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), hash_algorithm
            )
        except InvalidSignature:
            continue
        start, end = answer.this_update_utc, answer.next_update_utc
        return Found(content, start, end or start + _NO_NEXT_UPDATE)
    raise FetchFailed("the OCSP answer is not signed by whom it should be")


def _responders(answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterator[rsa.RSAPublicKey]:
    """Keys that may sign: the issuer's own, and those it appointed with the OCSP usage."""
    for certificate in (issuer, *answer.certificates):
        if certificate is not issuer:
            try:
                certificate.verify_directly_issued_by(issuer)
                usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
            except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
                continue
            if ExtendedKeyUsageOID.OCSP_SIGNING not in usage.value:
                continue
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            yield key


def _issuer(
    certificate: x509.Certificate, authorities: Iterable[x509.Certificate]
) -> x509.Certificate | None:
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return authority
    return None


def _of(certificate: x509.Certificate, issuer: x509.Certificate) -> Iterator[Source]:
    signer = issuer.public_bytes(Encoding.DER)
    for url in _crl_urls(certificate):
        yield Source("crl", url, signer)
    responders = list(_ocsp_urls(certificate))
    if not responders:
        return
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate,
        issuer,
        hashes.SHA1(),  # noqa: S303 - names the certificate, protects nothing; RFC 5019 2.1.1
    )
    request = builder.build().public_bytes(Encoding.DER)
    mark = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    for url in responders:
        yield Source("ocsp", url, signer, mark, request)


def _crl_urls(certificate: x509.Certificate) -> Iterator[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return
    for point in points:
        for name in point.full_name or ():
            if isinstance(name, x509.UniformResourceIdentifier) and _is_http(name.value):
                yield name.value


def _ocsp_urls(certificate: x509.Certificate) -> Iterator[str]:
    try:
        access = certificate.extensions.get_extension_for_class(
            x509.AuthorityInformationAccess
        ).value
    except x509.ExtensionNotFound:
        return
    for row in access:
        name = row.access_location
        if (
            row.access_method == AuthorityInformationAccessOID.OCSP
            and isinstance(name, x509.UniformResourceIdentifier)
            and _is_http(name.value)
        ):
            yield name.value


def _is_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))
