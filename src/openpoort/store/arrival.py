"""Writing newly taken-in messages: one statement for a whole batch, claims included.

All rows travel as one JSON text and all bytes as one bytea, cut up again by the server: a
parameter per column cost the door more than the signature of the answer (decision 0044). A
message whose key was claimed before is left out of every table, in the same statement.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpoort.store.messages import Accept, JobRow, StatusRow
    from openpoort.store.payloads import Stored

TAKE_IN = """
with given as materialized (select %s::jsonb as rows, %b::bytea as bytes),
arrived as materialized (
    select t.* from given, jsonb_to_recordset(rows->'messages') as t (
        key uuid, digest bytea, day date, kenmerk uuid, about uuid, parent uuid,
        berichtsoort text, sender text, berichtkenmerk text, aanleverkenmerk text,
        eerder_aanleverkenmerk text, belang_type text, belang_nummer text, rol_belang text,
        ontvanger_type text, ontvanger_nummer text, rol_ontvanger text, autorisatie_adres text,
        accepted_at timestamptz, documents jsonb, switch text, belang text, state text,
        seq int2, last_at timestamptz, open int2, data jsonb)
),
claimed as (
    insert into repeat (key, digest, kenmerk, day)
    select key, digest, kenmerk, day from arrived where key is not null order by key
    on conflict (key) do nothing returning kenmerk
),
fresh as materialized (
    select * from arrived where key is null or kenmerk in (select kenmerk from claimed)
),
registered as (
    insert into register (kenmerk, day, berichtsoort, sender, about, switch)
    select kenmerk, day, berichtsoort, sender, about, switch from fresh
),
messages as (
    insert into message (day, kenmerk, about, parent, berichtsoort, sender, berichtkenmerk,
        aanleverkenmerk, eerder_aanleverkenmerk, belang_type, belang_nummer, rol_belang,
        ontvanger_type, ontvanger_nummer, rol_ontvanger, autorisatie_adres, accepted_at, documents)
    select day, kenmerk, about, parent, berichtsoort, sender, berichtkenmerk, aanleverkenmerk,
        eerder_aanleverkenmerk, belang_type, belang_nummer, rol_belang, ontvanger_type,
        ontvanger_nummer, rol_ontvanger, autorisatie_adres, accepted_at, documents from fresh
),
processes as (
    insert into process (day, kenmerk, berichtsoort, sender, belang, accepted_at, state, seq,
        last_at, open, data)
    select day, kenmerk, berichtsoort, sender, belang, accepted_at, state, seq, last_at, open, data
    from fresh
),
statuses as (
    insert into status (day, kenmerk, seq, code, at, foutcode, fout, details)
    select t.day, t.kenmerk, t.seq, t.code, t.at, t.foutcode, t.fout, t.details
    from given, jsonb_to_recordset(rows->'statuses') as t (day date, kenmerk uuid, seq int2,
        code text, at timestamptz, foutcode text, fout text, details text)
    where t.kenmerk in (select kenmerk from fresh)
),
certificates as (
    insert into certificate (digest, der)
    select t.digest, substring(bytes from t.start for t.length)
    from given, jsonb_to_recordset(rows->'certificates') as t (digest bytea, start int, length int)
    order by t.digest on conflict do nothing
),
requests as (
    insert into request (day, kenmerk, received_at, content_type, digest, size, cuts, body, tls,
        token)
    select t.day, t.kenmerk, t.received_at, t.content_type, t.digest, t.size, t.cuts,
        substring(bytes from t.start for t.length), t.tls, t.token
    from given, jsonb_to_recordset(rows->'requests') as t (day date, kenmerk uuid,
        received_at timestamptz, content_type text, digest bytea, size int, cuts jsonb,
        start int, length int, tls bytea, token bytea)
    where t.kenmerk in (select kenmerk from fresh)
),
payloads as (
    insert into payload (day, digest, size, place, body)
    select distinct on (t.digest, t.day) t.day, t.digest, t.size, t.place,
        substring(bytes from t.start for t.length)
    from given, jsonb_to_recordset(rows->'payloads') as t (day date, kenmerk uuid, digest bytea,
        size int, place text, start int, length int)
    where t.kenmerk in (select kenmerk from fresh)
    order by t.digest, t.day on conflict do nothing
),
jobs as (
    insert into job (day, kenmerk, step, lane, agency, generation, due_at, attempts, first_at)
    select t.day, t.kenmerk, t.step, t.lane, t.agency, t.generation, t.due_at, t.attempts,
        t.first_at
    from given, jsonb_to_recordset(rows->'jobs') as t (day date, kenmerk uuid, step text,
        lane text, agency text, generation int2, due_at timestamptz, attempts int,
        first_at timestamptz)
    where t.kenmerk in (select kenmerk from fresh)
),
answers as (
    insert into answer (day, kenmerk, at, digest, body)
    select t.day, t.kenmerk, t.at, t.digest, substring(bytes from t.start for t.length)
    from given, jsonb_to_recordset(rows->'answers') as t (day date, kenmerk uuid, at timestamptz,
        digest bytea, start int, length int)
    where t.kenmerk in (select kenmerk from fresh)
),
entries as (
    insert into journal (at, entry)
    select t.at, convert_to(t.entry, 'UTF8')
    from given, jsonb_to_recordset(rows->'entries') as t (n int, kenmerk uuid, at timestamptz,
        entry text)
    where t.kenmerk in (select kenmerk from fresh) order by t.n
)
select fresh.kenmerk from fresh, (select pg_notify('openpoort_work', '') from fresh limit 1) woken
"""
"""Takes `parameters`; gives the kenmerk of each message that was new, and wakes
the workers, once per batch: a notification per message halves the rate (measured)."""


class Bytes:
    """Pieces put one after the other; each is known by its place, counted from 1 as SQL does."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self._length = 0

    def add(self, piece: bytes | None) -> dict[str, int]:
        """Where `piece` stands; nothing for None, which becomes null."""
        if piece is None:
            return {}
        place = {"start": self._length + 1, "length": len(piece)}
        self.pieces.append(piece)
        self._length += len(piece)
        return place


