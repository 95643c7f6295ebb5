"""The same schedule on the simulated database and on a real PostgreSQL, statement by statement.

A simulated store proves nothing by itself. Here every statement that the simulation answers is
also put to PostgreSQL, on a connection of its own for each session, at the moment at which the
simulated one has its locks; the answers must be the same, and at the end every table, row for
row. The clock of the server is simulated on both sides; a lock that only PostgreSQL waits for
ends in a time-out, which is a difference too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg

from openpoort.store.postgres import partitions
from openpoort.store.postgres.migrate import migrate
from openpoort_lab.simulation.connection import Connection
from openpoort_lab.simulation.database import Blocked, Transaction
from openpoort_lab.simulation.gateway import Site
from openpoort_lab.simulation.host import Host
from openpoort_lab.simulation.rows import ROWS
from openpoort_lab.simulation.scheduler import START
from openpoort_lab.simulation.statements import Held
from openpoort_lab.simulation.world import LONGEST, World, uncollected

_NOT_COMPARED = frozenset({"listen", "notify", "set patience", "journal"})
"""Answers without a meaning; a journal is compared at the end."""
_CLOCK = """
create schema if not exists simulated;
create or replace function simulated.clock_timestamp() returns timestamptz language sql volatile
    as $$ select current_setting('simulated.now')::timestamptz $$
"""
_JSON = frozenset({"documents", "data", "cuts"})


class Different(AssertionError):
    """PostgreSQL and the simulation do not agree."""


class Twin:
    """The real side. `watch` sees whether sessions have ended."""

    def __init__(self, dsn: str) -> None:
        migrate(dsn)
        self.dsn = dsn
        self.statements = 0
        self._sessions: list[psycopg.Connection[Any]] = []
        self.watch = self.session()
        row = self.watch.execute("select count(*) from register").fetchone()
        if row is None or row[0]:
            raise Different("the database to compare with must be empty")
        self.watch.execute(_CLOCK)
        first = datetime.fromtimestamp(START, UTC).date()
        partitions.ensure(self.watch, first, int(LONGEST // (7 * 86400)) + 1)

    def connect(self, site: Site, host: Host) -> _Both:
        return _Both(self, site, host)

    def session(self) -> psycopg.Connection[Any]:
        self._sessions.append(psycopg.connect(self.dsn, autocommit=True))
        return self._sessions[-1]

    def end(self) -> None:
        for session in self._sessions:
            session.close()

    def rows_differ(self, world: World) -> int:
        """How many rows were compared. Raises Different."""
        compared = 0
        for table in world.database.tables:
            # Lines of one statement may get their numbers in another order.
            fields = ROWS[table.name]._fields[1 if table.name == "journal" else 0 :]
            found = self.watch.execute(f"select {', '.join(fields)} from {table.name}").fetchall()
            ours = [_parsed(fields, value[-len(fields) :]) for value in table.values()]
            _same(f"table {table.name}", found, ours)
            compared += len(ours)
        return compared


class _Both(Connection):
    """A simulated session and a real one."""

    def __init__(self, twin: Twin, site: Site, host: Host) -> None:
        super().__init__(site.database, host, site.troubles)
        self._twin = twin
        self._real = twin.session()
        self._real.execute("set search_path = simulated, public, pg_catalog")
        self._real.execute("set lock_timeout = '3s'; set statement_timeout = '20s'")
        self._real.execute("set synchronous_commit = off")  # what is compared needs no disk

    def answer(self, transaction: Transaction, text: str, name: str, handler: Any, p: Any) -> Any:
        try:
            ours = handler(transaction, p)
        except (Blocked, Held):
            raise
        except psycopg.Error as error:
            self._fails(text, p, error)
            raise
        theirs = self._ask(name, text, p)
        if name not in _NOT_COMPARED:
            if isinstance(ours, int):
                _same(name, [(self._count,)], [(ours,)])
            else:
                _same(name, theirs, ours)
        return ours

    def say(self, command: str) -> None:
        self._real.execute(command)

    def cut(self) -> None:
        ended = self._ended
        super().cut()
        if not ended:
            pid = self._real.info.backend_pid
            self._real.close()
            _gone(self._twin.watch, pid)

    def _ask(self, name: str, text: str, p: Any) -> list[Any]:
        self._twin.statements += 1
        if "clock_timestamp" in text:
            now = self._db.clock().isoformat()
            self._real.execute("select set_config('simulated.now', %s, false)", [now])
        try:
            cursor = self._real.execute(text, p)
        except psycopg.Error as error:
            raise Different(f"{name}: PostgreSQL refuses: {error}") from error
        self._count = cursor.rowcount
        return cursor.fetchall() if cursor.description else []

    def _fails(self, text: str, p: Any, error: psycopg.Error) -> None:
        """The simulation fails: PostgreSQL must fail in the same way."""
        try:
            self._real.execute(text, p)
        except type(error):
            return
        raise Different(f"only the simulation fails: {error}") from error


def compare(dsn: str, seed: int, messages: int) -> dict[str, Any]:
    """Play the world of `seed` on both; what was compared, and what differs under `broken`."""
    twin = Twin(dsn)
    found: dict[str, Any] = {"seed": seed, "messages": messages, "broken": ""}
    with uncollected():
        world = World(seed, messages, connect=twin.connect)
        try:
            found["digest"] = world.run().digest
            found["rows"] = twin.rows_differ(world)
        except Exception as error:  # noqa: BLE001 - reported by who asked
            found["broken"] = f"{type(error).__name__}: {error}"
        world.end()
    twin.end()
    found["statements"] = twin.statements
    return found


def _gone(watch: psycopg.Connection[Any], pid: int) -> None:
    """Wait for a server process to end: only then its locks are free."""
    end = time.monotonic() + 20
    while watch.execute("select 1 from pg_stat_activity where pid = %s", [pid]).fetchone():
        if time.monotonic() > end:
            raise Different("a session of PostgreSQL does not end")
        time.sleep(0.001)


def _parsed(fields: Iterable[str], value: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(
        json.loads(v) if f in _JSON and isinstance(v, str) else v
        for f, v in zip(fields, value, strict=True)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(value[k]) for k in sorted(value)}
    return value


def _same(what: str, theirs: Iterable[Any], ours: Iterable[Any]) -> None:
    """Equal as sets of rows."""
    left, right = sorted(repr(_plain(r)) for r in theirs), sorted(repr(_plain(r)) for r in ours)
    if left != right:
        only = [f"PostgreSQL has {r}" for r in left if r not in right]
        only += [f"the simulation has {r}" for r in right if r not in left]
        raise Different(f"{what}: {'; '.join(only)[:1500] or 'another number of equal rows'}")
