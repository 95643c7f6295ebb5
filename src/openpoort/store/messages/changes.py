"""What happens to a process after it was taken in: lock it, then write everything at once.

Every change to a process goes through here, whoever makes it (engine, agency, operator): rows
are locked in the order of their kenmerk, so that nobody deadlocks and the numbers and times of
statuses rise without a gap.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from openpoort.domain.fault import Fout
from openpoort.domain.journal import JournalEntry, words_digest
from openpoort.domain.process import (
    AT_WORK,
    Carried,
    Event,
    NotPossible,
    State,
    Transition,
    transition,
)
from openpoort.store.messages import arrival, messages
from openpoort.store.messages.messages import columns
from openpoort.store.messages.rows import Accept, JobRow, StatusRow
from openpoort.store.payloads.payloads import Stored
from openpoort.store.postgres import partitions

Connection = psycopg.Connection[Any]
TICK = timedelta(milliseconds=1)


@dataclass(slots=True)
class Process:
    """The state of a process, locked for the transaction; what is added is written by `apply`.

    `open` counts jobs of the present step that are not done. `episode` says that the sender was
    told of a technical problem that has not passed yet.
    """

    day: date
    kenmerk: UUID
    berichtsoort: str
    sender: str
    state: State
    seq: int
    last_at: datetime
    open: int
    episode: bool
    carried: Carried
    statuses: list[StatusRow] = field(default_factory=list)
    entries: list[JournalEntry] = field(default_factory=list)
    jobs: list[JobRow] = field(default_factory=list)
    parked: list[Parking] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    mailbox: list[Mail] = field(default_factory=list)
    children: list[Accept] = field(default_factory=list)
    payloads: list[Stored] = field(default_factory=list)

    def go(self, event: Event) -> Transition:
        """To the state that the table of transitions has for `event`. Raises NotPossible, with
        nothing changed."""
        row, before = transition(self.state, event), self.carried.redelivery_of
        if row.to is None:
            if before is None:
                raise NotPossible(self.state, event)
            self.state, self.carried.redelivery_of = before, None
            return row
        if before is not None and row.to not in AT_WORK:  # a redelivery ends by RESTORED alone
            raise NotPossible(self.state, event)
        if row.remembers:
            self.carried.redelivery_of = self.state
        self.state = row.to
        return row

    def add(
        self, code: str, at: datetime, fout: Fout | None = None, details: str | None = None
    ) -> None:
        """One status more; its time is `at`, or just after the last one when that is later."""
        self.seq += 1
        self.last_at = max(at, self.last_at + TICK)
        self.statuses.append(StatusRow(self.seq, code, self.last_at, fout, details))
        note: dict[str, object] = {"code": code, "seq": self.seq}
        if fout:
            note["foutcode"] = fout.foutcode
        if words := words_digest(fout.foutbeschrijving if fout else None, details):
            note["words"] = words
        self.note("status.set", self.last_at, note)

    def note(
        self,
        kind: str,
        at: datetime,
        data: Mapping[str, object] | None = None,
        actor: str = "openpoort",
    ) -> None:
        """One line in the journal."""
        self.entries.append(JournalEntry(kind, at, actor, str(self.kenmerk), data or {}))


@dataclass(frozen=True, slots=True)
class Parking:
    """A job that waits for a person, with the reason."""

    step: str
    lane: str
    agency: str | None
    generation: int
    attempts: int
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """An agency has it: `receipt` is the digest of what it answered."""

    agency: str
    generation: int
    message_id: str
    attempts: int
    delivered_at: datetime
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A message for a receiver to fetch. `owner` is its OIN; empty: only through a mandate."""

    shown: UUID
    owner: str
    belang: str
    berichtsoort: str
    at: datetime


LOCK = """
select p.day, p.kenmerk, p.berichtsoort, p.sender, p.state, p.seq, p.last_at, p.open, p.episode,
    coalesce(p.data, '{}'::jsonb)
from process p join unnest(%b::uuid[], %b::date[]) w(k, d) on p.kenmerk = w.k and p.day = w.d
where p.day = any(%b) order by p.kenmerk for update of p
"""


def lock(conn: Connection, wanted: Iterable[tuple[UUID, date]]) -> dict[UUID, Process]:
    """Lock processes for this transaction; by kenmerk."""
    pairs = sorted(set(wanted))
    if not pairs:
        return {}
    days = [d for _, d in pairs]
    rows = conn.execute(
        LOCK, [[k for k, _ in pairs], days, partitions.days(days)], binary=True
    ).fetchall()
    return {row[1]: _process(*row) for row in rows}


