"""Giving committed entries their place in the Merkle tree, one sequencer at a time.

Ids are handed out before commit, so the order of ids is not the order in which entries become
visible: a reader that stops at the highest id it saw would skip the entry of a slower
transaction for good. The watermark `pg_snapshot_xmin` settles it: every transaction below it has
ended, so the entries below it, ordered by (transaction, id), can never get a newcomer in between.
An entry waits for its place until the oldest writing transaction of its time has ended (the merge
delay); readers without writes, such as a backup, do not hold it up.

Crash: a batch, its nodes and the new position are one transaction. Two nodes: an advisory lock
held by that same transaction, so a sequencer that dies frees it.
Restore into another cluster: transaction numbers begin again there. The system identifier tells;
then everything present is placed by id once, and the numbers count from there (`_adopt`). Ids do
not begin again: what is written after that is known by a higher one. Where they do all the same
(replication copies no sequences), entries would get no place, and nobody could tell until the
journal is verified: everything is placed anew, ids go on above, and it is said at once.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openpoort.domain import checkpoint, merkle
from openpoort.domain.checkpoint import Checkpoint
from openpoort.store.journal import tree
from openpoort.store.journal.tree import JournalBroken

__all__ = [
    "LOCK",
    "Connection",
    "JournalBroken",
    "Placed",
    "kenmerk_of",
    "last_note",
    "sign",
    "step",
]

Connection = psycopg.Connection[Any]
LOCK = 0x6A6F75726E616C  # "journal"

_STATE = """
select size, after_xid, after_id, floor_id,
       cluster = (select system_identifier from pg_control_system())
           and coalesce(pg_sequence_last_value(
               pg_get_serial_sequence('journal', 'id')::regclass), 0) >= floor_id,
       pg_snapshot_xmin(pg_current_snapshot())
