"""Taking messages in, a batch in one transaction, and reading them back.

The order inside the transaction: first the keys that decide whether a message is new (unique
constraints, so that it holds over any number of nodes), then everything else for the new ones.
Keys are claimed in sorted order: two writers with the same repeats wait, they do not deadlock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import psycopg

from openpoort.domain.fault import Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.journal import JournalEntry
from openpoort.domain.message import Aanlevering
from openpoort.store import journal
from openpoort.store.payloads import Cut, Stored

Connection = psycopg.Connection[Any]

WAKE = "openpoort_work"
"""Channel of the wake-up that goes out once per batch."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The request as received, its documents cut out. `tls` and `token` are DER."""

    received_at: datetime
    digest: bytes
    size: int
    body: bytes = field(repr=False)
    cuts: tuple[Cut, ...]
    token: bytes = field(repr=False)
    tls: bytes | None = field(default=None, repr=False)
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    mime_type: str
    bestandsnaam: str
    digest: bytes
    size: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as kept; `documents` is the content first, then the attachments."""

    day: date
    kenmerk: UUID
    about: UUID | None
    parent: UUID | None
    berichtsoort: str
    sender: str
    berichtkenmerk: str
    aanleverkenmerk: str | None
    eerder_aanleverkenmerk: str | None
    belanghebbende: Identiteit
    rol_belanghebbende: str
    ontvanger: Identiteit | None
    rol_ontvanger: str | None
    autorisatie_adres: str | None
    accepted_at: datetime
    documents: tuple[DocumentRow, ...]


@dataclass(frozen=True, slots=True)
class StatusRow:
    """`seq` counts from 1 within a process."""

    seq: int
    code: str
    at: datetime
    fout: Fout | None = None
    details: str | None = None


def started(statuses: Sequence[StatusRow]) -> list[list[object]]:
    """The first statuses as the entry of the acceptance holds them: (seq, code, time)."""
    return [[s.seq, s.code, s.at.astimezone(UTC).isoformat()] for s in statuses]


@dataclass(frozen=True, slots=True)
class JobRow:
    """Work to do. `attempts` made so far, the first at `first_at`. `fence` is held by whoever
    leased the job: another worker that took it over holds another one."""

    day: date
    kenmerk: UUID
    step: str
    lane: str
    due_at: datetime
    agency: str | None = None
    generation: int = 0
    attempts: int = 0
    first_at: datetime | None = None
    fence: UUID | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Accept:
    """Everything one accepted message puts into the database.

    `key` and `digest`: sender and MessageID, and the values (settled: Repeats); None for a
    message that the process makes itself. `content_key`: the same for kinds whose repeats go by
    aanleverkenmerk. `switch`: the name of a test switch.
    """

    message: MessageRow
    belang: str
    statuses: tuple[StatusRow, ...]
    jobs: tuple[JobRow, ...]
    payloads: tuple[Stored, ...]
    entries: tuple[JournalEntry, ...]
    evidence: Evidence | None = None
    key: UUID | None = None
    digest: bytes = b""
    content_key: UUID | None = None
    switch: str | None = None
    state: str = "running"
    open: int = 0
    data: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """`repeated`: nothing new was started, this is the earlier one."""

    kenmerk: UUID
    shown: UUID
    day: date
    accepted_at: datetime
    repeated: bool


class Reused(Exception):
    """The MessageID was used before by this sender, with other values."""


def accept(conn: Connection, items: Sequence[Accept]) -> list[Accepted | Exception]:
    """Take in `items`, in the caller's transaction. One result per item; Reused as a value."""
    owners = _claim(conn, items)
    new = [item for item in items if owners[item.message.kenmerk] is None]
    insert(conn, new)
    earlier = {o[:2] for o in owners.values() if o is not None and o[2]}
    times = _accepted_at(conn, earlier)
    results: list[Accepted | Exception] = []
    for item in items:
        owner = owners[item.message.kenmerk]
        if owner is None:
            m = item.message
            results.append(Accepted(m.kenmerk, m.about or m.kenmerk, m.day, m.accepted_at, False))
        elif not owner[2]:
            results.append(Reused())
        else:
            kenmerk, day, _ = owner
            at, about = times[kenmerk]
            results.append(Accepted(kenmerk, about or kenmerk, day, at, True))
    return results


Owner = tuple[UUID, date, bool]  # kenmerk, day, and whether the values are the same


