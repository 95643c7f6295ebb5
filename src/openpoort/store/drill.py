"""A backup restored into a second server, and compared with the first: count and hash per table.

The backup is a base backup over the replication protocol (`pg_basebackup`, write-ahead log
included), so it is what PostgreSQL itself would come up from; the second server replays it as
after a crash. Works for the embedded server and for any other that lets our role replicate.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from openpoort.store.embedded import Embedded, ServerFailed

Connection = psycopg.Connection[Any]
_TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind = 'r' order by 1
"""
_ROWS = "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text from {} t"
"""A sum of hashes does not depend on the order of the rows; equal rows count twice."""
_LAST = "select max(at) from journal"
PROGRAM = "pg_basebackup"


@dataclass(frozen=True, slots=True)
class Contents:
    """Table -> (rows, hash); the time of the newest journal entry."""

    tables: dict[str, tuple[int, str]]
    last: datetime | None

    @property
    def rows(self) -> int:
        return sum(n for n, _ in self.tables.values())

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(sorted(self.tables.items())).encode()).hexdigest()


def contents(conn: Connection) -> Contents:
    """Of all tables, in one snapshot."""
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        found: dict[str, tuple[int, str]] = {}
        for (name,) in conn.execute(_TABLES).fetchall():
            row = conn.execute(sql.SQL(_ROWS).format(sql.Identifier(name))).fetchone()
            assert row is not None
            found[name] = (int(row[0]), str(row[1]))
        last = conn.execute(_LAST).fetchone()
    return Contents(found, last[0] if last else None)


def back_up(dsn: str, own: Embedded, target: Path) -> float:
    """A base backup of the server of `dsn` into `target`; seconds it took. Raises ServerFailed.

    `own` is the server whose programs and user are used (not necessarily the one backed up).
    """
    parts = {k: str(v) for k, v in conninfo_to_dict(dsn).items() if k != "dbname"}
    words = " ".join(f"{k}='{v}'" for k, v in parts.items())
    begin = time.monotonic()
    done = own.user.run(
        [
            PROGRAM,
            "-D",
            str(target),
            "-d",
            words,
            "-X",
            "stream",
            "--checkpoint=fast",
            "--no-password",
        ]
    )
    if done.returncode:
        raise ServerFailed(f"{PROGRAM} failed: {done.stderr.strip()[-1000:]}")
    return time.monotonic() - begin


def restored(backup: Path, into: Embedded, password: Path, dsn: str) -> str:
    """Start `into` on a copy of `backup`; its DSN for the same role and database."""
    into.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    into.user.prepare(into.folder)
    shutil.move(backup, into.data)
    shutil.copy(password, into.folder / "pgpass")
    into.start()
    return into.dsn(str(conninfo_to_dict(dsn).get("dbname", "openpoort")))


def ready(conn: Connection) -> None:
    """The restored server takes a write (rolled back). Raises psycopg.Error."""
    with conn.transaction(force_rollback=True):
        conn.execute("insert into heartbeat (node, at) values ('restore-drill', now())")


def leaves(conn: Connection, size: int | None) -> tuple[int, str]:
    """How many leaves the journal has (of the first `size`), and one hash over theirs in order."""
    row = conn.execute(
        "select count(*), coalesce(md5(string_agg(hash, ''::bytea order by leaf)), '')"
        " from journal_leaf where %s::bigint is null or leaf < %s",
        [size, size],
    ).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])
