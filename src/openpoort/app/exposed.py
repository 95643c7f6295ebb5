"""What of trying out is still on where others can reach the gateway.

`init` makes a gateway for a laptop: an authority whose key lies in the folder, invented OINs,
switches by which a sender steers what happens. Behind an address that others can reach each of
these lets a stranger in, or a sender out of its bounds.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_der_x509_certificate

from openpoort.sandbox.pki import GENERATION
from openpoort.settings import Settings
from openpoort.trust.anchors import Anchors


def exposed(settings: Settings, known: Anchors) -> Iterator[str]:
    """One sentence for each; nothing while only this machine can reach the doors."""
    if all(_loopback(address) for address in settings.door.bind):
        return
    keys = _public_keys(settings.path(settings.tls.trust).parent)
    for generation in known.generations:
        own = {_public(der) for der in (*generation.roots, *generation.intermediates)}
        if own & keys:
            yield (
                f"it trusts {generation.name!r}, an authority whose private key lies beside its"
                " certificate: whoever reads that folder can be anybody"
            )
        elif generation.name == GENERATION:
            yield f"it trusts {generation.name!r}, which gives certificates to invented companies"
    if known.test_oins:
        yield "it takes OINs with the test prefix (test_oins in the trust store)"
    if settings.switches.aansluit_suite:
        yield "an aanleverkenmerk can steer what happens to a message (switches.aansluit_suite)"


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _public_keys(folder: Path) -> set[bytes]:
    """Of the private keys in this folder, as far as they can be read."""
    found = set()
    for file in folder.glob("*.key"):
        try:
            key = load_pem_private_key(file.read_bytes(), None)
        except (OSError, ValueError, TypeError):
            continue
        found.add(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return found


def _public(der: bytes) -> bytes:
    key = load_der_x509_certificate(der).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
