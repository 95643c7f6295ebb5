"""Retention: what goes when, by turning the clock; what stays, and the proof that it went."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openpoort.cli import main
from openpoort.domain.journal import JournalEntry
from openpoort.operate.retention import CLASSES, Kept, Outcome, run
from openpoort.process.ports import DeliveryFailed
from openpoort.store.journal import journal, sequencer
from openpoort.store.journal.audit import Report, audit
from openpoort.store.messages import retention
from openpoort.store.messages.retention import Dropped
from openpoort.store.postgres import partitions
from tests.process.house import START, Gate

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def retain(gate: Gate, days: int, *, dry: bool = False) -> list[Outcome]:
    with gate.store.connect() as conn:
        return run(conn, gate.house.kinds, START + timedelta(days=days), dry=dry)


def dropped(outcomes: list[Outcome]) -> dict[str, int]:
    return {o.partition[:-9]: o.rows for o in outcomes if isinstance(o, Dropped) and o.rows}


def proofs(gate: Gate) -> list[dict[str, Any]]:
    with gate.store.connect() as conn:
        rows = conn.execute("select entry from journal order by id").fetchall()
    said = [json.loads(entry) for (entry,) in rows]
    return [one["data"] for one in said if one["kind"] == "retention.deleted"]


def audited(gate: Gate) -> Report:
    with gate.store.connect() as conn:
        while (placed := sequencer.step(conn)) is None or placed.more:
            pass
        sequencer.sign(conn, KEY, "openpoort", datetime.now(UTC))
        with conn.transaction():
            return audit(conn, KEY.public_key())


def test_content_goes_after_its_term_and_statuses_stay(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    codes = gate.codes(kenmerk)
    assert dropped(retain(gate, 90)) == {}
    gone = retain(gate, 100)
    assert dropped(gone)["request"] == 1
    assert [o for o in gone if isinstance(o, Kept)] == []
    assert gate.count("request") == gate.count("payload") == 0
    assert gate.codes(kenmerk) == codes
    [proof] = [p for p in proofs(gate) if p["table"] == "request"]
    assert (proof["rows"], proof["from"], len(proof["digest"])) == (1, "2026-11-23", 64)


def test_statuses_and_keys_go_after_theirs_and_the_kenmerk_is_unknown(gate: Gate) -> None:
    gate.send()
    gate.work()
    retain(gate, 800)
    for table in (*CLASSES["payload"], *CLASSES["status"], "register", "repeat"):
        assert gate.count(table) == 0, table
    assert audited(gate).problems == ()


def test_a_message_that_has_not_ended_keeps_its_week(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("down")
    gate.send()
    gate.work()
    kept = retain(gate, 800)
    whys = {o.why for o in kept if isinstance(o, Kept)}
    assert whys == {"1 messages of that week have not ended"}
    assert gate.count("request") == gate.count("register") == 1


def test_a_hold_keeps_everything_until_it_is_lifted(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    with gate.store.connect() as conn:
        assert retention.hold(conn, kenmerk, "jurist", "zaak 12", START)
        assert not retention.hold(conn, kenmerk, "jurist", "zaak 12", START)
        monday = START.date() - timedelta(days=START.weekday())
        assert retention.drop_week(conn, "request", monday, START) is None
    assert {o.why for o in retain(gate, 800) if isinstance(o, Kept)} == {
        "1 messages of that week are on hold"
    }
    assert gate.count("request") == 1
    with gate.store.connect() as conn:
        assert retention.lift(conn, kenmerk, "jurist", START)
        assert not retention.lift(conn, kenmerk, "jurist", START)
    retain(gate, 800)
    assert gate.count("request") == gate.count("message") == 0


def test_processes_and_their_keys_go_together_or_not_at_all(gate: Gate) -> None:
    gate.send()
    gate.work()
    with gate.store.connect() as conn:
        assert retention.drop_week(conn, "process", START.date(), START)
    assert gate.count("register") == gate.count("repeat") == 0
    tables = {proof["table"] for proof in proofs(gate)}
    assert tables == {"process", "register"}


def test_a_run_that_was_killed_between_the_two_is_finished_by_the_next(gate: Gate) -> None:
    """As a version that dropped the processes and then, apart, forgot the keys could leave it."""
    gate.send()
    gate.work()
    with gate.store.connect() as conn:
        partitions.drop(conn, "process", START.date())
    gate.wall.turn(weeks=4)
    gate.send()
    retain(gate, 30)
    assert gate.count("register") == gate.count("repeat") == 1


def test_each_deletion_is_told_when_it_is_done(gate: Gate) -> None:
    """Who is killed has told of all that went before."""
    gate.send()
    gate.work()
    told: list[str] = []

    class Killed(BaseException):
        pass

    def tell(one: Outcome) -> None:
        told.append(one.partition)
        if one.partition == "request_20261123":
            raise Killed

    with gate.store.connect() as conn, pytest.raises(Killed):
        run(conn, gate.house.kinds, START + timedelta(days=800), tell=tell)
    assert told[-1] == "request_20261123"
    assert gate.count("request") == 0
    assert gate.count("status") > 0
    retain(gate, 800)
    assert gate.count("status") == gate.count("register") == 0


def test_a_dry_run_drops_nothing(gate: Gate) -> None:
    gate.send()
    gate.work()
    before = gate.count("journal")
    named = {o.partition for o in retain(gate, 800, dry=True)}
    assert "request_20261123" in named
    assert (gate.count("request"), gate.count("journal")) == (1, before)


def write_month(conn: psycopg.Connection[Any], month: datetime, count: int) -> None:
    journal.ahead(conn, month, 1)
    entries = [JournalEntry("step", month + timedelta(days=n), "gateway") for n in range(count)]
    with conn.transaction():
        journal.add(conn, entries)


def test_journal_content_goes_by_month_and_the_tree_still_verifies(gate: Gate) -> None:
    first, second = datetime(2014, 3, 1, tzinfo=UTC), datetime(2014, 4, 1, tzinfo=UTC)
    with gate.store.connect() as conn:
        write_month(conn, first, 5)
        write_month(conn, second, 3)
        unplaced = run(conn, gate.house.kinds, START)
        assert {o.partition for o in unplaced if isinstance(o, Kept)} >= {"journal_201403"}
        assert audited(gate).problems == ()
        gone = run(conn, gate.house.kinds, START)
    assert {o.partition: o.rows for o in gone if isinstance(o, Dropped)} == {
        "journal_201403": 5, "journal_201404": 3,
    }  # fmt: skip
    report = audited(gate)
    assert (report.problems, report.size, report.covered) == ((), 10, 10)
    assert proofs(gate)[-1]["months"] == {"2014-03": 5, "2014-04": 3}


def test_a_month_deleted_without_proof_is_named(gate: Gate) -> None:
    with gate.store.connect() as conn:
        write_month(conn, datetime(2014, 3, 1, tzinfo=UTC), 5)
        audited(gate)
        conn.execute("drop table journal_201403")
    assert {p.what for p in audited(gate).problems} == {"row-missing"}


def test_more_deleted_than_proven_is_named(gate: Gate) -> None:
    month = datetime(2014, 3, 1, tzinfo=UTC)
    with gate.store.connect() as conn:
        write_month(conn, month, 5)
        audited(gate)
        conn.execute("set session_replication_role = replica")
        conn.execute("delete from journal_201403 where id = 2")
        assert retention.drop_month(conn, month.date(), START) == Dropped("journal_201403", 4)
    assert {p.what for p in audited(gate).problems} == {"row-missing"}


def test_commands(gate: Gate, dsn: str, tmp_path: Path) -> None:
    (tmp_path / "openpoort.toml").write_text(f"[database]\nurl = {json.dumps(dsn)}\n")
    kenmerk = gate.send()
    gate.work()

    def typed(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, [*words, "--home", str(tmp_path)])
        return result.exit_code, result.output

    assert typed("retention", "--at", "2099-01-01")[0] == 2
    code, said = typed("retention", "--at", "2099-01-01", "--dry-run")
    assert code == 0
    assert "request_20261123: would go" in said
    assert typed("hold", "set", kenmerk, "--reason", "zaak 12")[0] == 0
    assert typed("hold", "set", kenmerk, "--reason", "zaak 12")[0] == 1
    assert kenmerk in typed("hold", "list")[1]
    code, said = typed("retention", "--at", "2099-01-01", "--dry-run", "--json")
    assert code == 1
    assert "on hold" in json.loads(said.splitlines()[-1])["kept"]["request_20261123"]
    assert typed("hold", "lift", kenmerk)[0] == 0
    assert typed("hold", "lift", kenmerk)[0] == 1
    assert typed("retention")[0] == 0
    events = (tmp_path / "security.log").read_text().splitlines()
    assert [json.loads(e)["hold"] for e in events] == ["set", "lifted"]
