"""UUIDs that know their text and their hash: both are asked for hundreds of times a message."""

from __future__ import annotations

from random import Random
from uuid import UUID

_put = object.__setattr__


class Number(UUID):
    """Equal to every other UUID of the same value, and ordered among them."""

    __slots__ = ("_hash", "_text")

    def __init__(self, text: str) -> None:
        super().__init__(text)
        _put(self, "_hash", hash(self.int))
        _put(self, "_text", super().__str__())

    def __hash__(self) -> int:
        return self._hash  # type: ignore[attr-defined, no-any-return]

    def __str__(self) -> str:
        return self._text  # type: ignore[attr-defined, no-any-return]

    def __repr__(self) -> str:
        return f"UUID('{self}')"


def drawn(draw: Random) -> Number:
    """A UUID v4 of a generator's bits."""
    bits = draw.getrandbits(128) & ~(0xF000 << 64 | 0xC000 << 48) | 4 << 76 | 0x8000 << 48
    return Number(f"{bits:032x}")
