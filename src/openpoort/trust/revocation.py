"""Evidence of revocation as values: CRLs and OCSP answers, and how a missing one is judged.

`keys/fetch.py` brings evidence in, `store/evidence.py` keeps it; here it is only read. What was
once revoked stays revoked, also in evidence that has gone stale. Source: RFC 5280, RFC 6960.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1


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
    """All evidence at one version; DER. Verdicts are cached under `version`."""

    version: int = 0
    crls: tuple[asn1_crl.CertificateList, ...] = field(default=(), repr=False)
    ocsps: tuple[asn1_ocsp.OCSPResponse, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, version: int, crls: tuple[bytes, ...], ocsps: tuple[bytes, ...]) -> Evidence:
        """Raises ValueError when one of them is no CRL or OCSP answer."""
        return cls(
            version,
            tuple(asn1_crl.CertificateList.load(c, strict=True) for c in crls),
            tuple(asn1_ocsp.OCSPResponse.load(o, strict=True) for o in ocsps),
        )


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
    for crl in evidence.crls:
        if crl.issuer.hashable != certificate.issuer.hashable:
            continue
        for row in crl["tbs_cert_list"]["revoked_certificates"]:
            if row["user_certificate"].native == certificate.serial_number:
                reason = row.crl_reason_value
                if reason is None or reason.native != "remove_from_crl":
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
