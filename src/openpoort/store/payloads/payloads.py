"""Where the bytes of documents are: small ones in the database, large ones in a place outside.

The crash rule: a document is whole and safe in its place before the transaction that names it
commits, so a row without a document cannot exist; a document without a row is an orphan, and
`sweep` removes it. A place keeps documents by day of acceptance and digest, as the rows do: what is
taken in now never relies on a document of an earlier day, which a sweep may be removing. Whether
bytes are in place is decided by their SHA-256 digest alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Protocol, TypeVar

import psycopg
from pybase64 import b64encode

from openpoort.domain.octets import Octets, sha256
from openpoort.store.postgres import partitions
from openpoort.store.postgres.group_commit import Busy

THRESHOLD = 1024 * 1024
"""Octets from which a document leaves the database: how-to/payloads.md has the measurements."""

IN_DATABASE = "db"
OWNER = "owner"
"""Name, beside the days, under which a place keeps whose it is."""
_PIECE = 48 * 1024  # a multiple of three: base64 of the pieces is base64 of the whole
_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9a-f]{64})")
_DATABASE = "select system_identifier || '/' || current_database() from pg_control_system()"
_EVER = datetime.max.replace(tzinfo=UTC)
_TOGETHER = 1000  # candidates of a sweep looked up, and removed, at once
_Octets = TypeVar("_Octets", bound=Octets)

Key = tuple[date, bytes]
"""Day of acceptance and digest."""


class PayloadMissing(Exception):
    """A document that must be there is not: an operator has to look."""


class PayloadUnavailable(Busy):
    """A place cannot be reached or does not let us in, now. The door says 503; a worker tries
    again later."""

    def __init__(self, place: str, why: str, retry_after: int = 10) -> None:
        super().__init__(retry_after)
        self.args = (f"payload store {place}: {why}",)


class PayloadStore(Protocol):
    """A place outside the database for large documents. All methods may block, and raise
    PayloadUnavailable."""

    @property
    def place(self) -> str:
        """Name in the payload table, such as `folder`."""
        ...

    def put(self, key: Key, body: Octets) -> None:
        """Returns when the bytes survive a power cut and `get` gives them, whatever stood there.
        Putting twice is no error."""
        ...

    def get(self, key: Key) -> Octets:
        """Judged by their digest, where they stand or on a disk of ours; reading them may raise
        PayloadUnavailable later on. Raises PayloadMissing, also when the digest is another."""
        ...

    def old(self, before: datetime) -> Iterable[Key]:
        """Documents of an earlier day than `before`, put before it: candidates for sweeping."""
        ...

    def remove(self, keys: Sequence[Key]) -> None:
        """What is not there is no error."""
        ...

    def owner(self, claim: str) -> str:
        """Whose documents these are: `claim`, unless somebody claimed the place before."""
        ...


def named(name: str) -> Key | None:
    """The key that stands as `2026-11-23/DIGEST`; None for a file that is not ours."""
    found = _NAME.fullmatch(name)
    try:
        return (date.fromisoformat(found[1]), bytes.fromhex(found[2])) if found else None
    except ValueError:
        return None


Places = Sequence[PayloadStore]
"""The first takes what comes in now; the others are read and swept."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One document as a row: `body` None when it is in an outside `place`, under its `day`."""

    digest: bytes
    size: int
    place: str = IN_DATABASE
    body: bytes | None = field(default=None, repr=False)
    day: date = date.min


def store(body: Octets, places: Places, day: date, threshold: int = THRESHOLD) -> Stored:
    """The row for `body`; large ones are put in their place first. May block.

    Raises PayloadUnavailable.
    """
    digest = sha256(body)
    if not places or len(body) < threshold:
        return Stored(digest, len(body), body=bytes(body), day=day)
    places[0].put((day, digest), body)
    return Stored(digest, len(body), places[0].place, day=day)


LOAD = """
select p.digest, p.size, p.place, p.body, p.day from unnest(%b::date[], %b::bytea[]) w(day, d)
    join payload p on p.digest = w.d and p.day = w.day where p.day = any(%b)
"""


def load(conn: psycopg.Connection[Any], wanted: Sequence[Key]) -> Mapping[bytes, Stored]:
    """Rows by digest, those in the database with their bytes."""
    days = [day for day, _ in wanted]
    digests = [digest for _, digest in wanted]
    rows = conn.execute(LOAD, [days, digests, partitions.days(days)], binary=True).fetchall()
    return {row[0]: Stored(*row) for row in rows}


