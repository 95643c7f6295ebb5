"""Checkpoints: the signed statement of how large the journal is and what its root hash is.

The text is a C2SP tlog-checkpoint in a C2SP signed note (the format of Go's checksum database
and of today's transparency logs), so that others' tools can read and witness it:

    openpoort.example            origin: the name of this journal
    1027                         size of the tree, in entries
    <base64>                     root hash (RFC 6962)
    time 2026-11-30T23:59:59Z    when it was made
                                 an empty line
    — openpoort.example <base64> signature: 4 bytes of key id, 64 bytes of Ed25519

Only one spelling of a checkpoint is accepted, so a changed byte never passes unseen.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_NOTE = re.compile(r"(\S+)\n[0-9]+\n[^\n]+\ntime [^\n]+\n\n— \1 [A-Za-z0-9+/]{91}=\n")
"""A whole note, wherever it begins: its signature repeats its origin, and has its length."""


class BadCheckpoint(ValueError):
    """The note is no checkpoint, or not one of this key; the message says which."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`root` of the journal's first `size` entries; `at` in UTC."""

    origin: str
    size: int
    root: bytes
    at: datetime

    @property
    def text(self) -> str:
        """The signed text, with its final newline."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")[:-6]
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\ntime {at}Z\n"


def key_id(origin: str, key: Ed25519PublicKey) -> bytes:
    """The first four bytes of SHA-256 over name, newline, algorithm 1, public key (C2SP)."""
    return sha256(origin.encode() + b"\n\x01" + key.public_bytes_raw()).digest()[:4]


def sign_text(origin: str, text: str, key: Ed25519PrivateKey) -> str:
    """The signed note over `text`, which ends in a newline."""
    signature = key_id(origin, key.public_key()) + key.sign(text.encode())
    return f"{text}\n— {origin} {base64.b64encode(signature).decode()}\n"


def open_text(note: str, key: Ed25519PublicKey) -> str:
    """The text of a note with exactly one signature, that of `key`. Raises BadCheckpoint."""
    text, found, line = note.rpartition("\n\n")
    text += "\n"
    words = line.removesuffix("\n").split(" ")
    if not found or len(words) != 3 or words[0] != "—":
        raise BadCheckpoint("this is not a signed note")
    origin = words[1]
    try:
        signature = base64.b64decode(words[2], validate=True)
    except ValueError:
        raise BadCheckpoint("the signature is not base64") from None
    if f"{text}\n— {origin} {base64.b64encode(signature).decode()}\n" != note:
        raise BadCheckpoint("the note is not in its one accepted spelling")
    if signature[:4] != key_id(origin, key):
        raise BadCheckpoint("the note is signed with another key")
    try:
        key.verify(signature[4:], text.encode())
    except InvalidSignature:
        raise BadCheckpoint("the signature of the note does not hold") from None
    return text


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    return sign_text(checkpoint.origin, checkpoint.text, key)


def open_checkpoint(note: str, key: Ed25519PublicKey) -> Checkpoint:
    """The checkpoint that `key` signed. Raises BadCheckpoint."""
    text = open_text(note, key)
    try:
        origin, size, root, time, end = text.split("\n")
        checkpoint = Checkpoint(
            origin,
            int(size),
            base64.b64decode(root, validate=True),
            datetime.fromisoformat(time.removeprefix("time ")),
        )
    except ValueError:
        raise BadCheckpoint("the note is not a checkpoint") from None
    if end or checkpoint.text != text or f" {origin} " not in note:
        raise BadCheckpoint("the checkpoint is not in its one accepted spelling")
    return checkpoint


def pieces(text: str) -> list[str]:
    """The notes of a file of copies, in order, and what stands between them and is no note."""
    found: list[str] = []
    place = 0
    for note in _NOTE.finditer(text):
        found += [text[place : note.start()].strip("\n\0\ufffd"), note[0]]
        place = note.end()
    return [piece for piece in (*found, text[place:].strip("\n\0\ufffd")) if piece]
