"""Real answers and requests in the shape of real clients open, verify and satisfy the schema."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from openpoort.domain.fault import Fault
from openpoort.domain.message import AanleverBevestiging, Aanlevering, Antwoord
from openpoort.domain.status import OMSCHRIJVING, Status
from openpoort.wire.wus import addressing, koppelvlak
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.wus.soap import SignedMessage, open_answer, open_signed

HOST = "https://wus.preproductie.digipoort.logius.nl"
CLIENTS = [
    ("odoo-default-idx1", "sha1", "Omzetbelasting"),
    ("wcf-netframework", "sha1", "Aangifte_LH"),
    ("weld-ts-sha256-noReplyTo", "sha256", "Loonaangifte"),
    ("wus.core-netcore", "sha1", "Omzetbelasting"),
]


def captured(shared: Path, name: str) -> bytes:
    return (shared / "data/wus/captured" / f"{name}.xml").read_bytes()


def der(pem: Path) -> bytes:
    return x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)


@pytest.mark.conformance("WUS-5.9-3", "WUS-5.9-4", "WUS-5.9-5", "WUS-5.9-6", "WUS-1.2-1")
@pytest.mark.parametrize(("client", "hash_name", "soort"), CLIENTS)
def test_request_of_a_known_client_is_taken(
    shared: Path, client: str, hash_name: str, soort: str
) -> None:
    folder = shared / "data/wus/clients"
    message = open_signed((folder / f"{client}-aanleverRequest.xml").read_bytes())
    assert message.algorithms.hash_name == hash_name
    assert message.token == der(folder / "sample-client-cert.pem")
    now = message.created + timedelta(seconds=2)
    accepted = addressing.endpoints([HOST], AANLEVER)
    assert addressing.check(message, AANLEVER, accepted, now).name == "aanleveren"
    value = koppelvlak.read(message)
    assert isinstance(value, Aanlevering)
    assert value.berichtsoort == soort
    assert value.inhoud.inhoud.startswith(b"<xbrli:xbrl")


@pytest.mark.conformance("WUS-5.9-3")
@pytest.mark.parametrize(("client", "hash_name", "soort"), CLIENTS)
def test_no_byte_of_a_signed_value_can_change(
    shared: Path, client: str, hash_name: str, soort: str
) -> None:
    raw = (shared / f"data/wus/clients/{client}-aanleverRequest.xml").read_bytes()
    for old, new in (
        (soort.encode(), b"X" + soort.encode()[1:]),
        (b"2026-11-23T", b"2026-11-24T"),
        (b"https://wus.pre", b"https://wus.pra"),
        (b"urn:uuid:", b"urn:uuie:"),
    ):
        assert old in raw
        with pytest.raises(Fault, match="klopt niet"):
            open_signed(raw.replace(old, new))


@pytest.mark.conformance("WUS-2.2-3", "WUS-2.2-5")
def test_captured_deliver_answer_verifies(shared: Path) -> None:
    message = open_answer(captured(shared, "valid-deliver-response"))
    assert isinstance(message, SignedMessage)
    assert message.token == der(shared / "data/wus/captured/server-cert.pem")
    value = koppelvlak.read(message)
    assert isinstance(value, AanleverBevestiging)
    assert value.aanleverkenmerk == "Happyflow"
    assert value.status is None


@pytest.mark.conformance("WUS-2.2-3", "WUS-1.4-2")
def test_captured_status_answer_verifies_with_its_nine_statuses(shared: Path) -> None:
    message = open_answer(captured(shared, "valid-newstatus-response"))
    assert isinstance(message, SignedMessage)
    value = koppelvlak.read(message)
    assert isinstance(value, Antwoord)
    statuses = [s for s in value.items if isinstance(s, Status)]
    codes = " ".join(s.statuscode for s in statuses)
    assert codes == "105 100 110 200 301 301 405 400 500"
    assert all(s.omschrijving == OMSCHRIJVING[s.statuscode] for s in statuses)
    assert (statuses[-1].details or "").startswith('<Responsemessage version="2006.1">')


@pytest.mark.conformance("WUS-5.9-3")
def test_tampered_answer_does_not_verify(shared: Path) -> None:
    with pytest.raises(Fault, match="digest van soapenv:Body"):
        open_answer(captured(shared, "tampered-deliver-response"))


def test_reconstructed_answer_verifies(shared: Path) -> None:
    message = open_answer(captured(shared, "reconstructed-aanleverResponse"))
    assert isinstance(message, SignedMessage)
    assert message.addressing.relates_to != message.addressing.message_id