def read(stored: Stored, places: Places) -> Octets:
    """The document of a row, judged by its digest; one from outside the database is not held.

    Raises PayloadMissing, PayloadUnavailable.
    """
    if stored.body is not None:
        return intact(stored.body, stored.digest, IN_DATABASE)
    for place in places:
        if place.place == stored.place:
            return place.get((stored.day, stored.digest))
    raise PayloadMissing(f"payload {stored.digest.hex()} is in {stored.place}, not set up here")


def intact(body: _Octets, digest: bytes, place: str) -> _Octets:
    """`body` when it has this digest. Raises PayloadMissing."""
    if sha256(body) != digest:
        raise PayloadMissing(f"payload {digest.hex()} was changed in {place}")
    return body


def sweep(conn: psycopg.Connection[Any], places: Places, before: datetime) -> int:
    """Remove documents without a row from every place, if older than `before`; how many.

    A message that is being accepted has put its document and not yet its row: hence the age, a
    day. A place that another database swept first is left alone: to ours, all of it would be
    orphans. Raises PayloadUnavailable; what was removed until then stays removed.
    """
    removed = 0
    row = conn.execute(_DATABASE).fetchone()
    assert row is not None
    for place in places:
        if place.owner(row[0]) != row[0]:
            raise PayloadUnavailable(place.place, f"not swept: its owner is not database {row[0]}")
        candidates = iter(place.old(before))
        while keys := list(islice(candidates, _TOGETHER)):
            # In whichever place the row says: a place may have got another name.
            kept = _with_row(conn, keys)
            orphans = [key for key in keys if key not in kept]
            if orphans:
                place.remove(orphans)
            removed += len(orphans)
    return removed


def missing(conn: psycopg.Connection[Any], places: Places) -> int:
    """How many rows name a document outside that does not stand there, by name: none is read.

    Raises PayloadUnavailable.
    """
    row = conn.execute("select count(*) from payload where body is null").fetchone()
    assert row is not None
    absent = int(row[0])
    for place in places:
        standing = iter(place.old(_EVER))
        while keys := list(islice(standing, _TOGETHER)):
            absent -= len(_with_row(conn, keys, place.place))
    return absent


def _with_row(
    conn: psycopg.Connection[Any], keys: Sequence[Key], place: str | None = None
) -> set[Key]:
    return set(
        conn.execute(
            "select p.day, p.digest from unnest(%b::date[], %b::bytea[]) w(day, d)"
            " join payload p on p.digest = w.d and p.day = w.day"
            " where p.place = coalesce(%b, p.place)",
            [[day for day, _ in keys], [digest for _, digest in keys], place],
            binary=True,
        ).fetchall()
    )


@dataclass(frozen=True, slots=True)
class Cut:
    """A hole in the request as kept: at `offset` of what is kept stood document `index`, as
    itself (`raw`) or in base64 (`b64`)."""

    offset: int
    index: int
    form: str


def cut(raw: Octets, documents: Sequence[Octets]) -> tuple[Octets, tuple[Cut, ...]]:
    """Take the documents out of a request, so that their bytes are kept once.

    Only a document whose bytes, or whose base64 without line breaks, stands in `raw` exactly is
    cut, so that `restore` gives back every byte; any other request stays whole, and where it is.
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
    if not holes:
        return raw, ()
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


def restore(kept: bytes, cuts: Sequence[Cut], documents: Sequence[Octets]) -> bytes:
    """The request as received."""
    parts: list[bytes] = []
    place = 0
    for hole in cuts:
        parts.append(kept[place : hole.offset])
        document = bytes(documents[hole.index])
        parts.append(b64encode(document) if hole.form == "b64" else document)
        place = hole.offset
    parts.append(kept[place:])
    return b"".join(parts)


def _find(raw: Octets, document: Octets, form: str) -> tuple[int, int] | None:
    """Start and end in `raw`. Compared in pieces, so that 20 MiB is not held once more."""
    start = raw.find(_piece(document, 0, 96, form))
    if start < 0:
        return None
    place = start
    for begin in range(0, len(document), _PIECE):
        piece = _piece(document, begin, _PIECE, form)
        if not raw.startswith(piece, place):
            return None
        place += len(piece)
    return start, place


def _piece(document: Octets, begin: int, size: int, form: str) -> bytes:
    part = document[begin : begin + size]
    return b64encode(part) if form == "b64" else part
