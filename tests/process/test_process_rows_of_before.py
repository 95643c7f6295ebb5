"""Rows that the version of before wrote, also those under way, go on to their end.

Each `stored` is what that version had put in `process.data` at this point, word for word. The
rows are written over with it before the work goes on, and what this version writes must be the
same: for a while both work on one database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from openpoort.domain.finding import Finding, Severity
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Bericht
from openpoort.operate import work
from openpoort.operate.work import Act
from openpoort.process.flow import kinds
from openpoort.process.ports import AgencySilent, DeliveryRefused
from tests.process.house import HAPPY, Gate, Passes, request

WARNING = Finding("W1", Severity.WARNING, "let op", "filing")
RECEIPT = "<Responsemessage><Code>0001</Code></Responsemessage>"
KVK = Identiteit("90000044", "KvK")
COPY = [*HAPPY[:3], "301", "405"]


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    plain = kinds.load()["Omzetbelasting"]
    told = replace(plain, berichtsoort="Gemeld", constateringen=True)
    gate = Gate(dsn, extra=[told])
    yield gate
    gate.close()


def _filing(gate: Gate) -> Passes:
    check = gate.checks["filing"]
    assert isinstance(check, Passes)
    return check


def _later(gate: Gate, **by: float) -> None:
    gate.wall.turn(**(by or {"minutes": 5}))
    gate.work()


def _silent_after(code: str, gate: Gate) -> Callable[[Bericht], None]:
    """The agency is fast with its status, and its answer to the delivery is lost."""

    def during(bericht: Bericht) -> None:
        gate.set_status(bericht.kenmerk, code)
        raise AgencySilent("connection lost")

    return during


def _status_before_delivery(gate: Gate) -> str:
    gate.channel.during = _silent_after("510", gate)
    kenmerk = gate.send()
    gate.work()
    gate.channel.during, gate.channel.verdict = None, None
    return kenmerk


def _redelivery(gate: Gate) -> str:
    kenmerk = gate.send()
    gate.work()
    work.redeliver(gate.store, gate.house, UUID(kenmerk), Act("ik", "kwijt", gate.clock.now()))
    return kenmerk


def _parked_redelivery(gate: Gate) -> str:
    gate.channel.errors["DEMODIENST"] = AgencySilent("down")
    kenmerk = gate.send()
    gate.channel.errors.clear()
    gate.work()
    work.redeliver(gate.store, gate.house, UUID(kenmerk), Act("ik", "kwijt", gate.clock.now()))
    gate.channel.errors["DEMODIENST"] = AgencySilent("down")
    gate.work()
    _later(gate, hours=72)
    gate.channel.errors.clear()
    return kenmerk


def _release(gate: Gate, kenmerk: str) -> None:
    work.release(gate.store, gate.house, UUID(kenmerk), Act("ik", "terug", gate.clock.now()))
    gate.work()


def _one_refused(gate: Gate) -> str:
    gate.channel.errors["DEMOREGISTER"] = DeliveryRefused("AFO100", "onbekend")
    gate.channel.errors["DEMODIENST"] = AgencySilent("down")
    kenmerk = gate.send(request("Jaarrekening-Kopie", belanghebbende=KVK))
    gate.work()
    gate.channel.errors.clear()
    return kenmerk


def _findings(gate: Gate) -> str:
    _filing(gate).findings = (WARNING,)
    gate.channel.errors["DEMODIENST"] = AgencySilent("down")
    kenmerk = gate.send(request("Gemeld"))
    gate.work()
    gate.channel.errors.clear()
    return kenmerk


def _broke(gate: Gate) -> str:
    _filing(gate).error = ValueError("a mistake of ours")
    kenmerk = gate.send()
    gate.work()
    _filing(gate).error = None
    return kenmerk


def _waits_after_720(gate: Gate) -> str:
    gate.channel.verdict = None
    kenmerk = gate.send()
    gate.work()
    gate.set_status(kenmerk, "720")
    return kenmerk


def _works_on(gate: Gate, kenmerk: str) -> None:
    _later(gate)


def _agency_says_yes(gate: Gate, kenmerk: str) -> None:
    gate.set_status(kenmerk, "500")


@dataclass(frozen=True)
class Case:
    """`begin` brings a message to where the version of before left it; `go_on` to its end."""

    begin: Callable[[Gate], str]
    state: str
    stored: str
    go_on: Callable[[Gate, str], None]
    codes: list[str]
    end: str


CASES = {
    "a status that came before the delivery was written": Case(
        _status_before_delivery, "running",
        '{"begun": "afleveren", "said": ["510", null, null, null],'
        ' "verdict": ["510", null, null, null]}',
        _works_on, [*HAPPY[:7], "420", "400", "510"], "rejected",
    ),
    "a redelivery": Case(
        _redelivery, "running",
        '{"begun": "afleveren", "again": "delivered", "said": ["500", null, null,'
        f' "{RECEIPT}"]}}',
        _works_on, HAPPY, "delivered",
    ),
    "a redelivery that was parked": Case(
        _parked_redelivery, "parked",
        '{"begun": "afleveren", "again": "delivered", "said": ["500", null, null,'
        f' "{RECEIPT}"]}}',
        _release, HAPPY, "delivered",
    ),
    "one of two agencies refused": Case(
        _one_refused, "running",
        '{"apart": true, "begun": "afleveren", "refused": ["AFO100", "onbekend"]}',
        _works_on, [*COPY, "420", "410"], "rejected",
    ),
    "findings for the agency": Case(
        _findings, "running",
        '{"begun": "afleveren", "constateringen": [["W1", "let op"]]}',
        _works_on, [*HAPPY[:7], "420", *HAPPY[7:]], "delivered",
    ),
    "a mistake of ours": Case(
        _broke, "running", '{"broke": 1}', _works_on,
        [*HAPPY[:3], "321", *HAPPY[3:]], "delivered",
    ),
    "a receipt, and an agency in trouble": Case(
        _waits_after_720, "waiting",
        f'{{"begun": "afleveren", "receipt": "{RECEIPT}", "said": ["720", null, null, null]}}',
        _agency_says_yes, [*HAPPY[:8], "720", "500"], "delivered",
    ),
}  # fmt: skip


def _row(gate: Gate, kenmerk: str) -> tuple[str, Any]:
    with gate.store.connect() as conn:
        row = conn.execute("select state, data from process where kenmerk = %s", [kenmerk])
        state, data = row.fetchone() or ("", None)
    return state, data


@pytest.mark.parametrize("name", CASES)
def test_a_row_of_before_goes_on_to_its_end(gate: Gate, name: str) -> None:
    case = CASES[name]
    kenmerk = case.begin(gate)
    assert _row(gate, kenmerk) == (case.state, json.loads(case.stored))
    with gate.store.connect() as conn:
        conn.execute(
            "update process set state = %s, data = %s::jsonb where kenmerk = %s",
            [case.state, case.stored, kenmerk],
        )
    case.go_on(gate, kenmerk)
    assert gate.codes(kenmerk) == case.codes
    assert _row(gate, kenmerk)[0] == case.end
