"""A tar file that grows at its end: durable when a batch was synced, readable by any `tar`.

An item is a few members under one folder name; the last one says that the item is whole. What a
crash left half at the end was never synced, so nobody was told of it: it is cut off at the start.
Source: POSIX.1-1988 ustar; its blocks of zeros at the end are left out, and readers do without.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from openpoort.domain.octets import Octets, in_pieces

_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member lies: its name, and place and size of its content in octets."""

    name: str
    at: int
    size: int

    @property
    def end(self) -> int:
        return self.at + -(-self.size // _BLOCK) * _BLOCK


def packed(name: str, content: Octets, seconds: int) -> tuple[Octets, ...]:
    """One member as it stands in the file, in parts."""
    head = tarfile.TarInfo(name)
    head.size, head.mtime = len(content), seconds
    return head.tobuf(tarfile.USTAR_FORMAT), content, b"\0" * (-len(content) % _BLOCK)


def members(path: Path) -> Iterator[Member]:
    """The members in their order, up to the first that is not whole; contents are not read."""
    with path.open("rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while at + _BLOCK <= size:
            file.seek(at)
            try:
                head = tarfile.TarInfo.frombuf(file.read(_BLOCK), "utf-8", "strict")
            except (tarfile.HeaderError, ValueError):
                return
            member = Member(head.name, at + _BLOCK, head.size)
            if member.end > size:
                return
            yield member
            at = member.end


def read(path: Path, member: Member) -> bytes:
    with path.open("rb") as file:
        file.seek(member.at)
        return file.read(member.size)


class TarLog:
    """One writer at a time. With `durable` False nothing is synced."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._durable = durable
        self._end = os.fstat(self._file).st_size

    def mend(self, last: str, whole: Callable[[Mapping[str, Member]], bool]) -> None:
        """Cut off what is not whole: from the first item on that does not end in a member `last`,
        or of which `whole` says no, given its members by name."""
        end = 0
        open_: dict[str, Member] = {}
        for member in members(self._path):
            open_[member.name.rpartition("/")[2]] = member
            if not member.name.endswith(f"/{last}"):
                continue
            if not whole(open_):
                break
            end, open_ = member.end, {}
        self._cut(end)
        self._end = end

    def write(self, items: Sequence[Octets]) -> None:
        """On disk when this returns. Raises OSError, or what reading the items raises, and then
        nothing of it was written."""
        try:
            for piece in _writes(items):
                view = memoryview(piece)
                while view:
                    view = view[os.write(self._file, view) :]
            if self._durable:
                os.fdatasync(self._file)
        except BaseException:
            self._cut(self._end)
            raise
        self._end += sum(map(len, items))

    def _cut(self, end: int) -> None:
        os.ftruncate(self._file, end)
        os.lseek(self._file, end, os.SEEK_SET)

    def close(self) -> None:
        os.close(self._file)


def _writes(items: Sequence[Octets]) -> Iterator[bytes]:
    """What is short in one piece with its neighbours, what is large in its own pieces."""
    for large, some in groupby(items, lambda item: not isinstance(item, bytes)):
        if large:
            yield from (piece for item in some for piece in in_pieces(item))
        else:
            yield b"".join(map(bytes, some))
