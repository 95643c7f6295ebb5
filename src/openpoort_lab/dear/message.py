"""The message: XML, signature, certificate, addressing, fields."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from openpoort.wire.names import DS, EXC_C14N, WSSE, WSU
from openpoort_lab.dear.kit import Sender, filled, kind

_BODY = b"</soapenv:Body>"


def _inside(s: Sender, extra: bytes) -> bytes:
    """A signed message with `extra` put at the end of its Body."""
    return s.post(s.forge().sign().raw().replace(_BODY, extra + _BODY))


def _markup(name: str, unit: bytes) -> None:
    @kind("xml", name)
    def make(s: Sender, octets: int) -> bytes:
        return _inside(s, b"<a>" + filled(unit, octets) + b"</a>")


for _name, _unit in {
    "elements": b"<a/>",
    "elements with text": b"<a>b</a>",
    "attributes": b'<a b="" c="" d="" e="" f=""/>',
    "names of many lengths": b"<" + b"n" * 120 + b"/>",
    "namespaces": b'<a xmlns:b="c"/>',
    "prefixes in use": b'<b:a xmlns:b="urn:b"/>',
    "comments": b"<!---->",
    "processing instructions": b"<?a?>",
    "character references": b"&#65;",
    "predefined entities": b"&amp;",
    "CDATA": b"<![CDATA[]]>",
    "blanks between elements": b"<a/>" + b" " * 60,
    "line ends to normalise": b"\r\n",
    "references in an attribute": b'<a b="' + b"&#9;" * 40 + b'"/>',
    "unknown entities": b"&a;",
    "text of four octets a letter": "\U00010000".encode(),
}.items():
    _markup(_name, _unit)


@kind("xml", "nesting")
def nesting(s: Sender, octets: int) -> bytes:
    deep = min(octets // 7, 90_000)
    return _inside(s, b"<a>" * deep + b"</a>" * deep)


@kind("xml", "a mistake at the very end")
def mistake(s: Sender, octets: int) -> bytes:
    return s.post(s.forge().sign().raw()[:-3] + filled(b"<a>b</a>", octets) + b"<")


@kind("xml", "one attribute after another on one element")
def wide(s: Sender, octets: int) -> bytes:
    return _inside(s, b"<a" + b"".join(b' a%d=""' % n for n in range(octets // 9)) + b"/>")


@kind("xml", "one long attribute")
def long_attribute(s: Sender, octets: int) -> bytes:
    return _inside(s, b'<a b="' + b"c" * octets + b'"/>')


@kind("xml", "declarations before the root")
def prolog(s: Sender, octets: int) -> bytes:
    return s.post(filled(b"<!---->", octets) + s.forge().sign().raw())


@kind("xml", "a message that is no XML")
def no_xml(s: Sender, octets: int) -> bytes:
    return s.post(b"<" * octets)


def _signature(name: str, change: Callable[[etree._Element, int], None], after: bool) -> None:
    """`change` is made in SignedInfo before it is signed, or in the Signature after."""

    @kind("signature", name)
    def make(s: Sender, octets: int) -> bytes:
        made = s.forge()
        if not after:
            return s.post(made.sign(change=lambda info: change(info, octets)).raw())
        made.sign()
        assert made.signature is not None
        change(made.signature, octets)
        return s.post(made.raw())


def _prefixes(text: Callable[[int], str]) -> Callable[[etree._Element, int], None]:
    def change(info: etree._Element, octets: int) -> None:
        for method in list(info.iter(f"{{{DS}}}Transform", f"{{{DS}}}CanonicalizationMethod")):
            inclusive = etree.SubElement(method, f"{{{EXC_C14N}}}InclusiveNamespaces")
            inclusive.set("PrefixList", text(octets // 6))

    return change


def _children(local: str, namespace: str = DS) -> Callable[[etree._Element, int], None]:
    def change(parent: etree._Element, octets: int) -> None:
        for _ in range(octets // 12):
            etree.SubElement(parent, f"{{{namespace}}}{local}")

    return change


def _identities(parent: etree._Element, octets: int) -> None:
    for n in range(octets // 60):
        etree.SubElement(parent, f"{{{DS}}}Object").set(f"{{{WSU}}}Id", f"i{n}")


def _two_names(parent: etree._Element, octets: int) -> None:
    for n in range(octets // 70):
        made = etree.SubElement(parent, f"{{{DS}}}Object")
        made.set(f"{{{WSU}}}Id", f"i{n}")
        made.set("Id", f"j{n}")


def _references(info: etree._Element, octets: int) -> None:
    last = info[-1]
    for n in range(octets // 500):
        other = etree.fromstring(etree.tostring(last))
        other.set("URI", f"#n{n}")
        info.append(other)


def _same_reference(info: etree._Element, octets: int) -> None:
    for _ in range(octets // 500):
        info.append(etree.fromstring(etree.tostring(info[-1])))


def _transforms(info: etree._Element, octets: int) -> None:
    for transforms in info.iter(f"{{{DS}}}Transforms"):
        for _ in range(octets // 400):
            transforms.append(etree.fromstring(etree.tostring(transforms[0])))


def _value(local: str) -> Callable[[etree._Element, int], None]:
    def change(parent: etree._Element, octets: int) -> None:
        for found in parent.iter(f"{{{DS}}}{local}"):
            found.text = "QUJD\n" * (octets // 5)
            return

    return change


_signature("one prefix many times", _prefixes(lambda n: "a " * (n // 2)), False)
_signature("many prefixes", _prefixes(lambda n: " ".join(f"p{i}" for i in range(n // 6))), False)
_signature("blanks between prefixes", _prefixes(lambda n: "a" + " " * n), False)
_signature("references to nothing", _references, False)
_signature("one reference many times", _same_reference, False)
_signature("transforms", _transforms, False)
_signature("children of SignedInfo", _children("X"), False)
_signature("a long DigestValue", _value("DigestValue"), False)
_signature("children of Signature", _children("Object"), True)
_signature("children of another namespace", _children("X", WSSE), True)
_signature("ids in Signature", _identities, True)
_signature("ids under two names", _two_names, True)
_signature("a long SignatureValue", _value("SignatureValue"), True)


@kind("signature", "ids under two names all over")
def two_names_everywhere(s: Sender, octets: int) -> bytes:
    ns = b' xmlns:u="%s"' % WSU.encode()
    rows = b"".join(b'<b u:Id="i%d" Id="j%d"/>' % (n, n) for n in range(octets // 26))
    return _inside(s, b"<a" + ns + b">" + rows + b"</a>")


@kind("signature", "ids in the body")
def ids(s: Sender, octets: int) -> bytes:
    ns = b' xmlns:u="%s"' % WSU.encode()
    rows = b"".join(b'<b u:Id="i%d"/>' % n for n in range(octets // 16))
    return _inside(s, b"<a" + ns + b">" + rows + b"</a>")


@kind("signature", "namespaces in scope of every part")
def scope(s: Sender, octets: int) -> bytes:
    more = b"".join(b' xmlns:n%d="urn:%d"' % (n, n) for n in range(min(480, octets // 25)))
    raw = s.forge().sign().raw()
    return s.post(raw.replace(b" ", more + b" ", 1))


@kind("signature", "a digest that does not match, of a long body")
def long_body(s: Sender, octets: int) -> bytes:
    return s.post(s.forge().sign().raw().replace(b"</", b"x" * octets + b"</", 1))


@kind("signature", "tokens")
def tokens(s: Sender, octets: int) -> bytes:
    made = s.forge()
    for _ in range(octets // 100):
        etree.SubElement(made.security, f"{{{WSSE}}}BinarySecurityToken").text = "QUJD"
    return s.post(made.sign().raw())


@lru_cache(maxsize=4)
def _key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def _certificate(s: Sender, bits: int, names: int) -> bytes:
    """Signed by itself; a new serial number each, so that nobody remembers it."""
    key = _key(bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Voorbeeld")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(s.draw.getrandbits(120) + 1)
        .not_valid_before(s.now - timedelta(days=1)).not_valid_after(s.now + timedelta(days=1))
    )  # fmt: skip
    if names:
        others = [x509.DNSName(f"n{n}.example") for n in range(names)]
        made = made.add_extension(x509.SubjectAlternativeName(others), critical=False)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _with_token(s: Sender, text: str) -> bytes:
    made = s.forge()
    made.token.text = text
    return s.post(made.sign().raw())


@kind("certificate", "a key of 8192 bits")
def large_key(s: Sender, octets: int) -> bytes:
    return _with_token(s, b64encode(_certificate(s, 8192, 0)).decode())


@kind("certificate", "many names")
def many_names(s: Sender, octets: int) -> bytes:
    return _with_token(s, b64encode(_certificate(s, 2048, 700)).decode())


@kind("certificate", "a token without end")
def long_token(s: Sender, octets: int) -> bytes:
    return _with_token(s, "QUJD" * (octets // 4))


@kind("certificate", "a token of blanks and letters")
def blank_token(s: Sender, octets: int) -> bytes:
    return _with_token(s, "Q " * (octets // 2))


def _header(name: str, local: str, text: Callable[[int], str]) -> None:
    @kind("addressing", name)
    def make(s: Sender, octets: int) -> bytes:
        made = s.forge()
        element = getattr(made, local)
        element.text = text(octets)
        return s.post(made.sign().raw())


_header("a long wsa:To", "to", lambda n: "https://" + "a" * n)
_header("a long wsa:To of slashes", "to", lambda n: "/" * n)
_header("a long wsa:Action", "action", lambda n: "a" * n)
_header("a long wsa:MessageID", "message_id", lambda n: "urn:" + "a" * n)
_header("a wsa:MessageID that is almost an IRI", "message_id", lambda n: "a" * n + " :")
_header("blanks around wsa:To", "to", lambda n: " " * n)


@kind("addressing", "headers")
def headers(s: Sender, octets: int) -> bytes:
    made = s.forge()
    for n in range(octets // 120):
        made.wsa("RelatesTo" if n % 2 else "From", f"id-{n}", "x")
    return s.post(made.sign().raw())


@kind("addressing", "digits in Created")
def digits(s: Sender, octets: int) -> bytes:
    made = s.forge()
    made.timestamp[0].text = "2026-11-23T12:00:00." + "1" * octets + "Z"
    return s.post(made.sign().raw())


def _field(name: str, local: str, text: Callable[[int], str]) -> None:
    @kind("fields", name)
    def make(s: Sender, octets: int) -> bytes:
        made = s.forge()
        element = next(e for e in made.payload.iter() if etree.QName(e).localname == local)
        element.text = text(octets)
        return s.post(made.sign().raw())


_field("base64 with a blank after each letter", "inhoud", lambda n: "Q " * (n // 2))
_field("base64 that is none at its end", "inhoud", lambda n: "QUJD" * (n // 4) + "=")
_field("a long aanleverkenmerk", "aanleverkenmerk", lambda n: "a" * n)
_field("a long berichtsoort", "berichtsoort", lambda n: "a" * n)
_field("a long bestandsnaam", "bestandsnaam", lambda n: "a." * (n // 2))
_field("blanks around mimeType", "mimeType", lambda n: " " * n + "text/xml")
