"""Whom a client believes: the trust anchor it was given, and what TLS has proven.

Most gateways sign with the certificate they present in TLS; that one is believed when TLS has
verified it. Another one must lead to the anchor by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from openpoort.outbound.exchange import BadAnswer
from openpoort.wire.xmldsig.certificate import read_certificate

_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Anchors:
    """`roots` are believed; `between` may lead to them (intermediates, in any order)."""

    roots: tuple[x509.Certificate, ...]
    between: tuple[x509.Certificate, ...]

    @classmethod
    def from_files(cls, ca: Path | None, *chains: Path) -> Anchors:
        """`ca` holds roots and perhaps intermediates; of each chain all but the leaf helps.

        Raises OSError or ValueError when a file cannot be read.
        """
        given = _load(ca) if ca is not None else []
        helpers = [c for path in chains for c in _load(path)[1:]]
        roots = tuple(c for c in given if c.issuer == c.subject)
        others = tuple(c for c in [*given, *helpers] if c.issuer != c.subject)
        return cls(roots, others)

    def judge(self, token: bytes, tls_leaf: bytes | None, at: datetime) -> None:
        """Raises BadAnswer unless `token` was proven by TLS or leads to a root, valid at `at`."""
        leaf = _read(token)
        _in_time(leaf, at)
        if token == tls_leaf:
            return
        if tls_leaf is not None and oin_of(tls_leaf) != oin_of(token):
            raise BadAnswer("the answer is signed by another party than the one in TLS")
        for issuer in _climb(self, leaf):
            _in_time(issuer, at)


@lru_cache(maxsize=64)
def _read(token: bytes) -> x509.Certificate:
    try:
        return read_certificate(token)
    except ValueError as error:
        raise BadAnswer("the answer's certificate cannot be read") from error


@lru_cache(maxsize=64)
def _climb(anchors: Anchors, leaf: x509.Certificate) -> tuple[x509.Certificate, ...]:
    """The issuers above `leaf`, up to a root. Whose signature is whose does not change with time,
    so this is kept; whether they are valid now is asked each time."""
    found: list[x509.Certificate] = []
    current = leaf
    for _ in range(_DEPTH):
        root = _issuer(current, anchors.roots)
        if root is not None:
            return (*found, root)
        issuer = _issuer(current, anchors.between)
        if issuer is None:
            break
        found.append(issuer)
        current = issuer
    raise BadAnswer("the answer is signed by a certificate that no trust anchor vouches for")


def _issuer(
    certificate: x509.Certificate, candidates: tuple[x509.Certificate, ...]
) -> x509.Certificate | None:
    for candidate in candidates:
        if not _may_issue(candidate):
            continue
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return candidate
    return None


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _in_time(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise BadAnswer(f"a certificate behind the answer is not valid now: {name(certificate)}")


def name(certificate: x509.Certificate) -> str:
    """The common name, or the whole subject without one."""
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else certificate.subject.rfc4514_string()


def _load(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


@lru_cache(maxsize=64)
def oin_of(token: bytes) -> str | None:
    """The subject serialNumber of a certificate (DER): the OIN, if it is one."""
    subject = read_certificate(token).subject
    found = subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
    return str(found[0].value) if len(found) == 1 else None