def _claim(conn: Connection, items: Sequence[Accept]) -> dict[UUID, Owner | None]:
    """Per own kenmerk: None when it is new, else who was earlier."""
    by_content = [i for i in items if i.content_key is not None]
    content = _keys(
        conn, [(i.content_key, b"", i.message.kenmerk, i.message.day) for i in by_content]
    )
    # A message that repeats another's content gets that one's kenmerk under its own MessageID.
    meant = {
        i.message.kenmerk: content[i.content_key][:2]
        if i.content_key is not None
        else (i.message.kenmerk, i.message.day)
        for i in items
    }
    keyed = [i for i in items if i.key is not None]
    owners = _keys(conn, [(i.key, i.digest, *meant[i.message.kenmerk]) for i in keyed])
    found: dict[UUID, Owner | None] = {}
    dangling: list[UUID] = []
    for item in items:
        own = item.message.kenmerk
        owner = owners.get(item.key, (own, item.message.day, item.digest))
        if owner[0] == own:
            found[own] = None
            continue
        found[own] = (owner[0], owner[1], owner[2] == item.digest)
        if item.content_key is not None and meant[own][0] == own:
            dangling.append(item.content_key)
    if dangling:
        conn.execute("delete from repeat where key = any(%b)", [dangling])
    return found


def _keys(
    conn: Connection, rows: Sequence[tuple[UUID | None, bytes, UUID, date]]
) -> dict[UUID | None, tuple[UUID, date, bytes]]:
    """Claim keys; per key its owner (kenmerk, day, digest), ours or an earlier one."""
    if not rows:
        return {}
    rows = sorted(rows, key=lambda row: row[0] or UUID(int=0))
    columns = list(zip(*rows, strict=True))
    inserted = conn.execute(
        "insert into repeat (key, digest, kenmerk, day)"
        " select * from unnest(%b::uuid[], %b::bytea[], %b::uuid[], %b::date[])"
        " on conflict (key) do nothing returning key, kenmerk, day, digest",
        [list(column) for column in columns],
        binary=True,
    ).fetchall()
    owners: dict[UUID | None, tuple[UUID, date, bytes]] = {k: (w, d, v) for k, w, d, v in inserted}
    others = [row[0] for row in rows if row[0] not in owners]
    if others:
        found = conn.execute(
            "select key, kenmerk, day, digest from repeat where key = any(%b)",
            [others],
            binary=True,
        ).fetchall()
        owners.update({k: (w, d, v) for k, w, d, v in found})
    return owners


def _accepted_at(
    conn: Connection, wanted: Iterable[tuple[UUID, date]]
) -> dict[UUID, tuple[datetime, UUID | None]]:
    pairs = list(wanted)
    if not pairs:
        return {}
    rows = conn.execute(
        "select m.kenmerk, m.accepted_at, m.about from unnest(%b::uuid[], %b::date[]) w(k, d)"
        " join message m on m.kenmerk = w.k and m.day = w.d",
        [[k for k, _ in pairs], [d for _, d in pairs]],
        binary=True,
    ).fetchall()
    return {kenmerk: (at, about) for kenmerk, at, about in rows}


REGISTER = """
insert into register (kenmerk, day, berichtsoort, sender, about, switch)
select * from unnest(%b::uuid[], %b::date[], %b::text[], %b::text[], %b::uuid[], %b::text[])
"""
MESSAGE = """
insert into message (day, kenmerk, about, parent, berichtsoort, sender, berichtkenmerk,
    aanleverkenmerk, eerder_aanleverkenmerk, belang_type, belang_nummer, rol_belang,
    ontvanger_type, ontvanger_nummer, rol_ontvanger, autorisatie_adres, accepted_at, documents)
select a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q, r::jsonb from unnest(%b::date[], %b::uuid[],
    %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
    %b::text[]) as t(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r)
"""
PROCESS = """
insert into process
    (day, kenmerk, berichtsoort, sender, belang, accepted_at, state, seq, last_at, open, data)
select a,b,c,d,e,f,g,h,i,j, k::jsonb from unnest(%b::date[], %b::uuid[], %b::text[], %b::text[],
    %b::text[], %b::timestamptz[], %b::text[], %b::int2[], %b::timestamptz[], %b::int2[],
    %b::text[]) as t(a,b,c,d,e,f,g,h,i,j,k)
"""
STATUS = """
insert into status (day, kenmerk, seq, code, at, foutcode, fout, details)
select * from unnest(%b::date[], %b::uuid[], %b::int2[], %b::text[], %b::timestamptz[],
    %b::text[], %b::text[], %b::text[])
"""
REQUEST = """
insert into request (day, kenmerk, received_at, content_type, digest, size, cuts, body, tls, token)
select a,b,c,d,e,f, g::jsonb, h,i,j from unnest(%b::date[], %b::uuid[], %b::timestamptz[],
    %b::text[], %b::bytea[], %b::int4[], %b::text[], %b::bytea[], %b::bytea[], %b::bytea[])
    as t(a,b,c,d,e,f,g,h,i,j)
"""
CERTIFICATE = """
insert into certificate (digest, der) select * from unnest(%b::bytea[], %b::bytea[])
on conflict do nothing
"""
PAYLOAD = """
insert into payload (day, digest, size, place, body)
select * from unnest(%b::date[], %b::bytea[], %b::int4[], %b::text[], %b::bytea[])
on conflict do nothing
"""
JOB = """
insert into job (day, kenmerk, step, lane, agency, generation, due_at, attempts, first_at)
select * from unnest(%b::date[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::int2[],
    %b::timestamptz[], %b::int4[], %b::timestamptz[])
"""


