"""A log that makes many small files durable with one sync: written first, done again after a crash.

Every record is one message: its line, its file names and their bytes, under a digest. What a crash
left half at the end was never acknowledged and is cut off. The files themselves need no sync as
long as the log holds what is in them; `forget` empties it once the whole machine was synced.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_HEAD = 8 + 32  # length of the body, big-endian, and its SHA-256


@dataclass(frozen=True, slots=True)
class Record:
    """`line` goes into the receipt list, `files` (path under the folder -> bytes) beside it."""

    line: str
    files: Mapping[str, bytes]

    def pieces(self) -> list[bytes]:
        """As it stands in the log."""
        sizes = {name: len(content) for name, content in self.files.items()}
        head = json.dumps([self.line, sizes]).encode()
        body = [len(head).to_bytes(4, "big"), head, *self.files.values()]
        digest = hashlib.sha256()
        for piece in body:
            digest.update(piece)
        return [sum(map(len, body)).to_bytes(8, "big"), digest.digest(), *body]


class Redo:
    """One writer at a time. With `durable` False nothing is synced."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._durable = durable
        self._end = 0

    def records(self) -> Iterator[Record]:
        """What was written before a crash, oldest first; a broken end is cut off."""
        with open(self._file, "rb", closefd=False) as file:
            file.seek(0)
            while record := _read(file.read(_HEAD), file.read):
                self._end = file.tell()
                yield record
        os.ftruncate(self._file, self._end)
        os.lseek(self._file, self._end, os.SEEK_SET)

    def write(self, records: Sequence[Record]) -> None:
        """On disk when this returns. Raises OSError, and then nothing of it was written."""
        data = b"".join(piece for record in records for piece in record.pieces())
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
            if self._durable:
                os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)
            raise
        self._end += len(data)

    @property
    def size(self) -> int:
        return self._end

    def forget(self) -> None:
        """Everything the records told of is in its place: sync it there, and begin anew."""
        if self._durable:
            os.sync()
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        self._end = 0

    def close(self) -> None:
        os.close(self._file)


def _read(head: bytes, read: Callable[[int], bytes]) -> Record | None:
    """The next record; None at the end and at a record that is not whole."""
    if len(head) < _HEAD:
        return None
    length = int.from_bytes(head[:8], "big")
    body = read(length)
    if len(body) < length or hashlib.sha256(body).digest() != head[8:]:
        return None
    start = 4 + int.from_bytes(body[:4], "big")
    line, sizes = json.loads(body[4:start])
    files = {}
    for name, size in sizes.items():
        files[name] = body[start : start + size]
        start += size
    return Record(line, files)
