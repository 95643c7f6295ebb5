"""The OIN in a certificate: subject serialNumber, exactly once, with a prefix that exists.

Source: OIN-Stelsel; spec 2.5 Certificates and identities.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from openpoort.domain.ids import TEST_OIN_PREFIX, Oin
from openpoort.trust.verdict import Reason, Untrusted

PREFIXES = {
    "00000001": "RSIN",
    "00000002": "Fi-nummer",
    "00000003": "KvK-nummer",
    "00000004": "subOIN",
    "00000006": "issued by Logius",
    "00000007": "BRIN",
    "00000008": "foreign organisation",
    "00000009": "UZI",
    TEST_OIN_PREFIX: "test OIN",
}


def oin_of(certificate: x509.Certificate, *, test_oins: bool) -> Oin:
    """Raises Untrusted. Two serialNumbers are refused: software would differ on which counts."""
    found = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    if not found:
        raise Untrusted(Reason.NO_OIN, "the subject has no serialNumber")
    if len(found) > 1:
        raise Untrusted(Reason.NO_OIN, "the subject has more than one serialNumber")
    try:
        oin = Oin(str(found[0].value))
    except ValueError as error:
        raise Untrusted(Reason.NO_OIN, f"the serialNumber is no OIN: {error}") from None
    prefix = oin.value[:8]
    if prefix not in PREFIXES:
        raise Untrusted(Reason.NO_OIN, f"no OIN starts with {prefix}")
    if prefix == TEST_OIN_PREFIX and not test_oins:
        raise Untrusted(Reason.TEST_OIN, "test OINs are not accepted here")
    return oin


def common_name(certificate: x509.Certificate) -> str:
    """The first common name, printable characters only, at most 64; for people to read."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = str(found[0].value) if found else ""
    return "".join(c for c in text if c.isprintable())[:64]
