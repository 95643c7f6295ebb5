"""Are the rows still what the journal says? The whole database beside its journal, or a slice.

`audit` proves the journal beside what was signed; here everything else is proven beside the
journal: the rows of each message (`messageproof`), the directory beside the acts that made it,
what was deleted beside sealed proofs, and rows that no entry tells of. What happened before
entries carried marks and seals is counted as unproven: the first entry with a mark, which the
tree holds in its place, is where more is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from openpoort.domain.seal import parsed, sealed
from openpoort.store.journal.audit import Problem
from openpoort.store.payloads.payloads import Places
from openpoort.store.postgres import far, partitions
from openpoort.store.proof import acts
from openpoort.store.proof.acts import Acts, Say
from openpoort.store.proof.claims import ODD, Claim, Said, claim
from openpoort.store.proof.proof import Proof

Connection = psycopg.Connection[Any]
_BATCH = 64
_MOST = 1000  # rows named per table
_ENTRIES = """
select l.leaf, j.entry from journal_leaf l
join journal j on (j.at, j.xid, j.id) = (l.at, l.xid, l.id)
where l.kenmerk is null
    or substring(j.entry from length(j.entry) - 25) = '"kind":"message.accepted"}'
    or substring(j.entry from length(j.entry) - 17) in ('"kind":"hold.set"}', 'nd":"hold.lifted"}')
order by l.leaf
"""
_WAITING = """
select j.entry from journal j, journal_state s
where (j.xid, j.id) > (s.after_xid, s.after_id) and j.id > s.floor_id order by j.xid, j.id
"""
_ABOUT = """
select l.kenmerk, j.entry from journal_leaf l
join journal j on (j.at, j.xid, j.id) = (l.at, l.xid, l.id)
where l.kenmerk = any(%s) order by l.leaf
"""
_UNTOLD = """
select kenmerk from register r
where not exists (select from journal_leaf l where l.kenmerk = r.kenmerk) and kenmerk <> all(%s)
order by kenmerk limit 1000
"""
_STRANGE = """
select distinct t.kenmerk from {t} t left join register r on r.kenmerk = t.kenmerk
where r.day is distinct from t.day order by 1 limit 1000
"""
_DRAWN = """
with newest as (select kenmerk from journal_leaf where kenmerk is not null
    order by leaf desc limit %(rows)s),
place as materialized (select floor(random() * size)::bigint as leaf from journal_state),
chance as (select l.kenmerk from journal_leaf l, place p where l.leaf >= p.leaf
    and l.kenmerk is not null order by l.leaf limit %(rows)s)
