"""What is sealed opens again, and what was changed does not."""

from __future__ import annotations

import pytest
from lxml import etree

from openpoort.domain.fault import Fault, Fout
from openpoort.domain.message import ZetStatusBevestiging
from openpoort.wire.names import WSSE11
from openpoort.wire.wus import addressing, koppelvlak
from openpoort.wire.wus.seal import seal_answer, seal_fault
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.wus.soap import SignedMessage, SoapFault, glimpse, open_answer, open_signed
from openpoort_lab.forge import WSU_ID, Forge
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


def confirmed() -> Forge:
    made = Forge(key(), NOW, AANLEVER, "sha256", HOST + AANLEVER.path)
    part = etree.SubElement(made.security, f"{{{WSSE11}}}SignatureConfirmation")
    part.set(WSU_ID, "id-confirmation")
    part.set("Value", "AAAA")
    return made.sign([*made.parts, part])


def test_an_answer_of_another_gateway_may_confirm_the_signature() -> None:
    assert isinstance(open_answer(confirmed().raw()), SignedMessage)
    with pytest.raises(Fault, match="SignatureConfirmation in wsse:Security is niet toegestaan"):
        open_signed(confirmed().raw())


def test_a_signed_fault_is_a_fault_if_its_signature_holds() -> None:
    made = Forge(key(), NOW, AANLEVER, "sha256", HOST + AANLEVER.path)
    told = Fout("ALS100", "Onleesbaar.")
    sealed = seal_fault(AANLEVER, None, told, message_id="uuid:1", relates_to=None)
    made.body[:] = etree.fromstring(sealed)[1][:]
    seen = open_answer(made.sign().raw())
    assert isinstance(seen, SoapFault)
    assert seen.fout == told
    with pytest.raises(Fault, match="digest van soapenv:Body"):
        open_answer(made.raw().replace(b"Onleesbaar", b"Leesbaar"))


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"<a:Envelope xmlns:a='http://www.w3.org/2003/05/soap-envelope'/>", "SOAP 1.2"),
        (b"<x:brief xmlns:x='urn:x'/>", "begint met x:brief in plaats van soapenv:Envelope"),
        (b"<a:Envelope xmlns:a='http://schemas.xmlsoap.org/soap/envelope/'/>", "ontbreekt soapenv"),
    ],
)
def test_other_envelopes_are_named(raw: bytes, told: str) -> None:
    with pytest.raises(Fault, match=told):
        open_signed(raw)
