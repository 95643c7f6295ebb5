"""A backup restored into a second server, and compared with the first: count and hash per table.

The backup is a base backup over the replication protocol (`pg_basebackup`, write-ahead log
included), so it is what PostgreSQL itself would come up from; the second server replays it as
after a crash. Works for the embedded server and for any other that lets our role replicate.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from openpoort.store.postgres.embedded import Embedded, ServerFailed
from openpoort.store.postgres.run_as import RunAs

Connection = psycopg.Connection[Any]
_TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind = 'r' order by 1
"""
_ROWS = "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text from {} t"
"""A sum of hashes does not depend on the order of the rows; equal rows count twice."""
PROGRAM = "pg_basebackup"
_NOT_ASKED = ("dbname", "password", "passfile")
_FIELD = re.compile(r"((?:\\.|[^:\\])*)(?::|$)")
_OWN = {
    "postgresql.conf": "", "postgresql.auto.conf": "", "pg_ident.conf": "",
    "pg_hba.conf": "local all all trust\n",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contents:
    """Table -> (rows, hash)."""

    tables: dict[str, tuple[int, str]]

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
    return Contents(found)


def entries(conn: Connection) -> tuple[int, datetime | None, datetime]:
    """How many entries the journal has, the time of the newest, and the server's own time."""
    row = conn.execute("select count(*), max(at), clock_timestamp() from journal").fetchone()
    assert row is not None
    return int(row[0]), row[1], row[2]


def major(conn: Connection) -> int:
    """Of the server: 15 and the like."""
    return conn.info.server_version // 10000


def back_up(dsn: str, user: RunAs, target: Path, password: str) -> float:
    """A base backup of the server of `dsn` into `target`; seconds it took. Raises ServerFailed.

    `user` is whose programs are used, and under which user.
    """
    parts = {k: str(v) for k, v in conninfo_to_dict(dsn).items() if k not in _NOT_ASKED}
    begin = time.monotonic()
    done = user.run(
        [
            PROGRAM, "-D", str(target), "-d", make_conninfo("", **parts), "-X", "stream",
            "--checkpoint=fast", "--no-password",
        ],
        {"PGPASSWORD": password} if password else {},
    )  # fmt: skip
    if done.returncode:
        raise ServerFailed(
            f"{PROGRAM} failed: {done.stderr.strip()[-1000:]}\nThe role must be allowed to"
            " replicate: `alter role ... replication`, and a line for `replication` in pg_hba.conf"
        )
    return time.monotonic() - begin


def password_of(dsn: str) -> str:
    """What libpq would use for this DSN: named in it, or in its password file; empty for none.

    Looked up for the database: a line of the file that names one does not fit replication.
    """
    parts = {k: str(v) for k, v in conninfo_to_dict(dsn).items()}
    if "password" in parts:
        return parts["password"]
    file = parts.get("passfile") or os.environ.get("PGPASSFILE") or "~/.pgpass"
    wanted = (
        parts.get("host", "localhost"), parts.get("port", "5432"),
        parts.get("dbname", ""), parts.get("user", ""),
    )  # fmt: skip
    try:
        lines = Path(file).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    for line in lines:
        fields = _FIELD.findall(line)[:5]
        if line.startswith("#") or len(fields) < 5:
            continue
        *of, secret = (re.sub(r"\\(.)", r"\1", one) for one in fields)
        if all(have in ("*", want) for have, want in zip(of, wanted, strict=True)):
            return secret
    return ""


def restored(backup: Path, into: Embedded, dsn: str) -> str:
    """Start `into` on a copy of `backup`; its DSN for the same role and database.

    With settings of its own: those of the first may name its certificates, its archive, its
    standby. Who reaches the socket, in a folder of ours alone, needs no password.
    """
    into.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    into.user.prepare(into.folder)
    shutil.move(backup, into.data)
    for name, text in _OWN.items():
        (into.data / name).unlink(missing_ok=True)
        (into.data / name).write_text(text)
        into.user.give(into.data / name)
    into.start()
    return into.dsn(into.database)


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


def messages(conn: Connection) -> int:
    """How many messages the register knows."""
    row = conn.execute("select count(*) from register").fetchone()
    assert row is not None
    return int(row[0])
