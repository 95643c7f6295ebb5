"""Taking messages in, a batch in one transaction, and reading them back.

The order inside the transaction: first the keys that decide whether a message is new (unique
constraints, so that it holds over any number of nodes), then everything else for the new ones.
Keys are claimed in sorted order: two writers with the same repeats wait, they do not deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Aanlevering
from openpoort.store.journal import journal
from openpoort.store.messages import arrival
from openpoort.store.messages.rows import (
    Accept,
    Accepted,
    Answered,
    DocumentRow,
    MessageRow,
    Reused,
)
from openpoort.store.payloads.payloads import Stored
from openpoort.store.postgres import partitions

Connection = psycopg.Connection[Any]


def accept(
    conn: Connection, items: Sequence[Accept], known: Iterable[bytes] = ()
) -> list[Accepted | Exception]:
    """Take in `items`. One result per item; Reused as a value.

    One statement, unless a repeat among them goes by content (then in the caller's transaction).
    `known`: digests of certificates that are there already.
    """
    earlier = _by_content(conn, [i for i in items if i.content_key is not None])
    new = [i for i in items if i.message.kenmerk not in earlier]
    taken = insert(conn, [replace(i, key=None) if i.content_key else i for i in new], known)
    late = [i for i in new if i.message.kenmerk not in taken]
    if late:
        earlier |= _owners(conn, late)
    times = _accepted_at(conn, {o[:2] for o in earlier.values() if o[2]})
    results: list[Accepted | Exception] = []
    for item in items:
        m, owner = item.message, earlier.get(item.message.kenmerk)
        if owner is None:
            results.append(Accepted(m.kenmerk, m.about or m.kenmerk, m.day, m.accepted_at, False))
        elif not owner[2]:
            results.append(Reused())
        else:
            kenmerk, day, _ = owner
            at, about = times[kenmerk]
            results.append(Accepted(kenmerk, about or kenmerk, day, at, True))
    return results


CLAIM = """
insert into repeat (key, digest, kenmerk, day)
select * from unnest(%b::uuid[], %b::bytea[], %b::uuid[], %b::date[])
on conflict (key) do nothing returning key, kenmerk, day, digest
"""
OWNERS = "select key, kenmerk, day, digest from repeat where key = any(%b)"
UNCLAIM = "delete from repeat where key = any(%b)"
ACCEPTED_AT = """
select m.kenmerk, m.accepted_at, m.about from unnest(%b::uuid[], %b::date[]) w(k, d)
join message m on m.kenmerk = w.k and m.day = w.d where m.day = any(%b)
"""
Owner = tuple[UUID, date, bool]  # kenmerk, day, and whether the values are the same


def _owners(conn: Connection, items: Sequence[Accept]) -> dict[UUID, Owner]:
    """Who was earlier with the keys of `items`, by their own kenmerk."""
    rows = conn.execute(OWNERS, [[i.key for i in items]], binary=True).fetchall()
    found = {key: (kenmerk, day, digest) for key, kenmerk, day, digest in rows}
    owners = ((i, found[i.key]) for i in items)
    return {i.message.kenmerk: (o[0], o[1], o[2] == i.digest) for i, o in owners}


def _by_content(conn: Connection, items: Sequence[Accept]) -> dict[UUID, Owner]:
    """Claim both keys of each; per own kenmerk who was earlier, nothing where it is new.

    A message that repeats another's content gets that one's kenmerk under its own MessageID.
    """
    if not items:
        return {}
    content = _keys(conn, [(i.content_key, b"", i.message.kenmerk, i.message.day) for i in items])
    meant = {i.message.kenmerk: content[i.content_key][:2] for i in items}
    owners = _keys(conn, [(i.key, i.digest, *meant[i.message.kenmerk]) for i in items])
    found: dict[UUID, Owner] = {}
    dangling: list[UUID | None] = []
    for item in items:
        own, owner = item.message.kenmerk, owners[item.key]
        if owner[0] != own:
            found[own] = (owner[0], owner[1], owner[2] == item.digest)
            if meant[own][0] == own:
                dangling.append(item.content_key)
    if dangling:
        conn.execute(UNCLAIM, [dangling])
    return found


def _keys(
    conn: Connection, rows: Sequence[tuple[UUID | None, bytes, UUID, date]]
) -> dict[UUID | None, tuple[UUID, date, bytes]]:
    """Claim keys; per key its owner (kenmerk, day, digest), ours or an earlier one."""
    if not rows:
        return {}
    rows = sorted(rows, key=lambda row: row[0] or UUID(int=0))
    columns = list(zip(*rows, strict=True))
    inserted = conn.execute(CLAIM, [list(column) for column in columns], binary=True).fetchall()
    owners: dict[UUID | None, tuple[UUID, date, bytes]] = {k: (w, d, v) for k, w, d, v in inserted}
    others = [row[0] for row in rows if row[0] not in owners]
    if others:
        found = conn.execute(OWNERS, [others], binary=True).fetchall()
        owners.update({k: (w, d, v) for k, w, d, v in found})
    return owners


def _accepted_at(
    conn: Connection, wanted: Iterable[tuple[UUID, date]]
) -> dict[UUID, tuple[datetime, UUID | None]]:
    pairs = list(wanted)
    if not pairs:
        return {}
    days = [d for _, d in pairs]
    rows = conn.execute(
        ACCEPTED_AT, [[k for k, _ in pairs], days, partitions.days(days)], binary=True
    ).fetchall()
    return {kenmerk: (at, about) for kenmerk, at, about in rows}


PAYLOAD = """
insert into payload (day, digest, size, place, body)
select * from unnest(%b::date[], %b::bytea[], %b::int4[], %b::text[], %b::bytea[])
on conflict do nothing
"""


def columns(rows: Iterable[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows turned into the columns that `unnest` takes."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(width)]


def insert(conn: Connection, items: Sequence[Accept], known: Iterable[bytes] = ()) -> set[UUID]:
    """Put in `items`, but for those whose key was claimed before; the kenmerk of each put in."""
    if not items:
        return set()
    given = arrival.parameters(items, known)
    rows = conn.execute(arrival.TAKE_IN, given, binary=True, prepare=True).fetchall()
    return {row[0] for row in rows}


def insert_payloads(conn: Connection, rows: Iterable[tuple[date, Stored]]) -> None:
    unique = {(day, p.digest): (day, p.digest, p.size, p.place, p.body) for day, p in rows}
    if unique:
        conn.execute(PAYLOAD, columns((unique[key] for key in sorted(unique)), 5))


ANSWER = """
insert into answer (day, kenmerk, at, digest, body)
select r.day, w.* from unnest(%b::uuid[], %b::timestamptz[], %b::bytea[], %b::bytea[])
    as w(kenmerk, at, digest, body) join register r using (kenmerk)
"""


def answered(conn: Connection, items: Sequence[Answered]) -> None:
    """Keep answers with their journal entries, in the caller's transaction."""
    conn.execute(ANSWER, columns(((i.kenmerk, i.at, i.digest, i.body) for i in items), 4))
    entries = [i.entry() for i in items]
    conn.execute(journal.ADD, journal.parameters(entries))


MESSAGES = """
select m.day, m.kenmerk, m.about, m.parent, m.berichtsoort, m.sender, m.berichtkenmerk,
    m.aanleverkenmerk, m.eerder_aanleverkenmerk, m.belang_type, m.belang_nummer, m.rol_belang,
    m.ontvanger_type, m.ontvanger_nummer, m.rol_ontvanger, m.autorisatie_adres, m.accepted_at,
    m.documents
from unnest(%b::uuid[], %b::date[]) w(k, d)
join message m on m.kenmerk = w.k and m.day = w.d where m.day = any(%b)
"""


def messages(conn: Connection, wanted: Iterable[tuple[UUID, date]]) -> dict[UUID, MessageRow]:
    """Messages by kenmerk."""
    pairs = list(wanted)
    if not pairs:
        return {}
    days = [d for _, d in pairs]
    rows = conn.execute(
        MESSAGES, [[k for k, _ in pairs], days, partitions.days(days)], binary=True
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
