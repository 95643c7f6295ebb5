"""A message in pieces is, octet for octet, the message made whole."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest

from openpoort.domain.message import Antwoord, Bericht, Document, Operatie
from openpoort.domain.octets import Octets
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import seal_answer, seal_request
from openpoort.wire.wus.soap import open_signed
from openpoort.wire.xml.streamed_body import Body, Woven
from tests.agencies import bericht
from tests.unit.test_spool import spooled
from tests.wire_kit import MESSAGE_ID, NOW, TO, key

SIZES = (0, 1, 2, 3, 48 * 1024 - 1, 48 * 1024, 48 * 1024 + 1, 200_000)


def message(content: Octets, extra: Octets) -> Bericht:
    inhoud, bijlage = (Document("text/plain", "a & b.txt", octets) for octets in (content, extra))
    return bericht(tijdstempel_aangeleverd=NOW, inhoud=inhoud, bijlagen=(bijlage, bijlage))


def sealed(body: Body, hash_name: str) -> Body:
    return seal_request(
        body, to=TO, action="urn:x", message_id=MESSAGE_ID, created=NOW, signer=key(),
        hash_name=hash_name,
    )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_octets_are_those_of_the_whole_message(size: int, hash_name: str, tmp_path: Path) -> None:
    content, extra = random.Random(size).randbytes(size), b"klein"
    whole = koppelvlak.write(message(content, extra))
    for large in (
        message(spooled(tmp_path, content), extra),
        message(extra, spooled(tmp_path, content)),
        message(spooled(tmp_path, content), spooled(tmp_path, extra)),
    ):
        woven = koppelvlak.written(large)
        assert isinstance(woven, Woven)
        expected = koppelvlak.write(
            message(bytes(large.inhoud.inhoud), bytes(large.bijlagen[0].inhoud))
        )
        assert (bytes(woven), len(woven)) == (expected, len(expected))
        assert koppelvlak.write(large) == expected
        in_pieces, at_once = sealed(woven, hash_name), sealed(expected, hash_name)
        assert (bytes(in_pieces), len(in_pieces)) == (at_once, len(at_once))
        assert b"".join(in_pieces) == at_once  # once more: made anew
        assert koppelvlak.read(open_signed(bytes(in_pieces))) == koppelvlak.read(
            open_signed(at_once)
        )
    assert isinstance(koppelvlak.written(message(content, extra)), bytes)
    assert whole == koppelvlak.written(message(content, extra))


def test_short_messages_stay_bytes() -> None:
    body = koppelvlak.written(message(b"x" * 100_000, b"y"))
    assert type(body) is bytes
    assert type(sealed(body, "sha256")) is bytes


def test_an_answer_with_a_large_message_is_written_whole(tmp_path: Path) -> None:
    content = b"x" * 100_000

    def answer(octets: Octets) -> bytes:
        items = (message(octets, b"klein"),)
        return seal_answer(
            koppelvlak.write(Antwoord(Operatie.BERICHTEN_KENMERK, items)), action="urn:x",
            message_id=MESSAGE_ID, relates_to=MESSAGE_ID, created=NOW, signer=key(),
            hash_name="sha256",
        )  # fmt: skip

    assert answer(spooled(tmp_path, content)) == answer(content)


def test_neighbouring_texts_are_one_piece_and_no_piece_is_long(tmp_path: Path) -> None:
    body = sealed(koppelvlak.written(message(spooled(tmp_path, bytes(200_000)), b"")), "sha256")
    lengths = [len(piece) for piece in body]  # type: ignore[union-attr]  # it is no `bytes`
    long = (200_000 + 2) // 3 * 4
    # Envelope, values, content, values, envelope: an attachment of nothing is no piece of its own.
    assert lengths[2:7] == [65536] * 4 + [long - 4 * 65536]
    assert len(lengths) == 9


def test_fifteen_megabytes_are_sealed_in_the_memory_of_a_few_pieces(tmp_path: Path) -> None:
    large = message(spooled(tmp_path, bytes(15_000_000)), b"klein")
    sealed(b"<warm-up/>", "sha256")
    tracemalloc.start()
    body = sealed(koppelvlak.written(large), "sha256")
    size = sum(map(len, body))  # type: ignore[arg-type]  # pieces
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == len(body)
    assert peak < 1_000_000
