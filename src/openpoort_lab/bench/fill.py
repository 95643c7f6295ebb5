"""Fill a gateway's tables with finished messages, by set-based SQL: evidence for large tables.

`python -m openpoort_lab.bench.fill DSN 5000000 [WEEKS]` puts them over the last weeks, with three
statuses each, small payloads, look-up rows, and no journal; a gateway can go on beside them. They
belong to senders and interested parties of their own (nines and zeros), so no real mailbox changes;
`owner` gets one in fifty, as messages it handed in, so that it can ask for them. Then it prints how
PostgreSQL does what every message asks, and how long an operator's look-ups take.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from openpoort.domain.ids import Identiteit
from openpoort.domain.process import ENDED, State
from openpoort.store import queue
from openpoort.store.messages import find, reading
from openpoort.store.postgres import partitions

BLOCK = 100_000
WEEKS = 8
_SHARE = 50  # one in so many belongs to the owner
_STATEMENTS = (
    """
create temporary table many as select gen_random_uuid() as kenmerk,
    (%(newest)s::timestamptz - (n %% %(days)s::int) * interval '1 day') as at, n,
    n %% %(share)s = 1 and %(owner)s::text is not null as own,
    lpad((900000 + n %% 5000)::text, 20, '0') as sender, 'btw:FILL' || n %% 20000 as belang
from generate_series(%(first)s::int, %(last)s::int) n""",
    "update many set sender = %(owner)s where own",
    "alter table many add column day date",
    "update many set day = (at at time zone 'UTC')::date",
    "insert into register (kenmerk, day, berichtsoort, sender)"
    " select kenmerk, day, 'Omzetbelasting', sender from many",
    "insert into repeat (key, digest, kenmerk, day)"
    " select gen_random_uuid(), sha256(kenmerk::text::bytea), kenmerk, day from many",
    """
insert into message (day, kenmerk, berichtsoort, sender, berichtkenmerk, aanleverkenmerk,
    belang_type, belang_nummer, rol_belang, accepted_at, documents)
select day, kenmerk, 'Omzetbelasting', sender, kenmerk, 'fill' || n, 'BTW', substr(belang, 5),
    'Bedrijf', at, '[]' from many""",
    f"""
insert into process (day, kenmerk, berichtsoort, sender, belang, accepted_at, state, seq, last_at,
    unread)
select day, kenmerk, 'Omzetbelasting', sender, belang, at, '{State.DELIVERED.value}', 3, at,
    n % 50 = 0
from many""",
    "insert into status (day, kenmerk, seq, code, at) select day, kenmerk, s,"
    " (array['105', '100', '500'])[s], at from many, generate_series(1, 3) s",
    "insert into request (day, kenmerk, received_at, digest, size, cuts, body, token)"
    " select day, kenmerk, at, sha256(kenmerk::text::bytea), 64, '[]', 'fill', 'fill' from many",
    "insert into answer (day, kenmerk, at, digest, body)"
    " select day, kenmerk, at, sha256(kenmerk::text::bytea), 'fill' from many",
    "insert into payload (day, digest, size, place, body)"
    " select day, sha256(kenmerk::text::bytea), 4, 'db', 'fill' from many",
    """
