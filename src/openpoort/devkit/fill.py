"""Fill a gateway's tables with finished messages, by set-based SQL: evidence for large tables.

`python -m openpoort.devkit.fill DSN 5000000` puts them over the last weeks, with three statuses
each, small payloads, and no journal; a gateway can go on beside them. They belong to senders and
interested parties of their own (nines and zeros), so no real mailbox changes.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

import psycopg

from openpoort.store import tables

BLOCK = 100_000
WEEKS = 8
_STATEMENTS = (
    """
create temporary table many as select gen_random_uuid() as kenmerk,
    (%(newest)s::timestamptz - (n %% %(days)s::int) * interval '1 day') as at, n,
    lpad((900000 + n %% 5000)::text, 20, '0') as sender, 'btw:fill' || n %% 20000 as belang
from generate_series(%(first)s::int, %(last)s::int) n""",
    "alter table many add column day date",
    "update many set day = (at at time zone 'UTC')::date",
    "insert into register (kenmerk, day, berichtsoort, sender)"
    " select kenmerk, day, 'Omzetbelasting', sender from many",
    "insert into repeat (key, digest, kenmerk, day)"
    " select gen_random_uuid(), sha256(kenmerk::text::bytea), kenmerk, day from many",
    """
insert into message (day, kenmerk, berichtsoort, sender, berichtkenmerk, belang_type,
    belang_nummer, rol_belang, accepted_at, documents)
select day, kenmerk, 'Omzetbelasting', sender, kenmerk, 'BTW', 'fill', 'Bedrijf', at, '[]'
from many""",
    """
insert into process (day, kenmerk, berichtsoort, sender, belang, accepted_at, state, seq, last_at,
    unread)
select day, kenmerk, 'Omzetbelasting', sender, belang, at, 'delivered', 3, at, n % 50 = 0
from many""",
    "insert into status (day, kenmerk, seq, code, at) select day, kenmerk, s,"
    " (array['105', '100', '500'])[s], at from many, generate_series(1, 3) s",
    "insert into request (day, kenmerk, received_at, digest, size, cuts, body, token)"
    " select day, kenmerk, at, sha256(kenmerk::text::bytea), 64, '[]', 'fill', 'fill' from many",
    "insert into answer (day, kenmerk, at, digest, body)"
    " select day, kenmerk, at, sha256(kenmerk::text::bytea), 'fill' from many",
    "insert into payload (day, digest, size, place, body)"
    " select day, sha256(kenmerk::text::bytea), 4, 'db', 'fill' from many",
    "drop table many",
)


def fill(dsn: str, rows: int, now: datetime, block: int = BLOCK) -> None:
    """Add `rows` finished messages, accepted in the eight weeks before `now`; then analyse."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        for week in range(WEEKS + 1):
            tables.ensure(conn, (now - timedelta(weeks=week)).date())
        for first in range(1, rows + 1, block):
            last = min(first + block - 1, rows)
            asked = {"newest": now, "days": WEEKS * 7, "first": first, "last": last}
            with conn.transaction():
                for statement in _STATEMENTS:
                    conn.execute(statement, asked if "%(" in statement else None)
        conn.execute("vacuum analyze")


def plans(dsn: str) -> list[tuple[str, str]]:
    """(what, plan) of the statements that every message and every poll run, with what they read."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        one = conn.execute("select kenmerk, day, sender, belang from process limit 1").fetchone()
        assert one is not None, "there is nothing in the tables"
        kenmerk, day, sender, belang = one
        asked: dict[str, tuple[str, list[object]]] = {
            "whose kenmerk is it": ("select * from register where kenmerk = %s", [kenmerk]),
            "was it sent before": ("select * from repeat where key = %s", [kenmerk]),
            "statuses of a process": (
                "select code, at from status where kenmerk = %s and day = %s order by seq",
                [kenmerk, day],
            ),
            "processes with something new": (
                "select kenmerk, day from process where sender = %s and belang = %s and unread"
                " order by accepted_at, kenmerk limit 50",
                [sender, belang],
            ),
            "jobs that are due": (
                "select id from job where lane = %s and due_at <= now() and fence is null"
                " order by due_at, id limit 64",
                ["local"],
            ),
        }
        return [
            (what, "\n".join(r[0] for r in conn.execute("explain (analyze, buffers) " + q, p)))
            for what, (q, p) in asked.items()
        ]


if __name__ == "__main__":
    begin = time.monotonic()
    fill(sys.argv[1], int(float(sys.argv[2])), datetime.now(UTC))
    sys.stdout.write(f"filled in {time.monotonic() - begin:.0f} s\n")
    for name, plan in plans(sys.argv[1]):
        sys.stdout.write(f"\n{name}\n{plan}\n")
