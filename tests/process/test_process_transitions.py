"""An event that the table does not know in a state is told, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from openpoort.domain.fault import Fault
from openpoort.domain.kind import Step, StepKind
from openpoort.domain.process import Event, NotPossible, State
from openpoort.operate import balance, work
from openpoort.operate.work import Act, WorkError
from openpoort.process.engine import batch
from openpoort.process.flow import kinds
from openpoort.store.messages import changes
from openpoort.telemetry import logger
from tests.process.house import HAPPY, Gate, request


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    plain = kinds.load()["Omzetbelasting"]
    again = Step("nabezorgen", StepKind.REOFFER, "400", agencies=("DEMODIENST",))
    steps = (*plain.steps[:-1], again, plain.steps[-1])
    gate = Gate(dsn, extra=[replace(plain, berichtsoort="Nabezorgd", steps=steps)])
    yield gate
    gate.close()


def _act(gate: Gate) -> Act:
    return Act("beheerder", "kwijt", gate.clock.now())


def _put(gate: Gate, kenmerk: str, state: State) -> None:
    with gate.store.connect() as conn:
        conn.execute("update process set state = %s where kenmerk = %s", [state.value, kenmerk])


@pytest.mark.parametrize("state", [State.WAITING, State.DELIVERED, State.CANCELLED])
def test_a_job_of_a_process_that_has_no_work_is_let_go_and_told(
    gate: Gate, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_log", logger("process"))  # a fresh one, whatever ran before
    kenmerk = gate.send()
    _put(gate, kenmerk, state)
    closed = balance.close(gate.store, gate.house.kinds, gate.clock.now().date())
    assert [d.kenmerk for d in closed.differences] == [kenmerk]
    with capture_logs() as lines:
        gate.work()
    assert [(x["kenmerk"], x["state"]) for x in lines if x["event"] == "job_without_work"] == [
        (kenmerk, state.value)
    ]
    assert gate.codes(kenmerk) == HAPPY[:3]
    assert gate.channel.tried == []
    assert gate.count("job") == 0
    assert work.show(gate.store, UUID(kenmerk)).state == state


def test_an_event_that_is_not_known_leaves_the_process_as_it_was(gate: Gate) -> None:
    kenmerk = gate.send()
    with gate.store.connect() as conn, conn.transaction():
        day = gate.clock.now().date()
        [process] = changes.lock(conn, [(UUID(kenmerk), day)]).values()
        for event in (Event.RELEASE, Event.REDELIVER, Event.RESTORED):
            with pytest.raises(NotPossible):
                process.go(event)
        assert (process.state, process.carried.json(), process.entries) == ("running", {}, [])


def test_a_redelivery_ends_by_being_over_and_in_no_other_way(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    work.redeliver(gate.store, gate.house, UUID(kenmerk), _act(gate))
    with gate.store.connect() as conn, conn.transaction():
        day = gate.clock.now().date()
        [process] = changes.lock(conn, [(UUID(kenmerk), day)]).values()
        for event in (Event.COMPLETED, Event.UNDELIVERABLE, Event.AWAITED, Event.CANCEL):
            with pytest.raises(NotPossible):
                process.go(event)
        process.go(Event.RESTORED)
        assert process.state is State.DELIVERED


def test_an_agency_hears_that_a_message_has_ended(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    with pytest.raises(Fault, match="afgerond"):
        gate.set_status(kenmerk, "510")
    work.redeliver(gate.store, gate.house, UUID(kenmerk), _act(gate))
    with pytest.raises(Fault, match="afgerond"):
        gate.set_status(kenmerk, "510")
    assert gate.codes(kenmerk) == HAPPY


def test_an_operator_hears_what_is_not_possible(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    with pytest.raises(WorkError, match="not parked; state delivered"):
        work.release(gate.store, gate.house, UUID(kenmerk), _act(gate))
    with pytest.raises(WorkError, match="ended already: delivered"):
        work.cancel(gate.store, gate.house, UUID(kenmerk), _act(gate))


def test_a_redelivery_of_a_message_that_was_offered_twice_tells_its_sender_nothing(
    gate: Gate,
) -> None:
    kenmerk = gate.send(request("Nabezorgd"))
    gate.work()
    codes = gate.codes(kenmerk)
    assert codes[-1] == "500"
    work.redeliver(gate.store, gate.house, UUID(kenmerk), _act(gate))
    gate.work()
    assert gate.codes(kenmerk) == codes  # and no 405 after the 500, which is final
