"""An answer is about the message that was sent, silence about the agency: one never stands for the
other, and what cannot be taken holds up nothing that can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import AfleverBevestiging, Bericht
from openpoort.domain.party import Directory
from openpoort.process.engine.engine import Engine
from openpoort.process.ports import (
    Agency,
    AgencyBusy,
    AgencySilent,
    DeliveryFailed,
    Verdict,
)
from tests.process.house import HAPPY, Gate, Passes, request

KVK = {"belanghebbende": Identiteit("90000044", "KvK")}
FAULT = DeliveryFailed("AFS400: technische fout")
SILENT = AgencySilent("connection refused")


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def failing(gate: Gate, which: Callable[[Bericht], Exception | None]) -> list[str]:
    """From now on `which` says what comes instead of an answer; the kenmerken of all that is sent,
    in order."""
    deliver, asked = gate.channel.deliver, []

    def sometimes(bericht: Bericht, agency: Agency, message_id: str) -> AfleverBevestiging:
        asked.append(bericht.kenmerk)
        error = which(bericht)
        if error is not None:
            raise error
        return deliver(bericht, agency, message_id)

    gate.channel.deliver = sometimes  # type: ignore[method-assign]  # an agency with a bad day
    return asked


def test_messages_that_are_answered_with_a_fault_hold_up_nobody(gate: Gate) -> None:
    bad: set[str] = set()
    failing(gate, lambda b: FAULT if b.kenmerk in bad else None)
    bad |= {gate.send() for _ in range(10)}
    good = [gate.send() for _ in range(50)]
    gate.work()
    assert [gate.codes(k) for k in good] == [HAPPY] * 50
    assert {tuple(gate.codes(k)) for k in bad} == {(*HAPPY[:7], "420")}
    for _ in range(5):
        bad.add(gate.send())
        good.append(gate.send())
        gate.wall.turn(minutes=7)
        gate.work()
    assert [gate.codes(k) for k in good] == [HAPPY] * 55


def test_a_failing_kind_holds_up_no_other(gate: Gate) -> None:
    """Silent for one kind only: a part of the agency hangs."""
    failing(gate, lambda b: SILENT if b.berichtsoort == "eFactuur" else None)
    kinds = ["eFactuur"] * 20 + ["Jaarrekening"] * 20
    sent = {gate.send(request(kind, **KVK)): kind for kind in kinds}
    gate.work()
    for kenmerk, kind in sent.items():
        assert gate.codes(kenmerk)[-1] == ("420" if kind == "eFactuur" else "500")
    for _ in range(3):
        gate.wall.turn(minutes=6)
        late = gate.send(request("Jaarrekening", **KVK))
        gate.work()
        assert gate.codes(late)[-1] == "500"


def test_three_silences_of_one_message_say_nothing_of_its_agency(gate: Gate) -> None:
    one = gate.send()
    asked = failing(gate, lambda b: SILENT if b.kenmerk == one else None)
    for _ in range(5):
        gate.work()
        gate.wall.turn(hours=1)
    assert asked == [one] * 5
    other = gate.send()
    gate.work()
    assert gate.codes(other) == HAPPY


def test_a_probe_is_never_a_message_that_met_the_silence(gate: Gate) -> None:
    silent = [gate.send() for _ in range(3)]
    asked = failing(gate, lambda b: SILENT if b.kenmerk in silent else None)
    gate.work()
    assert set(asked) == set(silent)
    good = [gate.send() for _ in range(20)]
    gate.work()
    assert {gate.codes(k)[-1] for k in good} == {"420"}  # they wait, and are told
    gate.wall.turn(seconds=31)
    gate.work()
    assert asked[3] in good
    assert {gate.codes(k)[-1] for k in good} == {"500"}


def test_when_nothing_else_waits_the_agency_is_still_found_to_be_back(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = SILENT
    silent = [gate.send() for _ in range(3)]
    gate.work()
    gate.channel.errors.clear()
    gate.wall.turn(minutes=2)
    gate.work()
    assert {gate.codes(k)[-1] for k in silent} == {"500"}


def test_an_agency_that_is_back_for_one_kind_is_tried_for_the_others(gate: Gate) -> None:
    gate.channel.errors["DEMOREGISTER"] = SILENT
    sent = [gate.send(request(k, **KVK)) for k in ["eFactuur"] * 5 + ["Jaarrekening"] * 5]
    for minutes in (0, 1, 2, 4):  # some probe late by now
        gate.wall.turn(minutes=minutes)
        gate.work()
    gate.channel.errors.clear()
    for seconds in (300, 11):  # those that met the silence go last
        gate.wall.turn(seconds=seconds)
        gate.work()
    assert {gate.codes(k)[-1] for k in sent} == {"400", "500"}


def test_who_asks_for_a_pause_gets_it(gate: Gate) -> None:
    """Of one message it is about that message; of several in a row about the agency."""
    busy = AgencyBusy("HTTP 503", timedelta(seconds=200))
    asked = failing(gate, lambda b: busy)
    first = gate.send()
    gate.work()
    gate.wall.turn(seconds=150)
    gate.work()
    assert asked == [first]
    for _ in range(10):
        gate.send()
    gate.work()
    assert len(asked) <= 4
    before = len(asked)
    gate.wall.turn(seconds=40)
    gate.work()
    assert len(asked) == before
    gate.wall.turn(seconds=200)
    gate.work()
    assert len(asked) == before + 1


def test_repeated_failures_take_a_quarter_of_the_places(gate: Gate) -> None:
    bad = {gate.send() for _ in range(40)}
    out: set[str] = set()
    most = [0]

    def slow(b: Bericht) -> Exception | None:
        out.add(b.kenmerk)
        most[0] = max(most[0], len(out & bad))
        if b.kenmerk in bad:
            gate.engine._machine.sleep(0.02)
        out.discard(b.kenmerk)
        return FAULT if b.kenmerk in bad else None

    failing(gate, slow)
    gate.work()
    most[0] = 0
    gate.wall.turn(minutes=3)
    good = [gate.send() for _ in range(10)]
    gate.work()
    assert most[0] <= gate.directory.agency("DEMODIENST").max_parallel // 4
    assert {gate.codes(k)[-1] for k in good} == {"500"}


def test_jobs_of_an_earlier_version_are_done(gate: Gate) -> None:
    """Their lane is that of the agency as a whole."""
    kenmerk = gate.send(request("eFactuur", **KVK))
    with gate.store.connect() as conn:
        gate.engine._local.round(conn)
        conn.execute("update job set lane = 'agency:' || agency")
    gate.work()
    assert gate.codes(kenmerk)[-1] == "400"


def without(gate: Gate, name: str) -> Directory:
    known = gate.directory
    return replace(known, agencies=tuple(a for a in known.agencies if a.name != name))


def test_an_agency_that_left_the_directory_is_told_as_trouble(gate: Gate) -> None:
    known = gate.directory
    kenmerken = [gate.send() for _ in range(2)]
    gate.directory = without(gate, "DEMODIENST")
    gate.work()
    assert [gate.codes(k) for k in kenmerken] == [[*HAPPY[:6], "405", "420"]] * 2
    gate.directory = known
    gate.wall.turn(minutes=16)
    gate.work()
    assert {gate.codes(k)[-1] for k in kenmerken} == {"500"}
    lost = gate.send()
    gate.directory = without(gate, "DEMODIENST")
    for _ in range(7):
        gate.work()
        gate.wall.turn(hours=12)
    assert gate.codes(lost)[-2:] == ["420", "420"]
    assert gate.count("parked") == 1


def test_an_ausp_that_was_taken_away_leaves_nobody_waiting(dsn: str) -> None:
    class Ausp:
        def ask(self, *_: object) -> Verdict:
            return Verdict.UNAVAILABLE

    before, after = Gate(dsn, authority=Ausp()), Gate(dsn)
    kenmerk = before.send()
    before.work()
    assert before.codes(kenmerk)[-1] == "230"
    after.wall.turn(hours=1)
    after.work()
    assert after.codes(kenmerk) == [*HAPPY[:3], "230", *HAPPY[3:]]
    before.close()
    after.close()


def test_a_slow_check_that_was_taken_away_is_told_as_trouble(dsn: str) -> None:
    gate = Gate(dsn, checks=[Passes("xbrl")])
    del gate.checks["xbrl"]  # as after a restart without it
    kenmerk = gate.send()
    gate.work()
    assert gate.codes(kenmerk) == [*HAPPY[:5], "321"]
    gate.checks["xbrl"] = Passes("xbrl")
    gate.wall.turn(minutes=16)
    gate.engine = Engine(
        gate.store, gate.house, lambda: gate.directory, {"wus": gate.channel}, clock=gate.clock
    )
    gate.work()
    assert gate.codes(kenmerk)[-1] == "500"
    gate.close()


def test_places_stay_counted_when_an_agency_gets_another_limit(gate: Gate) -> None:
    known = gate.directory

    def limit(most: int) -> Directory:
        return replace(known, agencies=tuple(replace(a, max_parallel=most) for a in known.agencies))

    def change(_: Bericht) -> None:
        gate.directory = limit(2 if gate.directory.agency("DEMODIENST").max_parallel == 8 else 8)

    failing(gate, change)
    for _ in range(12):
        gate.send()
    gate.work()
    assert gate.engine._outside.out == 0
    assert len(gate.channel.got) == 12
