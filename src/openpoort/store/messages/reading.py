"""Looking up statuses and processes. Every query names the day or walks an index in order; a list
of what is new says where that can be (`settled`).

A day in a join is not enough: PostgreSQL then gets every partition ready before it knows which it
needs. A look-up therefore says the days once more, as a list (decision 46).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import psycopg

from openpoort.domain.fault import Fout
from openpoort.domain.ids import Identiteit
from openpoort.store.messages import closed_weeks
from openpoort.store.messages.closed_weeks import Span
from openpoort.store.messages.rows import StatusRow
from openpoort.store.postgres import partitions

Connection = psycopg.Connection[Any]
Place = tuple[UUID, date]


@dataclass(frozen=True, slots=True)
class Known:
    """A process as its readers know it. `seq` is its number of statuses."""

    kenmerk: UUID
    day: date
    berichtsoort: str
    sender: str
    belanghebbende: Identiteit
    ontvanger: Identiteit | None
    switch: str | None
    accepted_at: datetime


_KNOWN = """
    m.kenmerk, m.day, m.berichtsoort, m.sender, m.belang_nummer, m.belang_type,
    m.ontvanger_nummer, m.ontvanger_type, {switch}, m.accepted_at
"""
PLACES = "select kenmerk, day, switch from register where kenmerk = any(%b)"
KNOWN = f"""
select {_KNOWN.format(switch="null::text")}
from unnest(%b::uuid[], %b::date[]) w(k, d) join message m on m.kenmerk = w.k and m.day = w.d
where m.day = any(%b)
"""
STATUSES = """
select s.kenmerk, s.seq, s.code, s.at, s.foutcode, s.fout, s.details
from unnest(%b::uuid[], %b::date[]) w(k, d) join status s on s.kenmerk = w.k and s.day = w.d
where s.day = any(%b) order by s.kenmerk, s.seq
"""
KINDS = """
select w.kind from unnest(%b::text[], %b::bool[]) w(kind, every) where exists (
    select from process p where p.belang = %b and p.berichtsoort = w.kind
        and (w.every or p.sender = %b))
"""
PROCESSES = f"""
select {_KNOWN.format(switch="null::text")}
from process p join message m on m.kenmerk = p.kenmerk and m.day = p.day
where p.belang = %b and p.berichtsoort = %b and (%b or p.sender = %b)
order by p.accepted_at, p.kenmerk limit %b
"""
UNREAD = """
select p.kenmerk, p.day, p.accepted_at, p.sender from process p
where p.sender = %b and p.belang = %b and p.berichtsoort = %b and p.unread
    and (p.day >= %b or p.day = any(%b::date[])) and (p.accepted_at, p.kenmerk) > (%b, %b)
order by p.accepted_at, p.kenmerk limit %b
"""
UNSEEN = """
select p.kenmerk, p.day, p.accepted_at, p.sender from process p
    left join seen s on s.kenmerk = p.kenmerk and s.day = p.day and s.requester = %b
        and s.what = 'status' and (s.day >= %b or s.day = any(%b::date[]))
where p.belang = %b and p.berichtsoort = %b and p.sender <> %b
    and (p.day >= %b or p.day = any(%b::date[]))
    and coalesce(cardinality(s.seqs), 0) < p.seq
    and (p.sender, p.accepted_at, p.kenmerk) > (%b, %b, %b)
order by p.sender, p.accepted_at, p.kenmerk limit %b
"""
SEEN = """
select s.kenmerk, s.seqs from unnest(%b::uuid[], %b::date[]) w(k, d)
    join seen s on s.kenmerk = w.k and s.day = w.d and s.requester = %b and s.what = %b
where s.day = any(%b)
"""
MARK = """
insert into seen (day, requester, kenmerk, what, seqs)
select w.day, %b, w.kenmerk, 'status', array_agg(w.seq order by w.seq)
from unnest(%b::date[], %b::uuid[], %b::int2[]) w(day, kenmerk, seq) group by w.day, w.kenmerk
on conflict (kenmerk, requester, what, day) do update
    set seqs = (select array_agg(distinct x order by x) from unnest(seen.seqs || excluded.seqs) x)
"""
READ = """
with held as materialized (
    select kenmerk, day from process
    where kenmerk = any(%b) and day = any(%b) and sender = %b and unread
    order by kenmerk for update
)
update process p set unread = false from held h join seen s on s.kenmerk = h.kenmerk
    and s.day = h.day and s.requester = %b and s.what = 'status' and s.day = any(%b)
where p.kenmerk = h.kenmerk and p.day = h.day and p.day = any(%b) and p.unread
    and cardinality(s.seqs) = p.seq
"""
"""Locks processes in the order of `changes.LOCK`: an update by itself locks them in the order of
its plan, and a worker that has the second and wants the first would wait for us for ever."""
READ_ONE = """
update process p set unread = false from seen s
where p.kenmerk = %b and p.day = %b and p.sender = %b and p.unread
    and s.kenmerk = p.kenmerk and s.day = p.day and s.requester = %b and s.what = 'status'
    and cardinality(s.seqs) = p.seq
