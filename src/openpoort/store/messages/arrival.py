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
    from openpoort.domain.journal import JournalEntry
    from openpoort.store.messages.rows import Accept, Evidence, JobRow, StatusRow
    from openpoort.store.payloads.payloads import Stored

_WRITTEN = """
with arrived as materialized (
    select * from jsonb_to_recordset(%(rows)s::jsonb->'messages') as t (
        key uuid, digest bytea, day date, kenmerk uuid, about uuid, parent uuid,
        berichtsoort text, sender text, berichtkenmerk text, aanleverkenmerk text,
        eerder_aanleverkenmerk text, belang_type text, belang_nummer text, rol_belang text,
        ontvanger_type text, ontvanger_nummer text, rol_ontvanger text, autorisatie_adres text,
        accepted_at timestamptz, documents jsonb, switch text, belang text, state text,
        seq int2, last_at timestamptz, open int2, data jsonb, statuses jsonb, request jsonb,
        payloads jsonb, jobs jsonb, answer jsonb, entries jsonb)
),
claimed as (
    insert into repeat (key, digest, kenmerk, day)
    select key, digest, kenmerk, day from arrived where key is not null order by key
    on conflict (key) do nothing returning kenmerk
),
fresh as materialized (
    select * from arrived where key is null or kenmerk in (select kenmerk from claimed)
),
into_register as (
    insert into register (kenmerk, day, berichtsoort, sender, about, switch)
    select kenmerk, day, berichtsoort, sender, about, switch from fresh
),
into_message as (
    insert into message (day, kenmerk, about, parent, berichtsoort, sender, berichtkenmerk,
        aanleverkenmerk, eerder_aanleverkenmerk, belang_type, belang_nummer, rol_belang,
        ontvanger_type, ontvanger_nummer, rol_ontvanger, autorisatie_adres, accepted_at, documents)
    select day, kenmerk, about, parent, berichtsoort, sender, berichtkenmerk, aanleverkenmerk,
        eerder_aanleverkenmerk, belang_type, belang_nummer, rol_belang, ontvanger_type,
        ontvanger_nummer, rol_ontvanger, autorisatie_adres, accepted_at, documents from fresh
),
into_process as (
    insert into process (day, kenmerk, berichtsoort, sender, belang, accepted_at, state, seq,
        last_at, open, data)
    select day, kenmerk, berichtsoort, sender, belang, accepted_at, state, seq, last_at, open, data
    from fresh
),
into_status as (
    insert into status (day, kenmerk, seq, code, at, foutcode, fout, details)
    select day, kenmerk, t.* from fresh, jsonb_to_recordset(statuses) as t
        (seq int2, code text, at timestamptz, foutcode text, fout text, details text)
),
into_request as (
    insert into request (day, kenmerk, received_at, content_type, digest, size, cuts, tls, token,
        body)
    select day, kenmerk, received_at, content_type, t.digest, size, cuts, tls, token,
        substring(%(octets)b::bytea from start for length)
    from fresh, jsonb_to_record(request) as t (received_at timestamptz, content_type text,
        digest bytea, size int, cuts jsonb, tls bytea, token bytea, start int, length int)
    where request is not null
),
into_payload as (
    insert into payload (day, digest, size, place, body)
    select distinct on (t.digest, day) day, t.digest, size, place,
        substring(%(octets)b::bytea from start for length)
    from fresh, jsonb_to_recordset(payloads) as t
        (digest bytea, size int, place text, start int, length int)
    order by t.digest, day on conflict do nothing
),
into_job as (
    insert into job (day, kenmerk, step, lane, agency, generation, due_at, attempts, first_at)
    select day, kenmerk, t.* from fresh, jsonb_to_recordset(jobs) as t (step text, lane text,
        agency text, generation int2, due_at timestamptz, attempts int, first_at timestamptz)
),
into_answer as (
    insert into answer (day, kenmerk, at, digest, body)
    select day, kenmerk, at, t.digest, substring(%(octets)b::bytea from start for length)
    from fresh, jsonb_to_record(answer) as t
        (at timestamptz, digest bytea, start int, length int)
    where answer is not null
),
into_journal as (
    insert into journal (at, entry) select at, convert_to(entry, 'UTF8')
    from fresh, jsonb_to_recordset(entries) as t (n int, at timestamptz, entry text) order by n
),
into_certificate as (
    insert into certificate (digest, der)
    select digest, substring(%(octets)b::bytea from start for length)
    from jsonb_to_recordset(%(rows)s::jsonb->'certificates') as t
        (digest bytea, start int, length int)
    order by digest on conflict do nothing
)
select kenmerk from fresh, (select pg_notify('openpoort_work', '') from fresh limit 1) woken
"""
TAKE_IN = " ".join(_WRITTEN.split())
"""Takes `parameters`; gives the kenmerk of each message that was new, and wakes
the workers, once per batch: a notification per message halves the rate (measured). Without white
space it is short enough (4,096) for psycopg to keep it parsed."""


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


