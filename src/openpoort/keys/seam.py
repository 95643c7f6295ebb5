"""The seam of signing keys: a PEM file or a key that never leaves its token (PKCS#11).

A key is named by a path or by a PKCS#11 URI (RFC 7512). The rest of the house asks `open_key`
and knows the Protocol only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from openpoort.keys.pem import KeyUnusable, PemSigner

__all__ = ["Key", "KeyUnusable", "is_token", "open_key"]


class Key(Protocol):
    """What signs answers and deliveries. `certificate` is the leaf (DER), `pem_chain` all of it.
    Safe for use by several threads."""

    @property
    def certificate(self) -> bytes: ...

    @property
    def pem_chain(self) -> bytes: ...

    def sign(self, data: bytes, hash_name: str) -> bytes:
        """RSA PKCS#1 v1.5 over `data`; `hash_name` is sha1, sha256, sha384 or sha512."""
        ...


def is_token(name: Path | str) -> bool:
    """Whether a key is named by a PKCS#11 URI."""
    return str(name).startswith("pkcs11:")


def open_key(certificate: Path, name: Path | str) -> Key:
    """The key that goes with `certificate`. Raises KeyUnusable, OSError."""
    if is_token(name):
        from openpoort.keys.hsm import TokenSigner  # its package is only needed by who has a token

        return TokenSigner(certificate, str(name))
    return PemSigner(certificate, Path(name))
