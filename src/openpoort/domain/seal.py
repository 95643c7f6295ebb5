"""The seal of an act: a signature by the checkpoint key in the journal entry that tells of it.

Who owns the database can put an entry into the journal, and the gateway will place and sign it
like any other. What must not be made up that way (a deletion, a right, a hold) carries a seal:
Ed25519 over the entry without its seal, by a key that is not in the database.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from openpoort.domain.journal import CANONICAL, JournalEntry

_PURPOSE = b"openpoort-act/1\n"
"""Before what is signed, so that a seal is never a checkpoint nor the other way round."""
_FIELD = "seal"

Seal = Callable[[JournalEntry], JournalEntry]


def sealer(key: Ed25519PrivateKey) -> Seal:
    """What puts a seal on an entry."""

    def seal(entry: JournalEntry) -> JournalEntry:
        signature = base64.b64encode(key.sign(_PURPOSE + entry.canonical())).decode()
        return replace(entry, data={**entry.data, _FIELD: signature})

    return seal


def unsealed(entry: JournalEntry) -> JournalEntry:
    """For a gateway without a key at hand, such as one of before there were seals."""
    return entry


def sealed(said: dict[str, Any], key: Ed25519PublicKey) -> bool:
    """Whether an entry, as parsed, carries the seal of `key`."""
    data = dict(said["data"])
    try:
        signature = base64.b64decode(data.pop(_FIELD), validate=True)
        key.verify(signature, _PURPOSE + CANONICAL.encode({**said, "data": data}).encode())
    except (KeyError, TypeError, ValueError, InvalidSignature):
        return False
    return True


def parsed(entry: bytes) -> dict[str, Any]:
    """An entry as its fields; empty when it is none of ours."""
    try:
        said = json.loads(entry)
        fits = (
            said.keys() == {"actor", "at", "data", "kenmerk", "kind"}
            and isinstance(said["data"], dict)
            and isinstance(said["kind"], str)
            and datetime.fromisoformat(said["at"]).tzinfo is not None
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return said if fits else {}