def parameters(items: Sequence[Accept], known: Iterable[bytes] = ()) -> dict[str, str | bytes]:
    """The two values of `TAKE_IN`. Certificates with a digest in `known` are there already."""
    octets = Bytes()
    certificates = {
        sha256(der): der
        for item in items
        if item.evidence is not None
        for der in (item.evidence.token, item.evidence.tls)
        if der
    }
    rows = {
        "messages": [_message(item, octets) for item in items],
        "certificates": [
            {"digest": hexed(digest), **octets.add(certificates[digest])}
            for digest in certificates.keys() - set(known)
        ],
    }
    return {"rows": json.dumps(rows), "octets": b"".join(octets.pieces)}


def certificates_of(items: Sequence[Accept]) -> set[bytes]:
    """Digests of the certificates that `items` came with."""
    found = [item.evidence for item in items if item.evidence is not None]
    return {sha256(der) for e in found for der in (e.token, e.tls) if der}


@lru_cache(maxsize=1024)
def sha256(der: bytes) -> bytes:
    """Of a certificate: few senders bring most messages."""
    return hashlib.sha256(der).digest()


def hexed(digest: bytes) -> str:
    return "\\x" + digest.hex()


def _message(item: Accept, octets: Bytes) -> dict[str, object]:
    m, last = item.message, item.statuses[-1].at if item.statuses else item.message.accepted_at
    entries = [_entry(n, e) for n, e in enumerate(item.entries)]
    row: dict[str, object] = {
        "day": m.day.isoformat(), "kenmerk": str(m.kenmerk), "berichtsoort": m.berichtsoort,
        "sender": m.sender, "berichtkenmerk": m.berichtkenmerk,
        "aanleverkenmerk": m.aanleverkenmerk, "eerder_aanleverkenmerk": m.eerder_aanleverkenmerk,
        "belang_type": m.belanghebbende.type, "belang_nummer": m.belanghebbende.nummer,
        "rol_belang": m.rol_belanghebbende, "rol_ontvanger": m.rol_ontvanger,
        "autorisatie_adres": m.autorisatie_adres, "accepted_at": m.accepted_at.isoformat(),
        "documents": [[d.mime_type, d.bestandsnaam, d.digest.hex(), d.size] for d in m.documents],
        "switch": item.switch, "belang": item.belang, "state": item.state.value,
        "seq": len(item.statuses), "last_at": last.isoformat(), "open": item.open,
        "data": item.data,
        "statuses": [status(s) for s in item.statuses],
        "payloads": [payload(p, octets) for p in item.payloads],
        "jobs": [job(j) for j in item.jobs],
        "entries": entries,
    }  # fmt: skip
    if item.key is not None:
        row |= {"key": str(item.key), "digest": hexed(item.digest)}
    if m.about is not None:
        row["about"] = str(m.about)
    if m.parent is not None:
        row["parent"] = str(m.parent)
    if m.ontvanger is not None:
        row |= {"ontvanger_type": m.ontvanger.type, "ontvanger_nummer": m.ontvanger.nummer}
    if item.evidence is not None:
        row["request"] = _request(item.evidence, octets)
    if item.answer is not None:
        answer = item.answer
        place = octets.add(answer.body)
        row["answer"] = {"at": answer.at.isoformat(), "digest": hexed(answer.digest), **place}
        entries.append(_entry(len(entries), answer.entry()))
    return row


def status(s: StatusRow) -> dict[str, object]:
    row: dict[str, object] = {"seq": s.seq, "code": s.code, "at": s.at.isoformat()}
    if s.fout is not None:
        row |= {"foutcode": s.fout.foutcode, "fout": s.fout.foutbeschrijving}
    if s.details is not None:
        row["details"] = s.details
    return row


def _request(e: Evidence, octets: Bytes) -> dict[str, object]:
    return {
        "received_at": e.received_at.isoformat(), "content_type": e.content_type,
        "digest": hexed(e.digest), "size": e.size,
        "cuts": [[c.offset, c.index, c.form] for c in e.cuts],
        "tls": hexed(sha256(e.tls)) if e.tls else None, "token": hexed(sha256(e.token)),
        **octets.add(e.body),
    }  # fmt: skip


def payload(p: Stored, octets: Bytes) -> dict[str, object]:
    return {"digest": hexed(p.digest), "size": p.size, "place": p.place, **octets.add(p.body)}


def job(job: JobRow) -> dict[str, object]:
    return {
        "step": job.step, "lane": job.lane, "agency": job.agency, "generation": job.generation,
        "due_at": job.due_at.isoformat(), "attempts": job.attempts,
        "first_at": job.first_at.isoformat() if job.first_at else None,
    }  # fmt: skip


def _entry(n: int, entry: JournalEntry) -> dict[str, object]:
    """`n` keeps the order: a set of rows has none."""
    return {"n": n, "at": entry.at.isoformat(), "entry": entry.canonical().decode()}
