"""What `arrival.TAKE_IN` and `changes.ADDED` do: a batch of messages with all that comes with them,
and what steps add to messages that are there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from openpoort_lab.simulation import rows
from openpoort_lab.simulation.database import Transaction
from openpoort_lab.simulation.inserting import claim, insert_new

_MESSAGE = rows.Message._fields[4:16]
_Row = Mapping[str, Any]


def take_in(t: Transaction, given: _Row, octets: bytes) -> list[UUID]:
    """The kenmerk of each message that was new. First every claim, then every row: a statement
    that has to wait is done again from the start."""
    db, arrived = t.database, given["messages"]
    keyed = sorted((db.uuid(m["key"]), m["kenmerk"]) for m in arrived if m.get("key"))
    claim(t, db.repeat, (key for key, _ in keyed))
    won: dict[UUID, str] = {}
    for key, kenmerk in keyed:
        if t.see(db.repeat.rows[key]) is None:
            won.setdefault(key, kenmerk)
    first = set(won.values())
    fresh = [m for m in arrived if not m.get("key") or m["kenmerk"] in first]
    payloads = sorted(
        {(_octets(p["digest"]), _day(m)): (p, _day(m)) for m in reversed(fresh)
         for p in reversed(m["payloads"])}.items()
    )  # fmt: skip
    claim(t, db.payload, (key for key, _ in payloads))
    certificates = sorted(
        rows.Certificate(_octets(c["digest"]), _cut(octets, c) or b"")
        for c in given["certificates"]
    )
    claim(t, db.certificate, (c.digest for c in certificates))

    for m in fresh:
        _put_in(t, m, octets)
    insert_new(t, db.payload, (
        rows.Payload(day, digest, p["size"], p["place"], _cut(octets, p))
        for (digest, day), (p, _) in payloads
    ))  # fmt: skip
    insert_new(t, db.certificate, certificates)
    _journal(t, fresh)
    t.notified = t.notified or bool(fresh)
    return [db.uuid(m["kenmerk"]) for m in fresh]


def _put_in(t: Transaction, m: _Row, octets: bytes) -> None:
    db, day, accepted = t.database, _day(m), _time(m["accepted_at"])
    kenmerk = db.uuid(m["kenmerk"])
    if m.get("key"):
        key = db.uuid(m["key"])
        t.write(db.repeat.rows[key], rows.Repeat(key, _octets(m["digest"]), kenmerk, day))
    about, parent = (db.uuid(text) if text else None for text in (m.get("about"), m.get("parent")))
    t.insert(db.register, rows.Register(kenmerk, day, m["berichtsoort"], m["sender"], about,
                                        m["switch"]))  # fmt: skip
    t.insert(db.message, rows.Message._make((
        day, kenmerk, about, parent, *(m.get(f) for f in _MESSAGE), accepted,
        json.dumps(m["documents"]),
    )))  # fmt: skip
    data = json.dumps(m["data"]) if m["data"] is not None else None
    t.insert(db.process, rows.Process(
        day, kenmerk, m["berichtsoort"], m["sender"], m["belang"], accepted, m["state"], m["seq"],
        _time(m["last_at"]), m["open"], False, True, data,
    ))  # fmt: skip
    for s in m["statuses"]:
        _status(t, day, kenmerk, s)
    if r := m.get("request"):
        t.insert(db.request, rows.Request(
            day, kenmerk, _time(r["received_at"]), r["content_type"], _octets(r["digest"]),
            r["size"], json.dumps(r["cuts"]), _cut(octets, r) or b"",
            _octets(r["tls"]) if r["tls"] else None, _octets(r["token"]),
        ))  # fmt: skip
    for j in m["jobs"]:
        _job(t, day, kenmerk, j)
    if a := m.get("answer"):
        t.insert(db.answer, rows.Answer(day, kenmerk, _time(a["at"]), _octets(a["digest"]),
                                        _cut(octets, a) or b""))  # fmt: skip


def add(t: Transaction, given: _Row, octets: bytes) -> int:
    """How many entries were written."""
    db = t.database
    deliveries = [
        rows.Delivery(_day(d), UUID(d["kenmerk"]), d["agency"], d["generation"], d["message_id"],
                      d["attempts"], _time(d["delivered_at"]), _octets(d["receipt"]))
        for d in given["deliveries"]
    ]  # fmt: skip
    payloads = [
        rows.Payload(_day(p), _octets(p["digest"]), p["size"], p["place"], _cut(octets, p))
        for p in given["payloads"]
    ]
    claim(t, db.delivery, map(db.delivery.key, deliveries))
    claim(t, db.payload, map(db.payload.key, payloads))
    for s in given["statuses"]:
        _status(t, _day(s), UUID(s["kenmerk"]), s)
    for j in given["jobs"]:
        _job(t, _day(j), UUID(j["kenmerk"]), j)
    insert_new(t, db.delivery, deliveries)
    insert_new(t, db.payload, payloads)
    for e in given["entries"]:
        number = db.number("journal")
        t.insert(db.journal, rows.Journal(number, _time(e["at"]), e["entry"].encode()))
    return len(given["entries"])


def _status(t: Transaction, day: date, kenmerk: UUID, s: _Row) -> None:
    words = (s.get("foutcode"), s.get("fout"), s.get("details"))
    at = _time(s["at"])
    t.insert(t.database.status, rows.Status(day, kenmerk, s["seq"], s["code"], at, *words))


def _job(t: Transaction, day: date, kenmerk: UUID, j: _Row) -> None:
    first = _time(j["first_at"]) if j["first_at"] else None
    number = t.database.number("job")
    t.insert(t.database.job, rows.Job(number, day, kenmerk, j["step"], j["lane"], j["agency"],
                                      j["generation"], _time(j["due_at"]), j["attempts"], first,
                                      None, None))  # fmt: skip


def _journal(t: Transaction, fresh: Sequence[_Row]) -> None:
    entries = sorted((e for m in fresh for e in m["entries"]), key=lambda e: int(e["n"]))
    for e in entries:
        number = t.database.number("journal")
        t.insert(t.database.journal, rows.Journal(number, _time(e["at"]), e["entry"].encode()))


def _cut(octets: bytes, place: _Row) -> bytes | None:
    if "start" not in place:
        return None
    return octets[place["start"] - 1 : place["start"] - 1 + place["length"]]


def _day(m: _Row) -> date:
    return date.fromisoformat(m["day"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _octets(text: str) -> bytes:
    return bytes.fromhex(text[2:])
