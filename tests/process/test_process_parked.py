"""What an operator does with messages that wait for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from openpoort.domain.fault import Fault
from openpoort.operate import work
from openpoort.operate.work import Act, WorkError
from openpoort.process.ports import AgencySilent
from tests.process.house import HAPPY, Gate

DOWN = [*HAPPY[:7], "420", "420"]


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def act(gate: Gate, reason: str = "agency asked for it", *, dry_run: bool = False) -> Act:
    return Act("beheerder", reason, gate.clock.now(), dry_run)


def given_up(gate: Gate) -> UUID:
    """A message that could not be delivered for 72 hours."""
    gate.channel.errors["DEMODIENST"] = AgencySilent("connection refused")
    kenmerk = gate.send()
    gate.work()
    gate.wall.turn(hours=72)
    gate.work()
    gate.channel.errors.clear()
    return UUID(kenmerk)


def journal(gate: Gate, kind: str) -> list[dict[str, object]]:
    with gate.store.connect() as conn:
        rows = conn.execute("select entry from journal order by id").fetchall()
    entries = [json.loads(bytes(row[0])) for row in rows]
    return [entry for entry in entries if entry["kind"] == kind]


def test_a_message_that_could_not_be_delivered_is_listed_with_its_reason(gate: Gate) -> None:
    kenmerk = given_up(gate)
    [found] = work.list_parked(gate.store)
    assert (found.kenmerk, found.job.agency) == (kenmerk, "DEMODIENST")
    assert "connection refused" in found.job.reason
    assert work.list_parked(gate.store, agency="DEMOREGISTER") == []
    shown = work.show(gate.store, kenmerk)
    assert shown.state == "parked"
    assert [s.code for s in shown.statuses] == DOWN


def test_release_tries_again_under_the_same_message_id(gate: Gate) -> None:
    kenmerk = given_up(gate)
    done = work.release(gate.store, gate.house, kenmerk, act(gate))
    assert done.jobs == ("afleveren to DEMODIENST",)
    gate.work()
    assert gate.codes(str(kenmerk)) == [*DOWN, "400", "500"]
    assert len({message_id for _, message_id in gate.channel.tried}) == 1
    assert work.list_parked(gate.store) == []
    [entry] = journal(gate, "work.released")
    assert entry["actor"] == "beheerder"
    assert entry["data"] == {"reason": "agency asked for it"}


def test_a_dry_run_tells_and_does_nothing(gate: Gate) -> None:
    kenmerk = given_up(gate)
    for do in (work.release, work.redeliver, work.cancel):
        assert do(gate.store, gate.house, kenmerk, act(gate, dry_run=True)).dry_run
    assert len(work.list_parked(gate.store)) == 1
    assert gate.count("job") == 0
    assert gate.codes(str(kenmerk)) == DOWN
    assert not [
        e
        for kind in ("released", "redelivered", "cancelled")
        for e in journal(gate, f"work.{kind}")
    ]


def test_cancel_ends_in_410_for_the_sender(gate: Gate) -> None:
    kenmerk = given_up(gate)
    work.cancel(gate.store, gate.house, kenmerk, act(gate))
    assert gate.codes(str(kenmerk)) == [*DOWN, "410"]
    with pytest.raises(WorkError, match="ended"):
        work.cancel(gate.store, gate.house, kenmerk, act(gate))


def test_cancel_takes_waiting_work_away(gate: Gate) -> None:
    kenmerk = gate.send()
    work.cancel(gate.store, gate.house, UUID(kenmerk), act(gate))
    gate.work()
    assert gate.codes(kenmerk) == [*HAPPY[:3], "410"]
    assert gate.channel.tried == []


def test_redeliver_sends_a_delivered_message_again_as_a_new_delivery(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    work.redeliver(gate.store, gate.house, UUID(kenmerk), act(gate))
    gate.work()
    first, second = (message_id for _, message_id, _ in gate.channel.got)
    assert first != second
    assert gate.codes(kenmerk) == HAPPY
    assert work.show(gate.store, UUID(kenmerk)).state == "delivered"
    assert len(work.show(gate.store, UUID(kenmerk)).deliveries) == 2


def test_redeliver_that_fails_tells_the_sender_nothing(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    gate.channel.errors["DEMODIENST"] = AgencySilent("down")
    work.redeliver(gate.store, gate.house, UUID(kenmerk), act(gate))
    gate.work()
    assert gate.codes(kenmerk) == HAPPY


def test_cancel_of_a_redelivery_leaves_the_message_as_it_was(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    work.redeliver(gate.store, gate.house, UUID(kenmerk), act(gate))
    work.cancel(gate.store, gate.house, UUID(kenmerk), act(gate))
    gate.work()
    assert gate.codes(kenmerk) == HAPPY  # and no 410 after the 500, which is final
    assert work.show(gate.store, UUID(kenmerk)).state == "delivered"
    assert len(gate.channel.got) == 1


def test_a_redelivery_that_was_parked_and_is_repeated_tells_the_sender_nothing(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    gate.channel.errors["DEMODIENST"] = AgencySilent("down")
    work.redeliver(gate.store, gate.house, UUID(kenmerk), act(gate))
    gate.work()
    gate.wall.turn(hours=72)
    gate.work()
    assert work.show(gate.store, UUID(kenmerk)).state == "parked"
    gate.channel.errors.clear()
    work.redeliver(gate.store, gate.house, UUID(kenmerk), act(gate))
    gate.work()
    assert gate.codes(kenmerk) == HAPPY
    assert work.show(gate.store, UUID(kenmerk)).state == "delivered"


def test_a_verdict_that_comes_during_a_redelivery_is_not_lost(gate: Gate) -> None:
    gate.channel.verdict = None
    kenmerk = gate.send()
    gate.work()
    work.redeliver(gate.store, gate.house, UUID(kenmerk), act(gate))
    gate.set_status(kenmerk, "500")
    gate.work()
    assert gate.codes(kenmerk) == HAPPY
    assert work.show(gate.store, UUID(kenmerk)).state == "delivered"


def test_a_message_that_has_ended_takes_no_verdict_while_it_is_redelivered(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    work.redeliver(gate.store, gate.house, UUID(kenmerk), act(gate))
    with pytest.raises(Fault, match="afgerond"):
        gate.set_status(kenmerk, "510")


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reason_is_required(gate: Gate, reason: str) -> None:
    with pytest.raises(WorkError, match="reason"):
        act(gate, reason)


def test_what_cannot_be_done_is_said(gate: Gate) -> None:
    with pytest.raises(WorkError, match="no message"):
        work.show(gate.store, uuid4())
    kenmerk = UUID(gate.send())
    with pytest.raises(WorkError, match="not parked"):
        work.release(gate.store, gate.house, kenmerk, act(gate))
    with pytest.raises(WorkError, match="worked on"):
        work.redeliver(gate.store, gate.house, kenmerk, act(gate))