def parameters(items: Sequence[Accept], known: Iterable[bytes] = ()) -> tuple[str, bytes]:
    """The two values of `TAKE_IN`. Certificates with a digest in `known` are there already."""
    octets = Bytes()
    certificates: dict[bytes, bytes] = {}
    for item in items:
        if item.evidence is not None:
            certificates[sha256(item.evidence.token)] = item.evidence.token
            if item.evidence.tls:
                certificates[sha256(item.evidence.tls)] = item.evidence.tls
    for digest in known:
        certificates.pop(digest, None)
    rows = {
        "messages": [_message(item) for item in items],
        "statuses": [_status(item, s) for item in items for s in item.statuses],
        "requests": [_request(item, octets) for item in items if item.evidence is not None],
        "payloads": [_payload(item, p, octets) for item in items for p in item.payloads],
        "jobs": [_job(item, job) for item in items for job in item.jobs],
        "answers": [_answer(item, octets) for item in items if item.answer is not None],
        "entries": _entries(items),
        "certificates": [
            {"digest": _hex(digest), **octets.add(der)} for digest, der in certificates.items()
        ],
    }
    return json.dumps(rows), b"".join(octets.pieces)


def certificates_of(items: Sequence[Accept]) -> set[bytes]:
    """Digests of the certificates that `items` came with."""
    found = [item.evidence for item in items if item.evidence is not None]
    return {sha256(der) for e in found for der in (e.token, e.tls) if der}


@lru_cache(maxsize=1024)
def sha256(der: bytes) -> bytes:
    """Of a certificate: few senders bring most messages."""
    return hashlib.sha256(der).digest()


def _hex(digest: bytes) -> str:
    return "\\x" + digest.hex()


