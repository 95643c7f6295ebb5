"""The key that signs the journal's checkpoints: Ed25519 in PEM files, apart from TLS keys.

It names no party and stands in no chain: who verifies evidence is handed `checkpoint.pem` once
and keeps it.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class BadKey(ValueError):
    """The file does not hold an Ed25519 key; the message names the file."""


def load_private(path: Path) -> Ed25519PrivateKey:
    """Raises BadKey; OSError when there is no file."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{path} holds no unencrypted Ed25519 private key in PEM")
    return key


def load_public(path: Path) -> Ed25519PublicKey:
    """Raises BadKey; OSError when there is no file."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise BadKey(f"{path} holds no Ed25519 public key in PEM")
    return key