(select distinct kenmerk from newest limit %(size)s) union
(select distinct kenmerk from chance limit %(size)s)
"""
_OTHER_LEAF = """
select l.leaf from journal_leaf l join journal j on (j.at, j.xid, j.id) = (l.at, l.xid, l.id)
where l.kenmerk = any(%s) and sha256('\\x00'::bytea || j.entry) <> l.hash order by l.leaf
"""
_STORY = 12  # entries that a message has, about
_LOCK = 0x736C696365  # "slice"
_WITH_DAY = (
    "message", "process", "status", "request", "answer", "delivery", "mailbox", "job", "parked",
    "repeat",
)  # fmt: skip
_SELF = {
    "certificate": ("encode(digest, 'hex')", "sha256(der) <> digest"),
    "certificate_seen": ("fingerprint", "encode(sha256(content), 'hex') <> fingerprint"),
    "payload": (
        "encode(digest, 'hex')",
        "case when body is null then place = 'db'"
        " else place <> 'db' or sha256(body) <> digest or length(body) <> size end",
    ),
}
"""Rows that prove themselves: name of a row, and when it does not."""
_UNREADABLE = "what it tells has not the form that the gateway writes"
_PLAIN = "not sealed by this key: anybody who owns the database can write it"


@dataclass(frozen=True, slots=True)
class Proven:
    """`messages` were compared; `unproven` of them say less because they are from before there
    were marks, `unread` have documents outside the database that were not read."""

    messages: int
    unproven: int
    unread: int
    problems: tuple[Problem, ...]


def prove(conn: Connection, key: Ed25519PublicKey, outside: Places = ()) -> Proven:
    """The whole database, in the caller's transaction (REPEATABLE READ). `outside`: where large
    documents stand, which are then read. Raises PayloadUnavailable."""
    far.readable(conn)
    return _Whole(conn, key, outside).run()


def prove_some(conn: Connection, kenmerken: Sequence[UUID], outside: Places = ()) -> Proven:
    """The rows of these messages alone. A week that was dropped whole is not judged: that is for
    `prove`, which knows the proofs of deletion."""
    problems: list[Problem] = []
    weeks = {table: set(partitions.weeks(conn, table)) for table in partitions.PARTITIONED}

    def say(*what: str) -> None:
        problems.append(Problem(*what))

    def missing(table: str, claim: Claim, what: str) -> None:
        if partitions.week(claim.day) in weeks["process" if table == "register" else table]:
            say(f"{table}-missing", f"{table} of {claim.kenmerk}", what)

    proof = Proof(conn, say, missing, outside)
    claims = _claims(conn, kenmerken, _waiting(conn), say)
    for first in range(0, len(claims), _BATCH):
        _judged(proof, claims[first : first + _BATCH], say)
    return Proven(len(claims), proof.unproven, proof.unread, tuple(problems))


def untold(conn: Connection, day: date) -> list[UUID]:
    """Messages of a day that no entry of the journal tells of: nobody handed them in."""
    waiting = list(_waiting(conn))
    rows = conn.execute(
        "select kenmerk from process r where day = %s and kenmerk <> all(%s) and not exists"
        " (select from journal_leaf l where l.kenmerk = r.kenmerk) order by kenmerk limit 1000",
        [day, waiting],
    )
    return [kenmerk for (kenmerk,) in rows]


def prove_slice(
    conn: Connection, key: Ed25519PublicKey, today: date, size: int, version: int
) -> tuple[list[Problem], int]:
    """A part that is small however large the database is: `size` of the newest messages and as
    many drawn by chance, what nobody handed in today, and the directory, of which `version` was
    seen before. The differences and the directory's version; nothing while another does it.
    `conn` is outside a transaction."""
    problems: list[Problem] = []

    def say(*what: str) -> None:
        problems.append(Problem(*what))

    far.readable(conn)
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        [[mine]] = conn.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not mine:
            return [], version
        drawn = [k for (k,) in conn.execute(_DRAWN, {"size": size, "rows": size * _STORY})]
        for (leaf,) in conn.execute(_OTHER_LEAF, [drawn]):
            say("row-changed", f"leaf {leaf}", "the row is not what its leaf was made from")
        problems += prove_some(conn, drawn).problems
        for kenmerk in untold(conn, today):
            say("process-inserted", f"process of {kenmerk}", "no entry tells of it")
        now = acts.latest(conn, key, say)
        if now < version:
            text = f"version {version} was seen before"
            say("directory-changed", f"version {now}", text)
    return problems, now


class _Whole:
    def __init__(self, conn: Connection, key: Ed25519PublicKey, outside: Places) -> None:
        self.conn, self.key = conn, key
        self.problems: list[Problem] = []
        self.proof = Proof(conn, self._say, self._missing, outside)
        self.acts = Acts()
        self.marked = False
        self.messages = 0
        self.accepted: Counter[date] = Counter()
        self.deleted: dict[tuple[str, date], Said] = {}
        self.gone: dict[tuple[str, date], list[Problem]] = {}

    def run(self) -> Proven:
        waiting = _waiting(self.conn)
        self._told(waiting)
        self._gone()
        self._strangers(waiting)
        acts.judge(self.conn, self.acts, self._say)
        return Proven(
            self.messages, self.proof.unproven, self.proof.unread, tuple(self.problems)
        )  # fmt: skip

    def _say(self, what: str, where: str, text: str) -> None:
        self.problems.append(Problem(what, where, text))

    def _missing(self, table: str, claim: Claim, what: str) -> None:
        where = f"{table} of {claim.kenmerk}"
        some = self.gone.setdefault((table, partitions.week(claim.day)), [])
        if len(some) < _MOST:
            some.append(Problem(f"{table}-missing", where, what))

    def _told(self, waiting: dict[UUID, list[Said]]) -> None:
        """Every entry in the order of the tree, then those that wait for their place."""
        batch: list[UUID] = []
        with self.conn.cursor("prove_entries") as cursor:
            cursor.itersize = 5_000
            for leaf, entry in cursor.execute(_ENTRIES):
                self._read(f"leaf {leaf}", parsed(bytes(entry)), batch)
                if len(batch) >= _BATCH:
                    self._judge(batch, waiting)
        for (entry,) in self.conn.execute(_WAITING).fetchall():
            self._read("an entry without a place yet", parsed(bytes(entry)), batch)
            if len(batch) >= _BATCH:
                self._judge(batch, waiting)
        self._judge(batch, waiting)

    def _read(self, where: str, said: Said, batch: list[UUID]) -> None:
        try:
            self._entry(where, said, batch)
        except ODD:
            self._say("entry-unreadable", where, _UNREADABLE)

    def _entry(self, where: str, said: Said, batch: list[UUID]) -> None:
        kind = said.get("kind", "")
        if kind == "message.accepted":
            self.marked = self.marked or "row" in said["data"]
            batch.append(UUID(said["kenmerk"]))
        elif kind == "retention.deleted" or acts.is_act(kind):
            if self.marked and not sealed(said, self.key):
                self._say("act-unproven", f"{where}, {kind}", _PLAIN)
                if kind == "retention.deleted":
                    return
            if kind != "retention.deleted":
                self.acts.add(said)
            elif "from" in said["data"]:
                place = said["data"]["table"], date.fromisoformat(said["data"]["from"])
                self.deleted[place] = said["data"]

    def _judge(self, batch: list[UUID], waiting: dict[UUID, list[Said]]) -> None:
        claims = _claims(self.conn, batch, waiting, self._say)
        _judged(self.proof, claims, self._say)
        self.accepted.update(partitions.week(one.day) for one in claims)
        self.messages += len(claims)
        batch.clear()

    def _gone(self) -> None:
        """What is missing without a proof, and weeks that held less than was taken in."""
        for (table, monday), problems in self.gone.items():
            if (table, monday) not in self.deleted:
                self.problems += problems
        for (table, monday), said in self.deleted.items():
            told = self.accepted[monday]
            if table == "message" and told > said["rows"]:
                self._say(
                    "deletion-differs", f"week of {monday}",
                    f"{told} messages taken in, {said['rows']} in what was deleted",
                )  # fmt: skip

    def _strangers(self, waiting: dict[UUID, list[Said]]) -> None:
        """Rows that no entry tells of, and rows that are not what their own key says."""
        for (kenmerk,) in self.conn.execute(_UNTOLD, [list(waiting)]):
            self._say("register-inserted", f"register of {kenmerk}", "no entry tells of it")
        for table in _WITH_DAY:
            for (kenmerk,) in self.conn.execute(_STRANGE.format(t=table)):
                text = "no such message was accepted on that day"
                self._say(f"{table}-inserted", f"{table} of {kenmerk}", text)
        for table, (name, wrong) in _SELF.items():
            for (row,) in self.conn.execute(f"select {name} from {table} where {wrong} limit 1000"):
                self._say(f"{table}-changed", f"{table} {row}", "it is not what its key says")


def _claims(
    conn: Connection, kenmerken: Iterable[UUID], waiting: dict[UUID, list[Said]], say: Say
) -> list[Claim]:
    asked = list(dict.fromkeys(kenmerken))
    entries: dict[UUID, list[Said]] = {kenmerk: [] for kenmerk in asked}
    for kenmerk, entry in conn.execute(_ABOUT, [asked]):
        entries[kenmerk].append(parsed(bytes(entry)))
    found = []
    for k, told in entries.items():
        try:
            found.append(claim(k, [*(e for e in told if e), *waiting.get(k, [])]))
        except ODD:
            say("entry-unreadable", f"entries about {k}", _UNREADABLE)
    return [one for one in found if one is not None]


def _judged(proof: Proof, claims: Sequence[Claim], say: Say) -> None:
    """One message whose entries cannot be read hides no other."""
    try:
        proof.judge(claims)
    except ODD:
        for one in claims if len(claims) > 1 else ():
            _judged(proof, [one], say)
        if len(claims) == 1:
            say("entry-unreadable", f"entries about {claims[0].kenmerk}", _UNREADABLE)


def _waiting(conn: Connection) -> dict[UUID, list[Said]]:
    """What is committed and has no place yet, by the message it is about."""
    found: dict[UUID, list[Said]] = {}
    for (entry,) in conn.execute(_WAITING).fetchall():
        said = parsed(bytes(entry))
        with suppress(*ODD):  # one that names no message is named with the entries
            found.setdefault(UUID(said["kenmerk"]), []).append(said)
    return found
