"""What hand-written .NET clients send and how they read answers (interface reference 5.3, 5.7).

.NET cannot be installed here. These requests are written by hand, in the shape of `wus.core`
and of a .NET 8 client: own ids, own prefixes, a byte order mark, a bare `text/xml`, an unquoted
SOAPAction; and the answer is read the way they read it, with their limits.
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from openpoort.keys.pem import PemSigner
from openpoort.wire.names import DS, EXC_C14N, KOPPELVLAK, SOAP, WSA, WSSE, WSU
from openpoort.wire.wus.services import AANLEVER, STATUSINFORMATIE
from tests.e2e.gateway import Gateway

READ_AT_MOST = 64 * 1024
"""Bytes of an answer that wus.core reads."""
_TOKENS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"


class Core:
    """wus.core: one template, then Body, Timestamp and the four addresses signed in that order."""

    def __init__(self, gateway: Gateway) -> None:
        pki = gateway.home / "pki"
        self.gateway = gateway
        self.signer = PemSigner(pki / "bedrijf.pem", pki / "bedrijf.key")

    def envelope(self, path: str, action: str, body: str, stamp: str = "seconds") -> bytes:
        now = datetime.now(UTC)
        token = base64.b64encode(self.signer.certificate).decode()
        address = f"https://localhost:{self.gateway.port}{path}"
        text = f"""<s:Envelope xmlns:s="{SOAP}" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:u="{WSU}" xmlns:a="{WSA}" xmlns:o="{WSSE}">
  <s:Header>
    <a:Action s:mustUnderstand="1" u:Id="address_0">{action}</a:Action>
    <a:MessageID u:Id="address_1">urn:uuid:{uuid.uuid4()}</a:MessageID>
    <a:ReplyTo u:Id="address_2"><a:Address>{WSA}/anonymous</a:Address></a:ReplyTo>
    <a:To u:Id="address_3">{address}</a:To>
    <o:Security s:mustUnderstand="1">
      <u:Timestamp u:Id="timestamp_0"><u:Created>{_moment(now, stamp)}</u:Created>\
<u:Expires>{_moment(now + timedelta(minutes=5), stamp)}</u:Expires></u:Timestamp>
      <o:BinarySecurityToken u:Id="sec_0" ValueType="{_TOKENS}x509-token-profile-1.0#X509v3" \
EncodingType="{_TOKENS}soap-message-security-1.0#Base64Binary">{token}</o:BinarySecurityToken>
    </o:Security>
  </s:Header>
  <s:Body u:Id="body_0">{body}</s:Body>
