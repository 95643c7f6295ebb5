"""One line of the journal: what was done, to what, by whom, when.

The store appends entries in the same transaction as what they tell of; the sequencer gives
them their place in the Merkle tree (RFC 6962).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
EXPORTED = "evidence.exported"
"""The kind of entry that taking evidence out makes: about the message, not part of its story."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """`kind` is a dotted verb (`message.accepted`, `party.changed`); `data` holds digests and
    codes, never a payload or a personal number; `actor` is an OIN or an operator's name."""

    kind: str
    at: datetime
    actor: str
    kenmerk: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)

    def canonical(self) -> bytes:
        """The bytes that are hashed as a leaf: JSON with sorted keys, UTF-8, no white space."""
        body = {
            "actor": self.actor,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "data": dict(self.data),
            "kenmerk": self.kenmerk,
            "kind": self.kind,
        }
        return CANONICAL.encode(body).encode()


def words_digest(fout: str | None, details: str | None) -> str | None:
    """What the entry of a status holds under `words` (hex SHA-256); None when there are none.

    The words themselves may quote a filing, so the journal has their digest only.
    """
    if fout is None and details is None:
        return None
    return sha256(json.dumps([fout, details], ensure_ascii=False).encode()).hexdigest()
