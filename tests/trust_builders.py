"""Builders for tests about trust: authorities and keys are made once, for making them is slow."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from openpoort.devkit.authority import Ca, Leaf, new_key
from openpoort.trust.anchors import Anchors, Generation, Purpose
from openpoort.trust.chain import judge
from openpoort.trust.revocation import Evidence, FailMode
from openpoort.trust.verdict import Judged, Reason, Untrusted

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OIN = "00000099001000044000"


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
