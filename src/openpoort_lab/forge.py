"""A slow, obliging way to make signed messages: any shape, right or wrong, that a test wants.

`wire/wus/seal.py` can only write what is right. This one builds a tree, lets the caller change it
before or after signing, and signs whatever it is told to sign, the way it is told to.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import cast

from lxml import etree

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import (
    Aanlevering,
    Bericht,
    Document,
    Operatie,
    Vraag,
    ZetStatus,
)
from openpoort.wire.names import (
    ANONYMOUS,
    BASE64_BINARY,
    DIGEST_URI,
    DS,
    EXC_C14N,
    SIGNATURE_URI,
    SOAP,
    WSA,
    WSSE,
    WSU,
    X509V3,
)
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import Signer
from openpoort.wire.wus.services import AANLEVER, AFLEVER, OPHAAL, STATUSINFORMATIE, Service
from openpoort.wire.xml import instant
from openpoort.wire.xmldsig.canonical import canonical as canonical_form

NSMAP = {"soapenv": SOAP, "wsa": WSA, "wsse": WSSE, "wsu": WSU}
_DEFAULT = cast("dict[str, str]", {None: DS})  # the stubs forget default namespaces
WSU_ID = f"{{{WSU}}}Id"
MESSAGE_ID = "urn:uuid:6f1d2c3b-4a59-4e68-8f77-0a1b2c3d4e5f"
KENMERK = "3f0d5a52-8a3e-4a58-9d5c-5b2f8a1e7c44"
_WHO = Identiteit("001000044B37", "BTW")
_FILE = Document("application/xml", "Omzetbelasting.xbrl", b"<xbrl/>")


def payload(service: Service, now: datetime) -> bytes:
    """A valid request body for a service, in canonical form."""
    if service is AANLEVER:
        value: koppelvlak.Value = Aanlevering(
            "Omzetbelasting", _WHO, "Bedrijf", _FILE, aanleverkenmerk="voorbeeld-1"
        )
    elif service is STATUSINFORMATIE:
        value = Vraag(Operatie.STATUSSEN_PROCES, kenmerk=KENMERK)
    elif service is OPHAAL:
        value = Vraag(Operatie.BERICHTEN_LIJST, berichtsoort="Omzetbelasting")
    elif service is AFLEVER:
        value = Bericht(KENMERK, "Omzetbelasting", MESSAGE_ID, now, _WHO, "Bedrijf", _FILE)
    else:
        value = ZetStatus(KENMERK, "500", now)
    return koppelvlak.write(value)


class Forge:
    """One message in the making. Elements are attributes: change them, then `sign`, `raw`.

    The tree starts complete and right but unsigned: Header with Security (Timestamp, token) and
    four wsa headers, Body with a valid payload, ids on everything that has to be signed.
    """

    def __init__(
        self,
        signer: Signer,
        now: datetime,
        service: Service,
        hash_name: str,
        to: str,
        *,
        message_id: str = MESSAGE_ID,
        action: str | None = None,
        body: bytes | None = None,
    ) -> None:
        self.signer = signer
        self.hash_name = hash_name
        content = etree.fromstring(body or payload(service, now))
        operation = service.operation(str(content.tag)) or service.operations[0]
        self.root = etree.Element(f"{{{SOAP}}}Envelope", nsmap=NSMAP)
        self.header = etree.SubElement(self.root, f"{{{SOAP}}}Header")
        self.security = etree.SubElement(self.header, f"{{{WSSE}}}Security")
        self.security.set(f"{{{SOAP}}}mustUnderstand", "1")
        self.timestamp = self._timestamp(now)
        self.token = self._token()
        self.to = self.wsa("To", "id-to", to)
        self.action = self.wsa("Action", "id-action", action or operation.action)
        self.message_id = self.wsa("MessageID", "id-message", message_id)
        self.reply_to = self.wsa("ReplyTo", "id-reply", None)
        etree.SubElement(self.reply_to, f"{{{WSA}}}Address").text = ANONYMOUS
        self.body = etree.SubElement(self.root, f"{{{SOAP}}}Body")
        self.body.set(WSU_ID, "id-body")
        self.body.append(content)
        self.payload = content
        self.signature: etree._Element | None = None

    def wsa(self, local: str, identity: str, text: str | None) -> etree._Element:
        """One more wsa header at the end of the Header."""
        element = etree.SubElement(self.header, f"{{{WSA}}}{local}")
        element.set(WSU_ID, identity)
        element.text = text
        return element

    def _timestamp(self, now: datetime) -> etree._Element:
        element = etree.SubElement(self.security, f"{{{WSU}}}Timestamp")
        element.set(WSU_ID, "id-timestamp")
        etree.SubElement(element, f"{{{WSU}}}Created").text = instant.form(now)
        expires = instant.form(now + timedelta(minutes=5))
        etree.SubElement(element, f"{{{WSU}}}Expires").text = expires
        return element

    def _token(self) -> etree._Element:
        element = etree.SubElement(self.security, f"{{{WSSE}}}BinarySecurityToken")
        element.set(WSU_ID, "id-token")
        element.set("EncodingType", BASE64_BINARY)
        element.set("ValueType", X509V3)
        element.text = b64encode(self.signer.certificate).decode()
        return element

    @property
    def parts(self) -> list[etree._Element]:
        """What must be signed: Body, Timestamp and the wsa headers."""
        headers = [h for h in self.header if etree.QName(h).namespace == WSA]
        return [self.body, self.timestamp, *headers]

    def sign(
        self,
        parts: Iterable[etree._Element] | None = None,
        *,
        prefixes: Sequence[str] = (),
        info_prefixes: Sequence[str] = (),
        key_info: etree._Element | None = None,
        change: Callable[[etree._Element], None] | None = None,
    ) -> Forge:
        """Append a ds:Signature over `parts` (default: all that must be).

        `prefixes` and `info_prefixes` become InclusiveNamespaces lists of the parts and of
        SignedInfo. `change` may alter SignedInfo just before the signature value is made.
        """
        signature = etree.SubElement(self.security, f"{{{DS}}}Signature", nsmap=_DEFAULT)
        info = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
        _exclusive(info, "CanonicalizationMethod", info_prefixes)
        _algorithm(info, "SignatureMethod", SIGNATURE_URI[self.hash_name])
        for part in self.parts if parts is None else parts:
            self._reference(info, part, prefixes)
        value = etree.SubElement(signature, f"{{{DS}}}SignatureValue")
        signature.append(self.direct() if key_info is None else key_info)
        if change:
            change(info)
        signed = self.signer.sign(canonical(info, info_prefixes), self.hash_name)
        value.text = b64encode(signed).decode()
        self.signature = signature
        return self

    def _reference(
        self, info: etree._Element, part: etree._Element, prefixes: Sequence[str]
    ) -> None:
        reference = etree.SubElement(info, f"{{{DS}}}Reference")
        reference.set("URI", f"#{part.get(WSU_ID)}")
        transforms = etree.SubElement(reference, f"{{{DS}}}Transforms")
        _exclusive(transforms, "Transform", prefixes)
        _algorithm(reference, "DigestMethod", DIGEST_URI[self.hash_name])
        digest = hashlib.new(self.hash_name, canonical(part, prefixes), usedforsecurity=False)
        etree.SubElement(reference, f"{{{DS}}}DigestValue").text = b64encode(
            digest.digest()
        ).decode()

    def direct(self) -> etree._Element:
        """KeyInfo with a direct reference to the token."""
        key_info = etree.Element(f"{{{DS}}}KeyInfo", nsmap=_DEFAULT)
        holder = etree.SubElement(key_info, f"{{{WSSE}}}SecurityTokenReference", nsmap=NSMAP)
        reference = etree.SubElement(holder, f"{{{WSSE}}}Reference")
        reference.set("URI", f"#{self.token.get(WSU_ID)}")
        reference.set("ValueType", X509V3)
        return key_info

    def x509_data(self) -> etree._Element:
        """KeyInfo with the certificate itself, as a client without token sends it."""
        key_info = etree.Element(f"{{{DS}}}KeyInfo", nsmap=_DEFAULT)
        data = etree.SubElement(key_info, f"{{{DS}}}X509Data")
        certificate = etree.SubElement(data, f"{{{DS}}}X509Certificate")
        certificate.text = b64encode(self.signer.certificate).decode()
        return key_info

    def raw(self) -> bytes:
        return etree.tostring(self.root, encoding="utf-8")


def canonical(element: etree._Element, prefixes: Sequence[str] = ()) -> bytes:
    """Exclusive canonical form without comments.

    Of a tree that was parsed: lxml silently drops prefixes it has never read in a document.
    """
    for prefix in prefixes:
        etree.fromstring(f'<x xmlns:{prefix.removeprefix("#")}="urn:x"/>')
    return canonical_form(element, tuple(prefixes))


def _algorithm(parent: etree._Element, local: str, uri: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{DS}}}{local}")
    element.set("Algorithm", uri)
    return element


def _exclusive(parent: etree._Element, local: str, prefixes: Sequence[str]) -> None:
    element = _algorithm(parent, local, EXC_C14N)
    if prefixes:
        nsmap = {"ec": EXC_C14N}
        inner = etree.SubElement(element, f"{{{EXC_C14N}}}InclusiveNamespaces", nsmap=nsmap)
        inner.set("PrefixList", " ".join(prefixes))