def _message(item: Accept) -> dict[str, object]:
    m, last = item.message, item.statuses[-1].at if item.statuses else item.message.accepted_at
    row: dict[str, object] = {
        "day": m.day.isoformat(), "kenmerk": str(m.kenmerk), "berichtsoort": m.berichtsoort,
        "sender": m.sender, "berichtkenmerk": m.berichtkenmerk,
        "aanleverkenmerk": m.aanleverkenmerk, "eerder_aanleverkenmerk": m.eerder_aanleverkenmerk,
        "belang_type": m.belanghebbende.type, "belang_nummer": m.belanghebbende.nummer,
        "rol_belang": m.rol_belanghebbende, "rol_ontvanger": m.rol_ontvanger,
        "autorisatie_adres": m.autorisatie_adres, "accepted_at": m.accepted_at.isoformat(),
        "documents": [[d.mime_type, d.bestandsnaam, d.digest.hex(), d.size] for d in m.documents],
        "switch": item.switch, "belang": item.belang, "state": item.state,
        "seq": len(item.statuses), "last_at": last.isoformat(), "open": item.open,
        "data": item.data,
    }  # fmt: skip
    if item.key is not None:
        row |= {"key": str(item.key), "digest": _hex(item.digest)}
    if m.about is not None:
        row["about"] = str(m.about)
    if m.parent is not None:
        row["parent"] = str(m.parent)
    if m.ontvanger is not None:
        row |= {"ontvanger_type": m.ontvanger.type, "ontvanger_nummer": m.ontvanger.nummer}
    return row


def _of(item: Accept) -> dict[str, object]:
    return {"day": item.message.day.isoformat(), "kenmerk": str(item.message.kenmerk)}


def _status(item: Accept, s: StatusRow) -> dict[str, object]:
    row = {**_of(item), "seq": s.seq, "code": s.code, "at": s.at.isoformat()}
    if s.fout is not None:
        row |= {"foutcode": s.fout.foutcode, "fout": s.fout.foutbeschrijving}
    if s.details is not None:
        row["details"] = s.details
    return row


def _request(item: Accept, octets: Bytes) -> dict[str, object]:
    e = item.evidence
    assert e is not None
    return {
        **_of(item), "received_at": e.received_at.isoformat(), "content_type": e.content_type,
        "digest": _hex(e.digest), "size": e.size,
        "cuts": [[c.offset, c.index, c.form] for c in e.cuts],
        "tls": _hex(sha256(e.tls)) if e.tls else None, "token": _hex(sha256(e.token)),
        **octets.add(e.body),
    }  # fmt: skip


def _payload(item: Accept, p: Stored, octets: Bytes) -> dict[str, object]:
    place = {"digest": _hex(p.digest), "size": p.size, "place": p.place}
    return {**_of(item), **place, **octets.add(p.body)}


def _job(item: Accept, job: JobRow) -> dict[str, object]:
    return {
        **_of(item), "step": job.step, "lane": job.lane, "agency": job.agency,
        "generation": job.generation, "due_at": job.due_at.isoformat(), "attempts": job.attempts,
        "first_at": job.first_at.isoformat() if job.first_at else None,
    }  # fmt: skip


def _answer(item: Accept, octets: Bytes) -> dict[str, object]:
    a = item.answer
    assert a is not None
    return {**_of(item), "at": a.at.isoformat(), "digest": _hex(a.digest), **octets.add(a.body)}


def _entries(items: Sequence[Accept]) -> list[dict[str, object]]:
    """In their order: `n` counts them, because a set of rows has none."""
    found = [(str(item.message.kenmerk), e) for item in items for e in item.entries]
    found += [(str(item.message.kenmerk), item.answer.entry()) for item in items if item.answer]
    return [
        {"n": n, "kenmerk": kenmerk, "at": e.at.isoformat(), "entry": e.canonical().decode()}
        for n, (kenmerk, e) in enumerate(found)
    ]
