"""What tests of the wire share: a key of our own, fixed times, ready messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Aanlevering, Document
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import seal_request
from openpoort.wire.wus.services import AANLEVER

NOW = datetime(2026, 11, 23, 13, 0, 0, tzinfo=UTC)
HOST = "https://localhost:8443"
TO = HOST + AANLEVER.path
MESSAGE_ID = "urn:uuid:0d3f2f2a-5b5e-4f0e-9a55-3c1f1f5f7a10"
HASHES = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


@dataclass(frozen=True)
class Key:
    """A signer with a self-signed certificate of an invented company."""

    private: rsa.RSAPrivateKey
    certificate: bytes

    def sign(self, data: bytes, hash_name: str) -> bytes:
        return self.private.sign(data, padding.PKCS1v15(), HASHES[hash_name]())


@lru_cache(maxsize=8)
def key(name: str = "Voorbeeld B.V.", bits: int = 2048) -> Key:
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "00000099001000044000"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=365))
        .sign(private, hashes.SHA256())
    )
    return Key(private, certificate.public_bytes(serialization.Encoding.DER))


def aanlevering(inhoud: bytes = b"<xbrl/>", **changes: object) -> Aanlevering:
    values: dict[str, object] = {
        "berichtsoort": "Omzetbelasting",
        "belanghebbende": Identiteit("001000044B37", "BTW"),
        "rol_belanghebbende": "Bedrijf",
        "inhoud": Document("application/xml", "Omzetbelasting.xbrl", inhoud),
        "aanleverkenmerk": "kenmerk-1",
        "autorisatie_adres": "http://geenausp.nl",
    }
    return Aanlevering(**(values | changes))  # type: ignore[arg-type]


def request(body: bytes | None = None, hash_name: str = "sha256", **changes: object) -> bytes:
    values: dict[str, object] = {
        "to": TO,
        "action": AANLEVER.operations[0].action,
        "message_id": MESSAGE_ID,
        "created": NOW,
        "signer": key(),
        "hash_name": hash_name,
    }
    return seal_request(body or koppelvlak.write(aanlevering()), **(values | changes))  # type: ignore[arg-type]
