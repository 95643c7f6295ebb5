"""Checkpoints in the signed note format."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from openpoort.domain import checkpoint
from openpoort.domain.checkpoint import BadCheckpoint, Checkpoint
from openpoort.keys.checkpoint import BadKey, load_private, load_public

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
AT = datetime(2026, 11, 30, 23, 59, 59, 120000, tzinfo=UTC)
POINT = Checkpoint("openpoort.example", 1027, bytes(range(32)), AT)


def test_signed_checkpoint_opens_to_the_same_value() -> None:
    note = checkpoint.sign(POINT, KEY)
    assert checkpoint.open_checkpoint(note, KEY.public_key()) == POINT
    assert note.startswith(
        "openpoort.example\n1027\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        "time 2026-11-30T23:59:59.120000Z\n\n— openpoort.example "
    )


def test_another_key_is_named() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    with pytest.raises(BadCheckpoint, match="another key"):
        checkpoint.open_checkpoint(checkpoint.sign(POINT, KEY), other)


def test_every_changed_byte_fails() -> None:
    note = checkpoint.sign(POINT, KEY).encode()
    for place in range(len(note)):
        for change in (1, 0x20):
            forged = bytearray(note)
            forged[place] ^= change
            with pytest.raises(ValueError):
                checkpoint.open_checkpoint(forged.decode(), KEY.public_key())


def test_signature_of_another_text_is_no_checkpoint() -> None:
    note = checkpoint.sign_text("openpoort.example", "balance\n", KEY)
    assert checkpoint.open_text(note, KEY.public_key()) == "balance\n"
    with pytest.raises(BadCheckpoint, match="not a checkpoint"):
        checkpoint.open_checkpoint(note, KEY.public_key())


@pytest.mark.parametrize("size", ["01027", "+1027", "1_027", " 1027"])
def test_other_spellings_of_the_same_numbers_fail_even_when_signed(size: str) -> None:
    text = POINT.text.replace("1027", size)
    note = checkpoint.sign_text("openpoort.example", text, KEY)
    with pytest.raises(BadCheckpoint):
        checkpoint.open_checkpoint(note, KEY.public_key())


def test_cut_note_fails() -> None:
    note = checkpoint.sign(POINT, KEY)
    for end in range(len(note)):
        with pytest.raises(BadCheckpoint):
            checkpoint.open_checkpoint(note[:end], KEY.public_key())


def test_signature_with_spare_base64_bits_fails() -> None:
    note = checkpoint.sign(POINT, KEY)
    last = note.rstrip("\n=")[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spare = alphabet[alphabet.index(last) ^ 1]
    forged = note[: note.rindex(last)] + spare + note[note.rindex(last) + 1 :]
    assert base64.b64decode(note.split()[-1]) == base64.b64decode(forged.split()[-1])
    with pytest.raises(BadCheckpoint):
        checkpoint.open_checkpoint(forged, KEY.public_key())


def test_key_pair_in_files(tmp_path: Path) -> None:
    key, public = tmp_path / "checkpoint.key", tmp_path / "checkpoint.pem"
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    note = checkpoint.sign(POINT, load_private(key))
    assert checkpoint.open_checkpoint(note, load_public(public)) == POINT


def test_wrong_file_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "server.key"
    wrong.write_text("-----BEGIN NONSENSE-----\n")
    with pytest.raises(BadKey, match=r"server\.key"):
        load_private(wrong)
    with pytest.raises(BadKey, match=r"server\.key"):
        load_public(wrong)
