"""A real PgBouncer in front of the database: session mode works, transaction mode is told."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from openpoort.app.database import reach
from openpoort.app.health import ready_state
from openpoort.app.home import create
from openpoort.store.postgres import pooler
from openpoort.store.postgres.embedded import Embedded, ServerFailed
from openpoort.store.postgres.migrate import Phase, migrate
from openpoort.store.postgres.primary import connect
from tests.e2e.gateway import free_port, openpoort, until

pytestmark = pytest.mark.skipif(
    shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") is None,
    reason="pgbouncer is not installed (Debian: pgbouncer)",
)

_INI = """
[databases]
{name} = host={host} port={port} dbname={name} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
server_round_robin = {round}
query_wait_timeout = 5
unix_socket_dir =
ignore_startup_parameters = extra_float_digits
"""


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """By TCP: the socket of an embedded server is for its owner alone."""
    server = Embedded(tmp_path_factory.mktemp("pooled") / "postgres", port=free_port())
    found = server.start()
    migrate(found, Phase.BEFORE)
    yield found
    server.stop()


@contextmanager
def bouncer(dsn: str, folder: Path, mode: str, size: int = 20, turns: int = 0) -> Iterator[str]:
    """The DSN of a PgBouncer in front of `dsn`."""
    given = conninfo_to_dict(dsn)
    password = Path(str(given["passfile"])).read_text().strip().rpartition(":")[2]
    listen = free_port()
    folder.mkdir()
    ini = folder / "pgbouncer.ini"
    ini.write_text(
        _INI.format(
            name=given["dbname"], host=given["host"], port=given.get("port", 5432),
            user=given["user"], password=password, listen=listen, mode=mode, size=size, round=turns,
        )
    )  # fmt: skip
    command = [shutil.which("pgbouncer", path="/usr/sbin:/usr/bin"), ini]
    if os.getuid() == 0:  # it refuses to run as root
        for place in (folder, ini):
            shutil.chown(place, "postgres" if _known("postgres") else "nobody")
        for above in folder.parents:
            if above.owner() == getpass.getuser() and above != Path("/"):
                above.chmod(above.stat().st_mode | 0o011)
        command[1:1] = ["-u", folder.owner()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    front = f"host=127.0.0.1 port={listen} dbname={given['dbname']} user=openpoort"
    try:
        until(lambda: _answers(front) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield front
    finally:
        process.terminate()
        process.wait(10)


def _known(user: str) -> bool:
    return any(line.startswith(f"{user}:") for line in Path("/etc/passwd").read_text().splitlines())


def _answers(front: str) -> bool:
    try:
        psycopg.connect(front, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize(
    ("mode", "size", "turns"),
    [("transaction", 20, 0), ("transaction", 20, 1), ("transaction", 1, 0), ("statement", 20, 0)],
)
def test_what_takes_sessions_apart_is_told_at_the_start_and_by_health(
    dsn: str, tmp_path: Path, mode: str, size: int, turns: int
) -> None:
    with bouncer(dsn, tmp_path / "bouncer", mode, size, turns) as front:
        with pytest.raises(ServerFailed, match="pool_mode = session"):
            reach(front)
        state = ready_state(front)
        if mode == "statement":  # there are no transactions to try with
            assert state["journal"] != "ok"
        else:
            assert state["database"] == pooler.WHAT


def test_session_mode_and_the_server_itself_are_fine(dsn: str, tmp_path: Path) -> None:
    fine = {"database": "ok", "journal": "ok"}
    assert ready_state(dsn) == fine
    with bouncer(dsn, tmp_path / "bouncer", "session") as front:
        assert reach(front)
        assert ready_state(front) == fine
        with connect(front) as conn:
            assert not pooler.takes_apart(conn, front)


def test_serve_does_not_start_behind_it(dsn: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    create(home)
    with bouncer(dsn, tmp_path / "bouncer", "transaction") as front:
        environment = {
            **os.environ, "OPENPOORT_DATABASE_URL": front, "OPENPOORT_AGENCY_PORT": "0",
            "OPENPOORT_HEALTH_PORT": "0",
        }  # fmt: skip
        done = openpoort("serve", home, "--port", "0", env=environment)
    assert done.returncode == 1
    assert "pool_mode = session" in done.stderr
    assert done.stdout == ""
