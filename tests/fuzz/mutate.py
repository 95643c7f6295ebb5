"""Mutations of saved requests: bytes, pieces, tokens and whole elements that change places."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
_TOKENS = [
    b"<!--", b"-->", b"<?x?>", b"<![CDATA[", b"]]>", b"<!DOCTYPE x>", b"&amp;", b"&#13;", b"&x;",
    b' xmlns=""', b' xmlns:wsu="urn:x"', b' wsu:Id="id-body"', b' Id="id-body"', b' xml:id="id-to"',
    b"#id-body", b"#id-to", b"#default", b"<inhoud>", b"</inhoud>", b"sha1", b"sha256", b"hmac-",
    b"\r\n", b"\x00", b"\xef\xbb\xbf", b"\xff", b"--grens\r\n", b"cid:a", b"=", b"A" * 5000,
    b"openpoort/aside/0000000/", b"2026-11-23T24:00:00", b"soapenv:", b"wsse:", b"/", b'"', b"'",
]  # fmt: skip
_ELEMENT = re.compile(rb"<([\w:.-]+)[^<>]*>[^<>]*</\1>")


def seeds() -> list[bytes]:
    return [path.read_bytes() for path in sorted(CORPUS.iterdir())]


def mutations(seed: int, start: list[bytes]) -> Iterator[bytes]:
    """Endless; the same for the same seed."""
    dice = random.Random(seed)
    while True:
        data = dice.choice(start)
        for _ in range(dice.choice((1, 1, 1, 2, 4))):
            data = dice.choice(_KINDS)(dice, data, start)
        yield data


def _flip(dice: random.Random, data: bytes, start: list[bytes]) -> bytes:
    at = dice.randrange(len(data) or 1)
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def _cut(dice: random.Random, data: bytes, start: list[bytes]) -> bytes:
    at, size = dice.randrange(len(data) or 1), dice.choice((1, 2, 10, 100, 2000))
    return data[:at] + data[at + size :]


def _repeat(dice: random.Random, data: bytes, start: list[bytes]) -> bytes:
    at, size = dice.randrange(len(data) or 1), dice.choice((1, 20, 300))
    return data[:at] + data[at : at + size] * dice.choice((2, 3)) + data[at + size :]


def _token(dice: random.Random, data: bytes, start: list[bytes]) -> bytes:
    at = dice.randrange(len(data) or 1)
    return data[:at] + dice.choice(_TOKENS) + data[at:]


def _after_tag(dice: random.Random, data: bytes, start: list[bytes]) -> bytes:
    """A token where it hurts: at the edge of a tag or an attribute."""
    edges = [m.start() for m in re.finditer(rb'[<>"=]', data)] or [0]
    at = dice.choice(edges) + dice.randrange(2)
    return data[:at] + dice.choice(_TOKENS) + data[at:]


def _move(dice: random.Random, data: bytes, start: list[bytes]) -> bytes:
    """One leaf element to another place, copied or moved."""
    found = list(_ELEMENT.finditer(data))
    if len(found) < 2:
        return data
    one, other = dice.sample(found, 2)
    copied = data[: other.start()] + one[0] + data[other.start() :]
    if dice.random() < 0.5:
        return copied
    return copied.replace(one[0], b"", 1)


def _splice(dice: random.Random, data: bytes, start: list[bytes]) -> bytes:
    other = dice.choice(start)
    at, there = dice.randrange(len(data) or 1), dice.randrange(len(other) or 1)
    return data[:at] + other[there:]


_KINDS = (_flip, _cut, _repeat, _token, _after_tag, _after_tag, _move, _move, _splice)
