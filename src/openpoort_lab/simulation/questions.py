"""What each statement of the store that only reads finds in the simulated tables."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from operator import attrgetter
from typing import Any
from uuid import UUID

from openpoort.store import queue
from openpoort.store.messages import changes, closed_weeks, messages, parked, reading
from openpoort.store.payloads import payloads
from openpoort_lab.simulation import rows
from openpoort_lab.simulation.database import Table, Transaction
from openpoort_lab.simulation.statements import _job_row, means

Answer = list[tuple[Any, ...]]
_SEQ = attrgetter("seq")


def _seen(t: Transaction, table: Table, keys: Iterable[Any]) -> Iterable[Any]:
    """Rows with these keys that the transaction sees."""
    for key in keys:
        row = table.rows.get(key)
        if row is not None and (value := t.see(row)) is not None:
            yield value


def _of(t: Transaction, table: Table, value: Any) -> list[Any]:
    """Rows that are found by this value and that the transaction sees."""
    places = table.of(value)
    return [r for x in places if (r := x.new if x.holder is t else x.value) is not None]


def _pairs(p: Any) -> Iterable[tuple[Any, Any]]:
    return zip(p[0], p[1], strict=True)


@means(messages.OWNERS, "owners of keys")
def _owners(t: Transaction, p: Any) -> Answer:
    found = _seen(t, t.database.repeat, p[0])
    return [(r.key, r.kenmerk, r.day, r.digest) for r in found]


@means(messages.ACCEPTED_AT, "accepted at")
def _accepted_at(t: Transaction, p: Any) -> Answer:
    found = _seen(t, t.database.message, _pairs(p))
    return [(r.kenmerk, r.accepted_at, r.about) for r in found]


@means(messages.MESSAGES, "messages")
def _messages(t: Transaction, p: Any) -> Answer:
    found = _seen(t, t.database.message, _pairs(p))
    return [(*r[:-1], json.loads(r.documents)) for r in found]


@means(payloads.LOAD, "payloads")
def _payloads(t: Transaction, p: Any) -> Answer:
    keys = ((digest, day) for day, digest in _pairs(p))
    found = _seen(t, t.database.payload, keys)
    return [(r.digest, r.size, r.place, r.body, r.day) for r in found]


@means(changes.REGISTER, "one of the register")
def _register(t: Transaction, p: Any) -> Answer:
    found = _seen(t, t.database.register, [p[0]])
    return [(r.day, r.berichtsoort, r.sender, r.switch) for r in found]


@means(changes.REGISTERS, "of the register")
def _registers(t: Transaction, p: Any) -> Answer:
    found = _seen(t, t.database.register, p[0])
    return [(r.kenmerk, r.day, r.berichtsoort, r.sender) for r in found]


@means(changes.BERICHTKENMERKEN, "berichtkenmerken")
def _berichtkenmerken(t: Transaction, p: Any) -> Answer:
    return [(m.kenmerk, m.berichtkenmerk) for m in _seen(t, t.database.message, _pairs(p))]


@means(changes.OFFERED, "offered to")
def _offered(t: Transaction, p: Any) -> Answer:
    found: dict[tuple[UUID, str], None] = {}
    for kenmerk, day in _pairs(p):
        for delivery in _of(t, t.database.delivery, kenmerk):
            if delivery.day == day:
                found[kenmerk, delivery.agency] = None
    for kenmerk in p[3]:
        for job in _of(t, t.database.job, kenmerk):
            if job.agency is not None and job.attempts > 0:
                found[kenmerk, job.agency] = None
    return list(found)


def _parked(t: Transaction, found: Iterable[rows.Parked]) -> Answer:
    answer: Answer = []
    for r in found:
        (known,) = _seen(t, t.database.register, [r.kenmerk])
        answer.append((r.id, r.day, r.kenmerk, known.berichtsoort, known.sender, *r[3:]))
    return answer


@means(parked.LISTED, "list parked")
def _listed(t: Transaction, p: Any) -> Answer:
    agency, _, kind, _, limit = p
    found = [r for row in t.database.parked.rows.values() if (r := t.see(row)) is not None]
    found.sort(key=lambda r: (r.since, r.id))
    answer = [
        row for row in _parked(t, found) if agency in (None, row[7]) and kind in (None, row[3])
    ]
    return answer[:limit]


@means(parked.OF, "parked of")
def _parked_of(t: Transaction, p: Any) -> Answer:
    return _parked(t, sorted(_of(t, t.database.parked, p[0]), key=lambda r: r.id))


@means(parked.JOBS, "jobs of")
def _jobs(t: Transaction, p: Any) -> Answer:
    clock = t.database.clock()
    return [
        (*_job_row(j), j.fence is not None and j.lease_until >= clock)
        for j in sorted(_of(t, t.database.job, p[0]), key=lambda j: j.id)
    ]


@means(parked.DELIVERED_TO, "delivered to")
def _delivered_to(t: Transaction, p: Any) -> Answer:
    found = [r for r in _of(t, t.database.delivery, p[0]) if r.day == p[1]]
    found.sort(key=lambda r: r.delivered_at)
    return [(r.agency, r.generation, r.delivered_at) for r in found]


@means(reading.PLACES, "places")
def _places(t: Transaction, p: Any) -> Answer:
    return [(r.kenmerk, r.day, r.switch) for r in _seen(t, t.database.register, p[0])]


@means(reading.KNOWN, "known")
def _known(t: Transaction, p: Any) -> Answer:
    return [
        (m.kenmerk, m.day, m.berichtsoort, m.sender, m.belang_nummer, m.belang_type,
         m.ontvanger_nummer, m.ontvanger_type, None, m.accepted_at)
        for m in _seen(t, t.database.message, _pairs(p))
    ]  # fmt: skip


@means(reading.STATUSES, "statuses")
def _statuses(t: Transaction, p: Any) -> Answer:
    answer: Answer = []
    for kenmerk, day in sorted(_pairs(p)):
        found = [s for s in _of(t, t.database.status, kenmerk) if s.day == day]
        found.sort(key=_SEQ)
        answer += [s[1:] for s in found]
    return answer


@means(closed_weeks.SPAN, "span")
def _span(t: Transaction, p: Any) -> Answer:
    """No week is settled within the forty days of a world."""
    return [(date.min, [], [], [])]


@means(reading.UNREAD, "unread")
def _unread(t: Transaction, p: Any) -> Answer:
    sender, belang, kind, since, days, *after, limit = p
    found = [
        r for r in _of(t, t.database.process, belang)
        if r.sender == sender and r.berichtsoort == kind and r.unread
        and (r.day >= since or r.day in days) and [r.accepted_at, r.kenmerk] > after
    ]  # fmt: skip
    return _page(found, limit)


@means(reading.UNSEEN, "unseen")
def _unseen(t: Transaction, p: Any) -> Answer:
    requester, _, _, belang, kind, _, since, days, *after, limit = p
    found = []
    for r in _of(t, t.database.process, belang):
        if r.sender == requester or r.berichtsoort != kind:
            continue
        if (r.day >= since or r.day in days) and [r.sender, r.accepted_at, r.kenmerk] > after:
            seen = list(_seen(t, t.database.seen, [(r.kenmerk, requester, "status", r.day)]))
            if (len(seen[0].seqs) if seen else 0) < r.seq:
                found.append(r)
    return _page(found, limit)


def _page(found: list[rows.Process], limit: int) -> Answer:
    found.sort(key=attrgetter("sender", "accepted_at", "kenmerk"))
    return [(r.kenmerk, r.day, r.accepted_at, r.sender) for r in found[:limit]]


@means(reading.SEEN, "seen")
def _seen_by(t: Transaction, p: Any) -> Answer:
    kenmerken, days, requester, what, _ = p
    keys = ((k, requester, what, d) for k, d in zip(kenmerken, days, strict=True))
    return [(r.kenmerk, list(r.seqs)) for r in _seen(t, t.database.seen, keys)]


@means(queue.LANES, "lanes")
def _lanes(t: Transaction, p: Any) -> Answer:
    found = []
    for name, line in sorted(t.database.job.lanes.items()):
        jobs = (t.see(t.database.job.rows[number]) for _, number in line)
        first = next((job for job in jobs if job is not None), None)
        if first is not None:
            found.append((name, first.agency, _is_due(t, name, p[0])))
    return found


def _is_due(t: Transaction, lane: str, now: Any) -> bool:
    jobs, clock = t.database.job, t.database.clock()
    for due_at, number in jobs.lanes.get(lane, ()):
        if due_at > now:
            return False
        job = t.see(jobs.rows[number])
        if job is not None and (job.fence is None or job.lease_until < clock):
            return True
    return False
