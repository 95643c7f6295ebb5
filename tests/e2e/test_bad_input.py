"""What is wrong is refused with the right words, and leaves nothing behind (issue: Bad input)."""

from __future__ import annotations

import socket
import ssl
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document, Operatie, Vraag
from openpoort.keys.pem import PemSigner
from openpoort.outbound.exchange import Faulted
from openpoort.wire.wus import koppelvlak, seal
from openpoort.wire.wus.services import AANLEVER, STATUSINFORMATIE
from tests.e2e.gateway import Gateway, vat_return

ALS = AANLEVER.path
SENTENCE = "De volgende fout is opgetreden:"


def sealed(gateway: Gateway, body: bytes, who: str = "bedrijf", **given: Any) -> bytes:
    """A request whose signature holds, whatever its body says."""
    pki = gateway.home / "pki"
    values: dict[str, Any] = {
        "to": f"https://localhost:{gateway.port}{ALS}",
        "action": AANLEVER.operations[0].action,
        "message_id": f"urn:uuid:{uuid.uuid4()}",
        "created": datetime.now(UTC),
        "signer": PemSigner(pki / f"{who}.pem", pki / f"{who}.key"),
    }
    return seal.seal_request(body, **{**values, **given})


def message(**given: Any) -> bytes:
    return koppelvlak.write(vat_return(b"<x/>", **given))


@pytest.fixture
def nothing_left(gateway: Gateway) -> Iterator[None]:
    """Whatever the test sends, no table grows."""
    before = gateway.counts()
    yield
    assert gateway.counts() == before


def fault(answer: tuple[int, bytes, dict[str, str]]) -> str:
    """Code and reason of a SOAP fault with HTTP 500."""
    status, content, headers = answer
    assert status == 500, (status, content)
    assert headers["content-type"] == "text/xml; charset=utf-8"
    text = content.decode()
    code = text.partition("<fault:foutcode>")[2].partition("</")[0]
    said = text.partition("<fault:foutbeschrijving>")[2].partition("</")[0]
    assert SENTENCE in said
    return f"{code} {said.partition(SENTENCE)[2].strip()}"


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "leeg"),
        (b"this is no XML", ""),
        (b"<open>", ""),
        ("<?xml version='1.0' encoding='UTF-16'?><a/>".encode("utf-16"), ""),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>".encode("latin-1"), ""),
        (b"<a>\xff\xfe</a>", ""),
        (b"<a/>", ""),
    ],
    ids=["empty", "text", "open", "utf-16", "latin-1", "bad-utf-8", "no-envelope"],
)
def test_not_a_message(gateway: Gateway, body: bytes, words: str) -> None:
    said = fault(gateway.http("POST", ALS, body))
    assert said.startswith("ALS100 ")
    assert len(said) > len("ALS100 ") + 10
    assert words in said


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>" * 100_000,
    ],
    ids=["entity", "external", "deep"],
)
def test_attack_gets_a_bare_refusal(gateway: Gateway, body: bytes) -> None:
    status, content, _ = gateway.http("POST", ALS, body)
    assert (status, content) == (400, b"")


@pytest.mark.usefixtures("nothing_left")
def test_unknown_service_wrong_method_and_compressed_body(gateway: Gateway) -> None:
    body = sealed(gateway, message())
    assert gateway.http("POST", "/wus/2.0/aanleverservice/1.1", body)[0] == 404
    assert gateway.http("POST", "/", body)[0] == 404
    assert gateway.http("PUT", ALS, body)[0] == 405
    assert gateway.http("DELETE", ALS)[0] == 405
    assert gateway.http("GET", ALS)[0] == 405
    assert gateway.http("POST", ALS, body, {"Content-Encoding": "gzip"})[0] == 415


@pytest.mark.usefixtures("nothing_left")
def test_request_of_another_service(gateway: Gateway) -> None:
    """Routing goes by the body: a hand-in at the status service is no operation of it."""
    body = sealed(gateway, message(), to=f"https://localhost:{gateway.port}{STATUSINFORMATIE.path}")
    said = fault(gateway.http("POST", STATUSINFORMATIE.path, body))
    assert said.startswith("STS100 ")
    assert "aanleverRequest" in said


