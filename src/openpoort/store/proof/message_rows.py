"""All rows of a batch of messages, whatever their days: one question per table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import psycopg

from openpoort.store.messages import marks, messages
from openpoort.store.messages.rows import MessageRow
from openpoort.store.postgres import partitions
from openpoort.store.proof.claims import Claim

Connection = psycopg.Connection[Any]
Row = tuple[Any, ...]
_WANTED = (
    "from {t} t join unnest(%s::uuid[], %s::date[]) w(k, d) on t.kenmerk = w.k and t.day = w.d"
)
_COLUMNS = {
    "register": "t.day, t.berichtsoort, t.sender, t.about, t.switch",
    "process": "t.berichtsoort, t.sender, t.belang, t.accepted_at, t.state, t.seq, t.last_at,"
    " coalesce(t.data, '{}')",
    "status": "t.seq, t.code, t.at, t.foutcode, t.fout, t.details",
    "request": "t.received_at, t.content_type, encode(t.digest, 'hex'), t.size,"
    " encode(t.token, 'hex'), encode(t.tls, 'hex')",
    "answer": "t.at, encode(t.digest, 'hex'), sha256(t.body) = t.digest",
    "delivery": "t.agency, t.generation, t.message_id, t.attempts, t.delivered_at,"
    " encode(t.receipt, 'hex')",
    "mailbox": "t.shown, t.owner, t.belang, t.berichtsoort, t.at",
    "parked": "t.step, t.agency, t.since",
}
_REPEAT = "select key, digest, kenmerk, day from repeat where key = any(%s)"
_PAYLOAD = """
select t.day, t.digest, t.size, t.place,
    case when t.body is null then t.place <> 'db'
    else t.place = 'db' and sha256(t.body) = t.digest and length(t.body) = t.size end
from payload t join unnest(%s::date[], %s::bytea[]) w(day, digest)
    on t.day = w.day and t.digest = w.digest where t.day = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """`messages` by kenmerk, `repeats` by key (digest, kenmerk, day), `stored` documents by day and
    digest (size, place, whether they are what the row says); of the other tables `of`."""

    messages: dict[UUID, MessageRow]
    repeats: dict[UUID, Row]
    stored: dict[tuple[date, bytes], Row]
    tables: dict[str, dict[UUID, list[Row]]]

    @classmethod
    def read(cls, conn: Connection, claims: Sequence[Claim]) -> Rows:
        wanted = [(c.kenmerk, c.day) for c in claims]
        found = messages.messages(conn, wanted)
        keys, days = [k for k, _ in wanted], [d for _, d in wanted]
        others: dict[str, dict[UUID, list[Row]]] = {}
        for table, columns in _COLUMNS.items():
            some = others[table] = {}
            words = f"select t.kenmerk, {columns} {_WANTED.format(t=table)}"
            given: list[object] = [keys, days]
            if table in partitions.PARTITIONED:
                words, given = words + " where t.day = any(%s)", [*given, partitions.days(days)]
            for kenmerk, *rest in conn.execute(words, given):
                some.setdefault(kenmerk, []).append(tuple(rest))
        asked = [k for m in found.values() for k in (marks.message_key(m), marks.content_key(m))]
        repeats = conn.execute(_REPEAT, [asked])
        return cls(
            found, {key: (bytes(digest), *rest) for key, digest, *rest in repeats},
            _stored(conn, claims), others,
        )  # fmt: skip

    def of(self, table: str, claim: Claim) -> list[Row]:
        return self.tables[table].get(claim.kenmerk, [])


def _stored(conn: Connection, claims: Sequence[Claim]) -> dict[tuple[date, bytes], Row]:
    wanted = sorted({(c.day, digest) for c in claims for digest in documents(c)})
    days = [day for day, _ in wanted]
    rows = conn.execute(_PAYLOAD, [days, [d for _, d in wanted], partitions.days(days)])
    return {(day, bytes(digest)): tuple(rest) for day, digest, *rest in rows}


def documents(claim: Claim) -> list[bytes]:
    """Documents that must stand here: those handed in, and receipts."""
    every = [*claim.accepted["documents"]]
    every += [said["receipt"] for _, said in claim.deliveries if said.get("kept")]
    return [bytes.fromhex(one) for one in every]
