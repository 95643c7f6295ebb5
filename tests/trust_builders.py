"""Builders for tests about trust: authorities and keys are made once, for making them is slow."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from openpoort.sandbox.authority import Ca, Leaf, new_key
from openpoort.trust.anchors import Anchors, Generation, Purpose
from openpoort.trust.chain import judge
from openpoort.trust.revocation import Evidence, FailMode
from openpoort.trust.verdict import Judged, Reason, Untrusted
from openpoort.wire.wus.signed_message import Addressing, Algorithms, SignedMessage

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OIN = "00000099001000044000"
SHA1 = Algorithms(
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    frozenset({"http://www.w3.org/2000/09/xmldsig#sha1"}),
    2048,
    "sha1",
)
SHA256 = Algorithms(
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    frozenset({"http://www.w3.org/2001/04/xmlenc#sha256"}),
    2048,
    "sha256",
)


@cache
def key() -> rsa.RSAPrivateKey:
    return new_key()


@cache
def _pair(name: str) -> tuple[Ca, Ca]:
    top = Ca.root(name, NOW)
    return top, top.intermediate(f"{name} services", NOW)


def root(name: str = "root") -> Ca:
    return _pair(name)[0]


def issuing(name: str = "root") -> Ca:
    return _pair(name)[1]


def leaf(issuer: Ca | None = None, oin: Any = OIN, **flaw: Any) -> Leaf:
    flaw.setdefault("key", key())
    return (issuer or issuing()).leaf("voorbeeld.test", oin, NOW, **flaw)


def der(ca: Ca) -> bytes:
    return ca.certificate.public_bytes(Encoding.DER)


def generation(name: str = "root", **rules: Any) -> Generation:
    return Generation(name, (der(root(name)),), (der(issuing(name)),), **rules)


def anchors(*generations: Generation, version: str = "1") -> Anchors:
    return Anchors(version, generations or (generation(),), test_oins=True)


def verdict(
    certificate: Leaf | bytes,
    purpose: Purpose = Purpose.SIGNATURE,
    at: datetime = NOW,
    *,
    store: Anchors | None = None,
    evidence: Evidence | None = None,
    mode: FailMode = FailMode.SOFT,
) -> Judged:
    found = certificate.der if isinstance(certificate, Leaf) else certificate
    return judge(found, purpose, at, store or anchors(), evidence or Evidence(), mode)


def why(*args: Any, **kwargs: Any) -> Reason | None:
    """The reason of refusal; None when accepted."""
    try:
        verdict(*args, **kwargs)
    except Untrusted as no:
        return no.reason
    return None


def message(token: Leaf | bytes, algorithms: Algorithms = SHA256) -> SignedMessage:
    """A message whose signature is taken to hold: what the codec hands over."""
    addressing = Addressing("https://localhost/", "urn:action", "urn:uuid:1")
    der_bytes = token.der if isinstance(token, Leaf) else token
    return SignedMessage(
        etree.Element("aanleverRequest"), addressing, NOW, None, der_bytes, algorithms
    )
