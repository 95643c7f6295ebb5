"""What the process leaves in the journal, and that without a journal nothing is taken in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openpoort.domain.fault import Fout
from openpoort.outbound.exchange import Faulted
from openpoort.process.ports import DeliveryFailed
from openpoort.store.journal import sequencer
from openpoort.store.journal.audit import audit
from openpoort.wire.wus.signed_message import SoapFault
from tests.process.house import BEDRIJF, HAPPY, Gate

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TABLES = ("register", "repeat", "message", "process", "status", "request", "payload", "job")


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def entries(gate: Gate) -> list[dict[str, Any]]:
    with gate.store.connect() as conn:
        rows = conn.execute("select entry from journal order by id").fetchall()
    return [json.loads(entry) for (entry,) in rows]


def test_without_a_journal_nothing_is_taken_in(gate: Gate) -> None:
    gate.send()
    before = [gate.count(table) for table in TABLES]
    with gate.store.connect() as conn:
        conn.execute("alter table journal rename to hidden")
    with pytest.raises(psycopg.errors.UndefinedTable):
        gate.send()
    assert [gate.count(table) for table in TABLES] == before
    with gate.store.connect() as conn:
        conn.execute("alter table hidden rename to journal")
    gate.send()
    assert gate.count("register") == 2


def test_without_a_journal_no_step_is_done(gate: Gate) -> None:
    kenmerk = gate.send()
    with gate.store.connect() as conn:
        conn.execute("alter table journal rename to hidden")
    with pytest.raises(psycopg.errors.UndefinedTable):
        gate.work()
    assert gate.codes(kenmerk) == HAPPY[:3]
    with gate.store.connect() as conn:
        conn.execute("alter table hidden rename to journal")
    gate.wall.turn(minutes=10)
    gate.work()
    assert gate.codes(kenmerk) == HAPPY


def test_every_status_stands_in_the_journal_with_its_time(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    told: list[tuple[str, datetime]] = []
    for entry in entries(gate):
        assert entry["kenmerk"] == kenmerk
        data = entry["data"]
        told += [(code, datetime.fromisoformat(at)) for _, code, at in data.get("statuses", ())]
        if entry["kind"] == "status.set":
            told.append((data["code"], datetime.fromisoformat(entry["at"])))
    assert told == [(s.statuscode, s.tijdstempel) for s in gate.statuses(kenmerk)]
    assert entries(gate)[0]["actor"] == BEDRIJF


def test_journal_of_a_whole_process_verifies(gate: Gate) -> None:
    gate.send()
    gate.work()
    count = gate.count("journal")
    with gate.store.connect() as conn:
        sequencer.step(conn)
        sequencer.sign(conn, KEY, "openpoort", datetime.now(UTC))
        with conn.transaction():
            report = audit(conn, KEY.public_key())
    assert (report.size, report.covered, report.problems) == (count, count, ())
    assert count > 8


def test_what_an_agency_says_in_a_fault_is_for_the_operator_and_not_for_the_journal(
    gate: Gate,
) -> None:
    said = "J. Voorbeeld,\n'geboren' 1-1-1970, is \\' onbekend\\"
    fault = SoapFault("soapenv:Server", "x", Fout("AFS200", said))
    gate.channel.errors["DEMODIENST"] = DeliveryFailed(str(Faulted(fault, 500)))
    gate.send()
    gate.work()
    [failed] = [e for e in entries(gate) if e["kind"] == "step.failed"]
    assert failed["data"]["reason"] == "AFS200: '…'"


def test_what_an_agency_says_is_told_without_numbers_and_quotes(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("AFS100: bsn 999990019 in 'naam X' klopt")
    gate.send()
    gate.work()
    [failed] = [e for e in entries(gate) if e["kind"] == "step.failed"]
    assert failed["data"]["reason"] == "AFS100: bsn …019 in '…' klopt"