insert into lookup (at, sender, berichtsoort, message_id, aanleverkenmerk, day, kenmerk, state)
select at, lookup_word(sender), lookup_word('Omzetbelasting'), lookup_word(kenmerk::text),
    lookup_word('fill' || n), day, kenmerk, 'delivered' from many""",
    "drop table many",
)


def fill(
    dsn: str,
    rows: int,
    now: datetime,
    block: int = BLOCK,
    *,
    weeks: int = WEEKS,
    owner: str | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> None:
    """Add `rows` finished messages, accepted in the `weeks` before `now`; then analyse.

    `owner` is an OIN; `told` hears how many are in.
    """
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("set synchronous_commit = off")
        for week in range(weeks + 1):
            partitions.ensure(conn, (now - timedelta(weeks=week)).date())
        for first in range(1, rows + 1, block):
            last = min(first + block - 1, rows)
            asked = {
                "newest": now, "days": weeks * 7, "first": first, "last": last, "owner": owner,
                "share": _SHARE,
            }  # fmt: skip
            with conn.transaction():
                for statement in _STATEMENTS:
                    conn.execute(statement, asked if "%(" in statement else None)
            told(last)
        conn.execute("vacuum analyze")
        conn.execute("checkpoint")


def lookups(dsn: str) -> list[tuple[str, float]]:
    """What an operator looks for, and the seconds it took: a message from the middle of the
    tables by each thing that is known of it, and things of which there is none."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        mondays = partitions.weeks(conn, "message")
        row = conn.execute(
            "select kenmerk, berichtkenmerk, aanleverkenmerk, belang_nummer, belang_type, sender,"
            " accepted_at from message where day >= %s order by day limit 1",
            [mondays[len(mondays) // 2]],
        ).fetchone()
        assert row is not None, "there is nothing in the tables"
        kenmerk, message_id, aanleverkenmerk, nummer, kind, sender, at = row
        day = timedelta(days=1)
        asked = {
            "kenmerk": find.Asked(kenmerk=kenmerk),
            "aanleverkenmerk": find.Asked(aanleverkenmerk=aanleverkenmerk),
            "MessageID": find.Asked(message_id=message_id),
            "sender": find.Asked(sender=sender),
            "belanghebbende": find.Asked(belanghebbende=Identiteit(nummer, kind)),
            "period": find.Asked(since=at - day, until=at + day),
            "state": find.Asked(states=tuple(ENDED)),
            "all of it": find.Asked(
                None, message_id, aanleverkenmerk, Identiteit(nummer, kind), sender,
                states=tuple(ENDED), since=at - day, until=at + day,
            ),
            "a kind of which there is none": find.Asked(berichtsoort="Niets"),
            "a state of which there is none": find.Asked(states=("cancelled",)),
            "a MessageID of which there is none": find.Asked(message_id="uuid:none"),
        }  # fmt: skip
        took = []
        for what, one in asked.items():
            begun = time.perf_counter()
            found = find.find(conn, one)
            took.append((f"{what}: {len(found)} found", time.perf_counter() - begun))
        return took


@dataclass(frozen=True, slots=True)
class Plan:
    """How PostgreSQL does one statement: `nodes` as its plan names them, each once, `pages` of
    8 kB read or found in memory, `ms` of this one execution."""

    what: str
    nodes: tuple[str, ...]
    pages: int
    ms: float
    scanned: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.what}: {', '.join(self.nodes)}; {self.pages} pages, {self.ms:.2f} ms"


def plans(dsn: str) -> list[Plan]:
    """Plans of what every message and every poll asks: the gateway's own statements."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("set plan_cache_mode = force_custom_plan")
        one = conn.execute(
            "select kenmerk, day, sender, belang, berichtsoort from process where unread limit 1"
        ).fetchone()
        assert one is not None, "there is nothing in the tables"
        kenmerk, day, sender, belang, kind = one
        begin: list[object] = [date.min, [date.min], datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)]
        asked: dict[str, tuple[str, list[object]]] = {
            "whose kenmerk is it": (reading.PLACES, [[kenmerk]]),
            "its message": (reading.KNOWN, [[kenmerk], [day], [day]]),
            "was it sent before": (
                "select key, kenmerk, day, digest from repeat where key = any(%b)", [[kenmerk]],
            ),
            "statuses of a process": (reading.STATUSES, [[kenmerk], [day], [day]]),
            "processes with something new": (
                reading.UNREAD, [sender, belang, kind, *begin, 50],
            ),
            "jobs that are due": (queue.DUE, ["local", datetime.now(UTC), 64]),
        }  # fmt: skip
        return [_plan(conn, what, query, given) for what, (query, given) in asked.items()]


def _plan(conn: psycopg.Connection[Any], what: str, query: str, given: list[object]) -> Plan:
    explain = "explain (analyze, buffers, format json) " + query
    row = conn.execute(explain, given).fetchone()
    assert row is not None
    found = row[0][0] if isinstance(row[0], list) else json.loads(row[0])[0]
    top = found["Plan"]
    every = list(_nodes(top))
    tables_scanned = {n["Relation Name"] for n in every if n["Node Type"] == "Seq Scan"}
    return Plan(
        what,
        tuple(dict.fromkeys(n["Node Type"].lower() for n in every)),
        top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        round(found["Execution Time"], 3),
        tuple(sorted(tables_scanned)),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node that was executed at least once."""
    if plan.get("Actual Loops", 1):
        yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


if __name__ == "__main__":
    begun = time.monotonic()
    span = int(sys.argv[3]) if len(sys.argv) > 3 else WEEKS
    fill(sys.argv[1], int(float(sys.argv[2])), datetime.now(UTC), weeks=span)
    sys.stdout.write(f"filled in {time.monotonic() - begun:.0f} s\n")
    for plan in plans(sys.argv[1]):
        sys.stdout.write(f"{plan}\n")
    for what, seconds in lookups(sys.argv[1]):
        sys.stdout.write(f"{what}, {seconds * 1000:.0f} ms\n")