"""
"""The same for one process, which needs no order."""
PATIENCE = "select set_config('lock_timeout', %s, false)"
TURN = "select pg_advisory_lock(hashtextextended(%s, 2))"
END_TURN = "select pg_advisory_unlock(hashtextextended(%s, 2))"


def known(conn: Connection, kenmerken: Iterable[UUID]) -> dict[UUID, Known]:
    """Those kenmerken that exist. The same look-ups, whether one does or not."""
    wanted = list(kenmerken)
    found = {k: (day, switch) for k, day, switch in conn.execute(PLACES, [wanted], binary=True)}
    there = list(found) or wanted[:1]
    days = [found[k][0] if k in found else partitions.present() for k in there]
    rows = conn.execute(KNOWN, [there, days, partitions.days(days)], binary=True)
    return {row[0]: _known(row, found[row[0]][1]) for row in rows}


def _known(row: Sequence[Any], switch: str | None = None) -> Known:
    ontvanger = Identiteit(row[6], row[7]) if row[6] is not None else None
    kenmerk, day, berichtsoort, sender = row[:4]
    belanghebbende = Identiteit(row[4], row[5])
    return Known(kenmerk, day, berichtsoort, sender, belanghebbende, ontvanger, switch, row[9])


def statuses(conn: Connection, wanted: Iterable[Place]) -> dict[UUID, list[StatusRow]]:
    """Whole histories, oldest first."""
    pairs = list(wanted)
    found: dict[UUID, list[StatusRow]] = {k: [] for k, _ in pairs}
    days = [d for _, d in pairs]
    columns = [[k for k, _ in pairs], days, partitions.days(days)]
    for kenmerk, seq, code, at, foutcode, fout, details in conn.execute(
        STATUSES, columns, binary=True
    ):
        reason = Fout(foutcode, fout) if foutcode else None
        found[kenmerk].append(StatusRow(seq, code, at, reason, details))
    return found


def kinds(
    conn: Connection, belang: str, sender: str, asked: Sequence[tuple[str, bool]]
) -> set[str]:
    """Of `asked` (kind, and whether messages of every sender count) those with a process."""
    columns = [[k for k, _ in asked], [every for _, every in asked]]
    return {row[0] for row in conn.execute(KINDS, [*columns, belang, sender], binary=True)}


def processes(
    conn: Connection, belang: str, kind: str, sender: str, every: bool, limit: int
) -> list[Known]:
    """Those of `sender`, or of every sender, oldest first."""
    rows = conn.execute(PROCESSES, [belang, kind, every, sender, limit], binary=True).fetchall()
    return [_known(row) for row in rows]


@dataclass(frozen=True, slots=True)
class About:
    """The question what is new to `requester`: statuses of processes of one kind about one party,
    which it sent itself (`own`) or somebody else."""

    requester: str
    belang: str
    berichtsoort: str
    own: bool

    def key(self) -> UUID:
        whose = "own" if self.own else "others"
        return closed_weeks.question(
            "status", self.requester, self.belang, self.berichtsoort, whose
        )


Page = list[tuple[UUID, date, datetime, str]]
"""Processes: kenmerk, day, accepted at, sender."""


def span(conn: Connection, about: About) -> Span:
    return closed_weeks.span(conn, [about.key()], [about.belang])


def unread(conn: Connection, about: About, span: Span, after: Page, limit: int) -> Page:
    """The page after `after` of processes with statuses that are new; oldest first, one sender
    after the other."""
    kenmerk, _, at, sender = after[-1] if after else _BEGIN
    days = [span.since, span.days]
    whose = [about.belang, about.berichtsoort]
    if about.own:
        asked = [about.requester, *whose, *days, at, kenmerk, limit]
        return conn.execute(UNREAD, asked, binary=True).fetchall()
    asked = [about.requester, *days, *whose, about.requester, *days, sender, at, kenmerk, limit]
    return conn.execute(UNSEEN, asked, binary=True).fetchall()


_BEGIN = (UUID(int=0), date.min, datetime(1970, 1, 1, tzinfo=UTC), "")


def seen(
    conn: Connection, requester: str, wanted: Iterable[Place], what: str = "status"
) -> dict[UUID, set[int]]:
    """Numbers of the statuses that `requester` has had as new, per process."""
    pairs = list(wanted)
    days = [d for _, d in pairs]
    rows = conn.execute(
        SEEN, [[k for k, _ in pairs], days, requester, what, partitions.days(days)], binary=True
    ).fetchall()
    return {kenmerk: set(seqs) for kenmerk, seqs in rows}


def mark(conn: Connection, requester: str, had: Sequence[tuple[date, UUID, int]]) -> None:
    """`requester` has had these statuses (day, kenmerk, seq), in the caller's transaction.

    A process is read when every status it has now was had: one that a worker adds at this moment
    waits for our row, or we for its, and then it is not.
    """
    if not had:
        return
    rows = sorted(had, key=lambda row: (row[1], row[2]))
    columns = [list(column) for column in zip(*rows, strict=True)]
    conn.execute(MARK, [requester, *columns], binary=True)
    places = sorted({(k, d) for d, k, _ in rows})
    if len(places) == 1:
        conn.execute(READ_ONE, [*places[0], requester, requester], binary=True)
        return
    days = partitions.days(d for _, d in places)
    conn.execute(
        READ, [[k for k, _ in places], days, requester, requester, days, days], binary=True
    )


def turn(conn: Connection, requester: str, milliseconds: int = 10_000) -> bool:
    """Wait for the turn of `requester`: polls for what is new go one after the other. The turn
    belongs to the connection, so that a process that dies gives it up. False when it took too
    long."""
    conn.execute(PATIENCE, [str(milliseconds)])
    try:
        conn.execute(TURN, ["new:" + requester])
    except psycopg.errors.LockNotAvailable:
        return False
    finally:
        conn.execute(PATIENCE, ["0"])
    return True


def end_turn(conn: Connection, requester: str) -> None:
    conn.execute(END_TURN, ["new:" + requester])
