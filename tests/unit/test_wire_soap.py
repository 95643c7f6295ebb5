"""What is sealed opens again, and what was changed does not."""

from __future__ import annotations

import pytest

from openpoort.domain.fault import Fault
from openpoort.domain.message import ZetStatusBevestiging
from openpoort.wire import addressing, koppelvlak
from openpoort.wire.seal import seal_answer
from openpoort.wire.services import AANLEVER
from openpoort.wire.soap import SignedMessage, glimpse, open_answer, open_signed
from tests.wire_kit import HOST, MESSAGE_ID, NOW, aanlevering, key, request


@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sha384", "sha512"])
def test_sealed_request_opens_with_the_same_value(hash_name: str) -> None:
    message = open_signed(request(hash_name=hash_name))
    assert koppelvlak.read(message) == aanlevering()
    assert message.algorithms.hash_name == hash_name
    assert message.token == key().certificate
    accepted = addressing.endpoints([HOST], AANLEVER)
    assert addressing.check(message, AANLEVER, accepted, NOW) is AANLEVER.operations[0]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 40_000, 700_001])
def test_content_of_any_size_comes_back(size: int) -> None:
    content = bytes(i % 251 for i in range(size))
    message = open_signed(request(koppelvlak.write(aanlevering(content))))
    assert bool(message.aside) == (size > 30_000)
    assert koppelvlak.read(message) == aanlevering(content)


def test_one_changed_character_in_a_long_content_breaks_the_digest() -> None:
    raw = bytearray(request(koppelvlak.write(aanlevering(bytes(60_000)))))
    raw[raw.index(b"<inhoud>") + 30_000] = ord("B")
    with pytest.raises(Fault, match="digest van soapenv:Body"):
        open_signed(bytes(raw))


def test_sealed_answer_opens() -> None:
    answer = ZetStatusBevestiging("1", "500")
    raw = seal_answer(
        koppelvlak.write(answer),
        action="urn:a",
        message_id="uuid:1",
        relates_to="urn:uuid:2",
        created=NOW,
        signer=key(),
        hash_name="sha1",
    )
    message = open_answer(raw)
    assert isinstance(message, SignedMessage)
    assert message.addressing.relates_to == "urn:uuid:2"
    assert koppelvlak.read(message) == answer


def test_glimpse_sees_what_a_refused_request_asked() -> None:
    raw = request().replace(b"Omzetbelasting<", b"Omzetbelastinx<")
    with pytest.raises(Fault):
        open_signed(raw)
    assert glimpse(raw) == (AANLEVER.operations[0].request, MESSAGE_ID)


@pytest.mark.parametrize("value", ["geen iri", "urn:" + "x" * 300, ""])
def test_glimpse_repeats_no_message_id_that_is_none(value: str) -> None:
    assert glimpse(request(message_id=value)) == (AANLEVER.operations[0].request, None)


def test_glimpse_of_rubbish_sees_nothing() -> None:
    assert glimpse(b"\x00\x01") == (None, None)
