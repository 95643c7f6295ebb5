"""A diagnosis of any bytes is a report: a tool for broken input must not break on it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from openpoort.client.diagnose import Surroundings, diagnose, read
from openpoort.client.forge import Shape, forge
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.services import AANLEVER
from tests.wire_kit import HOST, NOW, TO, aanlevering, key

WHOLE = forge(
    koppelvlak.write(aanlevering()),
    Shape(),
    to=TO,
    action=AANLEVER.operations[0].action,
    created=NOW,
    signer=key(),
)
AROUND = Surroundings(NOW, hosts=(HOST,))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 60), st.binary(max_size=12))
def test_a_request_with_one_piece_replaced(place: int, size: int, piece: bytes) -> None:
    raw = WHOLE[:place] + piece + WHOLE[place + size :]
    report = diagnose(read(raw), AROUND)
    assert report.checks
    if report.accepted:
        assert report.fout == ""


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(raw: bytes) -> None:
    report = diagnose(read(raw), AROUND)
    assert not report.accepted
