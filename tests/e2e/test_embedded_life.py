"""The embedded PostgreSQL through everything that happens to a server: kill, stale files, odd
users, two at once. Each test says what a user would have done."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from openpoort.store.postgres import run_as
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.postmaster import current


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def pid_of(server: Embedded) -> int:
    found = current(server.data)
    assert found is not None
    return found.pid


def works(server: Embedded) -> bool:
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        return conn.execute("select 1").fetchone() == (1,)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Embedded]:
    made = Embedded(tmp_path / "postgres")
    yield made
    made.stop()
    left = current(made.data) if (made.folder / "data").exists() or made._as else None
    if left:
        os.kill(left.pid, signal.SIGKILL)


def test_socket_and_password_are_private(server: Embedded) -> None:
    server.start()
    sockets = Path((server.folder / "sockets").read_text().strip())
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert (server.folder / "pgpass").stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"host={sockets} user=openpoort dbname=postgres passfile=/dev/null")


def test_durability_is_on_and_the_settings_are_ours(server: Embedded) -> None:
    with psycopg.connect(server.start()) as conn:
        shown = {
            name: conn.execute(f"show {name}").fetchone()[0]  # type: ignore[index]  # one row
            for name in ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses")
        }
        assert conn.execute("show data_checksums").fetchone() == ("on",)
        assert conn.execute("show timezone").fetchone() == ("UTC",)
    assert shown == {
        "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
        "listen_addresses": "",
    }  # fmt: skip


def test_second_user_joins_and_the_last_one_out_stops_it(server: Embedded) -> None:
    server.start()
    first = pid_of(server)
    other = Embedded(server.folder)
    other.start()
    assert pid_of(other) == first
    server.stop()
    assert works(other)
    other.stop()
    assert current(server.data) is None


def test_two_that_start_at_once_share_one_server(server: Embedded) -> None:
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from openpoort.store.postgres.embedded import Embedded
        from openpoort.store.postgres.postmaster import current
        server = Embedded(Path(sys.argv[1]))
        server.start()
        print(current(server.data).pid, flush=True)
        sys.stdin.read()
        server.stop()
        """
    )
    command = [sys.executable, "-c", program, str(server.folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **pipes) for _ in range(2)]  # type: ignore[call-overload]  # keywords in one place
    pids = {one.stdout.readline() for one in both}
    for one in both:
        one.communicate(timeout=60)
        assert one.returncode == 0
    assert len(pids) == 1
    assert current(server.data) is None


def test_postmaster_killed_in_mid_work_comes_back_with_what_was_committed(server: Embedded) -> None:
    with psycopg.connect(server.start(), autocommit=True) as conn:
        conn.execute("create table kept (n int)")
        conn.execute("insert into kept select generate_series(1, 1000)")
        open_one = psycopg.connect(server.dsn())
        open_one.execute("insert into kept values (-1)")
        os.kill(pid_of(server), signal.SIGKILL)
        until(lambda: not server.alive())
        assert server.ensure()
    open_one.close()
    with psycopg.connect(server.dsn()) as conn:
        assert conn.execute("select count(*), min(n) from kept").fetchone() == (1000, 1)


