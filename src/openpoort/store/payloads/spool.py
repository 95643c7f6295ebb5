"""Octets in a file, read by pieces: what a door or a worker has in hand and is too large to hold.

What comes in goes to files without a name: nothing is left of them when the process ends, however
it ends. Never synced, because nothing in them was acknowledged. A document that stands in a folder
of ours is read where it stands. Not mapped: mapped pages count as memory of the process.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from openpoort.domain.octets import PIECE
from openpoort.store.payloads.payloads import PayloadUnavailable
from openpoort.telemetry import logger

_log = logger("store.spool")


class NoRoom(PayloadUnavailable):
    """The disk is full, or cannot be written or read: try again later."""


class _File:
    """An open file, closed when nobody holds it any more: a thread may still be reading when the
    request it works for has been given up."""

    __slots__ = ("folder", "number")

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number = folder, number

    def __del__(self) -> None:
        os.close(self.number)


class Spooled:
    """Octets in a file (`domain.octets.Large`). One thread at a time may search in it."""

    __slots__ = ("_at", "_begin", "_file", "_seen", "_size")

    def __init__(self, folder: Path) -> None:
        """Empty. Raises NoRoom."""
        try:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                self._open(_File(folder, os.dup(file.fileno())), 0, 0)
        except OSError as wrong:
            raise _no_room(wrong) from None

    @classmethod
    def standing(cls, file: Path) -> Spooled:
        """A file as it is now, whatever becomes of its name; nothing may be appended. Raises
        OSError."""
        made = cls.__new__(cls)
        opened = _File(file.parent, os.open(file, os.O_RDONLY | os.O_CLOEXEC))
        made._open(opened, 0, os.fstat(opened.number).st_size)
        return made

    def _open(self, file: _File, begin: int, size: int) -> None:
        self._file, self._begin, self._size = file, begin, size
        self._at, self._seen = 0, b""

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
        made._open(self._file, self._begin + start, max(end - start, 0))
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
        """Exactly `size` octets. Raises NoRoom."""
        read: list[bytes] = []
        try:
            while size > 0:
                piece = os.pread(self._file.number, size, self._begin + start)
                if not piece:
                    raise OSError("a file is shorter than it was")
                read.append(piece)
                start, size = start + len(piece), size - len(piece)
        except OSError as wrong:
            raise _no_room(wrong) from None
        return read[0] if len(read) == 1 else b"".join(read)


def _no_room(wrong: OSError) -> NoRoom:
    why = wrong.strerror or str(wrong) or type(wrong).__name__
    _log.error("spool_unavailable", reason=why)
    return NoRoom("on disk", why)
