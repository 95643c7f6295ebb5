"""Where the bytes of documents are: small ones in the database, large ones in a folder.

Measured: at 20 kB a column is 1.3 to 8 times a file with fsync; at 10 MB a file is 8 times a
column. The folder's crash rule: a file is whole and synced before the transaction that names it
commits, so a row without a file cannot exist; a file without a row is an orphan, and `sweep`
removes it. Whether bytes are in place is decided by their SHA-256 digest alone.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import psycopg

THRESHOLD = 1024 * 1024
"""Octets from which a document leaves the database (a judgement, not measured)."""

IN_DATABASE = "db"
_PIECE = 48 * 1024  # a multiple of three: base64 of the pieces is base64 of the whole


class PayloadMissing(Exception):
    """A document that must be there is not: an operator has to look."""


class PayloadStore(Protocol):
    """A place outside the database for large documents. All methods may block."""

    @property
    def place(self) -> str:
        """Name in the payload table, such as `folder`."""
        ...

    def put(self, digest: bytes, body: bytes) -> None:
        """Returns when the bytes survive a power cut. Putting twice is no error."""
        ...

    def get(self, digest: bytes) -> bytes:
        """Raises PayloadMissing, also when the bytes no longer have this digest."""
        ...

    def old(self, seconds: float) -> Iterable[bytes]:
        """Digests put longer than `seconds` ago: candidates for sweeping."""
        ...

    def remove(self, digest: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Folder:
    """Files named by digest in 256 sub-folders."""

    path: Path
    place: str = "folder"

    def _file(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.path / name[:2] / name[2:]

    def put(self, digest: bytes, body: bytes) -> None:
        target = self._file(digest)
        with contextlib.suppress(FileNotFoundError):
            os.utime(target)  # young again: a sweep that looks now must leave it
            return
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix="new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(name).rename(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync(target.parent)
        _sync(self.path)

    def get(self, digest: bytes) -> bytes:
        try:
            body = self._file(digest).read_bytes()
        except FileNotFoundError:
            raise PayloadMissing(f"no file for payload {digest.hex()}") from None
        if hashlib.sha256(body).digest() != digest:
            raise PayloadMissing(f"the file of payload {digest.hex()} was changed")
        return body

    def old(self, seconds: float) -> Iterable[bytes]:
        limit = time.time() - seconds
        for file in sorted(self.path.glob("??/*")):
            if file.stat().st_mtime >= limit:
                continue
            if file.name.startswith("new-"):
                file.unlink(missing_ok=True)  # a write that a crash cut short
            else:
                yield bytes.fromhex(file.parent.name + file.name)

    def remove(self, digest: bytes) -> None:
        self._file(digest).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Stored:
    """One document as a row: `body` None when it is in an outside `place`."""

    digest: bytes
    size: int
    place: str = IN_DATABASE
    body: bytes | None = field(default=None, repr=False)


def store(body: bytes, outside: PayloadStore | None, threshold: int = THRESHOLD) -> Stored:
    """The row for `body`; large ones are put in their place first. May block."""
    digest = hashlib.sha256(body).digest()
    if outside is None or len(body) < threshold:
        return Stored(digest, len(body), body=body)
    outside.put(digest, body)
    return Stored(digest, len(body), outside.place)


LOAD = """
select p.digest, p.size, p.place, p.body from unnest(%b::date[], %b::bytea[]) w(day, d)
    join payload p on p.digest = w.d and p.day = w.day
"""


def load(
    conn: psycopg.Connection[Any], wanted: Sequence[tuple[date, bytes]]
) -> Mapping[bytes, Stored]:
    """Rows by digest, those in the database with their bytes."""
    rows = conn.execute(
        LOAD, [[day for day, _ in wanted], [digest for _, digest in wanted]], binary=True
    ).fetchall()
    return {row[0]: Stored(*row) for row in rows}


def read(stored: Stored, outside: PayloadStore | None) -> bytes:
    """The bytes of a row. Raises PayloadMissing."""
    if stored.body is not None:
        return stored.body
    if outside is None or outside.place != stored.place:
        raise PayloadMissing(f"payload {stored.digest.hex()} is in {stored.place}, not set up here")
    return outside.get(stored.digest)


def sweep(conn: psycopg.Connection[Any], outside: PayloadStore, seconds: float = 86400) -> int:
    """Remove files without a row that are older than `seconds`; how many.

    A message that is being accepted has put its file and not yet its row: hence the age.
    """
    removed = 0
    for digest in outside.old(seconds):
        row = conn.execute("select 1 from payload where digest = %b limit 1", [digest]).fetchone()
        if row is None:
            outside.remove(digest)
            removed += 1
    return removed


@dataclass(frozen=True, slots=True)
class Cut:
    """A hole in the request as kept: at `offset` of what is kept stood document `index`, as
    itself (`raw`) or in base64 (`b64`)."""

    offset: int
    index: int
    form: str


def cut(raw: bytes, documents: Sequence[bytes]) -> tuple[bytes, tuple[Cut, ...]]:
    """Take the documents out of a request, so that their bytes are kept once.

    Only a document whose bytes, or whose base64 without line breaks, stands in `raw` exactly is
    cut, so that `restore` gives back every byte; any other request stays whole.
    """
    holes: list[tuple[int, int, int, str]] = []
    for index, document in enumerate(documents):
        if len(document) < 256:
            continue
        for form in ("b64", "raw"):
            found = _find(raw, document, form)
            if found is not None and not any(a < found[1] and found[0] < b for a, b, _, _ in holes):
                holes.append((*found, index, form))
                break
    kept: list[bytes] = []
    cuts: list[Cut] = []
    place = offset = 0
    for start, end, index, form in sorted(holes):
        kept.append(raw[place:start])
        offset += start - place
        cuts.append(Cut(offset, index, form))
        place = end
    kept.append(raw[place:])
    return b"".join(kept), tuple(cuts)


def restore(kept: bytes, cuts: Sequence[Cut], documents: Sequence[bytes]) -> bytes:
    """The request as received."""
    parts: list[bytes] = []
    place = 0
    for hole in cuts:
        parts.append(kept[place : hole.offset])
        document = documents[hole.index]
        parts.append(base64.b64encode(document) if hole.form == "b64" else document)
        place = hole.offset
    parts.append(kept[place:])
    return b"".join(parts)


def _find(raw: bytes, document: bytes, form: str) -> tuple[int, int] | None:
    """Start and end in `raw`. Compared in pieces, so that 20 MiB is not held once more."""
    start = raw.find(_piece(document, 0, 96, form))
    if start < 0:
        return None
    view, place = memoryview(raw), start
    for begin in range(0, len(document), _PIECE):
        piece = _piece(document, begin, _PIECE, form)
        if view[place : place + len(piece)] != piece:
            return None
        place += len(piece)
    return start, place


def _piece(document: bytes, begin: int, size: int, form: str) -> bytes:
    part = document[begin : begin + size]
    return base64.b64encode(part) if form == "b64" else part