def _process(
    day: date, kenmerk: UUID, berichtsoort: str, sender: str, state: str, seq: int,
    last_at: datetime, open: int, episode: bool, data: Mapping[str, Any],
) -> Process:  # fmt: skip
    return Process(day, kenmerk, berichtsoort, sender, State(state), seq, last_at, open, episode,
                   Carried.of(data))  # fmt: skip


UPDATE = """
update process p set state = w.state, seq = w.seq, last_at = w.last_at, open = w.open,
    episode = w.episode, unread = p.unread or w.told, data = w.data::jsonb
from unnest(%b::uuid[], %b::date[], %b::text[], %b::int2[], %b::timestamptz[], %b::int2[],
    %b::bool[], %b::bool[], %b::text[])
    as w(kenmerk, day, state, seq, last_at, open, episode, told, data)
where p.kenmerk = w.kenmerk and p.day = w.day and p.day = any(%b)
"""
PARK = """
insert into parked
    (day, kenmerk, step, lane, agency, generation, attempts, since, reason)
select * from unnest(%b::date[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::int2[],
    %b::int4[], %b::timestamptz[], %b::text[])
"""
MAILBOX = """
insert into mailbox (day, kenmerk, shown, owner, belang, berichtsoort, at)
select * from unnest(%b::date[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[],
    %b::timestamptz[])
"""


_ADDED = """
with into_status as (
    insert into status (day, kenmerk, seq, code, at, foutcode, fout, details)
    select * from jsonb_to_recordset(%(rows)s::jsonb->'statuses') as t (day date, kenmerk uuid,
        seq int2, code text, at timestamptz, foutcode text, fout text, details text)
),
into_job as (
    insert into job (day, kenmerk, step, lane, agency, generation, due_at, attempts, first_at)
    select * from jsonb_to_recordset(%(rows)s::jsonb->'jobs') as t (day date, kenmerk uuid,
        step text, lane text, agency text, generation int2, due_at timestamptz, attempts int,
        first_at timestamptz)
),
into_delivery as (
    insert into delivery (day, kenmerk, agency, generation, message_id, attempts, delivered_at,
        receipt)
    select * from jsonb_to_recordset(%(rows)s::jsonb->'deliveries') as t (day date, kenmerk uuid,
        agency text, generation int2, message_id text, attempts int, delivered_at timestamptz,
        receipt bytea) on conflict do nothing
),
into_payload as (
    insert into payload (day, digest, size, place, body)
    select day, digest, size, place, substring(%(octets)b::bytea from start for length)
    from jsonb_to_recordset(%(rows)s::jsonb->'payloads') as t
        (day date, digest bytea, size int, place text, start int, length int)
    on conflict do nothing
)
insert into journal (at, entry) select at, convert_to(entry, 'UTF8')
from jsonb_to_recordset(%(rows)s::jsonb->'entries') as t (at timestamptz, entry text)
"""
ADDED = " ".join(_ADDED.split())
"""Whatever changed processes bring, in one statement and one JSON text, as a message that comes
in does (`arrival`): parameters in columns cost a worker more than the rows in them."""


def apply(conn: Connection, changed: Sequence[Process]) -> None:
    """Write what was added to locked processes, in the caller's transaction."""
    if not changed:
        return
    with conn.pipeline():
        values = columns(
            ((p.kenmerk, p.day, p.state.value, p.seq, p.last_at, p.open, p.episode,
              bool(p.statuses), json.dumps(data) if (data := p.carried.json()) else None)
             for p in changed), 9,
        )  # fmt: skip
        conn.execute(UPDATE, [*values, partitions.days(p.day for p in changed)])
        conn.execute(ADDED, _added(changed), prepare=True)
        _rare(conn, changed)


