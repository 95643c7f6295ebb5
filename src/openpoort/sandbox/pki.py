"""The development PKI that `init` writes: one root, one intermediate, a leaf for each actor.

Invented organisations with test OINs (prefix 00000099). Keys are unencrypted and the keys of the
root and the intermediate lie beside them: good for a laptop, never for a real gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509 import load_pem_x509_certificates

from openpoort.sandbox import authority
from openpoort.sandbox.agencies import AGENCIES
from openpoort.sandbox.authority import Ca, Leaf
from openpoort.trust.policy import Policy
from openpoort.trust.policy import write as write_policy

OINS = {
    "server": "00000099000000009000",
    "bedrijf": "00000099001000044000",
    "intermediair": "00000099002000055000",
    **{agency.certificate: agency.oin for agency in AGENCIES},
}
"""OIN per file name in `pki/`. `server` is the gateway; the demo agencies follow their rows."""

GENERATION = "openpoort development"
_TRUST = """\
# Whom this gateway believes; the format stands in docs/how-to/certificates.md.
test_oins = true
algorithms = "algorithms.toml"

# What to do without fresh evidence of revocation: off, soft, hard or require; by service.
[revocation]
default = "soft"

[[generation]]
name = "GENERATION"
roots = ["ca.pem"]
intermediates = ["intermediate.pem"]
purposes = ["authentication", "signature"]
""".replace("GENERATION", GENERATION)
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class _Actor:
    common_name: str
    organization: str


_ACTORS = {
    "server": _Actor("localhost", "openpoort"),
    "bedrijf": _Actor("bedrijf.openpoort.test", "Voorbeeldbedrijf B.V."),
    "intermediair": _Actor("intermediair.openpoort.test", "Voorbeeldkantoor B.V."),
    **{agency.certificate: _Actor(agency.host, agency.organisation) for agency in AGENCIES},
}


def create(folder: Path, hosts: Sequence[str] = (), at: datetime | None = None) -> None:
    """Write the whole development PKI into `folder` (made when missing), with the trust store
    (`trust.toml`, `algorithms.toml`) of a gateway that believes it.

    `server` and the agencies carry localhost, 127.0.0.1, ::1 and `hosts` in SAN; the first of
    `hosts` becomes the server's common name, because .NET compares that with the address. The
    certificates are issued at `at` (now): a gateway whose clock stands in the past needs that.
    """
    at = at or datetime.now(UTC).replace(microsecond=0)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = Ca.root("openpoort development root", at)
    issuing = root.intermediate("openpoort development services CA", at)
    (folder / "ca.pem").write_bytes(authority.pem(root.certificate))
    _secret(folder / "ca.key", authority.key_pem(root.key))
    (folder / "intermediate.pem").write_bytes(authority.pem(issuing.certificate))
    _secret(folder / "intermediate.key", authority.key_pem(issuing.key))
    (folder / "trust.toml").write_text(_TRUST)
    (folder / "algorithms.toml").write_text(write_policy(Policy()))
    for name in OINS:
        write(folder, name, issue(issuing, name, at, hosts))
    _checkpoint(folder)


def issue(issuing: Ca, name: str, at: datetime, hosts: Sequence[str] = ()) -> Leaf:
    """A fresh leaf for one of the names in `OINS`."""
    actor = _ACTORS[name]
    serves = name not in {"bedrijf", "intermediair"}
    common_name = hosts[0] if name == "server" and hosts else actor.common_name
    return issuing.leaf(
        common_name,
        OINS[name],
        at,
        organization=actor.organization,
        hosts=(*LOCAL, *hosts) if serves else (actor.common_name,),
    )


def two_certificates(
    folder: Path, issuing: Ca, name: str, at: datetime, hosts: Sequence[str] = ()
) -> None:
    """The two-certificate profile: `NAME-auth` for TLS and `NAME-sign` for signatures."""
    actor = _ACTORS[name]
    for suffix, usage in (("auth", authority.AUTHENTICATION), ("sign", authority.SIGNATURE)):
        leaf = issuing.leaf(
            actor.common_name,
            OINS[name],
            at,
            organization=actor.organization,
            hosts=(*LOCAL, *hosts) if suffix == "auth" else (),
            usage=usage,
        )
        write(folder, f"{name}-{suffix}", leaf)


def load_issuer(folder: Path) -> Ca:
    """The issuing authority that `create` left in `folder`."""
    certificate = load_pem_x509_certificates((folder / "intermediate.pem").read_bytes())[0]
    key = serialization.load_pem_private_key((folder / "intermediate.key").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    return Ca(certificate, key, (certificate,))


def write(folder: Path, name: str, leaf: Leaf) -> None:
    """`NAME.pem` (leaf first, then intermediates) and `NAME.key` (mode 0600)."""
    (folder / f"{name}.pem").write_bytes(leaf.pem)
    _secret(folder / f"{name}.key", leaf.key_pem)


def _checkpoint(folder: Path) -> None:
    key = Ed25519PrivateKey.generate()
    _secret(
        folder / "checkpoint.key",
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    (folder / "checkpoint.pem").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _secret(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
