"""Clauses on answers and faults, judged on the bytes that are written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from openpoort.domain.fault import Fault, Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import AanleverBevestiging
from openpoort.wire.names import ANONYMOUS, DS, EXC_C14N, KOPPELVLAK, SOAP, WSA, WSSE, WSU
from openpoort.wire.wus import koppelvlak, schema
from openpoort.wire.wus.seal import fout, seal_answer, seal_fault
from openpoort.wire.wus.services import AANLEVER, OPHAAL, SERVICES, STATUSINFORMATIE, Service
from openpoort.wire.wus.soap import SignedMessage, SoapFault, open_answer
from tests.wire_kit import MESSAGE_ID, key

NS = {"e": SOAP, "a": WSA, "o": WSSE, "u": WSU, "d": DS, "k": KOPPELVLAK}
CREATED = datetime(2021, 3, 7, 11, 37, 39, 708999, UTC)
BEVESTIGING = AanleverBevestiging(
    kenmerk="700627b6-383e-4d8d-809f-b066845b36e0",
    berichtsoort="Omzetbelasting",
    tijdstempel_aangeleverd=datetime(2021, 3, 7, 11, 37, 39, 702000, UTC),
    belanghebbende=Identiteit("001000044B37", "Fi"),
    rol_belanghebbende="Bedrijf",
    aanleverkenmerk="Happyflow",
    ontvanger=Identiteit("00000002003214394002", "OIN"),
    autorisatie_adres="http://geenausp.nl",
)


def answer(hash_name: str = "sha1", relates_to: str = MESSAGE_ID) -> bytes:
    return seal_answer(
        koppelvlak.write(BEVESTIGING),
        action=AANLEVER.operations[0].response_action,
        message_id=MESSAGE_ID,
        relates_to=relates_to,
        created=CREATED,
        signer=key(),
        hash_name=hash_name,
    )


def find(root: etree._Element, path: str) -> list[etree._Element]:
    found = root.xpath(path, namespaces=NS)
    assert isinstance(found, list)
    return [e for e in found if isinstance(e, etree._Element)]


def tags(elements: list[etree._Element]) -> list[str]:
    return [etree.QName(e).localname for e in elements]


def skeleton(element: etree._Element) -> tuple[object, ...]:
    """Name as sent, attribute names as sent, children: everything but values."""
    prefixes = {uri: prefix for prefix, uri in element.nsmap.items()}
    attributes = [
        (prefixes.get(etree.QName(a).namespace), etree.QName(a).localname) for a in element.attrib
    ]
    return (element.prefix, element.tag, attributes, [skeleton(c) for c in element])


@pytest.mark.conformance("WUS-2.2-1", "WUS-2.2-2", "WUS-5.9-7")
def test_header_and_security_have_the_captured_order() -> None:
    root = etree.fromstring(answer())
    assert tags(find(root, "/e:Envelope/e:Header/*")) == [
        "Security",
        "To",
        "MessageID",
        "Action",
        "RelatesTo",
    ]
    security = find(root, "//o:Security")[0]
    assert dict(security.attrib) == {f"{{{SOAP}}}mustUnderstand": "1"}
    assert tags(list(security)) == ["Timestamp", "BinarySecurityToken", "Signature"]
    assert root.findtext(".//a:To", namespaces=NS) == ANONYMOUS


@pytest.mark.conformance("WUS-2.2-3")
@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_references_have_the_captured_order_and_one_transform(hash_name: str) -> None:
    root = etree.fromstring(answer(hash_name))
    names = []
    for reference in find(root, "//d:Reference"):
        identity = reference.get("URI", "")[1:]
        names += tags(find(root, f"//*[@u:Id='{identity}']"))
        assert [t.get("Algorithm") for t in find(reference, "d:Transforms/*")] == [EXC_C14N]
    assert names == ["Timestamp", "To", "MessageID", "Action", "RelatesTo", "Body"]
    assert find(root, "//*[local-name()='InclusiveNamespaces']") == []


@pytest.mark.conformance("WUS-2.2-4", "WUS-5.9-7")
def test_signature_has_no_prefix_and_signed_info_has_line_breaks() -> None:
    raw = answer()
    assert raw.count(f'<Signature xmlns="{DS}">\n<SignedInfo>\n  <Canonical'.encode()) == 1
    assert b"\n    <Transforms>\n      <Transform " in raw


@pytest.mark.conformance("WUS-2.2-5")
def test_key_info_refers_to_the_token_which_is_not_signed() -> None:
    root = etree.fromstring(answer())
    token = find(root, "//o:BinarySecurityToken")[0]
    uri = find(root, "//d:KeyInfo/o:SecurityTokenReference/o:Reference")[0].get("URI")
    assert uri == f"#{token.get(f'{{{WSU}}}Id')}"
    assert uri not in {r.get("URI") for r in find(root, "//d:Reference")}
    assert find(root, "//*[local-name()='SignatureConfirmation']") == []


@pytest.mark.conformance("WUS-2.2-6")
def test_timestamp_has_milliseconds_and_lasts_ten_minutes() -> None:
    root = etree.fromstring(answer())
    assert root.findtext(".//u:Created", namespaces=NS) == "2021-03-07T11:37:39.708Z"
    assert root.findtext(".//u:Expires", namespaces=NS) == "2021-03-07T11:47:39.708Z"


@pytest.mark.conformance("WUS-2.2-7")
def test_relates_to_is_the_message_id_of_the_request() -> None:
    odd = 'urn:x:"<&>'
    message = open_answer(answer(relates_to=odd))
    assert isinstance(message, SignedMessage)
    assert message.addressing.relates_to == odd
    header = find(etree.fromstring(answer()), "//a:RelatesTo")[0]
    assert list(header.attrib) == [f"{{{WSU}}}Id"]


@pytest.mark.conformance("WUS-2.2-8", "WUS-2.2-9")
def test_body_has_a_default_namespace_and_the_answer_no_declaration() -> None:
    raw = answer()
    root = etree.fromstring(raw)
    assert raw.startswith(b"<soapenv:Envelope ")
    assert f'<aanleverResponse xmlns="{KOPPELVLAK}"><kenmerk>'.encode() in raw
    assert root.nsmap == {"soapenv": SOAP, "wsa": WSA}
    assert find(root, "//o:Security")[0].nsmap["s"] == WSSE
    schema.check(find(root, "/e:Envelope/e:Body/*")[0])


@pytest.mark.conformance("WUS-5.9-7")
def test_answer_is_built_like_the_captured_one(shared: Path) -> None:
    captured = (shared / "data/wus/captured/valid-deliver-response.xml").read_bytes()
    assert skeleton(etree.fromstring(answer())) == skeleton(etree.fromstring(captured))


@pytest.mark.conformance("WUS-5.9-7")
def test_answer_has_the_bytes_of_the_captured_one_but_for_token_and_signature(
    shared: Path,
) -> None:
    captured = (shared / "data/wus/captured/valid-deliver-response.xml").read_bytes()
    other = etree.fromstring(captured)
    related = other.findtext(".//a:RelatesTo", namespaces=NS) or ""
    ours = seal_answer(
        koppelvlak.write(BEVESTIGING),
        action=AANLEVER.operations[0].response_action,
        message_id=related,
        relates_to=related,
        created=CREATED,
        signer=key(),
        hash_name="sha1",
    )
    assert blank(ours) == blank(captured)
    ours_digests = [e.text for e in find(etree.fromstring(ours), "//d:DigestValue")]
    assert ours_digests == [e.text for e in find(other, "//d:DigestValue")]


def blank(raw: bytes) -> bytes:
    """Without what hangs on the key: token, its id and the signature value."""
    root = etree.fromstring(raw)
    for path in ("//o:BinarySecurityToken", "//d:SignatureValue"):
        raw = raw.replace((find(root, path)[0].text or "").encode(), b"")
    identity = find(root, "//o:BinarySecurityToken")[0].get(f"{{{WSU}}}Id") or ""
    return raw.replace(identity.encode(), b"")


def fault(service: Service, reason: int = 100) -> bytes:
    told = fout(service, Fault("wsa:To is <leeg> & onbruikbaar.", reason=reason))
    return seal_fault(
        service, service.operations[0], told, message_id=MESSAGE_ID, relates_to=MESSAGE_ID
    )


@pytest.mark.conformance("WUS-1.5-1", "WUS-2.2-9")
@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda s: s.name)
def test_fault_is_not_signed_and_has_plain_headers(service: Service) -> None:
    raw = fault(service)
    root = etree.fromstring(raw)
    assert raw.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope ')
    headers = find(root, "/e:Envelope/e:Header/*")
    assert tags(headers) == ["To", "MessageID", "Action", "RelatesTo"]
    assert all(not h.attrib for h in headers)
    assert headers[2].text == service.operations[0].fault_action


@pytest.mark.conformance("WUS-1.5-2", "WUS-1.5-3")
def test_fault_has_the_fixed_texts_and_the_literal_prefix() -> None:
    root = etree.fromstring(fault(STATUSINFORMATIE))
    found = find(root, "/e:Envelope/e:Body/e:Fault")[0]
    assert [(c.tag, (c.text or "").strip()) for c in found] == [
        ("faultcode", "soapenv:Client"),
        ("faultstring", "Algemene fout"),
        ("faultactor", "Verantwoordingsplichtige"),
        ("detail", ""),
    ]
    detail = found[3][0]
    assert detail.find("fault:foutbeschrijving", detail.nsmap) is not None
    assert detail.tag == f"{{{KOPPELVLAK}}}statusinformatieFault"


@pytest.mark.conformance("WUS-1.5-4", "WUS-1.5-5")
@pytest.mark.parametrize("service", [AANLEVER, STATUSINFORMATIE, OPHAAL], ids=lambda s: s.name)
def test_fault_describes_what_is_wrong_after_the_fixed_sentence(service: Service) -> None:
    root = etree.fromstring(fault(service))
    schema.check(find(root, "//detail/*")[0])
    assert root.findtext(".//k:foutcode", namespaces=NS) == f"{service.letters}100"
    text = root.findtext(".//k:foutbeschrijving", namespaces=NS) or ""
    first, _, rest = text.partition("\n\n")
    assert first == (
        "Het verzoek voldoet niet aan de koppelvlakspecificaties en kan hierdoor niet door "
        "Digipoort worden verwerkt."
    )
    assert rest == "De volgende fout is opgetreden: wsa:To is <leeg> & onbruikbaar."


@pytest.mark.conformance("WUS-1.5-5")
def test_technical_fault_has_its_own_sentence() -> None:
    seen = open_answer(fault(OPHAAL, 400))
    assert isinstance(seen, SoapFault)
    assert seen.faultcode == "soapenv:Server"
    assert seen.fout is not None
    assert seen.fout.foutcode == "OPH400"
    assert seen.fout.foutbeschrijving.startswith("Door een technische fout")


@pytest.mark.conformance("WUS-1.5-2")
def test_fault_is_built_like_the_captured_one(shared: Path) -> None:
    captured = (shared / "data/wus/captured/fault-deliver-response.xml").read_bytes()
    assert skeleton(etree.fromstring(fault(AANLEVER))) == skeleton(etree.fromstring(captured))


@pytest.mark.conformance("WUS-1.5-4")
@pytest.mark.parametrize("name", ["deliver", "newstatus"])
def test_captured_faults_are_read(shared: Path, name: str) -> None:
    seen = open_answer((shared / f"data/wus/captured/fault-{name}-response.xml").read_bytes())
    assert isinstance(seen, SoapFault)
    assert seen.faultstring == "Algemene fout"
    assert isinstance(seen.fout, Fout)
    assert seen.fout.foutcode in ("ALS100", "STS100")
    assert "De volgende fout is opgetreden:" in seen.fout.foutbeschrijving


def test_fault_without_a_request_leaves_out_relates_to() -> None:
    told = Fout("ALS100", "Onleesbaar.")
    raw = seal_fault(AANLEVER, None, told, message_id="uuid:1", relates_to=None)
    seen = open_answer(raw)
    assert isinstance(seen, SoapFault)
    assert seen.relates_to is None
    assert seen.fout == told