def test_server_of_a_killed_owner_is_adopted_and_stopped(server: Embedded) -> None:
    program = (
        "import sys, time; from pathlib import Path;"
        "from openpoort.store.postgres.embedded import Embedded;"
        "Embedded(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program, str(server.folder)], stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    orphan = pid_of(server)
    owner.kill()
    owner.communicate()
    server.start()
    assert pid_of(server) == orphan
    server.stop()
    assert current(server.data) is None


@pytest.mark.parametrize("content", ["", "garbage\n", "{self}\n", "999999999\n", "{zombie}\n"])
def test_stale_pid_file_does_not_stop_the_start(server: Embedded, content: str) -> None:
    server.start()
    server.stop()
    zombie = os.fork()
    if zombie == 0:
        os._exit(0)
    try:
        until(lambda: "Z" in Path(f"/proc/{zombie}/stat").read_text().rpartition(")")[2])
        file = server.data / "postmaster.pid"
        file.write_text(content.format(self=os.getpid(), zombie=zombie))
        server.start()
        assert works(server)
    finally:
        os.waitpid(zombie, 0)


def test_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    server = Embedded(tmp_path / ("long" * 25) / "postgres")
    try:
        server.start()
        sockets = Path((server.folder / "sockets").read_text().strip())
        assert len(str(sockets)) < 90
        assert sockets.stat().st_mode & 0o777 == 0o700
        assert works(server)
    finally:
        server.stop()
    assert not sockets.exists()


def test_odd_locale_and_pg_variables_do_not_matter(
    server: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "LANG": "nl_NL.UTF-8", "LC_ALL": "xx_YY", "LC_COLLATE": "nl_NL", "TZ": "Mars/Olympus",
        "PGDATA": "/nowhere", "PGPORT": "1", "PGOPTIONS": "",
    }.items():  # fmt: skip
        if name != "PGPORT":
            monkeypatch.setenv(name, value)
    server.start()
    assert works(server)


def test_modes_of_other_folders_stay_as_they_are(tmp_path: Path) -> None:
    parent = tmp_path / "private"
    parent.mkdir(mode=0o700)
    server = Embedded(parent / "postgres")
    try:
        server.start()
        assert parent.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()


def test_half_made_cluster_is_made_again(server: Embedded) -> None:
    server.folder.mkdir(parents=True)
    server.user.prepare(server.folder)
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("18\n")
    server.start()
    assert works(server)


def _as_user(uid: int, folder: str, environment: dict[str, str]) -> None:
    """In a child: become `uid` without HOME and use the server."""
    os.environ.clear()
    os.environ.update(environment)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    server = Embedded(Path(folder) / "postgres")
    server.start()
    good = works(server)
    server.stop()
    os._exit(0 if good else 1)


def _reachable(path: Path) -> bool:
    return all(p.stat().st_mode & 0o005 == 0o005 for p in [path, *path.parents])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("uid", [65534, 54321], ids=["nobody", "no-passwd-entry"])
def test_ordinary_users_without_a_home(uid: int) -> None:
    if not _reachable(Path(sys.executable)) or not _reachable(run_as.binaries()):
        pytest.skip("another user cannot look into the folder of this environment")
    if uid == 54321 and run_as.namespace() is None:
        pytest.skip("user namespaces are not permitted here")
    folder = Path(tempfile.mkdtemp(prefix="op-test-"))
    os.chown(folder, uid, uid)
    child = multiprocessing.get_context("fork").Process(
        target=_as_user, args=(uid, str(folder), {"PATH": os.environ["PATH"]})
    )
    child.start()
    child.join(120)
    assert child.exitcode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as an own user")
def test_root_without_namespaces_runs_it_as_an_own_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state folder lies where the other user can reach it: /var/lib on a real machine."""
    state = Path(tempfile.mkdtemp(prefix="op-state-"))
    state.chmod(0o755)
    monkeypatch.setattr(run_as, "namespace", lambda: None)
    monkeypatch.setattr(run_as, "_STATE", state)
    monkeypatch.setattr(run_as, "_USER", "nobody")  # instead of adding a user to this machine
    home = tmp_path / "closed"
    home.mkdir(mode=0o700)
    server = Embedded(home / "postgres")
    try:
        server.start()
        assert works(server)
        assert server.data.is_relative_to(state)
        assert server.data.stat().st_uid == server.user.other.pw_uid  # type: ignore[union-attr]  # as root it is another
        assert home.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
        with contextlib.suppress(OSError):
            shutil.rmtree(state)


def test_socket_lock_of_a_dead_server_is_no_obstacle(tmp_path: Path) -> None:
    """PostgreSQL believes the lock when its pid lives, whoever that is: a zombie, or a stranger."""
    server = Embedded(tmp_path / "postgres")
    server.start()
    server.stop()
    lock = tmp_path / "postgres" / "run" / ".s.PGSQL.5432.lock"
    lock.write_text(f"{os.getppid()}\n{tmp_path}\n0\n5432\n\n")
    again = Embedded(tmp_path / "postgres")
    with psycopg.connect(again.start()) as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    again.stop()
