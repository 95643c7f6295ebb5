"""The closing balance: it balances, and a difference of one is named by its kenmerk."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from openpoort.app.proofs import closing
from openpoort.cli import main
from openpoort.domain.checkpoint import open_text
from openpoort.domain.finding import Finding, Severity
from openpoort.keys.checkpoint import load_public
from openpoort.process.ports import DeliveryFailed
from openpoort.sandbox import pki
from openpoort.sandbox.agency.archive import COLUMNS
from openpoort.sandbox.directory import starting
from openpoort.store.directory import directory
from tests.process.house import START, Gate, Passes, request

DAY = str(START.date())


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    with gate.store.connect() as conn, conn.transaction():
        directory.apply(conn, starting(), "test", START)
    yield gate
    gate.close()


@pytest.fixture
def home(tmp_path: Path, dsn: str) -> Path:
    (tmp_path / "pki").mkdir()
    pki._checkpoint(tmp_path / "pki")
    (tmp_path / "openpoort.toml").write_text(f"[database]\nurl = {json.dumps(dsn)}\n")
    return tmp_path


def balance(home: Path, *words: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(main, ["balance", str(home), DAY, "--json", *words])
    return result.exit_code, json.loads(result.output.splitlines()[-1])


def named(record: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["kenmerk"], one["what"]) for one in record["differences"]]


def write_list(path: Path, gate: Gate, *, without: str = "", extra: str = "") -> Path:
    """DEMODIENST's own list of what it received."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gate.store.connect() as conn:
        rows = conn.execute(
            "select d.kenmerk::text, m.documents->0->>2 from delivery d join message m"
            " using (kenmerk, day)"
        ).fetchall()
    if extra:
        rows.append((extra, "00" * 32))
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for kenmerk, digest in rows:
            if kenmerk != without:
                out.writerow([START.isoformat(), kenmerk, "k", "b", digest, 1, "", ""])
    return path


def demo_list(home: Path) -> Path:
    return home / "agency" / "demodienst" / "ontvangsten.csv"


def test_one_of_each_balances_and_is_signed(gate: Gate, home: Path) -> None:
    delivered = gate.send()
    gate.work()
    gate.checks["structure"].findings = (  # type: ignore[attr-defined]  # a Passes
        Finding("X", Severity.ERROR, "fout", "structure"),
    )
    gate.send(request(body=b"<bad/>" * 50))
    gate.work()
    gate.checks["structure"] = Passes("structure")
    gate.send(request(body=b"<waits/>" * 50))
    write_list(demo_list(home), gate)
    code, record = balance(home)
    assert (code, named(record)) == (0, [])
    counts = {k: record[k]["count"] for k in ("accepted", "delivered", "rejected", "waiting")}
    assert counts == {"accepted": 3, "delivered": 1, "rejected": 1, "waiting": 1}
    assert record["agencies"]["DEMODIENST"]["accepted"]["count"] == 3
    text = open_text(record["note"], load_public(home / "pki" / "checkpoint.pem"))
    assert json.loads(text.splitlines()[1])["accepted"]["count"] == 3
    assert delivered not in text
    closed = json.loads(closing(home).read_text(encoding="utf-8"))
    assert (closed["day"], closed["holds"]) == (DAY, True)


def test_a_message_that_the_agency_lacks_is_named(gate: Gate, home: Path) -> None:
    kept, lost = gate.send(), gate.send(request(body=b"<other/>" * 50))
    gate.work()
    write_list(demo_list(home), gate, without=lost)
    code, record = balance(home, "--agency", "DEMODIENST")
    assert code == 1
    assert named(record) == [(lost, "delivered, but DEMODIENST does not have it")]
    assert kept != lost
    assert not closing(home).exists()  # one agency is no day
    assert balance(home)[0] == 1
    assert json.loads(closing(home).read_text(encoding="utf-8"))["holds"] is False


def test_a_message_that_only_the_agency_knows_is_named(gate: Gate, home: Path) -> None:
    stray = "3f0c2ab4-16b5-4c3c-9d3e-0123456789ab"
    gate.send()
    gate.work()
    file = write_list(home / "list.csv", gate, extra=stray)
    code, record = balance(home, "--list", f"DEMODIENST={file}")
    assert code == 1
    assert named(record) == [(stray, "DEMODIENST has it, but it is not delivered here")]


def test_other_content_at_the_agency_is_named(gate: Gate, home: Path) -> None:
    kenmerk = gate.send()
    gate.work()
    file = write_list(demo_list(home), gate)
    digest = file.read_text().splitlines()[1].split(",")[4]
    file.write_text(file.read_text().replace(digest, "11" * 32))
    code, record = balance(home)
    assert code == 1
    assert named(record) == [(kenmerk, "DEMODIENST has other content")]


def test_a_delivery_whose_answer_is_under_way_is_no_difference(gate: Gate, home: Path) -> None:
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("half an answer")
    kenmerk = gate.send()
    gate.work()
    write_list(demo_list(home), gate, extra=kenmerk)
    code, record = balance(home)
    assert (code, named(record)) == (0, [])
    assert record["waiting"]["count"] == 1


def test_a_message_that_only_the_journal_knows_is_named(gate: Gate, home: Path) -> None:
    gate.send()
    lost = gate.send(request(body=b"<other/>" * 50))
    with gate.store.connect() as conn:
        for table in ("process", "message", "register", "status"):
            conn.execute(f"delete from {table} where kenmerk = %s", [lost])
    code, record = balance(home)
    assert code == 1
    assert named(record) == [(lost, "is accepted by the journal but has no process")]


def test_another_day_is_empty_and_the_closing_is_journalled(
    gate: Gate, home: Path, dsn: str
) -> None:
    gate.send()
    result = CliRunner().invoke(main, ["balance", "--home", str(home), "2026-11-22"])
    assert result.exit_code == 0
    assert '"accepted":{"count":0,' in result.output
    with psycopg.connect(dsn) as conn:
        kinds = conn.execute("select entry from journal order by id desc limit 1").fetchone()
    assert kinds is not None
    assert json.loads(kinds[0])["kind"] == "balance.closed"


@pytest.mark.parametrize(
    "words", [["yesterday"], [DAY, "--agency", "NOBODY"], [DAY, "--list", "DEMODIENST=/none"]]
)
def test_what_cannot_be_closed_exits_with_2(gate: Gate, home: Path, words: list[str]) -> None:
    assert CliRunner().invoke(main, ["balance", "--home", str(home), *words]).exit_code == 2
