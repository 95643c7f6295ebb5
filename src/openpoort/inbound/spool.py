"""Large requests on disk while the door has them in hand, and what is made of them.

Files without a name: nothing is left of them when the process ends, however it ends. Never
synced, because nothing in them was acknowledged. Read by pieces and not mapped: mapped pages count
as memory of the door.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from openpoort.domain.octets import PIECE
from openpoort.process.intake import Busy
from openpoort.telemetry import logger

_log = logger("inbound.spool")


class NoRoom(Busy):
    """The disk is full, or cannot be written: try again later."""


class _File:
    """An open file without a name, closed when nobody holds it any more: a thread may still be
    reading when the request it works for has been given up."""

    __slots__ = ("folder", "number")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            self.number = os.dup(file.fileno())

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)


class Spooled:
    """Octets in a file (`domain.octets.Large`). One thread at a time may search in it."""

    __slots__ = ("_at", "_begin", "_file", "_seen", "_size")

    def __init__(self, folder: Path) -> None:
        """Empty. Raises NoRoom."""
        try:
            self._file = _File(folder)
        except OSError as wrong:
            raise _no_room(wrong) from None
        self._begin = self._size = self._at = 0
        self._seen = b""

    def append(self, piece: bytes) -> None:
        """Raises NoRoom."""
        rest = memoryview(piece)
        try:
            while rest:
                done = os.pwrite(self._file.number, rest, self._begin + self._size)
                self._size += done
                rest = rest[done:]
        except OSError as wrong:
            raise _no_room(wrong) from None

    def keep(self, pieces: Iterable[bytes]) -> Spooled:
        made = Spooled(self._file.folder)
        for piece in pieces:
            made.append(piece)
        return made

    def part(self, start: int, end: int) -> Spooled:
        start, end, _ = slice(start, end).indices(self._size)
        made = Spooled.__new__(Spooled)
        made._file, made._begin = self._file, self._begin + start
        made._size, made._at, made._seen = max(end - start, 0), 0, b""
        return made

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: slice, /) -> bytes:
        start, end, _ = place.indices(self._size)
        return self._read(start, max(end - start, 0))

    def __bytes__(self) -> bytes:
        return self[:]

    def startswith(self, prefix: bytes, start: int = 0, /) -> bool:
        return self[start : start + len(prefix)] == prefix

    def find(self, sub: bytes, start: int = 0, end: int | None = None, /) -> int:
        """As of `bytes`, for a `sub` shorter than a piece. A search that goes on where the one
        before it ended finds the piece still at hand."""
        start, end, _ = slice(start, end).indices(self._size)
        while end - start >= len(sub):
            if not self._at <= start <= self._at + len(self._seen) - len(sub):
                self._at, self._seen = start, self._read(start, min(PIECE, self._size - start))
            last = min(end - self._at, len(self._seen))
            found = self._seen.find(sub, start - self._at, last)
            if found >= 0:
                return self._at + found
            start = self._at + last - len(sub) + 1
        return -1

    def _read(self, start: int, size: int) -> bytes:
        """Exactly `size` octets. Raises OSError."""
        read: list[bytes] = []
        while size > 0:
            piece = os.pread(self._file.number, size, self._begin + start)
            if not piece:
                raise OSError("a spooled request is shorter than it was")
            read.append(piece)
            start, size = start + len(piece), size - len(piece)
        return read[0] if len(read) == 1 else b"".join(read)


def _no_room(wrong: OSError) -> NoRoom:
    _log.error("spool_unavailable", reason=wrong.strerror or type(wrong).__name__)
    return NoRoom(10)
