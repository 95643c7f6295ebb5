"""The restore drill on a gateway that holds messages, while it runs and after it stopped."""

from __future__ import annotations

import json
import time
from pathlib import Path

import psycopg
import pytest

from openpoort.app import drill as app
from openpoort.app.home import create
from openpoort.settings import load
from openpoort.settings import load as settings
from openpoort.store.postgres import backups
from tests.e2e.gateway import Gateway, openpoort, until
from tests.e2e.test_serve import hand_in, last_status


def test_backup_of_a_running_gateway_comes_back_and_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create(home)
    gateway = Gateway(home).start()
    try:
        kenmerken = [hand_in(gateway) for _ in range(3)]
        for kenmerk in kenmerken:
            until(lambda kenmerk=kenmerk: last_status(gateway, kenmerk) == "400")
        quiet = openpoort("restore-drill", home, "--json")
        assert quiet.returncode == 0, quiet.stderr + quiet.stdout
        nothing = json.loads(quiet.stdout.splitlines()[-1])
        assert (nothing["rpo_seconds"], nothing["entries_since_backup"]) == (None, 0)

        def load() -> None:
            """What comes after the backup, and would be lost with the server."""
            kenmerk = hand_in(gateway)
            until(lambda: last_status(gateway, kenmerk) == "400")

        begin = time.monotonic()
        found = app.run(settings(home), "test", meanwhile=load).record()
        took = time.monotonic() - begin
        assert found["equal"]
        assert found["entries_since_backup"] >= 10  # accepted, answered, a line a step and a status
        assert 0 < found["rpo_seconds"] < took
        assert 0 < found["backup_age_seconds"] < took
        assert found["rows"] > 30
        assert found["journal_leaves"] > 0
        assert found["rto_seconds"] > 0
        # What a message is made of does not change any more once it has ended.
        assert not {"message", "request", "payload", "register"} & set(found["moved"])
        with psycopg.connect(gateway.dsn) as conn:
            row = conn.execute(
                "select count(*) from journal where entry like %s", [b'%"kind":"restore.drilled"%']
            ).fetchone()
        assert row == (2,)
        said = json.loads(openpoort("measures", home, "--json").stdout.splitlines()[-1])
        names = {m["name"] for m in said["measures"]}
        assert {"restore_drill_rto", "restore_drill_rpo"} <= names
    finally:
        gateway.stop()


def test_a_row_that_did_not_come_back_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup that lost a row: the comparison has to find it, or it proves nothing."""
    home = tmp_path / "home"
    create(home)
    whole = backups.ready

    def damaged(conn: backups.Connection) -> None:
        whole(conn)
        conn.execute("delete from party where oin = (select min(oin) from party)")
        conn.execute(
            "insert into parked (day, kenmerk, step, lane, generation, attempts, since, reason)"
            " values (now(), gen_random_uuid(), '', '', 0, 0, now(), '')"
        )

    monkeypatch.setattr(backups, "ready", damaged)
    known = load(home)
    with app.server(known) as dsn:
        from openpoort.app.starting import apply_directory
        from openpoort.store.postgres.migrate import migrate

        migrate(dsn)
        apply_directory(known, dsn)
        found = app.run(known, "test")
    assert not found.equal
    assert {"parked", "party"} <= set(found.different)