def columns(rows: Iterable[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows turned into the columns that `unnest` takes."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(width)]


def insert(conn: Connection, items: Sequence[Accept]) -> None:
    """Put in `items`, which are new. One statement per table, in the caller's transaction."""
    if not items:
        return
    messages = [item.message for item in items]
    days = [m.day for m in messages]
    kenmerken = [m.kenmerk for m in messages]
    with conn.pipeline():
        conn.execute(
            REGISTER,
            columns(
                ((m.kenmerk, m.day, m.berichtsoort, m.sender, m.about, i.switch)
                 for i, m in zip(items, messages, strict=True)), 6,
            ),
        )  # fmt: skip
        conn.execute(MESSAGE, columns((_message(m) for m in messages), 18))
        conn.execute(
            PROCESS,
            columns(
                ((m.day, m.kenmerk, m.berichtsoort, m.sender, i.belang, m.accepted_at, i.state,
                  len(i.statuses), i.statuses[-1].at if i.statuses else m.accepted_at, i.open,
                  json.dumps(i.data) if i.data else None)
                 for i, m in zip(items, messages, strict=True)), 11,
            ),
        )  # fmt: skip
        statuses = (
            (d, k, s) for i, d, k in zip(items, days, kenmerken, strict=True) for s in i.statuses
        )
        insert_statuses(conn, statuses)
        _insert_evidence(conn, items)
        insert_payloads(conn, [(i.message.day, p) for i in items for p in i.payloads])
        insert_jobs(conn, [job for i in items for job in i.jobs])
        entries = [entry for i in items for entry in i.entries]
        conn.execute(journal.ADD, journal.parameters(entries))


def _message(m: MessageRow) -> tuple[object, ...]:
    ontvanger = m.ontvanger
    documents = [[d.mime_type, d.bestandsnaam, d.digest.hex(), d.size] for d in m.documents]
    return (
        m.day, m.kenmerk, m.about, m.parent, m.berichtsoort, m.sender, m.berichtkenmerk,
        m.aanleverkenmerk, m.eerder_aanleverkenmerk, m.belanghebbende.type,
        m.belanghebbende.nummer, m.rol_belanghebbende,
        ontvanger.type if ontvanger else None, ontvanger.nummer if ontvanger else None,
        m.rol_ontvanger, m.autorisatie_adres, m.accepted_at, json.dumps(documents),
    )  # fmt: skip


def insert_statuses(conn: Connection, rows: Iterable[tuple[date, UUID, StatusRow]]) -> None:
    made = [
        (day, kenmerk, s.seq, s.code, s.at, s.fout.foutcode if s.fout else None,
         s.fout.foutbeschrijving if s.fout else None, s.details)
        for day, kenmerk, s in rows
    ]  # fmt: skip
    if made:
        conn.execute(STATUS, columns(made, 8))


def _insert_evidence(conn: Connection, items: Sequence[Accept]) -> None:
    rows: list[tuple[object, ...]] = []
    certificates: dict[bytes, bytes] = {}
    for item in items:
        e = item.evidence
        if e is None:
            continue
        cuts = json.dumps([[c.offset, c.index, c.form] for c in e.cuts])
        token, tls = _digest(e.token), _digest(e.tls) if e.tls else None
        certificates[token] = e.token
        if e.tls and tls:
            certificates[tls] = e.tls
        m = item.message
        rows.append(
            (m.day, m.kenmerk, e.received_at, e.content_type, e.digest, e.size, cuts, e.body,
             tls, token)
        )  # fmt: skip
    if rows:
        # Sorted, like every other conflict: two writers must lock in one order.
        conn.execute(CERTIFICATE, columns(sorted(certificates.items()), 2))
        conn.execute(REQUEST, columns(rows, 10))


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def insert_payloads(conn: Connection, rows: Iterable[tuple[date, Stored]]) -> None:
    unique = {(day, p.digest): (day, p.digest, p.size, p.place, p.body) for day, p in rows}
    if unique:
        conn.execute(PAYLOAD, columns((unique[key] for key in sorted(unique)), 5))


def insert_jobs(conn: Connection, jobs: Sequence[JobRow]) -> None:
    if jobs:
        conn.execute(
            JOB,
            columns(
                ((j.day, j.kenmerk, j.step, j.lane, j.agency, j.generation, j.due_at, j.attempts,
                  j.first_at) for j in jobs), 9,
            ),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answered:
    """The signed answer to a message, kept before it is sent."""

    kenmerk: UUID
    at: datetime
    digest: bytes
    body: bytes = field(repr=False)
    actor: str = "openpoort"


def answered(conn: Connection, items: Sequence[Answered]) -> None:
    """Keep answers with their journal entries, in the caller's transaction."""
    conn.execute(
        "insert into answer (day, kenmerk, at, digest, body)"
        " select r.day, w.* from unnest(%b::uuid[], %b::timestamptz[], %b::bytea[], %b::bytea[])"
        " as w(kenmerk, at, digest, body) join register r using (kenmerk)",
        columns(((i.kenmerk, i.at, i.digest, i.body) for i in items), 4),
    )
    entries = [
        JournalEntry("message.answered", i.at, i.actor, str(i.kenmerk), {"answer": i.digest.hex()})
        for i in items
    ]
    conn.execute(journal.ADD, journal.parameters(entries))


MESSAGES = """
select m.day, m.kenmerk, m.about, m.parent, m.berichtsoort, m.sender, m.berichtkenmerk,
    m.aanleverkenmerk, m.eerder_aanleverkenmerk, m.belang_type, m.belang_nummer, m.rol_belang,
    m.ontvanger_type, m.ontvanger_nummer, m.rol_ontvanger, m.autorisatie_adres, m.accepted_at,
    m.documents
from unnest(%b::uuid[], %b::date[]) w(k, d)
join message m on m.kenmerk = w.k and m.day = w.d
"""


def messages(conn: Connection, wanted: Iterable[tuple[UUID, date]]) -> dict[UUID, MessageRow]:
    """Messages by kenmerk."""
    pairs = list(wanted)
    if not pairs:
        return {}
    rows = conn.execute(
        MESSAGES, [[k for k, _ in pairs], [d for _, d in pairs]], binary=True
    ).fetchall()
    return {row[1]: message_row(row) for row in rows}


def message_row(row: Sequence[Any]) -> MessageRow:
    """A row of the table, columns in their order."""
    day, kenmerk, about, parent, berichtsoort, sender, berichtkenmerk, own, earlier = row[:9]
    return MessageRow(
        day=day,
        kenmerk=kenmerk,
        about=about,
        parent=parent,
        berichtsoort=berichtsoort,
        sender=sender,
        berichtkenmerk=berichtkenmerk,
        aanleverkenmerk=own,
        eerder_aanleverkenmerk=earlier,
        belanghebbende=Identiteit(row[10], row[9]),
        rol_belanghebbende=row[11],
        ontvanger=Identiteit(row[13], row[12]) if row[12] is not None else None,
        rol_ontvanger=row[14],
        autorisatie_adres=row[15],
        accepted_at=row[16],
        documents=tuple(DocumentRow(a, b, bytes.fromhex(c), d) for a, b, c, d in row[17]),
    )


def from_request(
    request: Aanlevering,
    *,
    day: date,
    kenmerk: UUID,
    sender: str,
    berichtkenmerk: str,
    accepted_at: datetime,
    ontvanger: Identiteit | None,
    documents: tuple[DocumentRow, ...],
    about: UUID | None = None,
) -> MessageRow:
    """The row of a message handed in."""
    return MessageRow(
        day=day,
        kenmerk=kenmerk,
        about=about,
        parent=None,
        berichtsoort=request.berichtsoort,
        sender=sender,
        berichtkenmerk=berichtkenmerk,
        aanleverkenmerk=request.aanleverkenmerk,
        eerder_aanleverkenmerk=request.eerder_aanleverkenmerk,
        belanghebbende=request.belanghebbende,
        rol_belanghebbende=request.rol_belanghebbende,
        ontvanger=ontvanger,
        rol_ontvanger=request.rol_ontvanger,
        autorisatie_adres=request.autorisatie_adres,
        accepted_at=accepted_at,
        documents=documents,
    )
