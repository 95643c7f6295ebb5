"""Evidence of revocation as values: CRLs and OCSP answers, and how a missing one is judged.

`keys/fetch.py` brings evidence in, `store/directory/revocation.py` keeps it; here it is only read.
What was once revoked stays revoked, also in evidence that has gone stale. Source: RFC 5280, RFC
6960.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1
from cryptography import x509


class FailMode(StrEnum):
    """What happens when no fresh evidence is at hand.

    `off` never looks; `soft` accepts and says so; `hard` refuses when the certificate names a
    place where evidence should be; `require` refuses always.
    """

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All evidence at one version. Verdicts are cached under it. `revoked` lists (issuer, serial)
    of everything any CRL, fresh or stale, names other than as removed."""

    version: int = 0
    crls: tuple[asn1_crl.CertificateList, ...] = field(default=(), repr=False)
    ocsps: tuple[asn1_ocsp.OCSPResponse, ...] = field(default=(), repr=False)
    revoked: frozenset[tuple[str, int]] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, version: int, crls: tuple[bytes, ...], ocsps: tuple[bytes, ...]) -> Evidence:
        """From DER. Raises ValueError when one of them is no CRL or OCSP answer."""
        lists = tuple(asn1_crl.CertificateList.load(c, strict=True) for c in crls)
        found: set[tuple[str, int]] = set()
        for one, content in zip(lists, crls, strict=True):
            issuer = one.issuer.hashable
            # A list can hold tens of thousands: read it once here, not with every certificate.
            found.update((issuer, serial) for serial in _serials(content))
        return cls(
            version,
            lists,
            tuple(asn1_ocsp.OCSPResponse.load(o, strict=True) for o in ocsps),
            frozenset(found),
        )


def _serials(content: bytes) -> Iterator[int]:
    for row in x509.load_der_x509_crl(content):
        try:
            reason = row.extensions.get_extension_for_class(x509.CRLReason).value.reason
        except x509.ExtensionNotFound:
            reason = None
        if reason is not x509.ReasonFlags.remove_from_crl:
            yield row.serial_number


def next_change(path: tuple[asn1.Certificate, ...], evidence: Evidence) -> datetime | None:
    """The first moment at which evidence about `path` runs out; None without evidence."""
    issuers = {c.issuer.hashable for c in path}
    serials = {c.serial_number for c in path}
    ends: list[datetime] = []
    for crl in evidence.crls:
        end = crl["tbs_cert_list"]["next_update"].native
        if crl.issuer.hashable in issuers and end is not None:
            ends.append(end)
    for answer in evidence.ocsps:
        for single in _singles(answer):
            end = single["next_update"].native
            if single["cert_id"]["serial_number"].native in serials and end is not None:
                ends.append(end)
    return min(ends, default=None)


def once_revoked(path: tuple[asn1.Certificate, ...], evidence: Evidence) -> bool:
    """Whether any CRL, fresh or stale, lists a certificate of `path` other than as removed.

    Only certificates in evidence get here whose signature was checked when it came in.
    """
    return any(_listed(c, evidence) for c in path)


def _listed(certificate: asn1.Certificate, evidence: Evidence) -> bool:
    if (certificate.issuer.hashable, certificate.serial_number) in evidence.revoked:
        return True
    for answer in evidence.ocsps:
        for single in _singles(answer):
            # The serial alone could be another issuer's: the issuer's name hash must fit too.
            where = single["cert_id"]
            if (
                single["cert_status"].name == "revoked"
                and where["serial_number"].native == certificate.serial_number
                and where["issuer_name_hash"].native
                == _name_hash(certificate, where["hash_algorithm"]["algorithm"].native)
            ):
                return True
    return False


def _name_hash(certificate: asn1.Certificate, algorithm: str) -> bytes | None:
    return getattr(certificate.issuer, algorithm, None) if algorithm in ("sha1", "sha256") else None


def _singles(answer: asn1_ocsp.OCSPResponse) -> tuple[asn1_ocsp.SingleResponse, ...]:
    if answer["response_status"].native != "successful":
        return ()
    data = answer.basic_ocsp_response["tbs_response_data"]
    return tuple(data["responses"])
