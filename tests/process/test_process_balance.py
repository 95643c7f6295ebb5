"""The books of a day add up, and name what does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpoort.domain.finding import Finding, Severity
from openpoort.domain.ids import Identiteit
from openpoort.operate import balance
from openpoort.process.ports import DeliveryFailed
from tests.process.house import START, Gate, Passes, request

TODAY = START.date()


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn, checks=[Passes("plain", (Finding("X", Severity.ERROR, "nee", "plain"),))])
    yield gate
    gate.close()


def busy_day(gate: Gate) -> dict[str, str]:
    """One message for every class."""
    kvk = Identiteit("90000044", "KvK")
    made = {"delivered": gate.send()}
    made["rejected"] = gate.send(request("eFactuur", belanghebbende=kvk))
    gate.work()
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("down")
    made["parked"] = gate.send()
    gate.work()
    gate.wall.turn(hours=72)
    gate.work()
    gate.wall.turn(hours=-72)  # the clock jumps back: what comes now is of the same day
    gate.channel.errors.clear()
    gate.channel.verdict = None
    made["waiting"] = gate.send()
    gate.work()
    return made


def test_every_accepted_message_is_in_one_class(gate: Gate) -> None:
    made = busy_day(gate)
    books = balance.close(gate.store, gate.house.kinds, TODAY)
    assert books.differences == ()
    assert books.accepted.count == 4
    assert {name: books.sums[name].count for name in balance.CLASSES} == dict.fromkeys(made, 1)
    assert books.holds
    assert balance.close(gate.store, gate.house.kinds, TODAY).canonical() == books.canonical()


def test_one_agency_and_its_own_list(gate: Gate) -> None:
    made = busy_day(gate)
    got = [made["delivered"], made["waiting"]]
    close = {"agency": "DEMODIENST", "receipts": got}
    books = balance.close(gate.store, gate.house.kinds, TODAY, **close)
    assert books.accepted.count == 3
    assert books.holds
    for receipts, kenmerk in [(got[:1], got[1]), ([*got, made["parked"]], made["parked"])]:
        books = balance.close(
            gate.store, gate.house.kinds, TODAY, agency="DEMODIENST", receipts=receipts
        )
        assert [d.kenmerk for d in books.differences] == [kenmerk]
        assert not books.holds


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("delete from message where kenmerk = %s", "not kept"),
        ("delete from process where kenmerk = %s", "no process"),
        ("delete from register where kenmerk = %s", "not registered"),
        ("delete from status where kenmerk = %s and seq = 2", "missing"),
        ("update process set state = 'running' where kenmerk = %s", "nothing waits"),
        ("update process set state = 'parked' where kenmerk = %s", "list of the operator"),
        ("update process set state = 'odd' where kenmerk = %s", "unknown state"),
    ],
)
def test_a_difference_of_one_is_named(gate: Gate, damage: str, what: str) -> None:
    kenmerk = busy_day(gate)["delivered"]
    with gate.store.connect() as conn:
        conn.execute(damage, [kenmerk])
    books = balance.close(gate.store, gate.house.kinds, TODAY)
    assert not books.holds
    assert {d.kenmerk for d in books.differences} == {kenmerk}
    assert any(what in d.what for d in books.differences)
