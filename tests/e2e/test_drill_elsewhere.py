"""The restore drill on a PostgreSQL of one's own, of another version, and when it is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from openpoort.app.home import create
from openpoort.store.postgres.backups import password_of
from openpoort.store.postgres.migrate import migrate
from openpoort.store.postgres.postmaster import Postmaster, processes_in
from openpoort.store.postgres.programs import fitting, version
from openpoort.store.postgres.run_as import RunAs, binaries, choose
from openpoort.store.postgres.scratch import scratch
from openpoort_lab.bench.gateway import free_port
from tests.e2e.gateway import Gateway, openpoort, until

OWN = Path("/usr/lib/postgresql/15/bin")
SECRET = "een wacht:woord met \\ tekens"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """PostgreSQL 15 as a distribution sets it up: configuration apart from the data, settings
    that a copy must not follow, a role of another name. Its DSN."""
    if not (OWN / "postgres").exists():
        pytest.skip("PostgreSQL 15 is not installed (Debian: postgresql-15)")
    run = choose(tmp_path / "own")
    run = RunAs(run.words, run.other, run.state, OWN)
    data, apart = run.data(tmp_path / "own"), tmp_path / "etc"
    run.prepare(tmp_path / "own")
    apart.mkdir()
    (apart / "first").write_text(SECRET)
    made = run.run(["initdb", "-D", str(data), "-U", "poort", "--auth=scram-sha-256",
                    f"--pwfile={apart / 'first'}", "--encoding=UTF8", "--locale=C"])  # fmt: skip
    assert made.returncode == 0, made.stderr
    for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
        (data / name).rename(apart / name)
    with (apart / "pg_hba.conf").open("a") as rules:
        rules.write("host replication all 127.0.0.1/32 scram-sha-256\n")
    port = free_port()
    words = ["postgres", "-D", str(data), f"--config-file={apart / 'postgresql.conf'}",
             f"--hba_file={apart / 'pg_hba.conf'}", f"--ident_file={apart / 'pg_ident.conf'}",
             "-h", "127.0.0.1", "-p", str(port), "-k", str(tmp_path)]  # fmt: skip
    with (tmp_path / "server.log").open("ab") as log:
        process = run.popen(words, log)
    # One line, as the Compose page writes it: host, port, database and role are named.
    line = f"127.0.0.1:{port}:poortdb:poort:" + SECRET.replace("\\", "\\\\").replace(":", "\\:")
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"other:{port}:poortdb:poort:x\n{line}\n")
    passfile.chmod(0o600)
    dsn = f"host=127.0.0.1 port={port} user=poort dbname=poortdb passfile={passfile}"

    def up() -> bool:
        try:
            first = psycopg.connect(
                host="127.0.0.1", port=port, user="poort", dbname="postgres", password=SECRET,
                autocommit=True,
            )  # fmt: skip
        except psycopg.OperationalError:
            assert process.poll() is None, (tmp_path / "server.log").read_text()
            return False
        with first:
            first.execute("create database poortdb")
            # What a copy that followed them would hang on, refuse to start with, or write into.
            for name, value in (("synchronous_standby_names", "gone"), ("archive_mode", "on"),
                                ("ssl_cert_file", "/nowhere.pem"), ("log_directory", "/nowhere"),
                                ("shared_preload_libraries", "nothing")):  # fmt: skip
                first.execute(f"alter system set {name} = '{value}'")
        return True

    until(up)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("alter role poort set synchronous_commit = local")
    yield dsn
    process.send_signal(2)
    process.wait(30)


def drilled(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return openpoort(
        "restore-drill", home, "--json", *words, env={**os.environ, **environment}
    )  # fmt: skip


def test_the_drill_works_with_a_server_of_ones_own_version_and_its_password_file(
    server: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    create(home)
    migrate(server)
    temp = tmp_path / "temp"
    temp.mkdir()
    done = drilled(home, OPENPOORT_DATABASE_URL=server, TMPDIR=str(temp))
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["equal"]
    assert found["tables"] > 20
    assert list(temp.iterdir()) == []
    with psycopg.connect(server) as conn:
        kinds = conn.execute("select convert_from(entry, 'UTF8') from journal").fetchall()
    assert any('"restore.drilled"' in kind for (kind,) in kinds)
    wrong = drilled(home, "--programs", str(binaries()), OPENPOORT_DATABASE_URL=server)
    assert wrong.returncode == 2
    assert "the server is PostgreSQL 15; the programs in" in wrong.stderr
    assert "are of PostgreSQL 18" in wrong.stderr


def test_a_version_that_is_not_installed_is_named_with_what_to_install(tmp_path: Path) -> None:
    from openpoort.store.postgres.embedded import ServerFailed

    ours = version(binaries())
    assert ours is not None
    assert fitting(ours) == binaries()
    with pytest.raises(ServerFailed, match=r"PostgreSQL 9\d.*Debian: postgresql-9\d.*--programs"):
        fitting(97)
    with pytest.raises(ServerFailed, match="are not all there"):
        fitting(ours, tmp_path)


@pytest.mark.parametrize(
    ("dsn", "found"),
    [
        ("host=db user=openpoort dbname=openpoort", "one"),
        ("host=db port=5433 user=openpoort dbname=openpoort", "two:b"),
        ("host=db user=openpoort dbname=other", "any\\thing"),
        ("host=elsewhere user=openpoort dbname=openpoort", ""),
        ("host=db user=openpoort dbname=openpoort password=named", "named"),
        ("postgresql://openpoort@db/openpoort", "one"),
    ],
)
def test_the_password_is_the_one_that_libpq_would_take(
    tmp_path: Path, dsn: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    file.write_text(
        "# db:5432:openpoort:openpoort:comment\nshort:line\n"
        "db:5432:openpoort:openpoort:one\ndb:5433:*:openpoort:two\\:b\n*:*:other:*:any\\\\thing\n"
    )
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert password_of(dsn) == found


def test_a_drill_that_is_killed_leaves_no_server_and_no_copy(tmp_path: Path) -> None:
    home, temp = tmp_path / "home", tmp_path / "temp"
    temp.mkdir()
    create(home)
    gateway = Gateway(home).start()
    try:
        command = subprocess.Popen(
            [sys.executable, "-m", "openpoort", "restore-drill", str(home)],
            env={**os.environ, "TMPDIR": str(temp)}, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        file = until(lambda: next(iter(temp.glob("op-drill-*/**/postmaster.pid")), None))
        pid = int(until(lambda: file.read_text().split("\n")[0]))
        command.kill()
        command.wait()
        until(lambda: not list(temp.glob("op-drill-*")))
        assert not Postmaster(pid).alive
        assert processes_in(file.parent) == []
        assert openpoort("restore-drill", home).returncode == 0
    finally:
        gateway.stop()


def test_what_a_power_cut_left_is_cleared_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, foreign = tmp_path / "op-test-left", tmp_path / "op-test-foreign"
    for folder in (left, foreign):
        (folder / "restored" / "data").mkdir(parents=True)
    (left / "keeper.lock").touch()
    with scratch("op-test-") as first, scratch("op-test-") as second:
        assert first.is_dir()
        assert second.is_dir()
        assert not left.exists()
        assert foreign.exists()  # nothing says that it is ours
    assert not first.exists()
