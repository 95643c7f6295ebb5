"""Messages too long to hold: their text and, in its place, the base64 of octets that stand apart.

Such a message is made piece by piece whenever it is gone over: for the digest of its signature,
and when it is sent. Short messages are plain `bytes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pybase64 import b64encode

from openpoort.domain.octets import View, in_pieces

_THIRDS = 48 * 1024
"""A multiple of three: base64 of the pieces is base64 of the whole."""


class Base64:
    """The base64 of octets, in pieces of 64 KiB."""

    __slots__ = ("_octets",)

    def __init__(self, octets: View) -> None:
        self._octets = octets

    def __len__(self) -> int:
        return (len(self._octets) + 2) // 3 * 4

    def __iter__(self) -> Iterator[bytes]:
        for piece in in_pieces(self._octets, _THIRDS):
            yield b64encode(piece)


class Woven:
    """Parts, one behind the other. May be gone over any number of times; what goes wrong where the
    octets stand is raised while it is."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts: list[Part] = []
        for part in parts:
            last = self._parts[-1] if self._parts else None
            if isinstance(part, bytes) and isinstance(last, bytes):
                self._parts[-1] = last + part  # else each would be sent by itself
            else:
                self._parts.append(part)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            yield from pieces(part)

    def __bytes__(self) -> bytes:
        return b"".join(self)


Body = bytes | Woven
Part = bytes | Base64 | Woven


def weave(parts: Sequence[Part]) -> Body:
    """Plain `bytes` where nothing in it is long."""
    try:
        return b"".join(parts)  # type: ignore[arg-type]  # told by trying: most are short
    except TypeError:
        return Woven(parts)


def pieces(part: Part) -> Iterable[bytes]:
    """All of it, in order."""
    return (part,) if isinstance(part, bytes) else part