</s:Envelope>"""
        root = etree.fromstring(text)
        security = root.find(f".//{{{WSSE}}}Security")
        assert security is not None
        security.append(self._signature(root))
        return etree.tostring(root, encoding="utf-8", xml_declaration=True)

    def _signature(self, root: etree._Element) -> etree._Element:
        ids = ("body_0", "timestamp_0", "address_0", "address_1", "address_2", "address_3")
        references = "".join(_reference(root, identity) for identity in ids)
        made = etree.fromstring(
            f'<Signature xmlns="{DS}"><SignedInfo><CanonicalizationMethod Algorithm="{EXC_C14N}"/>'
            f'<SignatureMethod Algorithm="{DS}rsa-sha1"/>{references}</SignedInfo>'
            f"<SignatureValue/><KeyInfo>"
            f'<o:SecurityTokenReference xmlns:o="{WSSE}"><o:Reference URI="#sec_0" '
            f'ValueType="{_TOKENS}x509-token-profile-1.0#X509v3"/></o:SecurityTokenReference>'
            f"</KeyInfo></Signature>"
        )
        value = self.signer.sign(_canonical(made[0]), "sha1")
        made[1].text = base64.b64encode(value).decode()
        return made

    def post(self, path: str, action: str, raw: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "text/xml", "SOAPAction": action}
        status, answer, _ = self.gateway.http("POST", path, raw, headers)
        return status, answer


def _moment(at: datetime, stamp: str) -> str:
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at.microsecond:06d}7Z" if stamp == "seven digits" else f"{text}Z"


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


def _reference(root: etree._Element, identity: str) -> str:
    target = root.find(f".//*[@{{{WSU}}}Id='{identity}']")
    assert target is not None
    digest = base64.b64encode(hashlib.sha1(_canonical(target)).digest()).decode()
    return (
        f'<Reference URI="#{identity}"><Transforms><Transform Algorithm="{EXC_C14N}"/></Transforms>'
        f'<DigestMethod Algorithm="{DS}sha1"/><DigestValue>{digest}</DigestValue></Reference>'
    )


def _body(gateway: Gateway, berichtsoort: str = "Omzetbelasting") -> str:
    content = (gateway.home / "samples" / "Omzetbelasting.xbrl").read_bytes()
    return (
        f'<aanleverRequest xmlns="{KOPPELVLAK}"><berichtsoort>{berichtsoort}</berichtsoort>'
        "<aanleverkenmerk>Happyflow</aanleverkenmerk><identiteitBelanghebbende>"
        "<nummer>001000044B37</nummer><type>Fi</type></identiteitBelanghebbende>"
        "<rolBelanghebbende>Bedrijf</rolBelanghebbende><berichtInhoud>"
        "<mimeType>application/xml</mimeType><bestandsnaam>Omzetbelasting.xbrl</bestandsnaam>"
        f"<inhoud>{base64.b64encode(content).decode()}</inhoud></berichtInhoud>"
        "<autorisatieAdres>http://geenausp.nl</autorisatieAdres></aanleverRequest>"
    )


def read_as_core(answer: bytes, element: str) -> etree._Element:
    """At most 64 KiB; `Signature` by its bare name; the certificate from the message; the
    payload by its exact name."""
    assert len(answer) <= READ_AT_MOST
    text = answer.decode("utf-8")
    assert re.search(r"<Signature[ >]", text), "GetElementsByTagName('Signature') finds nothing"
    root = etree.fromstring(answer)
    signature = root.find(f".//{{{DS}}}Signature")
    assert signature is not None
    token = root.findtext(f".//{{{WSSE}}}BinarySecurityToken")
    assert token is not None
    key = x509.load_der_x509_certificate(base64.b64decode(token)).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    value = base64.b64decode(signature.findtext(f"{{{DS}}}SignatureValue") or "")
    info = signature.find(f"{{{DS}}}SignedInfo")
    assert info is not None
    key.verify(value, _canonical(info), padding.PKCS1v15(), hashes.SHA1())
    for reference in info.iter(f"{{{DS}}}Reference"):
        identity = (reference.get("URI") or "")[1:]
        target = root.find(f".//*[@{{{WSU}}}Id='{identity}']")
        assert target is not None
        found = base64.b64decode(reference.findtext(f"{{{DS}}}DigestValue") or "")
        assert hashlib.sha1(_canonical(target)).digest() == found, identity
    payload = root.find(f".//{{{KOPPELVLAK}}}{element}")
    assert payload is not None
    return payload


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("stamp", ["seconds", "seven digits"])
def test_hand_in_and_statuses_as_wus_core(gateway: Gateway, mark: bytes, stamp: str) -> None:
    core, deliver = Core(gateway), AANLEVER.operations[0].action
    raw = mark + core.envelope(AANLEVER.path, deliver, _body(gateway), stamp)
    status, answer = core.post(AANLEVER.path, deliver, raw)
    assert status == 200, answer
    payload = read_as_core(answer, "aanleverResponse")
    kenmerk = payload.findtext(f"{{{KOPPELVLAK}}}kenmerk")
    assert kenmerk is not None
    operation = next(o for o in STATUSINFORMATIE.operations if o.name == "getNieuweStatussenProces")
    body = (
        f'<getNieuweStatussenProcesRequest xmlns="{KOPPELVLAK}"><kenmerk>{kenmerk}</kenmerk>'
        "<autorisatieAdres>http://geenausp.nl</autorisatieAdres></getNieuweStatussenProcesRequest>"
    )
    raw = mark + core.envelope(STATUSINFORMATIE.path, operation.action, body)
    status, answer = core.post(STATUSINFORMATIE.path, operation.action, raw)
    assert status == 200, answer
    found = read_as_core(answer, "getNieuweStatussenProcesResponse")
    codes = [e.text for e in found.iter(f"{{{KOPPELVLAK}}}statuscode")]
    assert codes[:3] == ["105", "100", "110"]


def test_fault_is_found_as_any_descendant(gateway: Gateway) -> None:
    core, deliver = Core(gateway), AANLEVER.operations[0].action
    raw = core.envelope(AANLEVER.path, deliver, _body(gateway, "Bestaat_niet"))
    status, answer = core.post(AANLEVER.path, deliver, raw)
    fault = etree.fromstring(answer).find(f".//{{{KOPPELVLAK}}}aanleverFault")
    assert status == 500
    assert fault is not None
    assert fault.findtext(f"{{{KOPPELVLAK}}}foutcode") == "ALS100"


def test_children_made_without_namespace_are_refused_with_the_digest_named(
    gateway: Gateway,
) -> None:
    """A DOM of .NET digests xmlns="" that its serialiser then leaves out (reference 5.7)."""
    core, deliver = Core(gateway), AANLEVER.operations[0].action
    bare = _body(gateway).replace("<berichtsoort>", '<berichtsoort xmlns="">')
    raw = core.envelope(AANLEVER.path, deliver, bare).replace(b' xmlns=""', b"")
    status, answer = core.post(AANLEVER.path, deliver, raw)
    assert status == 500
    assert "digest" in answer.decode("utf-8")
