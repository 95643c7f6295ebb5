"""Is the journal still what was signed? Recomputed from the rows, every difference named.

One pass in the order of the tree, in constant memory: each leaf is hashed anew from its row, each
node from its stored children, each checkpoint compared with the root at its size and opened with
the public key. After a difference the pass goes on with the stored hash, so that one changed row
is named once and does not drown the rest. A change that is carried through leaf and nodes still
meets the signed root; only a rewriting of entries that no checkpoint covers yet, or with all
later checkpoints removed, needs a copy kept elsewhere (`copies`) to be seen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509 import Certificate

from openpoort.domain import merkle
from openpoort.domain.checkpoint import BadCheckpoint, Checkpoint, open_checkpoint
from openpoort.domain.seal import parsed, sealed
from openpoort.store.journal.sequencer import kenmerk_of
from openpoort.store.postgres import far
from openpoort.trust.timestamp import Asked, BadStamp, claimed, judge

Connection = psycopg.Connection[Any]
_DELETED, _ACCEPTED = b'"kind":"retention.deleted"}', b'"kind":"message.accepted"}'
_MARK = b'"row":"'
"""In the entry of an acceptance since there are marks, and seals on acts (`domain/seal.py`)."""
_MOST = 1000  # missing rows named per month

_LEAVES = """
select l.leaf, l.xid::text, l.id, l.at, l.kenmerk::text, l.hash, j.at, j.entry
from journal_leaf l left join journal j on j.xid = l.xid and j.id = l.id
order by l.leaf, j.entry
"""
_NODES = """
select level, number, hash from journal_node order by (number + 1) << level::int, level
"""
_INSERTED = """
select j.xid::text, j.id from journal j, journal_state s
where ((j.xid, j.id) <= (s.after_xid, s.after_id) or j.id <= s.floor_id)
and not exists (select from journal_leaf l where l.xid = j.xid and l.id = j.id)
order by j.xid, j.id
"""
_BEYOND = """
select l.leaf from journal_leaf l, journal_state s
where (l.xid, l.id) > (s.after_xid, s.after_id) and l.id > s.floor_id order by l.leaf
"""
_WAITING = """
select count(*) from journal j, journal_state s
where (j.xid, j.id) > (s.after_xid, s.after_id) and j.id > s.floor_id
"""
_TIMESTAMPS = """
select t.size, c.note, t.nonce::text, t.stamped_at, t.token from journal_timestamp t
left join journal_checkpoint c on (c.size, c.at) = (t.size, t.at) order by t.size, t.at
"""
_CHECKPOINTS = "select size, at, root, note from journal_checkpoint order by size, at"


@dataclass(frozen=True, slots=True)
class Problem:
    """`what` is one word for machines (`row-changed`), `where` names the row, `text` tells."""

    what: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """`size` entries in the tree, `covered` of them by the last good checkpoint, `waiting`
    committed but not placed yet. `torn` copies of checkpoints were cut off while they were written
    and stand whole in the database."""

    size: int
    covered: int
    waiting: int
    checkpoints: int
    timestamps: int
    problems: tuple[Problem, ...]
    torn: int = 0


def audit(
    conn: Connection,
    key: Ed25519PublicKey,
    copies: Iterable[str] = (),
    tsa: Sequence[Certificate] = (),
) -> Report:
    """Verify the whole journal against `key`, the notes (and pieces of notes) in `copies`, and the
    anchors of the TSA (none: time-stamps are compared with their checkpoints, not judged).

    Reads in the caller's transaction; give it one of REPEATABLE READ, or entries placed
    meanwhile look like problems.
    """
    far.readable(conn)
    return _Audit(conn, key, tuple(copies), tsa).run()


class _Audit:
    def __init__(
        self,
        conn: Connection,
        key: Ed25519PublicKey,
        copies: Sequence[str],
        tsa: Sequence[Certificate],
    ) -> None:
        self.conn, self.key, self.copies, self.tsa = conn, key, copies, tsa
        self.problems: list[Problem] = []
        self.tree = merkle.Tree(0, [])
        self.covered = self.torn = 0
        self.gone: dict[str, list[Problem]] = {}
        self.marked = False
        self.count: Counter[str] = Counter()
        self.proven: dict[str, int] = {}

    def run(self) -> Report:
        points: list[Checkpoint] = []
        waiting = stamps = 0
        try:
            points = self._checkpoints()
            stamps = self._timestamps()
            self._recompute(points)
            self._missing()
            self._state()
            (waiting,) = self._row(_WAITING)
        except psycopg.DataError as exc:
            self._say("row-changed", "a row", f"it holds a value that no row can have: {exc}")
        return Report(
            self.tree.size, self.covered, waiting, len(points), stamps, tuple(self.problems),
            self.torn,
        )  # fmt: skip

    def _say(self, what: str, where: str, text: str) -> None:
        self.problems.append(Problem(what, where, text))

    def _row(self, sql: str) -> tuple[Any, ...]:
        row = self.conn.execute(sql).fetchone()
        return row or (None,)

    def _checkpoints(self) -> list[Checkpoint]:
        """All checkpoints that the key signed, in the table and in the copies, by size."""
        found: list[Checkpoint] = []
        here = set()
        for size, at, root, note in self.conn.execute(_CHECKPOINTS):
            where = f"checkpoint of {size}"
            here.add(note)
            try:
                point = open_checkpoint(note, self.key)
            except BadCheckpoint as exc:
                self._say("checkpoint-changed", where, str(exc))
                continue
            if (point.size, point.at, point.root) != (size, at, root):
                self._say("checkpoint-changed", where, "the columns do not say what was signed")
            found.append(point)
        for note in self.copies:
            if note in here:
                continue
            if any(whole.startswith(note.rstrip("\n")) for whole in here):
                self.torn += 1  # what was changed is the beginning of no note that we have
                continue
            try:
                point = open_checkpoint(note, self.key)
            except BadCheckpoint as exc:
                self._say("copy-changed", "copy of a checkpoint", str(exc))
                continue
            self._say(
                "checkpoint-removed", f"checkpoint of {point.size}",
                f"signed at {point.at.isoformat()}, and gone from the database",
            )  # fmt: skip
            found.append(point)
        origins = {point.origin for point in found}
        if len(origins) > 1:
            self._say("checkpoint-changed", "checkpoints", f"several origins: {sorted(origins)}")
        return sorted(found, key=lambda point: (point.size, point.at))

    def _timestamps(self) -> int:
        """How many time-stamps hold, each judged over its checkpoint."""
        held = 0
        for size, note, nonce, stamped_at, token in self.conn.execute(_TIMESTAMPS):
            where = f"time-stamp of the checkpoint of {size}"
            asked = Asked((note or "").encode(), int(nonce))
            try:
                stamp = judge(token, asked, self.tsa) if self.tsa else claimed(token, asked)
            except BadStamp as exc:
                self._say("timestamp-changed", where, str(exc))
                continue
            if stamp.at != stamped_at:
                self._say("timestamp-changed", where, "the column does not say what was stamped")
                continue
            held += 1
        return held

    def _recompute(self, points: Sequence[Checkpoint]) -> None:
        due = list(points)
        with self.conn.cursor("audit_nodes") as cursor:
            cursor.itersize = 20_000
            nodes = _Stored(cursor.execute(_NODES), self._say)
            for leaf in self._leaves():
                for level, number, digest in self.tree.append([leaf]):
                    stored = nodes.take(level, number)
                    if stored is not None and stored != digest:
                        self._say(
                            "node-changed", f"node {number} of level {level}",
                            "it is not the hash of what stands below it",
                        )  # fmt: skip
                        self.tree.edge[-1] = stored
                while due and due[0].size == self.tree.size:
                    self._compare(due.pop(0))
            nodes.rest()
        for point in due:
            if point.size == 0:
                self._compare(point)
                continue
            self._say(
                "checkpoint-mismatch", f"checkpoint of {point.size}",
                f"the tree has only {self.tree.size} entries",
            )  # fmt: skip

    def _compare(self, point: Checkpoint) -> None:
        root = self.tree.root if point.size else merkle.EMPTY
        if root == point.root:
            self.covered = point.size
            return
        self._say(
            "checkpoint-mismatch", f"checkpoint of {point.size}",
            f"entries {self.covered} to {point.size - 1} are not those that were signed",
        )  # fmt: skip

    def _leaves(self) -> Iterator[bytes]:
        """The stored hash of each leaf in order, each compared with its row."""
        expected = 0
        with self.conn.cursor("audit_leaves") as cursor:
            cursor.itersize = 5_000
            for leaf, xid, number, at, kenmerk, digest, row_at, entry in cursor.execute(_LEAVES):
                where = f"leaf {leaf}, row {number} of transaction {xid}"
                if leaf < expected:
                    self._say("row-inserted", where, "the row stands there more than once")
                    continue
                while expected < leaf:
                    self._say("leaf-missing", f"leaf {expected}", "the leaf is gone")
                    yield bytes(32)
                    expected += 1
                expected += 1
                self._judge(where, at, kenmerk, digest, row_at, entry)
                yield digest

    def _judge(
        self, where: str, at: datetime, kenmerk: str | None, digest: bytes,
        row_at: datetime | None, entry: bytes | None,
    ) -> None:  # fmt: skip
        if entry is None:
            month = f"{at.astimezone(UTC):%Y-%m}"
            self.count[month] += 1
            if self.count[month] <= _MOST:
                text = "the row is gone or was renumbered"
                self.gone.setdefault(month, []).append(Problem("row-missing", where, text))
        elif merkle.leaf_hash(entry) != digest:
            self._say("row-changed", where, "the row is not what its leaf was made from")
        elif (said := _said(entry))[0] != row_at:
            self._say("row-changed", where, f"the row's time is not its entry's, {said[0]}")
        elif said != (at, kenmerk):
            self._say("leaf-changed", where, "the leaf's time or kenmerk is not its entry's")
        elif entry.endswith(_DELETED):
            self._deleted(where, parsed(entry))
        elif entry.endswith(_ACCEPTED):
            self.marked = self.marked or _MARK in entry

    def _deleted(self, where: str, said: dict[str, Any]) -> None:
        """A proof of deletion; one of before there were seals is taken at its word."""
        if not said or "months" not in said["data"]:
            return
        if self.marked and not sealed(said, self.key):
            self._say("deletion-unproven", where, "no seal of this key: anybody could write it")
            return
        self.proven |= said["data"]["months"]

    def _missing(self) -> None:
        """Missing rows, unless an entry proves that their month was dropped with that many."""
        for month, problems in self.gone.items():
            if self.proven.get(month) == self.count[month]:
                continue
            self.problems += problems
            if self.count[month] > _MOST:
                text = f"{self.count[month]} rows of this month are gone, {_MOST} named"
                self._say("row-missing", month, text)

    def _state(self) -> None:
        for xid, number in self.conn.execute(_INSERTED):
            self._say(
                "row-inserted", f"row {number} of transaction {xid}",
                "the row was put in later: it has no leaf and never gets one",
            )  # fmt: skip
        for (leaf,) in self.conn.execute(_BEYOND):
            self._say("state-changed", f"leaf {leaf}", "the sequencer would place it again")
        (size,) = self._row("select size from journal_state")
        if size != self.tree.size:
            self._say("state-changed", "size", f"{size} recorded, {self.tree.size} leaves")


def _said(entry: bytes) -> tuple[datetime | None, str | None]:
    """Time and kenmerk as the entry itself has them."""
    try:
        at = datetime.fromisoformat(json.loads(entry)["at"])
    except (ValueError, TypeError, KeyError):
        at = None
    return at, kenmerk_of(entry)


class _Stored:
    """The stored nodes in the order in which a growing tree completes them."""

    def __init__(self, rows: Iterable[tuple[int, int, bytes]], say: Any) -> None:
        self.rows, self.say = iter(rows), say
        self.next = next(self.rows, None)

    def take(self, level: int, number: int) -> bytes | None:
        """The hash stored for this node; None, and named, when it is missing."""
        place = ((number + 1) << level, level)
        while self.next is not None and _place(self.next) < place:
            self._extra()
        if self.next is None or self.next[:2] != (level, number):
            self.say("node-missing", f"node {number} of level {level}", "the node is gone")
            return None
        found = self.next[2]
        self.next = next(self.rows, None)
        return found

    def rest(self) -> None:
        while self.next is not None:
            self._extra()

    def _extra(self) -> None:
        assert self.next is not None
        level, number, _ = self.next
        self.say("node-inserted", f"node {number} of level {level}", "no such node in this tree")
        self.next = next(self.rows, None)


def _place(row: tuple[int, int, bytes]) -> tuple[int, int]:
    return (row[1] + 1) << max(row[0], 0), row[0]