def _added(changed: Sequence[Process]) -> dict[str, str | bytes]:
    """The two values of `ADDED`. Payloads in one order, whoever writes them: two that put in the
    same wait for each other."""
    octets = arrival.Bytes()
    whose = [({"day": p.day.isoformat(), "kenmerk": str(p.kenmerk)}, p) for p in changed]
    payloads = {(x.digest, p.day): x for p in changed for x in p.payloads} | {
        (x.digest, c.message.day): x for p in changed for c in p.children for x in c.payloads
    }
    rows = {
        "statuses": [place | arrival.status(s) for place, p in whose for s in p.statuses],
        "jobs": [place | arrival.job(job) for place, p in whose for job in p.jobs],
        "deliveries": [place | _delivery(d) for place, p in whose for d in p.deliveries],
        "payloads": [
            {"day": day.isoformat(), **arrival.payload(payloads[digest, day], octets)}
            for digest, day in sorted(payloads)
        ],
        "entries": [
            {"at": e.at.isoformat(), "entry": e.canonical().decode()}
            for p in changed
            for e in p.entries
        ],
    }
    return {"rows": json.dumps(rows), "octets": b"".join(octets.pieces)}


def _delivery(d: Delivery) -> dict[str, object]:
    return {
        "agency": d.agency, "generation": d.generation, "message_id": d.message_id,
        "attempts": d.attempts, "delivered_at": d.delivered_at.isoformat(),
        "receipt": arrival.hexed(d.receipt),
    }  # fmt: skip


def _rare(conn: Connection, changed: Sequence[Process]) -> None:
    parked = [
        (p.day, p.kenmerk, x.step, x.lane, x.agency, x.generation, x.attempts, x.since, x.reason)
        for p in changed for x in p.parked
    ]  # fmt: skip
    if parked:
        conn.execute(PARK, columns(parked, 9))
    mail = [
        (p.day, p.kenmerk, x.shown, x.owner, x.belang, x.berichtsoort, x.at)
        for p in changed for x in p.mailbox
    ]  # fmt: skip
    if mail:
        conn.execute(MAILBOX, columns(mail, 7))
    children = [child for p in changed for child in p.children]
    messages.insert(conn, [replace(child, payloads=()) for child in children])  # see `_added`


REGISTER = "select day, berichtsoort, sender, switch from register where kenmerk = %b"
REGISTERS = "select kenmerk, day, berichtsoort, sender from register where kenmerk = any(%b)"


def register(conn: Connection, kenmerk: UUID) -> tuple[date, str, str, str | None] | None:
    """(day, berichtsoort, sender, switch) of a kenmerk; None when there is no such process."""
    row = conn.execute(REGISTER, [kenmerk], binary=True).fetchone()
    return (row[0], row[1], row[2], row[3]) if row else None


def registers(conn: Connection, kenmerken: Iterable[UUID]) -> dict[UUID, tuple[date, str, str]]:
    """(day, berichtsoort, sender) of those kenmerken that exist."""
    rows = conn.execute(REGISTERS, [list(kenmerken)], binary=True).fetchall()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


BERICHTKENMERKEN = """
select m.kenmerk, m.berichtkenmerk from unnest(%b::uuid[], %b::date[]) w(k, d)
    join message m on m.kenmerk = w.k and m.day = w.d where m.day = any(%b)
"""


def berichtkenmerken(conn: Connection, wanted: Iterable[tuple[UUID, date]]) -> dict[UUID, str]:
    """What the agencies know these messages by, beside their kenmerk."""
    pairs = list(wanted)
    if not pairs:
        return {}
    days = [d for _, d in pairs]
    asked = [[k for k, _ in pairs], days, partitions.days(days)]
    return dict(conn.execute(BERICHTKENMERKEN, asked, binary=True).fetchall())


OFFERED = """
select w.k, d.agency from unnest(%b::uuid[], %b::date[]) w(k, day)
    join delivery d on d.kenmerk = w.k and d.day = w.day where d.day = any(%b)
union
select w.k, j.agency from unnest(%b::uuid[], %b::date[]) w(k, day)
    join job j on j.kenmerk = w.k where j.agency is not null and j.attempts > 0
"""


def offered_to(conn: Connection, wanted: Iterable[tuple[UUID, date]]) -> dict[UUID, frozenset[str]]:
    """Agencies that got each message or, by an attempt under way or failed, may have got it."""
    pairs = list(wanted)
    kenmerken, days = [k for k, _ in pairs], [d for _, d in pairs]
    rows = conn.execute(
        OFFERED, [kenmerken, days, partitions.days(days), kenmerken, days], binary=True
    ).fetchall()
    found: dict[UUID, set[str]] = {}
    for kenmerk, agency in rows:
        found.setdefault(kenmerk, set()).add(agency)
    return {kenmerk: frozenset(names) for kenmerk, names in found.items()}
