"""A streaming replica of an embedded server, and what one does with it in a failover.

For drills and measurements; in production Patroni or a managed service does this. Everything is
PostgreSQL's own: a base backup, `standby.signal`, `synchronous_standby_names`, `pg_promote`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from openpoort.store.postgres.backups import back_up, password_of
from openpoort.store.postgres.embedded import Embedded, ServerFailed
from openpoort.store.postgres.postmaster import current, processes_in

NAME = "standby"
_SECONDS = 30.0


def follow(primary: Embedded, standby: Embedded, via: int | None = None) -> None:
    """Make `standby` a replica of `primary` and start it; it streams when this returns.

    `via` is the port at which it finds the primary, when that is not the primary's own.
    Raises ServerFailed.
    """
    standby.folder.mkdir(mode=0o700, parents=True)
    standby.user.prepare(standby.folder)
    shutil.copy(primary.folder / "pgpass", standby.folder / "pgpass")
    back_up(primary.dsn(), standby.user, standby.data, password_of(primary.dsn()))
    # A copy of its own: the server's user need not be able to look into the folder.
    password = standby.data.parent / "replication-password"
    password.touch(mode=0o600)
    password.write_text((primary.folder / "pgpass").read_text())
    standby.user.give(password)
    signal_file = standby.data / "standby.signal"
    signal_file.touch()
    standby.user.give(signal_file)
    standby.extra["primary_conninfo"] = (
        f"host=127.0.0.1 port={via or primary.port} user=openpoort passfile={password}"
        f" application_name={NAME}"
    )
    standby.start()
    streams(primary)


def streams(primary: Embedded) -> None:
    """Wait until the standby does. Raises ServerFailed."""
    _until(lambda: bool(_senders(primary)), "the standby does not stream")


def configure(primary: Embedded, *, synchronous: bool, commit: str = "on") -> None:
    """From now on commits wait for the standby, as `synchronous_commit` says, or do not.

    Sessions that are open follow; when it is to wait, the standby is known as synchronous when
    this returns.
    """
    with psycopg.connect(primary.dsn("postgres"), autocommit=True) as conn:
        for name, value in (
            ("synchronous_standby_names", NAME if synchronous else ""),
            ("synchronous_commit", commit),
        ):
            conn.execute(
                sql.SQL("alter system set {} = {}").format(sql.Identifier(name), sql.Literal(value))
            )
        conn.execute("select pg_reload_conf()")
    if synchronous:
        _until(lambda: "sync" in _senders(primary).values(), "the standby is not synchronous")


def promote(standby: Embedded) -> float:
    """Make it the primary; seconds until it takes writes. Raises ServerFailed."""
    begin = time.monotonic()
    with psycopg.connect(standby.dsn("postgres"), autocommit=True) as conn:
        row = conn.execute("select pg_promote(true, 60)").fetchone()
    if row != (True,):
        raise ServerFailed("the standby could not be promoted")
    return time.monotonic() - begin


def caught_up(primary: Embedded) -> None:
    """Wait until the standby has all that is committed now. Raises ServerFailed."""
    with psycopg.connect(primary.dsn("postgres"), autocommit=True) as conn:
        row = conn.execute("select pg_current_wal_flush_lsn()").fetchone()
        assert row is not None
        asked = "select bool_and(flush_lsn >= %s) from pg_stat_replication"
        _until(lambda: conn.execute(asked, row).fetchone() == (True,), "the standby lags")


def hold_back(primary: Embedded) -> None:
    """Freeze what sends the log to the standby: from now on that one lags."""
    for pid in _senders(primary):
        os.kill(pid, signal.SIGSTOP)


def kill(server: Embedded) -> None:
    """SIGKILL to all its processes at once, as when its machine loses power."""
    _signal(server.data, signal.SIGKILL)


def freeze(server: Embedded) -> None:
    """SIGSTOP to all its processes: connections stay open and say nothing."""
    _signal(server.data, signal.SIGSTOP)


def thaw(server: Embedded) -> None:
    _signal(server.data, signal.SIGCONT)


def holds(server: Embedded, kenmerken: Sequence[str]) -> list[str]:
    """Which of these messages stand on `server`, old primary or not."""
    with psycopg.connect(server.dsn()) as conn:
        rows = conn.execute(
            "select kenmerk::text from register where kenmerk = any(%s::uuid[])", [list(kenmerken)]
        ).fetchall()
    return [row[0] for row in rows]


def _signal(data: Path, number: int) -> None:
    """To the postmaster first: it starts no others then."""
    head = current(data)
    pids = processes_in(data)
    first = [head.pid] if head is not None else []
    for pid in [*first, *(p for p in pids if p not in first)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    for pid in set(processes_in(data)) - {*pids, *first}:  # started meanwhile
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _senders(primary: Embedded) -> dict[int, str]:
    """Pid -> `async`, `sync` or `potential` of those that stream to a standby."""
    with psycopg.connect(primary.dsn("postgres"), autocommit=True) as conn:
        return dict(
            conn.execute(
                "select pid, sync_state from pg_stat_replication where application_name = %s"
                " and state = 'streaming'",
                [NAME],
            ).fetchall()
        )


def _until(holds: Callable[[], bool], problem: str) -> None:
    end = time.monotonic() + _SECONDS
    while not holds():
        if time.monotonic() > end:
            raise ServerFailed(problem)
        time.sleep(0.05)
