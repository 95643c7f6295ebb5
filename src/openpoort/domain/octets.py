"""Octets of a document or a request: plain `bytes`, or `Large` when they are too many to hold.

What can be large is looked at in pieces, so that a message of 20 MiB costs a door the memory of a
piece. Small ones stay `bytes` and cost nothing more. Whoever needs them whole says `bytes(octets)`,
which is free for what is `bytes` already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Protocol

PIECE = 64 * 1024
"""Octets looked at in one go: more holds up the other threads, less costs calls."""


class Large(Protocol):
    """Octets that stand somewhere else. What is the same for `bytes` has the name it has there;
    every method may block and raise as the place where they stand does."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: slice, /) -> bytes:
        """Steps of one only."""
        ...

    def __bytes__(self) -> bytes: ...

    def find(self, sub: bytes, start: int = 0, end: int | None = None, /) -> int: ...

    def startswith(self, prefix: bytes, start: int = 0, /) -> bool: ...

    def part(self, start: int, end: int) -> Large:
        """These octets of it, without a copy."""
        ...

    def keep(self, pieces: Iterable[bytes]) -> Large:
        """Other octets, put where these stand."""
        ...


Octets = bytes | Large
View = memoryview | Large
"""A part of octets that costs nothing."""


def view(octets: Octets, start: int, end: int) -> View:
    """The octets from `start` to `end`, not copied."""
    if isinstance(octets, bytes):
        return memoryview(octets)[start:end]
    return octets.part(start, end)


def in_pieces(octets: Octets | View, size: int = PIECE) -> Iterator[bytes]:
    """All of it, in order; only the last piece is shorter than `size`."""
    for at in range(0, len(octets), size):
        yield bytes(octets[at : at + size])


def sha256(octets: Octets) -> bytes:
    """The digest."""
    if isinstance(octets, bytes):
        return hashlib.sha256(octets).digest()
    state = hashlib.sha256()
    for piece in in_pieces(octets):
        state.update(piece)
    return state.digest()
