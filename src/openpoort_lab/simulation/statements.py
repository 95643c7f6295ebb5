"""What each statement of the store that changes something does to the simulated tables.

Found by the statement's own text, so that one that was changed or added without its counterpart
here stops the simulation with its text. A statement first locks what it needs, in the order in
which PostgreSQL meets it, and then writes: one that has to wait is done again from the start.
Reading statements stand in `questions.py`.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

import psycopg

from openpoort.store import queue
from openpoort.store.journal import journal
from openpoort.store.messages import arrival, changes, messages, parked, reading
from openpoort_lab.simulation import arrivals, rows
from openpoort_lab.simulation.database import Row, Transaction
from openpoort_lab.simulation.inserting import forget_empty, insert_new

Handler = Callable[[Transaction, Any], "Sequence[tuple[Any, ...]] | int"]
"""Rows of the answer, or how many rows were touched."""

KNOWN: dict[str, tuple[str, Handler]] = {}
"""Statement text to its name and what it does."""


def means(text: str, name: str) -> Callable[[Handler], Handler]:
    """This is what `text` does."""

    def put(handler: Handler) -> Handler:
        if text in KNOWN:
            raise ValueError(f"{name}: its text is known as {KNOWN[text][0]}")
        KNOWN[text] = (name, handler)
        return handler

    return put


class Held(Exception):
    """An advisory lock is with another session."""

    def __init__(self, key: tuple[str, int]) -> None:
        self.key = key


def _zip(parameters: Sequence[Sequence[Any]]) -> Iterable[tuple[Any, ...]]:
    return zip(*parameters, strict=True)


# --- taking in -----------------------------------------------------------------------------


@means(messages.CLAIM, "claim keys")
def _claim_keys(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    made = insert_new(t, t.database.repeat, (rows.Repeat(*row) for row in _zip(p)))
    return [(r.key, r.kenmerk, r.day, r.digest) for r in made]


@means(messages.UNCLAIM, "unclaim keys")
def _unclaim(t: Transaction, p: Any) -> int:
    found = [row for key in p[0] if (row := t.database.repeat.rows.get(key)) and t.see(row)]
    for row in found:
        t.lock(row)
    for row in found:
        t.write(row, None)
    return len(found)


@means(arrival.TAKE_IN, "take in")
def _take_in(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    return [(kenmerk,) for kenmerk in arrivals.take_in(t, json.loads(p["rows"]), p["octets"])]


@means(messages.PAYLOAD, "insert payload")
def _payload(t: Transaction, p: Any) -> int:
    return len(insert_new(t, t.database.payload, (rows.Payload(*row) for row in _zip(p))))


@means(messages.ANSWER, "insert answer")
def _answer(t: Transaction, p: Any) -> int:
    made = 0
    for kenmerk, at, digest, body in _zip(p):
        row = t.database.register.rows.get(kenmerk)
        known = t.see(row) if row is not None else None
        if known is not None:
            t.insert(t.database.answer, rows.Answer(known.day, kenmerk, at, digest, body))
            made += 1
    return made


@means(journal.ADD, "journal")
def _journal(t: Transaction, p: Any) -> int:
    for at, entry in _zip(p):
        t.insert(t.database.journal, rows.Journal(t.database.number("journal"), at, entry))
    return len(p[0])


# --- a process goes on ---------------------------------------------------------------------


@means(changes.LOCK, "lock process")
def _lock(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    found = []
    for key in sorted(zip(p[0], p[1], strict=True)):
        row = t.database.process.rows.get(key)
        if row is None or t.see(row) is None:
            continue
        r = t.lock(row)
        found.append((r.day, r.kenmerk, r.berichtsoort, r.sender, r.state, r.seq, r.last_at,
                      r.open, r.episode, json.loads(r.data) if r.data else {}))  # fmt: skip
    return found


@means(changes.UPDATE, "update process")
def _update(t: Transaction, p: Any) -> int:
    wanted = list(_zip(p[:9]))
    places = [t.database.process.rows[w[0], w[1]] for w in wanted]
    for row in places:
        t.lock(row)
    for row, w in zip(places, wanted, strict=True):
        _, _, state, seq, last_at, open_, episode, told, data = w
        r = t.see(row)
        unread = r.unread or told
        t.write(
            row, rows.Process._make((*r[:6], state, seq, last_at, open_, episode, unread, data))
        )
    return len(wanted)


@means(changes.PARK, "park")
def _park(t: Transaction, p: Any) -> int:
    for row in _zip(p):
        t.insert(t.database.parked, rows.Parked(t.database.number("parked"), *row))
    return len(p[0])


@means(changes.ADDED, "add to processes")
def _added(t: Transaction, p: Any) -> int:
    return arrivals.add(t, json.loads(p["rows"]), p["octets"])


@means(changes.MAILBOX, "insert mailbox")
def _mailbox(t: Transaction, p: Any) -> int:
    for row in _zip(p):
        t.insert(t.database.mailbox, rows.Mailbox._make((*row, True, True)))
    return len(p[0])


@means(parked.REMOVE, "remove parked")
def _unpark(t: Transaction, p: Any) -> int:
    found = [row for i in p[0] if (row := t.database.parked.rows.get(i)) and t.see(row)]
    for row in found:
        t.lock(row)
    for row in found:
        t.write(row, None)
    return len(found)


# --- the queue -----------------------------------------------------------------------------


def _due(
    t: Transaction, lane: str, now: datetime, limit: int, but: Container[UUID] = ()
) -> list[Row]:
    """Due jobs that nobody holds or leases, oldest first, up to `limit`, of no message in `but`;
    locked."""
    jobs, clock = t.database.job, t.database.clock()
    found: list[Row] = []
    for due_at, number in jobs.lanes.get(lane, ()):
        if due_at > now or len(found) >= limit:
            break
        row = jobs.rows[number]
        job = t.see(row)
        if job is None or job.kenmerk in but or not t.free(row):
            continue
        if job.fence is None or job.lease_until < clock:
            found.append(row)
    for row in found:
        t.lock(row)
    return found


def _job_row(j: rows.Job) -> tuple[Any, ...]:
    return (j.day, j.kenmerk, j.step, j.lane, j.due_at, j.agency, j.generation, j.attempts,
            j.first_at, j.fence, j.id)  # fmt: skip


@means(queue.CLAIM, "claim jobs")
def _claim(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    return [_job_row(t.see(row)) for row in _due(t, *p)]


@means(queue.TRY_LANE, "try lane")
def _try_lane(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    return [(_take(t, (p[0], 1), of_transaction=True),)]


def _take(t: Transaction, key: tuple[str, int], *, of_transaction: bool) -> bool:
    """Try an advisory lock."""
    holder = t.database.advisory.setdefault(key, (t.session, of_transaction))
    return holder[0] is t.session


@means(queue.LEASE, "lease jobs")
def _lease(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    fence, first, seconds, lane, now, but, limit, cap, _, agency = p
    clock = t.database.clock()
    held = {*t.database.job.leased.values(), *(row for row, _, _ in t.undo if row.holder is t)}
    leased = [
        j for row in held if isinstance(j := t.see(row), rows.Job)
        and j.lease_until is not None and j.lease_until >= clock
    ]  # fmt: skip
    out = sum([j.lane == lane or (agency is not None and j.agency == agency) for j in leased])
    until = clock + timedelta(seconds=seconds)
    found = []
    for row in _due(t, lane, now, max(0, min(limit, cap - out)), set(but)):
        j = t.see(row)
        job = j._replace(fence=fence, attempts=j.attempts + 1, first_at=j.first_at or first,
                         lease_until=until)  # fmt: skip
        t.write(row, job)
        found.append(_job_row(job))
    return found


@means(queue.HOLD, "hold fence")
def _hold(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    return [(_take(t, (p[0], 2), of_transaction=False),)]


@means(queue.ORPHANS, "release orphans")
def _orphans(t: Transaction, p: Any) -> int:
    clock, held = t.database.clock(), t.database.advisory
    found = [
        row for row in t.database.job.leased.values()
        if t.free(row) and (j := t.see(row)) is not None and j.fence is not None
        and j.lease_until > clock and (str(j.fence), 2) not in held
    ]  # fmt: skip
    for row in found:
        t.write(row, t.see(row)._replace(lease_until=clock))
    return len(found)


@means(queue.LET_GO, "let go")
def _let_go(t: Transaction, p: Any) -> int:
    fence, but = p
    clock, but = t.database.clock(), set(but)
    found = [
        row for row in t.database.job.leased.values()
        if (j := t.see(row)) is not None and j.fence == fence and j.lease_until > clock
        and j.id not in but
    ]  # fmt: skip
    for row in sorted(found, key=attrgetter("key")):
        t.lock(row)
    for row in found:
        t.write(row, t.see(row)._replace(lease_until=clock))
    return len(found)


@means(queue.ASK, "ask")
def _ask(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    return [(1,)]


@means(queue.FINISH, "finish jobs")
def _finish(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    found = [
        row for number, fence in _zip(p)
        if (row := t.database.job.rows.get(number)) is not None
        and (j := t.see(row)) is not None and j.fence == fence
    ]  # fmt: skip
    for row in sorted(found, key=attrgetter("key")):
        t.lock(row)
    for row in found:
        t.write(row, None)
    return [(row.key,) for row in found]


@means(queue.HASTEN, "hasten jobs")
def _hasten(t: Transaction, p: Any) -> int:
    now, lane, _, but, limit = p
    line = t.database.job.lanes.get(lane, [])
    found = [
        row for _, number in line[bisect_right(line, now, key=lambda place: place[0]) :]
        if t.free(row := t.database.job.rows[number]) and (j := t.see(row)) is not None
        and j.fence is None and j.first_at is not None and j.kenmerk not in but
    ][:limit]  # fmt: skip
    for row in found:
        t.write(row, t.see(row)._replace(due_at=now))
    return len(found)


@means(queue.POSTPONE, "postpone jobs")
def _postpone(t: Transaction, p: Any) -> int:
    until, numbers = p
    for row in [t.database.job.rows[number] for number in numbers]:
        t.write(row, t.see(row)._replace(due_at=until, fence=None, lease_until=None))
    return len(numbers)


@means(queue.NOTIFY, "notify")
def _notify(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    t.notified = True
    return [("",)]


@means(queue.LISTEN, "listen")
def _listen(t: Transaction, p: Any) -> int:
    t.database.listeners[t.session] = None
    return 0


@means(parked.JOBS_LOCKED, "lock jobs")
def _jobs_locked(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    found = [row for row in t.database.job.of(p[0]) if t.see(row) is not None]
    found.sort(key=lambda row: t.see(row).id)
    if not all(t.free(row) for row in found):
        raise psycopg.errors.LockNotAvailable("could not obtain lock on row in relation job")
    clock = t.database.clock()
    answer = []
    for row in found:
        j = t.lock(row)
        answer.append((*_job_row(j), j.fence is not None and j.lease_until >= clock))
    return answer


# --- what is new ---------------------------------------------------------------------------


@means(reading.TURN, "take turn")
def _turn(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    if not _take(t, (p[0], 2), of_transaction=False):
        raise Held((p[0], 2))
    return [("",)]


@means(reading.END_TURN, "end turn")
def _end_turn(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    key = (p[0], 2)
    mine = t.database.advisory.get(key, (None, False))[0] is t.session
    if mine:
        del t.database.advisory[key]
        for call in t.database.waiting_for_advisory.pop(key, []):
            call()
    return [(mine,)]


@means(reading.PATIENCE, "set patience")
def _patience(t: Transaction, p: Any) -> list[tuple[Any, ...]]:
    t.session.lock_timeout = int(p[0]) / 1000
    return [(p[0],)]


@means(reading.MARK, "mark had")
def _mark(t: Transaction, p: Any) -> int:
    requester, days, kenmerken, numbers = p
    had: dict[tuple[Any, UUID], list[int]] = {}
    for day, kenmerk, seq in zip(days, kenmerken, numbers, strict=True):
        had.setdefault((day, kenmerk), []).append(seq)
    table = t.database.seen
    places = []
    for (day, kenmerk), seqs in had.items():
        value = rows.Seen(day, requester, kenmerk, "status", tuple(sorted(seqs)))
        places.append((table.row(table.key(value)), value))
    try:
        for row, _ in places:
            t.lock(row)
    except BaseException:
        forget_empty(row for row, _ in places)
        raise
    for row, value in places:
        before = t.see(row)
        if before is not None:
            value = before._replace(seqs=tuple(sorted({*before.seqs, *value.seqs})))
        t.write(row, value)
    return len(places)


@means(reading.READ, "mark read")
def _read(t: Transaction, p: Any) -> int:
    kenmerken, days, sender, requester, _, _ = p
    return _mark_read(t, kenmerken, days, sender, requester)


@means(reading.READ_ONE, "mark one read")
def _read_one(t: Transaction, p: Any) -> int:
    kenmerk, day, sender, requester = p
    return _mark_read(t, [kenmerk], [day], sender, requester)


def _mark_read(t: Transaction, kenmerken: Any, days: Any, sender: str, requester: str) -> int:
    held = []
    for kenmerk in sorted(kenmerken):
        for day in days:
            row = t.database.process.rows.get((kenmerk, day))
            r = t.see(row) if row is not None else None
            if row is not None and r is not None and r.sender == sender and r.unread:
                held.append((row, (kenmerk, requester, "status", day)))
    done = 0
    for row, _ in held:
        t.lock(row)
    for row, key in held:
        seen, r = t.database.seen.rows.get(key), t.see(row)
        had = t.see(seen) if seen is not None else None
        if had is not None and len(had.seqs) == r.seq:
            t.write(row, r._replace(unread=False))
            done += 1
    return done
