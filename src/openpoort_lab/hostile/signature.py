"""Signatures that sign too little, something else, or in a way nobody agreed on."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable

from lxml import etree

from openpoort.wire.names import DS, EXC_C14N, WSSE
from openpoort_lab.forge import Forge, canonical
from openpoort_lab.hostile.kit import BARE, FAULT, Setting, case, copy, of

XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
STR_TRANSFORM = (
    "http://docs.oasis-open.org/wss/2004/01/"
    "oasis-200401-wss-soap-message-security-1.0#STR-Transform"
)
MORE = "http://www.w3.org/2001/04/xmldsig-more#"


def _without(local: str) -> Callable[[Setting], bytes]:
    def make(s: Setting) -> bytes:
        made = s.forge()
        return made.sign([p for p in made.parts if etree.QName(p).localname != local]).raw()

    return make


for _local in ("Body", "Timestamp", "To", "Action", "MessageID", "ReplyTo"):
    case(f"unsigned/{_local}", FAULT)(_without(_local))


@case("unsigned/nothing-but-token", FAULT)
def _token_only(s: Setting) -> bytes:
    made = s.forge()
    return made.sign([made.token]).raw()


@case("unsigned/no-references", FAULT)
def _no_references(s: Setting) -> bytes:
    return s.forge().sign([]).raw()


@case("unsigned/no-signature", FAULT)
def _no_signature(s: Setting) -> bytes:
    return s.forge().raw()


@case("unsigned/no-security", FAULT)
def _no_security(s: Setting) -> bytes:
    made = s.forge()
    made.header.remove(made.security)
    return made.raw()


@case("unsigned/no-header", FAULT)
def _no_header(s: Setting) -> bytes:
    made = s.forge()
    made.root.remove(made.header)
    return made.raw()


@case("unsigned/empty-security", FAULT)
def _empty_security(s: Setting) -> bytes:
    made = s.forge()
    made.security[:] = []
    return made.raw()


@case("unsigned/no-timestamp", FAULT)
def _no_timestamp(s: Setting) -> bytes:
    made = s.forge()
    made.security.remove(made.timestamp)
    return made.sign([p for p in made.parts if p is not made.timestamp]).raw()


@case("unsigned/header-added-after-signing", FAULT)
def _added_header(s: Setting) -> bytes:
    made = s.signed()
    made.wsa("RelatesTo", "id-related", "http://www.w3.org/2005/08/addressing/none")
    return made.raw()


@case("changed/payload", FAULT)
def _payload(s: Setting) -> bytes:
    made = s.signed()
    next(e for e in made.payload.iter() if e.text).text = "veranderd"
    return made.raw()


@case("changed/payload-name", FAULT)
def _payload_name(s: Setting) -> bytes:
    made = s.signed()
    other = next(o for o in s.service.operations[-1:])
    made.payload.tag = other.response
    return made.raw()


@case("changed/to", FAULT)
def _to(s: Setting) -> bytes:
    made = s.signed()
    made.to.text = (made.to.text or "") + "?"
    return made.raw()


@case("changed/created", FAULT)
def _created(s: Setting) -> bytes:
    made = s.signed()
    made.timestamp[0].text = (made.timestamp[0].text or "").replace("Z", "+00:00")
    return made.raw()


@case("changed/attribute-added", FAULT)
def _attribute(s: Setting) -> bytes:
    made = s.signed()
    made.payload.set("soort", "x")
    return made.raw()


@case("changed/digest", FAULT)
def _digest(s: Setting) -> bytes:
    made = s.signed()
    of(made.security, "DigestValue").text = b64encode(bytes(20)).decode()
    return made.raw()


@case("changed/signature-value", FAULT)
def _value(s: Setting) -> bytes:
    made = s.signed()
    of(made.security, "SignatureValue").text = b64encode(bytes(256)).decode()
    return made.raw()


@case("changed/signature-value-empty", FAULT)
def _value_empty(s: Setting) -> bytes:
    made = s.signed()
    of(made.security, "SignatureValue").text = None
    return made.raw()


@case("changed/signature-value-no-base64", FAULT)
def _value_odd(s: Setting) -> bytes:
    made = s.signed()
    of(made.security, "SignatureValue").text = "***"
    return made.raw()


@case("changed/signature-of-another-message", FAULT)
def _transplant(s: Setting) -> bytes:
    made, other = s.signed(), s.forge()
    next(e for e in other.payload.iter() if e.text).text = "ander"
    other.sign()
    made.security.replace(made.security[-1], other.security[-1])
    return made.raw()


def _transform(uri: str, inner: str = "") -> Callable[[Setting], bytes]:
    """A transform put into the first reference before the value is made."""

    def change(info: etree._Element) -> None:
        transform = of(info, "Transform")
        transform.set("Algorithm", uri)
        if inner:
            transform.append(etree.fromstring(inner))

    return lambda s: s.forge().sign(change=change).raw()


_STYLE = (
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
    '<xsl:template match="/"><xsl:copy-of select="document(\'file:///etc/passwd\')"/>'
    "</xsl:template></xsl:stylesheet>"
)
for _name, _uri, _inner in (
    ("xslt", XSLT, _STYLE),
    ("xpath", XPATH, f'<XPath xmlns="{DS}">not(ancestor-or-self::x)</XPath>'),
    ("xpath-filter-2", "http://www.w3.org/2002/06/xmldsig-filter2", ""),
    ("enveloped", DS + "enveloped-signature", ""),
    ("base64", DS + "base64", ""),
    ("inclusive-c14n", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", ""),
    ("c14n-with-comments", EXC_C14N + "WithComments", ""),
    ("c14n-2", "http://www.w3.org/2010/xml-c14n2", ""),
    ("str-transform", STR_TRANSFORM, ""),
    ("empty", "", ""),
):
    case(f"transform/{_name}", FAULT)(_transform(_uri, _inner))

case("transform/parameter-in-c14n", BARE)(_transform(EXC_C14N, f'<XPath xmlns="{DS}">1</XPath>'))


def _signed_with(change: Callable[[etree._Element], None]) -> Callable[[Setting], bytes]:
    return lambda s: s.forge().sign(change=change).raw()


@case("transform/none", FAULT)
def _no_transform(s: Setting) -> bytes:
    def change(info: etree._Element) -> None:
        of(info, "Transforms")[:] = []

    return s.forge().sign(change=change).raw()


@case("transform/two", FAULT)
def _two_transforms(s: Setting) -> bytes:
    def change(info: etree._Element) -> None:
        holder = of(info, "Transforms")
        holder.append(copy(holder[0]))

    return s.forge().sign(change=change).raw()


@case("transform/no-transforms-element", FAULT)
def _no_transforms(s: Setting) -> bytes:
    def change(info: etree._Element) -> None:
        reference = of(info, "Reference")
        reference.remove(reference[0])

    return s.forge().sign(change=change).raw()


def _uri_of(uri: str) -> Callable[[Setting], bytes]:
    return _signed_with(lambda info: of(info, "Reference").set("URI", uri))


for _name, _uri, _verdict in (
    ("whole-document", "", BARE),
    ("elsewhere", "https://elders.example/x.xml", BARE),
    ("file", "file:///etc/passwd", BARE),
    ("xpointer", "#xpointer(/)", FAULT),
    ("unknown-id", "#id-nergens", FAULT),
    ("bare-hash", "#", BARE),
):
    case(f"reference/{_name}", _verdict)(_uri_of(_uri))


@case("reference/no-uri", BARE)
def _no_uri(s: Setting) -> bytes:
    def change(info: etree._Element) -> None:
        del of(info, "Reference").attrib["URI"]

    return s.forge().sign(change=change).raw()


@case("reference/one-part-twice-second-does-not-hold", FAULT)
def _twice(s: Setting) -> bytes:
    return _again(s, 1, lambda copied, _: _set_digest(copied, bytes(32)))


@case("reference/one-part-in-three-ways", BARE)
def _three_ways(s: Setting) -> bytes:
    def other(copied: etree._Element, way: int) -> None:
        transform = of(copied, "Transform")
        inner = etree.SubElement(transform, f"{{{EXC_C14N}}}InclusiveNamespaces")
        inner.set("PrefixList", f"zz{way}")

    return _again(s, 2, other)


def _again(s: Setting, times: int, change: Callable[[etree._Element, int], None]) -> bytes:
    """The first part referenced again, otherwise each time."""

    def more(info: etree._Element) -> None:
        for way in range(times):
            copied = copy(of(info, "Reference"))
            change(copied, way)
            info.append(copied)

    return s.forge().sign(change=more).raw()


def _set_digest(reference: etree._Element, octets: bytes) -> None:
    of(reference, "DigestValue").text = b64encode(octets).decode()


@case("reference/flood", BARE)
def _flood(s: Setting) -> bytes:
    made = s.forge()
    return made.sign(made.parts * 200).raw()


@case("reference/manifest", FAULT)
def _manifest(s: Setting) -> bytes:
    made = s.forge()

    def change(info: etree._Element) -> None:
        of(info, "Reference").tag = f"{{{DS}}}Manifest"

    return made.sign(change=change).raw()


def _method(local: str, uri: str) -> Callable[[Setting], bytes]:
    return _signed_with(lambda info: of(info, local).set("Algorithm", uri))


for _name, _where, _uri in (
    ("md5-digest", "DigestMethod", MORE + "md5"),
    ("sha224-digest", "DigestMethod", MORE + "sha224"),
    ("no-digest", "DigestMethod", ""),
    ("rsa-md5", "SignatureMethod", MORE + "rsa-md5"),
    ("dsa", "SignatureMethod", DS + "dsa-sha1"),
    ("ecdsa-with-rsa-key", "SignatureMethod", MORE + "ecdsa-sha256"),
    ("rsa-pss", "SignatureMethod", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"),
    ("no-signature-method", "SignatureMethod", ""),
    ("inclusive-signed-info", "CanonicalizationMethod", "http://www.w3.org/2006/12/xml-c14n11"),
):
    case(f"algorithm/{_name}", FAULT)(_method(_where, _uri))


def _hmac(forge: Forge, uri: str, hash_name: str, secret: bytes, length: int | None) -> bytes:
    """Signed with the public certificate as if it were a shared secret."""

    def change(info: etree._Element) -> None:
        method = of(info, "SignatureMethod")
        method.set("Algorithm", uri)
        if length is not None:
            etree.SubElement(method, f"{{{DS}}}HMACOutputLength").text = str(length)

    forge.sign(change=change)
    info = of(forge.security, "SignedInfo")
    value = hmac.new(secret, canonical(info), hash_name).digest()
    of(forge.security, "SignatureValue").text = b64encode(
        value if length is None else value[: length // 8]
    ).decode()
    return forge.raw()


@case("algorithm/hmac-sha1-with-certificate", BARE)
def _hmac_sha1(s: Setting) -> bytes:
    return _hmac(s.forge(), DS + "hmac-sha1", "sha1", s.signer.certificate, None)


@case("algorithm/hmac-sha256-with-certificate", BARE)
def _hmac_sha256(s: Setting) -> bytes:
    return _hmac(s.forge(), MORE + "hmac-sha256", "sha256", s.signer.certificate, None)


@case("algorithm/hmac-cut-to-nothing", BARE)
def _hmac_cut(s: Setting) -> bytes:
    return _hmac(s.forge(), DS + "hmac-sha1", "sha1", b"", 0)


@case("algorithm/output-length-on-rsa", BARE)
def _output_length(s: Setting) -> bytes:
    def change(info: etree._Element) -> None:
        method = of(info, "SignatureMethod")
        etree.SubElement(method, f"{{{DS}}}HMACOutputLength").text = "8"

    return s.forge().sign(change=change).raw()


@case("algorithm/element-in-digest", BARE)
def _digest_child(s: Setting) -> bytes:
    def change(info: etree._Element) -> None:
        value = of(info, "DigestValue")
        etree.SubElement(value, f"{{{DS}}}X").tail = value.text

    return s.forge().sign(change=change).raw()


@case("signature/two-signed-infos", FAULT)
def _two_infos(s: Setting) -> bytes:
    made = s.signed()
    info = of(made.security, "SignedInfo")
    made.security[-1].insert(0, copy(info))
    return made.raw()


@case("signature/no-canonicalization-method", FAULT)
def _no_method(s: Setting) -> bytes:
    def change(info: etree._Element) -> None:
        info.remove(info[0])

    return s.forge().sign(change=change).raw()


@case("signature/empty-signed-info", FAULT)
def _empty_info(s: Setting) -> bytes:
    def change(info: etree._Element) -> None:
        info[:] = []

    return s.forge().sign(change=change).raw()


@case("signature/empty", FAULT)
def _empty(s: Setting) -> bytes:
    made = s.signed()
    made.security[-1][:] = []
    return made.raw()


@case("signature/element-in-value", BARE)
def _value_child(s: Setting) -> bytes:
    made = s.signed()
    value = of(made.security, "SignatureValue")
    etree.SubElement(value, f"{{{DS}}}X").tail = "AAAA"
    return made.raw()


@case("signature/username-token-beside", FAULT)
def _username(s: Setting) -> bytes:
    made = s.signed()
    etree.SubElement(made.security, f"{{{WSSE}}}UsernameToken")
    return made.raw()
