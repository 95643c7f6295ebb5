"""From accepting to the agency's verdict, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.process.house import HAPPY, RECEIPT, Gate


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def test_a_return_goes_all_the_way_with_the_receipt_in_500(gate: Gate) -> None:
    kenmerk = gate.send()
    assert gate.codes(kenmerk) == ["105", "100", "110"]
    gate.work()
    statuses = gate.statuses(kenmerk)
    assert [s.statuscode for s in statuses] == HAPPY
    times = [s.tijdstempel for s in statuses]
    assert times == sorted(set(times))
    assert statuses[-1].details == RECEIPT
    [(agency, _, bericht)] = gate.channel.got
    assert (agency, bericht.kenmerk) == ("DEMODIENST", kenmerk)
