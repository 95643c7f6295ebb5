"""A real restore, and a HOME of an earlier version: with messages under way, nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg

from openpoort.app.home import create
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.migrate import Phase, migrate, waiting
from tests.e2e.gateway import Gateway, openpoort, until, vat_return
from tests.process.house import Gate


def sent(gateway: Gateway) -> str:
    sample = (gateway.home / "samples" / "Omzetbelasting.xbrl").read_bytes()
    with gateway.client() as client:
        return client.aanleveren(vat_return(sample)).kenmerk


def ended(gateway: Gateway, kenmerk: str) -> bool:
    shown = openpoort("message", "show", gateway.home, kenmerk, "--json")
    return bool(json.loads(shown.stdout)["state"] == "delivered")


def test_a_gateway_made_from_a_backup_goes_on_with_what_was_under_way(tmp_path: Path) -> None:
    """Taken while it runs without a worker, so that a message waits; then the machine is lost."""
    first = Gateway(tmp_path / "first", arguments=("--port", "0", "--only", "door"))
    create(first.home)
    first.start()
    kenmerk = sent(first)
    made = openpoort("backup", first.home, "--to", tmp_path / "backup", "--json")
    assert made.returncode == 0, made.stderr
    after = sent(first)
    assert first.stop() == 0

    second = Gateway(tmp_path / "second")
    done = openpoort("restore", tmp_path / "backup", "--home", second.home, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["messages"] == 1
    assert openpoort("restore", tmp_path / "backup", "--home", second.home).returncode == 2
    second.start()
    until(lambda: ended(second, kenmerk))
    assert openpoort("message", "show", second.home, after).returncode == 1
    assert openpoort("journal", "verify", second.home).returncode == 0
    assert second.stop() == 0


def test_a_database_of_the_version_before_is_upgraded_with_messages_under_way(
    dsn: str, postgres: Embedded
) -> None:
    """Its tables are those of before look-up rows; its message was taken in then."""
    gate = Gate(dsn)
    kenmerk = gate.send()
    with gate.store.connect() as conn:
        conn.execute("drop table lookup, lookup_state")
        conn.execute("drop function lookup_word")
        conn.execute("update alembic_version set version_num = '0007'")
    assert "0008" in waiting(dsn)
    assert "0008" in migrate(dsn, Phase.BEFORE)
    gate.work()
    assert gate.codes(kenmerk)[-1] == "500"
    with psycopg.connect(dsn, autocommit=True) as conn:
        from openpoort.store.messages import find, lookup

        assert lookup.catch_up(conn) == 0
        [line] = find.find(conn, find.Asked(states=("delivered",)))
    assert str(line.kenmerk) == kenmerk
    gate.close()
