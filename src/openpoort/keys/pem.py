"""Signing keys from PEM files: certificate chain (leaf first) and an unencrypted private key."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - existing clients sign and expect RSA-SHA1
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class KeyUnusable(Exception):
    """The files hold no usable RSA key, or key and certificate do not belong together."""


class PemSigner:
    """RSA PKCS#1 v1.5 with a key in memory; implements the `Signer` of `keys/seam.py`."""

    __slots__ = ("_key", "certificate", "pem_chain")

    def __init__(self, certificate_path: Path, key_path: Path) -> None:
        self.pem_chain = certificate_path.read_bytes()
        leaf = x509.load_pem_x509_certificates(self.pem_chain)[0]
        self.certificate = leaf.public_bytes(serialization.Encoding.DER)
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise KeyUnusable(f"{key_path.name} holds no RSA key")
        if key.public_key().public_numbers() != _numbers(leaf):
            raise KeyUnusable(f"{key_path.name} does not belong to {certificate_path.name}")
        self._key = key

    def sign(self, data: bytes, hash_name: str) -> bytes:
        """Signature over `data`; `hash_name` is sha1, sha256, sha384 or sha512."""
        return self._key.sign(data, padding.PKCS1v15(), _HASHES[hash_name])


def _numbers(certificate: x509.Certificate) -> rsa.RSAPublicNumbers | None:
    key = certificate.public_key()
    return key.public_numbers() if isinstance(key, rsa.RSAPublicKey) else None
