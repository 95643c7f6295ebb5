"""The promise that fuzzing holds the request path to.

Every input gives a message, a Fault or a Refusal, never another exception; and a message only
when xmlsec agrees that its signature holds over Body, Timestamp and all addressing headers.
"""

from __future__ import annotations

import warnings

import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate
from lxml import etree

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire import addressing, koppelvlak, mime
from openpoort.wire.names import DS, SOAP, WSA, WSU
from openpoort.wire.services import AANLEVER, by_element
from openpoort.wire.signed import SignedMessage
from openpoort.wire.soap import glimpse, open_answer, open_signed

MULTIPART = 'multipart/related; type="application/xop+xml"; boundary="grens"'


class Broken(Exception):
    """The promise was broken; the input is worth keeping."""


def one(data: bytes) -> str:
    """What became of an input: `message`, `fault` or `refusal`. Raises Broken."""
    content_type = MULTIPART if data.startswith(b"--grens") else None
    glimpse(data, content_type)
    try:
        message = open_signed(data, content_type)
    except Fault as fault:
        return _told(fault)
    except Refusal:
        return "refusal"
    _second_opinion(mime.unpack(data, content_type))
    try:
        open_answer(data, content_type)
        service, _ = by_element(str(message.body.tag)) or (AANLEVER, None)
        to = frozenset({message.addressing.to or ""})
        addressing.check(message, service, to, message.created)
        _read(message)
    except Fault as fault:
        return _told(fault)
    return "message"


def _told(fault: Fault) -> str:
    if not fault.text or len(fault.text) > 5000:
        raise Broken("a fault without a bearable text")
    return "fault"


def _read(message: SignedMessage) -> None:
    value = koppelvlak.read(message)
    again = koppelvlak.read(etree.fromstring(koppelvlak.write(value)))
    if again != _to_millisecond(value, again):
        raise Broken("a value that does not survive being written")


def _to_millisecond(value: koppelvlak.Value, again: koppelvlak.Value) -> koppelvlak.Value:
    """Times are written with milliseconds, so only the second reading is a fixed point."""
    return koppelvlak.read(etree.fromstring(koppelvlak.write(again)))


def _second_opinion(raw: bytes) -> None:
    root = etree.fromstring(raw, etree.XMLParser(huge_tree=True, resolve_entities=False))
    signature = root.find(f".//{{{DS}}}Signature")
    token = root.findtext(".//{*}BinarySecurityToken") or root.findtext(
        f".//{{{DS}}}X509Certificate"
    )
    der = mime.a2b_base64("".join((token or "").split()))
    public = load_der_x509_certificate(der).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
    signature.remove(signature.find(f"{{{DS}}}KeyInfo"))  # the key is given; nobody signed this
    signed = {r.get("URI", "")[1:] for r in root.iter(f"{{{DS}}}Reference")}
    for element in root.iter():
        if element.get(f"{{{WSU}}}Id"):
            context.register_id(element, "Id", WSU)
    must = [root.find(f"{{{SOAP}}}Body"), root.find(f".//{{{WSU}}}Timestamp")]
    must += root.iterfind(f"{{{SOAP}}}Header/{{{WSA}}}*")
    if any(e is None or e.get(f"{{{WSU}}}Id") not in signed for e in must):
        raise Broken("a part that counts is not signed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            context.verify(signature)
        except xmlsec.Error as error:
            raise Broken(f"xmlsec does not agree: {error}") from error
