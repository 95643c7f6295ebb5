"""What the entry of an acceptance says about the rows that were written with it.

A mark is the SHA-256 of a row's columns in a fixed spelling, so that the journal holds no
personal number and yet no column can be changed unseen. Who reads the journal alone cannot try
numbers against it as long as the MessageID in it cannot be guessed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from openpoort.store.messages.rows import MessageRow

ROW, RECEIVED = "row", "received"
"""Under which names the marks stand in the entry: of the message and its keys, of the request."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands about a message in `register`, `process` and `repeat`. `digest` is that of the
    values, under `key`; `content_key` is for kinds whose repeats go by content."""

    belang: str
    switch: str | None = None
    key: UUID | None = None
    digest: bytes = b""
    content_key: UUID | None = None


def message(m: MessageRow, beside: Beside) -> str:
    """Over every column of `message`, and what `beside` holds."""
    other = m.ontvanger
    return _hex(
        m.day.isoformat(), str(m.kenmerk), _text(m.about), _text(m.parent), m.berichtsoort,
        m.sender, m.berichtkenmerk, m.aanleverkenmerk, m.eerder_aanleverkenmerk,
        m.belanghebbende.type, m.belanghebbende.nummer, m.rol_belanghebbende,
        [other.type, other.nummer] if other else None, m.rol_ontvanger, m.autorisatie_adres,
        _time(m.accepted_at),
        [[d.mime_type, d.bestandsnaam, d.digest.hex(), d.size] for d in m.documents],
        beside.belang, beside.switch, _text(beside.key), beside.digest.hex(),
        _text(beside.content_key),
    )  # fmt: skip


def request(received_at: datetime, content_type: str | None) -> str:
    """Over the columns of `request` that the entry does not name by themselves."""
    return _hex(_time(received_at), content_type)


def words(text: str) -> str:
    """Of a text that is not for the journal, such as the reason of a hold."""
    return _hex(text)


def key(*parts: str) -> UUID:
    """A key of `repeat`: ("message-id", OIN, MessageID), or ("aanleverkenmerk", OIN, kind,
    aanleverkenmerk, digest of the content in hex)."""
    return UUID(bytes=hashlib.sha256("\0".join(parts).encode()).digest()[:16])


def message_key(m: MessageRow) -> UUID:
    return key("message-id", m.sender, m.berichtkenmerk)


def content_key(m: MessageRow) -> UUID:
    """For kinds whose repeats go by aanleverkenmerk."""
    content = m.documents[0].digest.hex() if m.documents else ""
    return key("aanleverkenmerk", m.sender, m.berichtsoort, m.aanleverkenmerk or "", content)


def _hex(*values: str | Sequence[object] | None) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
