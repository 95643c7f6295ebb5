"""Our WSDLs say what the interface's say, and a toolkit that reads them writes right requests."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from zeep import Client, Settings
from zeep.transports import Transport

from openpoort.wire.names import KOPPELVLAK
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.services import (
    AANLEVER,
    OPHAAL,
    SERVICES,
    STATUSINFORMATIE,
    Service,
    wsdl,
    xsd,
)

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP11 = "{http://schemas.xmlsoap.org/wsdl/soap/}"
WSAW = "{http://www.w3.org/2006/05/addressing/wsdl}"
POLICY = "{http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702}"
MTOM = "{http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization}"
CONTRACT = [AANLEVER, STATUSINFORMATIE, OPHAAL]


def ours(service: Service) -> etree._Element:
    return etree.fromstring(wsdl(service, "https://localhost:8443" + service.path))


def theirs(shared: Path, service: Service) -> etree._Element:
    path = shared / f"data/wus/contract/{service.name}-1.2.wsdl"
    return etree.parse(str(path)).getroot()


def resolved(root: etree._Element, name: str | None) -> str:
    """A prefixed name as Clark name."""
    prefix, _, local = (name or "").rpartition(":")
    return f"{{{root.nsmap.get(prefix)}}}{local}"


def elements(root: etree._Element) -> dict[str, str]:
    """Element by message name."""
    parts = root.iterfind(f"{WSDL}message/{WSDL}part")
    return {
        str(p.getparent().get("name")): resolved(root, p.get("element"))  # type: ignore[union-attr]
        for p in parts
    }


def operations(root: etree._Element) -> dict[str | None, dict[str, tuple[str, str | None]]]:
    """Per operation, per direction: element of its message and wsaw:Action."""
    messages = elements(root)
    return {
        operation.get("name"): {
            etree.QName(way).localname: (
                messages[resolved(root, way.get("message")).rpartition("}")[2]],
                way.get(f"{WSAW}Action"),
            )
            for way in operation
        }
        for operation in root.iterfind(f"{WSDL}portType/{WSDL}operation")
    }


def soap_actions(root: etree._Element) -> dict[str | None, str | None]:
    found = root.iterfind(f"{WSDL}binding/{WSDL}operation")
    return {o.get("name"): o.find(f"{SOAP11}operation").get("soapAction") for o in found}  # type: ignore[union-attr]


def tags(root: etree._Element, start: str) -> set[str]:
    return {e.tag for e in root.iter() if isinstance(e.tag, str) and e.tag.startswith(start)}


@pytest.mark.conformance("WUS-2.1-12", "WUS-1.2-1")
@pytest.mark.parametrize("service", CONTRACT, ids=lambda s: s.name)
def test_operations_and_actions_are_the_interface_s(shared: Path, service: Service) -> None:
    our, their = ours(service), theirs(shared, service)
    assert operations(our) == operations(their)
    assert soap_actions(our) == soap_actions(their)
    for name in ("portType", "binding", "service"):
        assert our.find(f"{WSDL}{name}").get("name") == their.find(f"{WSDL}{name}").get("name")  # type: ignore[union-attr]
    assert our.get("targetNamespace") == their.get("targetNamespace") == service.namespace


@pytest.mark.conformance("WUS-2.1-12")
@pytest.mark.parametrize("service", CONTRACT, ids=lambda s: s.name)
def test_policies_ask_for_the_same(shared: Path, service: Service) -> None:
    our, their = ours(service), theirs(shared, service)
    assert tags(our, POLICY) == tags(their, POLICY) - {f"{POLICY}XPath", f"{POLICY}SignedElements"}
    assert tags(our, MTOM) == tags(their, MTOM)
    headers = [{h.get("Name") for h in root.iter(f"{POLICY}Header")} for root in (our, their)]
    assert headers[0] == headers[1]


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda s: s.name)
def test_table_of_operations_is_what_the_wsdl_says(service: Service) -> None:
    found = operations(ours(service))
    for operation in service.operations:
        ways = found[operation.name]
        assert ways["input"][0] == operation.request
        assert ways["output"] == (operation.response, operation.response_action)
        assert ways["fault"] == (operation.fault, operation.fault_action)
        assert soap_actions(ours(service))[operation.name] == operation.action


def test_address_cannot_break_out_of_the_wsdl() -> None:
    odd = 'https://x/"><x/>&'
    address = etree.fromstring(wsdl(AANLEVER, odd)).find(f".//{SOAP11}address")
    assert address is not None
    assert address.get("location") == odd


class Canned(Transport):  # type: ignore[misc]
    """Hands out our documents instead of the network."""

    def load(self, url: str) -> bytes:
        for service in SERVICES.values():
            if url.endswith(service.path + "?wsdl"):
                return wsdl(service, url.removesuffix("?wsdl"))
        assert url.endswith("?xsd")
        return xsd()


def client(service: Service) -> Client:
    transport, settings = Canned(), Settings(strict=True)
    url = f"https://localhost:8443{service.path}?wsdl"
    return Client(url, transport=transport, settings=settings)


@pytest.mark.conformance("WUS-2.1-12")
@pytest.mark.parametrize("service", CONTRACT, ids=lambda s: s.name)
def test_zeep_finds_the_types_under_its_first_prefix(service: Service) -> None:
    """A client of 2023 asks for types by `ns0:`."""
    found = client(service)
    assert found.wsdl.types.prefix_map["ns0"] == KOPPELVLAK
    assert found.get_type("ns0:identiteitType")
    names = {o.name for o in service.operations}
    assert set(found.service._binding._operations) == names


@pytest.mark.conformance("WUS-1.4-1")
def test_request_that_zeep_writes_from_our_wsdl_is_read() -> None:
    found = client(AANLEVER)
    envelope = found.create_message(
        found.service,
        "aanleveren",
        berichtsoort="Omzetbelasting",
        aanleverkenmerk="x",
        identiteitBelanghebbende={"nummer": "001000044B37", "type": "BTW"},
        rolBelanghebbende="Bedrijf",
        berichtInhoud={
            "mimeType": "application/xml",
            "bestandsnaam": "Omzetbelasting.xbrl",
            "inhoud": b"<xbrl/>",
        },
        autorisatieAdres="http://geenausp.nl",
    )
    body = etree.fromstring(etree.tostring(envelope))[-1]
    value = koppelvlak.read(body[0])
    assert getattr(value, "inhoud").inhoud == b"<xbrl/>"  # noqa: B009 - any of the values
