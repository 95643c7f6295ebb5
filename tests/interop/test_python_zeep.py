"""zeep as Odoo uses it: WSDL over mutual TLS on each call, SHA-1, verified with the TLS leaf.

Written after what Odoo sends and expects (interface reference 5.5): zeep builds the envelope
and the WS-Addressing headers, its WS-Security class is extended to sign all of them.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import xmlsec
import zeep
from lxml import etree
from zeep import ns, wsse
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsa import WsAddressingPlugin
from zeep.wsse import signature as signing
from zeep.wsse.utils import ensure_id, get_security_header

from tests.e2e.gateway import Gateway, until

# What requests, urllib3 and zeep warn about is theirs.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WSA = "http://www.w3.org/2005/08/addressing"
ORDERS = {
    "odoo-old": ("BinarySecurityToken", "Signature", "Timestamp"),
    "odoo-2026": ("Signature", "BinarySecurityToken", "Timestamp"),
}


class OdooSignature(wsse.BinarySignature):
    """Signs Body, Timestamp and every WS-Addressing header; checks answers with one certificate."""

    def __init__(self, key: str, certificate: str, leaf: bytes, order: tuple[str, ...]) -> None:
        super().__init__(
            key,
            certificate,
            signature_method=xmlsec.constants.TransformRsaSha1,
            digest_method=xmlsec.constants.TransformSha1,
        )
        self.leaf = leaf
        self.order = order
        self.verified = 0

    def apply(self, envelope: etree._Element, headers: Any) -> tuple[etree._Element, Any]:
        header = envelope.find(f"{{{ns.SOAP_ENV_11}}}Header")
        reply = etree.SubElement(header, f"{{{WSA}}}ReplyTo")
        etree.SubElement(reply, f"{{{WSA}}}Address").text = f"{WSA}/anonymous"
        security = get_security_header(envelope)
        security.append(self._timestamp())
        self._sign(envelope, security)
        security[:] = sorted(security, key=lambda e: self.order.index(etree.QName(e).localname))
        return envelope, headers

    def _timestamp(self) -> etree._Element:
        now = datetime.now(UTC)
        stamp = etree.Element(f"{{{ns.WSU}}}Timestamp", nsmap={"wsu": ns.WSU})
        # Odoo writes microseconds, six digits.
        for name, at in (("Created", now), ("Expires", now + timedelta(minutes=10))):
            text = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            etree.SubElement(stamp, f"{{{ns.WSU}}}{name}").text = text
        return stamp

    def _sign(self, envelope: etree._Element, security: etree._Element) -> None:
        key = signing._make_sign_key(self.key_data, self.cert_data, self.password)
        node = xmlsec.template.create(
            envelope, xmlsec.constants.TransformExclC14N, self.signature_method
        )
        info = xmlsec.template.ensure_key_info(node)
        security.insert(0, node)
        context = xmlsec.SignatureContext()
        context.key = key
        parts = [
            envelope.find(f"{{{ns.SOAP_ENV_11}}}Body"),
            security.find(f"{{{ns.WSU}}}Timestamp"),
        ]
        parts += [e for e in security.getparent() if etree.QName(e).namespace == WSA]
        for part in parts:
            signing._sign_node(context, node, part, self.digest_method)
        token = etree.SubElement(
            security,
            f"{{{ns.WSSE}}}BinarySecurityToken",
            ValueType=_URI + "x509-token-profile-1.0#X509v3",
            EncodingType=_URI + "soap-message-security-1.0#Base64Binary",
        )
        reference = etree.SubElement(info, f"{{{ns.WSSE}}}SecurityTokenReference")
        etree.SubElement(
            reference,
            f"{{{ns.WSSE}}}Reference",
            ValueType=token.get("ValueType"),
            URI="#" + ensure_id(token),
        )
        lines = self.cert_data.decode().split("-----BEGIN CERTIFICATE-----")[1]
        token.text = "".join(lines.split("-----END")[0].split())
        context.sign(node)

    def verify(self, envelope: etree._Element) -> etree._Element:
        """As Odoo: an answer without Security must be a Fault; else verify with the TLS leaf."""
        header = envelope.find(f"{{{ns.SOAP_ENV_11}}}Header")
        security = header.find(f"{{{ns.WSSE}}}Security")
        if security is None:
            assert envelope.find(f"{{{ns.SOAP_ENV_11}}}Body/{{{ns.SOAP_ENV_11}}}Fault") is not None
            return envelope
        key = xmlsec.Key.from_memory(self.leaf, xmlsec.constants.KeyDataFormatCertDer)
        signing._verify_envelope_with_key(envelope, key)
        self.verified += 1
        return envelope


_URI = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"


def tls_leaf(gateway: Gateway) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", gateway.port)) as plain,
        gateway.tls().wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        found = tls.getpeercert(binary_form=True)
    assert found is not None
    return found


@contextmanager
def odoo(gateway: Gateway, service: str, order: str) -> Iterator[tuple[zeep.Client, OdooSignature]]:
    """A fresh zeep client, as made for each call."""
    pki = gateway.home / "pki"
    with requests.Session() as session:
        session.cert = (str(pki / "bedrijf.pem"), str(pki / "bedrijf.key"))
        session.verify = str(pki / "ca.pem")
        session.trust_env = False  # a CA bundle in the environment would go before ours
        signature = OdooSignature(
            str(pki / "bedrijf.key"), str(pki / "bedrijf.pem"), tls_leaf(gateway), ORDERS[order]
        )
        client = zeep.Client(
            f"https://localhost:{gateway.port}/wus/2.0/{service}/1.2?wsdl",
            transport=Transport(session=session, timeout=30),
            wsse=signature,
            plugins=[WsAddressingPlugin()],
        )
        yield client, signature


def hand_in(client: zeep.Client, content: bytes, **changes: Any) -> Any:
    factory = client.type_factory("ns0")
    values = {
        "berichtsoort": "Omzetbelasting",
        "aanleverkenmerk": wsse.utils.get_unique_id(),
        "identiteitBelanghebbende": factory.identiteitType(nummer="001000044B37", type="BTW"),
        "rolBelanghebbende": "Bedrijf",
        "berichtInhoud": factory.berichtInhoudType(
            mimeType="application/xml", bestandsnaam="TaxReport.xbrl", inhoud=content
        ),
        "autorisatieAdres": "http://geenausp.nl",
    }
    return client.service.aanleveren(**{**values, **changes})


@pytest.mark.parametrize("order", ORDERS)
def test_odoo_hands_in_and_follows_to_500(gateway: Gateway, order: str) -> None:
    content = (gateway.home / "samples" / "Omzetbelasting.xbrl").read_bytes()
    with odoo(gateway, "aanleverservice", order) as (client, signature):
        answer = hand_in(client, content)
    assert signature.verified == 1
    assert len(answer.kenmerk) == 36
    assert answer.aanleverkenmerk.startswith("id-")
    with odoo(gateway, "statusinformatieservice", order) as (client, signature):

        def statuses() -> Any:
            found = client.service.getStatussenProces(
                kenmerk=answer.kenmerk, autorisatieAdres="http://geenausp.nl"
            )
            assert not any(status.statusFoutcode for status in found)
            return found if found[-1].statuscode == "500" else None

        found = until(statuses, 60)
    assert [s.statuscode for s in found] == [
        *("105", "100", "110", "200", "301", "301", "405", "400", "500")
    ]
    assert found[-1].statusdetails.startswith("<")
    assert signature.verified >= 1


def test_odoo_reads_the_fault_by_its_literal_prefix(gateway: Gateway) -> None:
    with (
        odoo(gateway, "aanleverservice", "odoo-old") as (client, signature),
        pytest.raises(Fault) as raised,
    ):
        hand_in(client, b"<x/>", berichtsoort="Bestaat_niet")
    detail = raised.value.detail[0]
    text = detail.find("fault:foutbeschrijving", namespaces=detail.nsmap).text
    assert "De volgende fout is opgetreden:" in text
    assert "Bestaat_niet" in text
    assert signature.verified == 0


def test_a_body_signed_otherwise_is_refused_with_a_fault(gateway: Gateway) -> None:
    class Careless(OdooSignature):
        def apply(self, envelope: etree._Element, headers: Any) -> tuple[etree._Element, Any]:
            made, headers = super().apply(envelope, headers)
            node = made.find(".//{*}rolBelanghebbende")
            node.text = "Intermediair"
            return made, headers

    with odoo(gateway, "aanleverservice", "odoo-old") as (client, _):
        client.wsse.__class__ = Careless
        with pytest.raises(Fault) as raised:
            hand_in(client, b"<x/>")
    assert "digest" in etree.tostring(raised.value.detail, encoding="unicode").lower()


def test_all_three_wsdls_have_the_messages_under_ns0(gateway: Gateway) -> None:
    for service in ("aanleverservice", "statusinformatieservice", "ophaalservice"):
        with odoo(gateway, service, "odoo-old") as (client, _):
            prefix = client.wsdl.types.prefix_map["ns0"]
            assert prefix == "http://logius.nl/digipoort/koppelvlakservices/1.2/"


def test_return_messages_are_fetched_with_zeep(gateway: Gateway) -> None:
    content = (gateway.home / "samples" / "Omzetbelasting.xbrl").read_bytes()
    with odoo(gateway, "aanleverservice", "odoo-old") as (client, _):
        kenmerk = hand_in(client, content).kenmerk
    with odoo(gateway, "ophaalservice", "odoo-old") as (client, _):

        def listed() -> bool:
            rows = client.service.getBerichtenLijst(berichtsoort="Retourbericht") or []
            return any(row.kenmerk == kenmerk for row in rows)

        until(listed, 60)
        (found,) = client.service.getBerichtenKenmerk(kenmerk=kenmerk)
    assert found.berichtInhoud.inhoud.startswith(b"<?xml")
    assert kenmerk.encode() in found.berichtInhoud.inhoud