def refused_in_handshake(gateway: Gateway, context: ssl.SSLContext) -> bool:
    try:
        with (
            socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            tls.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            return tls.recv(100) == b""
    except (ssl.SSLError, ConnectionError):
        return True


@pytest.mark.usefixtures("nothing_left")
def test_without_client_certificate_nobody_gets_in(gateway: Gateway) -> None:
    assert refused_in_handshake(gateway, gateway.tls(None))


@pytest.mark.usefixtures("nothing_left")
def test_half_a_body(gateway: Gateway) -> None:
    body = sealed(gateway, message())
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain,
        gateway.tls().wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        head = f"POST {ALS} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n"
        tls.sendall(head.encode() + body[: len(body) // 2])
    # The next request is served, and what came in half is nowhere.
    assert gateway.http("GET", ALS + "?wsdl")[0] == 200


@pytest.mark.usefixtures("nothing_left")
def test_document_of_21_mib(gateway: Gateway) -> None:
    big = Document("application/xml", "a.xbrl", b"x" * (21 * 1024 * 1024))
    said = fault(gateway.http("POST", ALS, sealed(gateway, message(inhoud=big))))
    assert said.startswith("ALS100 ")
    assert "inhoud" in said


@pytest.mark.usefixtures("nothing_left")
def test_request_over_the_cap(gateway: Gateway) -> None:
    status, content, _ = gateway.http("POST", ALS, b"x", {"Content-Length": str(65 * 1024 * 1024)})
    assert status == 413
    assert b"larger" in content


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"berichtsoort": "Loonaangifte"}, "Loonaangifte"),
        ({"belanghebbende": Identiteit("009999990B01", "BTW")}, "Voorbeeldbedrijf"),
        ({"belanghebbende": Identiteit("001000044", "RSIN")}, "RSIN"),
        ({"rol_belanghebbende": "Intermediair"}, "Intermediair"),
        ({"rol_belanghebbende": "Belanghebbende"}, "Belanghebbende"),
        ({"kenmerk": str(uuid.uuid4())}, "kenmerk"),
    ],
    ids=["kind", "belanghebbende", "type", "rol", "unknown-rol", "kenmerk"],
)
def test_what_may_not_be_handed_in(gateway: Gateway, given: dict[str, Any], words: str) -> None:
    with gateway.client() as client, pytest.raises(Faulted) as no:
        client.aanleveren(vat_return(b"<x/>", **given))
    assert no.value.fout is not None
    assert no.value.fout.foutcode == "ALS100"
    assert words in no.value.fout.foutbeschrijving.partition(SENTENCE)[2]


@pytest.mark.usefixtures("nothing_left")
def test_empty_bijlagen(gateway: Gateway) -> None:
    """A known client sends the wrapper without a single bijlage: not per schema."""
    end = b"</aanleverRequest>"
    body = message().replace(end, b"<berichtBijlagen></berichtBijlagen>" + end)
    assert b"berichtBijlagen" in body
    said = fault(gateway.http("POST", ALS, sealed(gateway, body)))
    assert said.startswith("ALS100 ")
    assert "berichtBijlagen" in said or "bijlage" in said


@pytest.mark.usefixtures("nothing_left")
def test_old_and_future_requests(gateway: Gateway) -> None:
    for created in (datetime(2021, 3, 7, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)):
        said = fault(gateway.http("POST", ALS, sealed(gateway, message(), created=created)))
        assert said.startswith("ALS100 ")
        assert str(created.year) in said


@pytest.mark.usefixtures("nothing_left")
def test_wrong_to_and_action_are_named(gateway: Gateway) -> None:
    said = fault(gateway.http("POST", ALS, sealed(gateway, message(), to="https://else.example/x")))
    assert "https://else.example/x" in said
    said = fault(gateway.http("POST", ALS, sealed(gateway, message(), action="urn:else")))
    assert "urn:else" in said


@pytest.mark.usefixtures("nothing_left")
def test_changed_byte_is_noticed(gateway: Gateway) -> None:
    body = sealed(gateway, message()).replace(b"Omzetbelasting<", b"Omzetbelastinh<")
    status, content, _ = gateway.http("POST", ALS, body)
    assert status in {400, 500}
    assert status == 400 or b"ALS100" in content


@pytest.mark.usefixtures("nothing_left")
def test_signer_and_connection_must_be_the_same_organisation(gateway: Gateway) -> None:
    status, content, _ = gateway.http("POST", ALS, sealed(gateway, message(), "intermediair"))
    assert (status, content) == (403, b"")


def test_somebody_elses_kenmerk_answers_as_an_unknown_one(gateway: Gateway) -> None:
    sample = (gateway.home / "samples" / "eFactuur.xml").read_bytes()
    with gateway.client() as client:
        taken = client.aanleveren(
            vat_return(
                sample,
                berichtsoort="eFactuur",
                belanghebbende=Identiteit("90000044", "KvK"),
                inhoud=Document("application/xml", "eFactuur.xml", sample),
            )
        )
    said = []
    with gateway.client("intermediair") as other:
        for kenmerk in (taken.kenmerk, str(uuid.uuid4())):
            with pytest.raises(Faulted) as no:
                other.vraag(Vraag(Operatie.STATUSSEN_PROCES, kenmerk=kenmerk))
            assert no.value.fout is not None
            said.append((no.value.fout.foutcode, no.value.fout.foutbeschrijving))
    assert said[0] == said[1]
    assert said[0][0] == "STS100"


def test_wsdl_and_schema_are_served_over_the_same_door(gateway: Gateway) -> None:
    for service in ("aanleverservice", "statusinformatieservice", "ophaalservice"):
        path = f"/wus/2.0/{service}/1.2"
        status, wsdl, headers = gateway.http("GET", path + "?wsdl")
        assert status == 200
        assert headers["content-type"] == "text/xml; charset=utf-8"
        assert f"https://localhost:{gateway.port}{path}".encode() in wsdl
        status, xsd, _ = gateway.http("GET", path + "?xsd")
        assert status == 200
        assert b"aanleverRequest" in xsd
