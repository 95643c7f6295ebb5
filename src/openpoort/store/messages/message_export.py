"""Everything the database holds about one message, for evidence and for the operator's eyes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg

from openpoort.store.messages.messages import messages
from openpoort.store.messages.rows import MessageRow
from openpoort.store.payloads import payloads
from openpoort.store.payloads.payloads import Cut, Places

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class RequestRow:
    """The request as received, put together again; certificates in DER."""

    received_at: datetime
    content_type: str | None
    digest: bytes
    body: bytes = field(repr=False)
    tls: bytes | None = field(repr=False)
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A journal entry with its place in the tree."""

    leaf: int
    entry: bytes


_REQUEST = """
select r.received_at, r.content_type, r.digest, r.cuts, r.body, tls.der, token.der
from request r
join certificate token on token.digest = r.token
left join certificate tls on tls.digest = r.tls
where r.kenmerk = %s and r.day = %s
"""
_LEAVES = """
select l.leaf, j.entry from journal_leaf l
join journal j on j.at = l.at and j.xid = l.xid and j.id = l.id
where l.kenmerk = %s order by l.leaf
"""
_POSITION = "select after_xid, after_id, floor_id from journal_state"
_WAITING = """
with tail as materialized (
    select xid, id, entry from journal where (xid, id) > (%s::xid8, %s) and id > %s
)
select entry from tail where entry like %s order by xid, id
"""
_AROUND = """
select distinct on (size) size, note from (
    (select size, at, note from journal_checkpoint where size <= %(first)s
        order by size desc, at desc limit 1)
    union all (select size, at, note from journal_checkpoint where size > %(first)s
        order by size, at limit 1)
    union all (select size, at, note from journal_checkpoint where size > %(last)s
        order by size, at limit 1)
    union all (select size, at, note from journal_checkpoint where size > %(told)s
        and (size, at) in (select size, at from journal_timestamp) order by size, at limit 1)
    union all (select size, at, note from journal_checkpoint order by size desc, at desc limit 1)
) c order by size, at
"""


class NoSuchMessage(LookupError):
    """No message with this kenmerk was ever accepted here."""


def day(conn: Connection, kenmerk: UUID) -> date:
    """The day under which all rows of a message stand. Raises NoSuchMessage."""
    row = conn.execute("select day from register where kenmerk = %s", (kenmerk,)).fetchone()
    if row is None:
        raise NoSuchMessage(f"no message {kenmerk}")
    found: date = row[0]
    return found


def message(conn: Connection, kenmerk: UUID) -> MessageRow:
    """Raises NoSuchMessage."""
    found = messages(conn, [(kenmerk, day(conn, kenmerk))])
    if kenmerk not in found:
        raise NoSuchMessage(f"message {kenmerk} was deleted when its term ended")
    return found[kenmerk]


def request(conn: Connection, row: MessageRow, outside: Places) -> RequestRow | None:
    """The request as received; None for a message of our own.

    Raises PayloadMissing, PayloadUnavailable.
    """
    found = conn.execute(_REQUEST, (row.kenmerk, row.day)).fetchone()
    if found is None:
        return None
    received_at, content_type, digest, cuts, body, tls, token = found
    holes = [Cut(*cut) for cut in cuts]
    whole = any(hole.form == "whole" for hole in holes)
    used = {digest} if whole else {row.documents[hole.index].digest for hole in holes}
    stored = payloads.load(conn, [(row.day, one) for one in sorted(used)])
    if missing := used - set(stored):
        raise payloads.PayloadMissing(f"no row for payload {sorted(missing)[0].hex()}")
    if whole:
        body = bytes(payloads.read(stored[digest], outside))
    else:
        body = payloads.restore(
            body,
            holes,
            [
                payloads.read(stored[d.digest], outside) if d.digest in used else b""
                for d in row.documents
            ],
        )
    return RequestRow(received_at, content_type, digest, body, tls, token)


def answers(conn: Connection, row: MessageRow) -> list[tuple[datetime, bytes]]:
    """Signed answers with the time they were kept, oldest first."""
    return conn.execute(
        "select at, body from answer where kenmerk = %s and day = %s order by at",
        (row.kenmerk, row.day),
    ).fetchall()


def statuses(
    conn: Connection, row: MessageRow
) -> list[tuple[int, str, datetime, str | None, str | None, str | None]]:
    """(seq, code, at, foutcode, fout, details) in order."""
    return conn.execute(
        "select seq, code, at, foutcode, fout, details from status"
        " where kenmerk = %s and day = %s order by seq",
        (row.kenmerk, row.day),
    ).fetchall()


def deliveries(
    conn: Connection, row: MessageRow, outside: Places
) -> list[tuple[str, int, str, int, datetime, bytes | None]]:
    """(agency, generation, message id, attempts, delivered at, receipt), oldest first. No
    receipt where the channel keeps none."""
    rows = conn.execute(
        "select agency, generation, message_id, attempts, delivered_at, receipt from delivery"
        " where kenmerk = %s and day = %s order by delivered_at, agency",
        (row.kenmerk, row.day),
    ).fetchall()
    stored = payloads.load(conn, [(row.day, one[-1]) for one in rows])
    receipts = {digest: bytes(payloads.read(one, outside)) for digest, one in stored.items()}
    return [
        (agency, generation, message_id, attempts, at, receipts.get(digest))
        for agency, generation, message_id, attempts, at, digest in rows
    ]


def leaves(conn: Connection, kenmerk: UUID) -> list[LeafRow]:
    """The journal entries of a message that have their place in the tree, in its order."""
    return [LeafRow(*row) for row in conn.execute(_LEAVES, (kenmerk,))]


def waiting(conn: Connection, kenmerk: UUID) -> list[bytes]:
    """The journal entries of a message that have no place in the tree yet."""
    # Two statements: with the position as constants the planner walks the end of the index.
    state = conn.execute(_POSITION).fetchone()
    assert state is not None
    pattern = f'%"kenmerk":{json.dumps(str(kenmerk))}%'.encode()
    return [entry for (entry,) in conn.execute(_WAITING, (*state, pattern))]


def entries(conn: Connection, kenmerk: UUID) -> list[bytes]:
    """The journal entries of a message, in order: with a place, then without one yet."""
    return [*(leaf.entry for leaf in leaves(conn, kenmerk)), *waiting(conn, kenmerk)]


def around(conn: Connection, first: int, last: int, told: int) -> list[str]:
    """Notes of checkpoints that tell of leaves `first` to `last`, by size: the last one before
    them, the first that covers the first, the first that covers all, the first with a
    time-stamp that covers `told` (the last leaf that was not made by taking evidence out), and
    the newest; the last one of the list covers all, or the list is empty."""
    rows = conn.execute(_AROUND, {"first": first, "last": last, "told": told}).fetchall()
    return [note for size, note in rows] if rows and rows[-1][0] > last else []


@contextmanager
def snapshot(conn: Connection) -> Iterator[None]:
    """A transaction in which all reading sees one moment. `conn` is outside a transaction."""
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        yield


def requests(conn: Connection, outside: Places) -> Iterator[tuple[UUID, RequestRow]]:
    """Every stored request, put together again, by day. Raises as `request`."""
    rows = conn.execute("select kenmerk, day from request order by day, kenmerk").fetchall()
    for kenmerk, day in rows:
        row = messages(conn, [(kenmerk, day)]).get(kenmerk)
        found = row and request(conn, row, outside)
        if found:
            yield kenmerk, found
