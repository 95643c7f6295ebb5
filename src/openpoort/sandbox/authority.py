"""A small certification authority for development and tests: PKIoverheid-like, never for real use.

It can issue what a real authority would (root, intermediate, services leaf, single-purpose pair)
and everything one would not: each way a certificate can be wrong is an argument of `Ca.leaf`.
CRL and OCSP answers come from `sandbox/revocations.py`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
CLIENT_AND_SERVER = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)
DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")


@dataclass(frozen=True, slots=True)
class Usage:
    """Key usage and extended key usage of a leaf. `extended` None leaves the extension out;
    `critical` marks it so."""

    digital_signature: bool = True
    content_commitment: bool = False
    key_encipherment: bool = False
    key_cert_sign: bool = False
    extended: tuple[x509.ObjectIdentifier, ...] | None = CLIENT_AND_SERVER
    critical: bool = False


SERVICES = Usage()
"""One certificate for TLS and signing, as existing clients have."""
AUTHENTICATION = Usage()
"""The TLS half of the two-certificate profile."""
SIGNATURE = Usage(digital_signature=False, content_commitment=True, extended=(DOCUMENT_SIGNING,))
"""The signing half of the two-certificate profile."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An end certificate with its key and the intermediates above it (root left out)."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    chain: tuple[x509.Certificate, ...]

    @property
    def der(self) -> bytes:
        return der(self.certificate)

    @property
    def pem(self) -> bytes:
        """Leaf first, then the intermediates."""
        return b"".join(pem(c) for c in (self.certificate, *self.chain))

    @property
    def key_pem(self) -> bytes:
        return key_pem(self.key)


@dataclass(frozen=True, slots=True)
class Ca:
    """A certificate that issues others. `chain` holds it and what is above it, root left out."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @classmethod
    def root(cls, name: str, at: datetime, *, years: int = 20, bits: int = 2048) -> Ca:
        key = new_key(bits)
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "openpoort development"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        builder = _start(subject, subject, key, key, at - DAY, at + 365 * years * DAY)
        return cls(_as_ca(builder, None).sign(key, hashes.SHA256()), key)

    def intermediate(
        self, name: str, at: datetime, *, years: int = 10, path_length: int | None = 0
    ) -> Ca:
        key = new_key()
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "openpoort development"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        builder = _start(
            subject, self.certificate.subject, key, self.key, at - DAY, at + 365 * years * DAY
        )
        made = _as_ca(builder, path_length).sign(self.key, hashes.SHA256())
        return Ca(made, key, (made, *self.chain))

    def leaf(
        self,
        common_name: str,
        oin: str | Sequence[str] | None,
        at: datetime,
        *,
        organization: str = "Voorbeeld B.V.",
        hosts: Sequence[str] = (),
        usage: Usage = SERVICES,
        ca: bool = False,
        basic_constraints: bool = True,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        key: rsa.RSAPrivateKey | None = None,
        bits: int = 2048,
        crl_urls: Sequence[str] = (),
        ocsp_urls: Sequence[str] = (),
        issuer_urls: Sequence[str] = (),
        policies: Sequence[str] = (),
        critical: x509.ObjectIdentifier | None = None,
        serial: int | None = None,
    ) -> Leaf:
        """Issue a leaf, right or wrong. `oin` goes into subject serialNumber (several: each);
        `critical` adds an unknown critical extension. Default life: from yesterday, 3 years."""
        key = key or new_key(bits)
        names = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
        oins = [oin] if isinstance(oin, str) else list(oin or ())
        names += [x509.NameAttribute(NameOID.SERIAL_NUMBER, o) for o in oins]
        builder = _start(
            x509.Name(names),
            self.certificate.subject,
            key,
            self.key,
            not_before or at - DAY,
            not_after or at + 3 * 365 * DAY,
            serial,
        )
        if basic_constraints:
            builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        builder = _with_usage(builder, usage)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(alt_names(hosts)), False)
        if crl_urls:
            builder = builder.add_extension(_distribution(crl_urls), False)
        if ocsp_urls or issuer_urls:
            builder = builder.add_extension(_access(ocsp_urls, issuer_urls), False)
        if policies:
            rows = [x509.PolicyInformation(x509.ObjectIdentifier(p), None) for p in policies]
            builder = builder.add_extension(x509.CertificatePolicies(rows), False)
        if critical is not None:
            builder = builder.add_extension(
                x509.UnrecognizedExtension(critical, b"\x05\x00"), critical=True
            )
        made = builder.sign(self.key, hashes.SHA256())
        return Leaf(made, key, self.chain)


def new_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def alt_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    """Host names and IP addresses as SAN entries, in order, each once."""
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(hosts):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _start(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer_key: rsa.RSAPrivateKey,
    not_before: datetime,
    not_after: datetime,
    serial: int | None = None,
) -> x509.CertificateBuilder:
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(authority, False)
    )


def _as_ca(builder: x509.CertificateBuilder, path_length: int | None) -> x509.CertificateBuilder:
    usage = _key_usage(Usage(digital_signature=False, key_cert_sign=True), crl_sign=True)
    return builder.add_extension(
        x509.BasicConstraints(True, path_length), critical=True
    ).add_extension(usage, critical=True)


def _with_usage(builder: x509.CertificateBuilder, usage: Usage) -> x509.CertificateBuilder:
    builder = builder.add_extension(_key_usage(usage), critical=True)
    if usage.extended is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage.extended), usage.critical)
    return builder


def _key_usage(usage: Usage, *, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=usage.digital_signature,
        content_commitment=usage.content_commitment,
        key_encipherment=usage.key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=usage.key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _distribution(urls: Sequence[str]) -> x509.CRLDistributionPoints:
    return x509.CRLDistributionPoints(
        [
            x509.DistributionPoint([x509.UniformResourceIdentifier(u)], None, None, None)
            for u in urls
        ]
    )


def _access(ocsp: Sequence[str], issuers: Sequence[str]) -> x509.AuthorityInformationAccess:
    rows = [(AuthorityInformationAccessOID.OCSP, u) for u in ocsp]
    rows += [(AuthorityInformationAccessOID.CA_ISSUERS, u) for u in issuers]
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(how, x509.UniformResourceIdentifier(u)) for how, u in rows]
    )