from journal_state
"""
_NEXT = """
select xid, id, at, entry from journal
where (xid, id) > (%s::xid8, %s) and xid < %s::xid8 and id > %s
order by xid, id limit %s
"""
_ALL_UNPLACED = """
select xid, id, at, entry, exists (select from journal_leaf l where l.id = j.id)
from journal j
where not exists (select from journal_leaf l where l.xid = j.xid and l.id = j.id)
order by id, xid
"""
_ABOVE = """
select setval(pg_get_serial_sequence('journal', 'id'), max(id)) from journal having max(id) > 0
"""
_LAST = "select note, size, root from journal_checkpoint order by size desc, at desc limit 1"


@dataclass(frozen=True, slots=True)
class Placed:
    """One step: `count` entries got a place; `size` is the tree's; `more` if some wait below
    the watermark, `again` of them with an id that was given out before. None of it when another
    sequencer was at work."""

    count: int
    size: int
    more: bool
    again: int = 0


def step(conn: Connection, batch: int = 5000, *, wait: bool = False) -> Placed | None:
    """Place at most `batch` entries in one transaction; None while another sequencer works.

    With `wait`, stands in line for the lock instead. `conn` is outside a transaction.
    """
    with conn.transaction():
        if not _lock(conn, wait):
            return None
        state = conn.execute(_STATE).fetchone()
        assert state is not None
        size, after_xid, after_id, floor, goes_on, watermark = state
        if not goes_on:
            return _adopt(conn, size)
        # Without statistics (a new month) the planner would sort the whole backlog each time.
        conn.execute("set local enable_sort = off")
        rows = conn.execute(_NEXT, (after_xid, after_id, watermark, floor, batch)).fetchall()
        if not rows:
            return Placed(0, size, False)
        _place(conn, size, rows)
        conn.execute(
            "update journal_state set size = %s, after_xid = %s::xid8, after_id = %s",
            (size + len(rows), rows[-1][0], rows[-1][1]),
        )
        return Placed(len(rows), size + len(rows), len(rows) == batch)


def sign(
    conn: Connection, key: Ed25519PrivateKey, origin: str, at: datetime
) -> tuple[Checkpoint, str] | None:
    """Sign and store a checkpoint of the whole tree; None when the last one has its size.

    Raises JournalBroken when the tree does not extend the last checkpoint, or that one is not
    ours: a signature over a changed tree would lend it our word.
    """
    with conn.transaction():
        _lock(conn, wait=True)
        size = _one(conn, "select size from journal_state")
        last = conn.execute(_LAST).fetchone()
        if size == (last[1] if last else 0):
            return None
        try:
            root = tree.root(conn, size)
            if last is not None:
                _extends(conn, checkpoint.open_checkpoint(last[0], key.public_key()), size, root)
        except checkpoint.BadCheckpoint as exc:
            raise JournalBroken(str(exc)) from exc
        point = Checkpoint(origin, size, root, at)
        note = checkpoint.sign(point, key)
        conn.execute(
            "insert into journal_checkpoint (size, at, root, note) values (%s, %s, %s, %s)",
            (size, at, root, note),
        )
        return point, note


def last_note(conn: Connection) -> str | None:
    """The newest checkpoint as signed."""
    row = conn.execute(_LAST).fetchone()
    return row[0] if row else None


def _extends(conn: Connection, last: Checkpoint, size: int, root: bytes) -> None:
    if size < last.size:
        raise JournalBroken(f"the tree has {size} entries, the last checkpoint {last.size}")
    proof = tree.consistency(conn, last.size, size)
    if not merkle.extends(last.size, size, last.root, root, proof):
        raise JournalBroken(f"the tree of {size} does not extend the checkpoint of {last.size}")


def _lock(conn: Connection, wait: bool) -> bool:
    if wait:
        conn.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        return True
    return bool(_one(conn, "select pg_try_advisory_xact_lock(%s)", (LOCK,)))


def _adopt(conn: Connection, size: int) -> Placed:
    """First step in another cluster, or with ids that began again: place all by id, writers held
    off meanwhile."""
    conn.execute("lock table journal in share row exclusive mode")
    found = conn.execute(_ALL_UNPLACED).fetchall()
    rows = [row[:4] for row in found]
    _place(conn, size, rows)
    conn.execute(_ABOVE)
    conn.execute(
        "update journal_state set size = %s, after_xid = '0'::xid8, after_id = 0, "
        "floor_id = (select coalesce(max(id), 0) from journal), "
        "cluster = (select system_identifier from pg_control_system())",
        (size + len(rows),),
    )
    return Placed(len(rows), size + len(rows), False, sum(row[4] for row in found))


_NULL, _HEX = "\\N", "\\\\x"  # as the text form of COPY spells them


def _place(conn: Connection, size: int, rows: Sequence[tuple[Any, int, datetime, bytes]]) -> None:
    """Write leaves and the nodes they complete."""
    edge = tree.edge(conn, size)
    leaves = [merkle.leaf_hash(row[3]) for row in rows]
    with conn.cursor() as cursor:
        with cursor.copy("copy journal_leaf (leaf, xid, id, at, kenmerk, hash) from stdin") as copy:
            # Whole at once: `write_row` costs more than the hashing. Nothing here needs escaping.
            copy.write(
                "".join(
                    f"{leaf}\t{row[0]}\t{row[1]}\t{row[2].isoformat()}\t"
                    f"{kenmerk_of(row[3]) or _NULL}\t{_HEX}{digest.hex()}\n"
                    for leaf, (row, digest) in enumerate(zip(rows, leaves, strict=True), size)
                )
            )
        with cursor.copy("copy journal_node (level, number, hash) from stdin") as copy:
            nodes = edge.append(leaves)
            copy.write("".join(f"{lv}\t{nr}\t{_HEX}{h.hex()}\n" for lv, nr, h in nodes))


_KENMERK = re.compile(
    rb',"kenmerk":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})","kind":"[a-z._]+"}\Z'
)
"""The end of an entry as we write it: its keys are sorted, and `data` cannot reach past its own
brackets to the very end."""


def kenmerk_of(entry: bytes) -> str | None:
    """The message an entry is about. One odd entry must never stop the whole journal."""
    if usual := _KENMERK.search(entry, max(0, len(entry) - 160)):
        return usual[1].decode()
    try:
        return str(uuid.UUID(json.loads(entry)["kenmerk"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _one(conn: Connection, sql: str, parameters: tuple[object, ...] = ()) -> Any:
    row = conn.execute(sql, parameters).fetchone()
    assert row is not None
    return row[0]
