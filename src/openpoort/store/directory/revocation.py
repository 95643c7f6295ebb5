"""Evidence of revocation and what is needed to fetch it, in the database.

All processes read the same evidence; its version tells each that there is something new. Also
kept here: certificates lately seen (so that evidence can be asked for) and how often who used an
algorithm that will end. Both are collected in memory and written in one go, never per message.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg

from openpoort.domain.ids import Oin
from openpoort.keys.fetch import Found, Source
from openpoort.trust.revocation import Evidence

Connection = psycopg.Connection[Any]
KEEP = timedelta(days=400)
"""Certificates not seen for this long are forgotten."""


def version(conn: Connection) -> int:
    row = conn.execute("select version from revocation_state").fetchone()
    assert row is not None
    return int(row[0])


def load(conn: Connection) -> Evidence:
    """All evidence. The version is read first: at worst it is loaded once more."""
    now = version(conn)
    rows = conn.execute(
        "select kind, content from revocation_evidence where content is not null"
        " order by source, subject"
    ).fetchall()
    crls = tuple(bytes(content) for kind, content in rows if kind == "crl")
    return Evidence.of(now, crls, tuple(bytes(content) for kind, content in rows if kind == "ocsp"))


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands here for one source: the evidence, if any, and how the last try went."""

    found: Found | None
    tried_at: datetime
    problem: str | None


def kept(conn: Connection) -> dict[tuple[str, str], Kept]:
    """By (url, subject)."""
    rows = conn.execute(
        "select source, subject, content, this_update, next_update, tried_at, problem"
        " from revocation_evidence"
    )
    return {
        (source, subject): Kept(
            Found(bytes(content), start, end) if content is not None else None, tried, problem
        )
        for source, subject, content, start, end, tried, problem in rows
    }


def put(conn: Connection, source: Source, found: Found, at: datetime) -> bool:
    """Keep fresh evidence; False when it was issued before what stands here (a replay)."""
    done = conn.execute(
        """
        insert into revocation_evidence
            (source, subject, kind, content, this_update, next_update, fetched_at, tried_at)
        values (%(source)s, %(subject)s, %(kind)s, %(content)s, %(start)s, %(end)s, %(at)s, %(at)s)
        on conflict (source, subject) do update set
            content = excluded.content, this_update = excluded.this_update,
            next_update = excluded.next_update, fetched_at = excluded.fetched_at,
            tried_at = excluded.tried_at, problem = null
        where revocation_evidence.this_update is null
            or revocation_evidence.this_update <= excluded.this_update
        """,
        {
            "source": source.url,
            "subject": source.subject,
            "kind": source.kind,
            "content": found.content,
            "start": found.this_update,
            "end": found.next_update,
            "at": at,
        },
    )
    if not done.rowcount:
        failed(conn, source, "older than what is known", at)
        return False
    conn.execute("update revocation_state set version = version + 1")
    return True


def failed(conn: Connection, source: Source, problem: str, at: datetime) -> None:
    """Note a try that brought nothing; what stands here stays."""
    conn.execute(
        """
        insert into revocation_evidence (source, subject, kind, tried_at, problem)
        values (%s, %s, %s, %s, %s)
        on conflict (source, subject) do update set
            tried_at = excluded.tried_at, problem = excluded.problem
        """,
        (source.url, source.subject, source.kind, at, problem),
    )


def seen(conn: Connection, at: datetime) -> tuple[bytes, ...]:
    """Certificates (DER) seen within `KEEP`."""
    rows = conn.execute(
        "select content from certificate_seen where last_seen >= %s order by fingerprint",
        ((at - KEEP).date(),),
    )
    return tuple(bytes(content) for (content,) in rows)


@dataclass(slots=True)
class Observed:
    """Collects in memory what the gate notices; `flush` writes it. For use by many threads."""

    _leaves: dict[bytes, date] = field(default_factory=dict)
    _uses: dict[tuple[str, str, date], tuple[int, datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def certificate(self, leaf: bytes, at: datetime) -> None:
        """For `Verdicts.seen`."""
        with self._lock:
            self._leaves[leaf] = at.date()

    def algorithms(self, oin: Oin, names: Iterable[str], at: datetime) -> None:
        """For `Gatekeeper.noticed`."""
        with self._lock:
            for name in names:
                key = (oin.value, name, at.date())
                count, _ = self._uses.get(key, (0, at))
                self._uses[key] = (count + 1, at)

    def flush(self, conn: Connection) -> None:
        """Write and forget. What a crash takes along is a count of at most one interval."""
        with self._lock:
            leaves, self._leaves = self._leaves, {}
            uses, self._uses = self._uses, {}
        if not leaves and not uses:
            return
        # Sorted, so that two processes that flush at once lock rows in the same order.
        certificates = sorted((sha256(c).hexdigest(), c, day) for c, day in leaves.items())
        counts = sorted((*key, count, last) for key, (count, last) in uses.items())
        with conn.transaction():
            conn.cursor().executemany(
                "insert into certificate_seen values (%s, %s, %s) on conflict (fingerprint)"
                " do update set last_seen = greatest(certificate_seen.last_seen,"
                " excluded.last_seen)",
                certificates,
            )
            conn.cursor().executemany(
                "insert into algorithm_use values (%s, %s, %s, %s, %s)"
                " on conflict (oin, algorithm, day) do update set"
                " messages = algorithm_use.messages + excluded.messages,"
                " last_at = greatest(algorithm_use.last_at, excluded.last_at)",
                counts,
            )


@dataclass(frozen=True, slots=True)
class Use:
    """How often a party used an algorithm that will end."""

    oin: Oin
    algorithm: str
    messages: int
    last_at: datetime


def uses(conn: Connection, since: date) -> tuple[Use, ...]:
    """The list to call: per party and algorithm, most messages first."""
    rows = conn.execute(
        "select oin, algorithm, sum(messages)::bigint, max(last_at) from algorithm_use"
        " where day >= %s group by oin, algorithm order by 3 desc, 1, 2",
        (since,),
    )
    return tuple(Use(Oin(oin), name, count, last) for oin, name, count, last in rows)
