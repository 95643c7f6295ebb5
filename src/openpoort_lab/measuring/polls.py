"""What asking for what is new costs PostgreSQL, by the number of weeks that are kept.

`python -m openpoort_lab.measuring.polls 9 104` starts a server of its own with 100,000 messages in
nine weeks, all read, and adds empty weeks up to each number. Every poll finds nothing. Processor
time is that of its backend, the median of five rounds, and locks are those of one poll held
together: with no week settled, and then with all but the last ones. One JSON line.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from openpoort.store.messages import closed_weeks, mailbox, reading
from openpoort.store.messages.mailbox import Wanted
from openpoort.store.messages.reading import About
from openpoort.store.postgres import partitions
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.migrate import migrate
from openpoort.store.postgres.primary import connect
from openpoort_lab.bench.fill import fill

MESSAGES, ROUNDS, POLLS = 100_000, 5, 20
READER = "reader"
READ = """
update process set unread = false;
insert into mailbox (day, kenmerk, shown, owner, belang, berichtsoort, at, new_in_list)
select day, kenmerk, kenmerk, sender, belang, berichtsoort, accepted_at, false from process;
insert into seen select day, 'reader', kenmerk, 'status', '{1,2,3}' from process;
insert into seen select day, 'reader', kenmerk, 'list', '{1}' from process;
"""
Poll = Callable[[psycopg.Connection[Any]], int]


def statuses(about: About) -> Poll:
    def poll(conn: psycopg.Connection[Any]) -> int:
        span = reading.span(conn, about)
        page = reading.unread(conn, about, span, [], 25)
        closed_weeks.learn(conn, span, {about.key(): {row[1] for row in page}})
        return len(page)

    return poll


def letters(of: list[str]) -> Poll:
    wanted = Wanted(READER, new=mailbox.LIST, limit=10_001)
    return lambda conn: len(mailbox.own(conn, wanted)) + len(mailbox.others(conn, wanted, of))


def the_polls(dsn: str) -> dict[str, Poll]:
    with connect(dsn) as conn:
        row = conn.execute("select sender, belang, berichtsoort from process limit 1").fetchone()
        assert row is not None
        sender, belang, kind = row
        rows = conn.execute("select distinct belang from process limit 1000").fetchall()
    parties = [row[0] for row in rows]
    return {
        "statuses, of its own": statuses(About(sender, belang, kind, own=True)),
        "statuses, for a party": statuses(About(READER, belang, kind, own=False)),
        "list, for 3 parties": letters(parties[:3]),
        "list, for 1000 parties": letters(parties),
    }


def cost(dsn: str, poll: Poll) -> dict[str, float]:
    """On a connection of its own, after what PostgreSQL keeps was made."""
    with connect(dsn) as conn:
        spent = Path(f"/proc/{conn.info.backend_pid}/schedstat")
        for _ in range(15):
            assert poll(conn) == 0
        rounds = []
        for _ in range(ROUNDS):
            before = int(spent.read_text().split()[0])
            for _ in range(POLLS):
                poll(conn)
            rounds.append((int(spent.read_text().split()[0]) - before) / POLLS / 1e6)
    with connect(dsn) as conn, conn.transaction():
        poll(conn)
        row = conn.execute("select count(*) from pg_locks where pid = pg_backend_pid()").fetchone()
    assert row is not None
    return {"ms": round(median(rounds), 3), "locks": row[0]}


def at(dsn: str, weeks: int, today: date) -> dict[str, Any]:
    """Both ways with so many weeks. Nothing is settled any more afterwards."""
    with connect(dsn) as conn:
        for _ in range(weeks - len(partitions.weeks(conn, "process"))):
            partitions.ensure(conn, partitions.weeks(conn, "process")[0] - timedelta(weeks=1))
        conn.execute("vacuum analyze")
    found = {}
    for how in ("no week settled", "settled"):
        if how == "settled":
            with connect(dsn) as conn:
                closed_weeks.settle(conn, today)
        found[how] = {what: cost(dsn, poll) for what, poll in the_polls(dsn).items()}
    with connect(dsn) as conn:
        conn.execute("update settled set before = default")
        conn.execute("truncate nothing_new")
    return found


def main() -> None:
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        server = Embedded(Path(folder) / "postgres")
        dsn = server.start()
        try:
            migrate(dsn)
            fill(dsn, MESSAGES, now)
            with connect(dsn) as conn:
                for statement in READ.split(";"):
                    conn.execute(statement)
            record = {n: at(dsn, int(n), now.date()) for n in sys.argv[1:]}
        finally:
            server.stop()
    sys.stdout.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
