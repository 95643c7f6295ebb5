"""The trust store from files: a TOML file that names generations, beside their PEM files.

Whatever changes in the TOML or in a PEM file changes the version, and with it every verdict.
The format stands in docs/how-to/certificates.md.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from openpoort.domain.ids import Oin
from openpoort.trust import policy as algorithms
from openpoort.trust.anchors import (
    CLIENT_AUTH,
    DOCUMENT_SIGNING,
    EMAIL_PROTECTION,
    MULTI_PURPOSE,
    SERVER_AUTH,
    SINGLE_PURPOSE,
    Anchors,
    Generation,
    Pinned,
    Purpose,
    Usage,
)
from openpoort.trust.policy import Policy
from openpoort.trust.revocation import FailMode
from openpoort.trust.sender import Grounds

PROFILES: Mapping[str, Mapping[Purpose, Usage]] = {
    "multi-purpose": MULTI_PURPOSE,
    "single-purpose": SINGLE_PURPOSE,
}
_EXTENDED = {
    "client_auth": CLIENT_AUTH,
    "server_auth": SERVER_AUTH,
    "email_protection": EMAIL_PROTECTION,
    "document_signing": DOCUMENT_SIGNING,
}


_GENERATION = {
    "name", "roots", "intermediates", "purposes", "profile", "usage", "policies", "since", "until",
}  # fmt: skip


class BadTrustStore(ValueError):
    """The trust store cannot be read; the message says where and why."""


def load_grounds(path: Path) -> Grounds:
    """Everything that the trust store's file says: whom to believe, how hard to look for
    revocation on which route, which algorithms until when. Raises BadTrustStore."""
    anchors = load(path)
    rows = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        modes = {str(route): FailMode(mode) for route, mode in rows.get("revocation", {}).items()}
        name = rows.get("algorithms")
        policy = algorithms.read((path.parent / name).read_text()) if name else Policy()
    except (OSError, ValueError, AttributeError) as error:
        raise BadTrustStore(f"{path.name}: {error}") from error
    return Grounds(anchors, policy=policy, modes=modes)


def content(path: Path) -> str:
    """A digest of the trust store's file and every file it names, as they stand: what to follow.

    Times are not asked: a root that was ended by putting an older file back is ended. A file that
    cannot be read is part of the content too.
    """
    digest = hashlib.sha256()
    text = _octets(path)
    digest.update(hashlib.sha256(text).digest())
    try:
        rows = tomllib.loads(text[1:].decode())
        generations, pinned = rows.get("generation", []), rows.get("pinned", [])
        names = [n for g in generations for k in ("roots", "intermediates") for n in g.get(k, [])]
        names += [p.get("certificate") for p in pinned] + [rows.get("algorithms")]
    except (ValueError, AttributeError, TypeError):
        names = []  # `load` says what is wrong with it
    for name in names:
        if isinstance(name, str):
            digest.update(hashlib.sha256(_octets(path.parent / name)).digest())
    return digest.hexdigest()


def _octets(path: Path) -> bytes:
    try:
        return b"+" + path.read_bytes()
    except (OSError, ValueError):
        return b"-"


def load(path: Path) -> Anchors:
    """Read a trust store; PEM names count from the folder of `path`. Raises BadTrustStore."""
    digest = hashlib.sha256()

    def pem(name: str) -> list[x509.Certificate]:
        try:
            content = (path.parent / name).read_bytes()
            found = x509.load_pem_x509_certificates(content)
        except (OSError, ValueError) as error:
            raise BadTrustStore(f"{path.name}: {name}: {error}") from error
        digest.update(hashlib.sha256(content).digest())
        return found

    try:
        content = path.read_bytes()
        rows = tomllib.loads(content.decode())
    except (OSError, ValueError) as error:
        raise BadTrustStore(f"{path}: {error}") from error
    digest.update(content)
    _only(rows, {"test_oins", "revocation", "algorithms", "generation", "pinned"}, path.name)
    generations = tuple(_generation(r, pem) for r in rows.get("generation", []))
    if not generations and not rows.get("pinned"):
        raise BadTrustStore(f"{path.name} trusts nobody")
    pinned = dict(_pinned(r, pem) for r in rows.get("pinned", []))
    return Anchors(digest.hexdigest(), generations, pinned, bool(rows.get("test_oins", False)))


def _generation(row: dict[str, Any], pem: Any) -> Generation:
    name = str(row.get("name", ""))
    if not name:
        raise BadTrustStore("a generation needs a name")
    _only(
        row,
        {
            "name",
            "roots",
            "intermediates",
            "purposes",
            "profile",
            "usage",
            "policies",
            "since",
            "until",
        },
        name,
    )
    profile = row.get("profile", "multi-purpose")
    if profile not in PROFILES:
        raise BadTrustStore(f"{name}: profile is one of {', '.join(PROFILES)}")
    usage = dict(PROFILES[profile])
    for purpose, asked in row.get("usage", {}).items():
        usage[_purpose(purpose, name)] = _usage(asked, name)
    roots = [_der(c) for f in row.get("roots", []) for c in pem(f)]
    if not roots:
        raise BadTrustStore(f"{name}: no roots")
    return Generation(
        name=name,
        roots=tuple(roots),
        intermediates=tuple(_der(c) for f in row.get("intermediates", []) for c in pem(f)),
        purposes=_purposes(row, name),
        usage=usage,
        policies=frozenset(str(p) for p in row.get("policies", [])),
        since=_moment(row.get("since"), name),
        until=_moment(row.get("until"), name),
    )


def _pinned(row: dict[str, Any], pem: Any) -> tuple[str, Pinned]:
    _only(row, {"certificate", "oin", "purposes", "reason"}, "pinned")
    try:
        leaf = _der(pem(row["certificate"])[0])
        pinned = Pinned(leaf, Oin(row["oin"]), _purposes(row, "pinned"), row.get("reason", ""))
    except KeyError as error:
        raise BadTrustStore(f"pinned: {error.args[0]} is missing") from None
    except BadTrustStore:
        raise
    except ValueError as error:
        raise BadTrustStore(f"pinned: {error}") from error
    return hashlib.sha256(leaf).hexdigest(), pinned


def _usage(asked: dict[str, Any], where: str) -> Usage:
    _only(asked, {"key_usage", "extended"}, where)
    bits = frozenset(asked.get("key_usage", []))
    unknown = bits - {"digital_signature", "content_commitment", "key_encipherment"}
    if unknown:
        raise BadTrustStore(f"{where}: unknown key usage {', '.join(sorted(unknown))}")
    extended = frozenset(_EXTENDED.get(e, e) for e in asked.get("extended", []))
    return Usage(bits, extended)


def _purposes(row: dict[str, Any], where: str) -> frozenset[Purpose]:
    return frozenset(_purpose(p, where) for p in row.get("purposes", list(Purpose)))


def _purpose(text: str, where: str) -> Purpose:
    try:
        return Purpose(text)
    except ValueError:
        raise BadTrustStore(f"{where}: a purpose is one of {', '.join(Purpose)}") from None


def _moment(value: object, where: str) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise BadTrustStore(f"{where}: since and until are dates")


def _only(row: dict[str, Any], known: set[str], where: str) -> None:
    unknown = set(row) - known
    if unknown:
        raise BadTrustStore(f"{where}: unknown key {', '.join(sorted(unknown))}")


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
