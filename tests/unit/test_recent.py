"""What a worker keeps of what it read: bounded, and never what may change."""

from __future__ import annotations

from openpoort.process.engine.row_cache import Recent
from openpoort.store.payloads.payloads import Stored


def row(number: int, size: int) -> dict[bytes, Stored]:
    digest = number.to_bytes(32, "big")
    return {digest: Stored(digest, size, body=bytes(size))}


def test_documents_have_room_for_so_many_octets_and_the_oldest_go_first() -> None:
    recent = Recent(octets=100_000)
    for number in range(40):
        recent.keep_stored(row(number, 5_000))
    here = recent.stored(number.to_bytes(32, "big") for number in range(40))
    assert [int.from_bytes(digest, "big") for digest in here] == list(range(22, 40))


def test_a_document_that_would_push_out_many_others_is_not_kept() -> None:
    recent = Recent(octets=100_000)
    recent.keep_stored(row(1, 1_000))
    recent.keep_stored(row(2, 7_000))
    assert list(recent.stored(n.to_bytes(32, "big") for n in (1, 2))) == [(1).to_bytes(32, "big")]


def test_the_same_document_again_takes_no_room() -> None:
    recent = Recent(octets=100_000)
    for _ in range(100):
        recent.keep_stored(row(7, 5_000))
    recent.keep_stored(row(8, 5_000))
    assert len(recent.stored(n.to_bytes(32, "big") for n in (7, 8))) == 2
