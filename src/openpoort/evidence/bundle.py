"""The evidence file: one message with everything that proves what happened to it.

One JSON object in one accepted spelling (`docs/reference/evidence.md`): the file is read, written
again and compared, so nothing can hide in spacing, order or unknown fields. Its last line of
defence is the seal, a signed note over the digest of all the rest; its first are the proofs,
which tie the parts to checkpoints that were signed when the message passed.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from openpoort.domain.checkpoint import open_text, sign_text

FORMAT = "openpoort-evidence/1"


class BadBundle(ValueError):
    """The file is not an evidence file in its one accepted spelling."""


@dataclass(frozen=True, slots=True)
class Request:
    """The request as received, every byte of its HTTP body. `tls`, `token`: certificates, DER."""

    received_at: datetime
    content_type: str | None
    body: bytes = field(repr=False)
    tls: bytes | None = field(repr=False)
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A signed answer, journalled at `at`, before it was sent."""

    at: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StatusLine:
    seq: int
    code: str
    at: datetime
    foutcode: str | None
    fout: str | None
    details: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """`receipt` is the agency's answer as received, with its signature; None if the channel
    keeps none."""

    agency: str
    generation: int
    message_id: str
    attempts: int
    delivered_at: datetime
    receipt: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry, its place in the tree and its audit path to the checkpoint."""

    leaf: int
    entry: str
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier checkpoint and the proof that the later tree begins with it."""

    checkpoint: str
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """An RFC 3161 token over one of the file's checkpoints, and the nonce it answers."""

    checkpoint: str
    nonce: int
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bundle:
    """All lists oldest first. `request` is None for a message the gateway made itself; no
    `answers` means that no answer was sent. Without `timestamps` the field is left out, as in
    files from before there were any."""

    kenmerk: str
    exported_at: datetime
    request: Request | None
    answers: tuple[Answer, ...]
    statuses: tuple[StatusLine, ...]
    deliveries: tuple[Delivery, ...]
    entries: tuple[Entry, ...]
    checkpoint: str
    earlier: tuple[Earlier, ...]
    timestamps: tuple[TimeStamp, ...] = ()

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file's text without its seal."""
        return sha256(_text(_record(self)).encode()).digest()


def write(bundle: Bundle, origin: str, key: Ed25519PrivateKey) -> bytes:
    """The file, sealed."""
    record = _record(bundle)
    digest = sha256(_text(record).encode()).digest()
    return _text(record | {"seal": sign_text(origin, seal_text(bundle, digest), key)}).encode()


def read(data: bytes) -> tuple[Bundle, str]:
    """The bundle and its seal, not verified yet. Raises BadBundle."""
    try:
        record = json.loads(data)
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise BadBundle(f"this is not an evidence file ({FORMAT})")
        seal = record["seal"]
        bundle = _bundle(record)
        if _text(_record(bundle) | {"seal": seal}).encode() != data:
            raise BadBundle("the file is not in its one accepted spelling: it was changed")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        if isinstance(exc, BadBundle):
            raise
        raise BadBundle(f"the file cannot be read: {type(exc).__name__}") from None
    return bundle, seal


def seal_text(bundle: Bundle, digest: bytes) -> str:
    """What the seal signs."""
    return f"{FORMAT}\n{bundle.kenmerk}\n{base64.b64encode(digest).decode()}\n"


def sealed(bundle: Bundle, seal: str, key: Ed25519PublicKey) -> bool:
    """Whether `seal` is `key`'s, over this bundle. Raises BadCheckpoint when it is no note."""
    return open_text(seal, key) == seal_text(bundle, bundle.digest)


def _text(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def _record(bundle: Bundle) -> dict[str, Any]:
    record: dict[str, Any] = _plain(bundle)
    if not bundle.timestamps:
        del record["timestamps"]
    return {"format": FORMAT} | record


def _plain(value: Any) -> Any:
    """A value as JSON: bytes in base64, times in RFC 3339 with microseconds."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value


def _bundle(r: dict[str, Any]) -> Bundle:
    request: dict[str, Any] | None = r["request"]
    return Bundle(
        kenmerk=_str(r["kenmerk"]),
        exported_at=_time(r["exported_at"]),
        request=None
        if request is None
        else Request(
            _time(request["received_at"]),
            _maybe(request["content_type"]),
            _bytes(request["body"]),
            None if request["tls"] is None else _bytes(request["tls"]),
            _bytes(request["token"]),
        ),
        answers=tuple(Answer(_time(a["at"]), _bytes(a["body"])) for a in r["answers"]),
        statuses=tuple(
            StatusLine(
                int(s["seq"]), _str(s["code"]), _time(s["at"]),
                _maybe(s["foutcode"]), _maybe(s["fout"]), _maybe(s["details"]),
            )
            for s in r["statuses"]
        ),
        deliveries=tuple(
            Delivery(
                _str(d["agency"]), int(d["generation"]), _str(d["message_id"]),
                int(d["attempts"]), _time(d["delivered_at"]),
                None if d["receipt"] is None else _bytes(d["receipt"]),
            )
            for d in r["deliveries"]
        ),
        entries=tuple(
            Entry(int(e["leaf"]), _str(e["entry"]), _path(e["path"])) for e in r["entries"]
        ),
        checkpoint=_str(r["checkpoint"]),
        earlier=tuple(Earlier(_str(e["checkpoint"]), _path(e["path"])) for e in r["earlier"]),
        timestamps=tuple(
            TimeStamp(_str(t["checkpoint"]), int(t["nonce"]), _bytes(t["token"]))
            for t in r.get("timestamps", ())
        ),
    )  # fmt: skip


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise BadBundle(f"a text was expected, not {type(value).__name__}")
    return value


def _maybe(value: Any) -> str | None:
    return None if value is None else _str(value)


def _bytes(value: Any) -> bytes:
    return base64.b64decode(_str(value), validate=True)


def _time(value: Any) -> datetime:
    return datetime.fromisoformat(_str(value))


def _path(value: Any) -> tuple[bytes, ...]:
    return tuple(_bytes(one) for one in value)
