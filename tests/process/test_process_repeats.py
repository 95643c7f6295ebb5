"""Repeats: the same message twice is one message, on one node or on several."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openpoort import telemetry
from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Received
from openpoort.process.flow import kinds
from tests.process.house import INTERMEDIAIR, START, Gate, request, verified


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def test_repeat_of_same_message_returns_same_kenmerk(gate: Gate) -> None:
    first = gate.send(message_id="uuid:1")
    gate.work()
    assert gate.send(message_id="uuid:1") == first
    gate.work()
    assert len(gate.channel.got) == 1
    assert gate.count("message") == 1


@pytest.fixture
def events(tmp_path: Path) -> Iterator[Path]:
    log = tmp_path / "security.log"
    telemetry.security_log(log)
    yield log
    telemetry.security_log(None)


def test_same_message_id_with_other_values_is_refused(gate: Gate, events: Path) -> None:
    gate.send(message_id="uuid:1")
    with pytest.raises(Fault, match="MessageID"):
        gate.send(request(aanleverkenmerk="anders"), message_id="uuid:1")
    with pytest.raises(Fault, match="MessageID"):
        gate.send(request(body=b"<andere inhoud/>"), message_id="uuid:1")
    assert gate.count("message") == 1
    assert events.read_text().count("request.replayed") == 2


def test_message_ids_of_different_senders_are_different(gate: Gate) -> None:
    own = Identiteit("002000040B37", "BTW")
    first = gate.send(message_id="uuid:1")
    second = gate.send(request(belanghebbende=own), oin=INTERMEDIAIR, message_id="uuid:1")
    assert first != second


def test_aanleverkenmerk_is_no_key_by_itself(gate: Gate) -> None:
    assert gate.send(request(aanleverkenmerk="Happyflow")) != gate.send(
        request(aanleverkenmerk="Happyflow")
    )


def test_a_kind_may_make_aanleverkenmerk_the_key(dsn: str) -> None:
    kind = replace(kinds.load()["Omzetbelasting"], repeat="aanleverkenmerk")
    gate = Gate(dsn, extra=[kind])
    first = gate.send(message_id="uuid:1")
    assert gate.send(message_id="uuid:2") == first
    assert gate.send(message_id="uuid:2") == first
    assert gate.send(request(body=b"<anders/>"), message_id="uuid:3") != first
    assert gate.send(request(aanleverkenmerk="b"), message_id="uuid:4") != first
    with pytest.raises(Fault, match="MessageID"):
        gate.send(request(aanleverkenmerk="c"), message_id="uuid:1")
    # The refused one left no key behind that points at nothing.
    assert gate.send(request(aanleverkenmerk="c"), message_id="uuid:5") != first
    assert gate.count("message") == 4
    gate.close()


def test_equal_messages_at_once_on_two_nodes_become_one(dsn: str) -> None:
    one, two = Gate(dsn), Gate(dsn)
    raw = Received(b"<soap/>", START)

    async def both(number: int) -> set[str]:
        same = [
            gate.intake.aanleveren(
                verified("00000099001000044000", f"uuid:{number}-{n}"), request(), raw
            )
            for n in range(5)
            for gate in (one, two, one, two)
        ]
        return {done.kenmerk for done in await asyncio.gather(*same)}

    for number in range(10):
        assert len(asyncio.run(both(number))) == 5
    assert one.count("message") == one.count("register") == 50
    assert one.count("status") == 150
    one.close()
    two.close()


def test_one_bad_message_spoils_no_other_of_its_batch(gate: Gate) -> None:
    raw = Received(b"<soap/>", START)
    who = "00000099001000044000"

    async def all_at_once() -> list[object]:
        asked = [request(aanleverkenmerk=f"k{n}") for n in range(20)]
        asked[7] = request(aanleverkenmerk="nul \x00 teken")
        return await asyncio.gather(
            *(gate.intake.aanleveren(verified(who), a, raw) for a in asked),
            return_exceptions=True,
        )

    results = asyncio.run(all_at_once())
    assert [n for n, r in enumerate(results) if isinstance(r, Exception)] == [7]
    assert gate.count("message") == 19
    assert gate.count("repeat") == 19
