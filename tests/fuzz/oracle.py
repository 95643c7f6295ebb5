"""What others make of a message: xmlsec of its signature, a plain reading of shape and values.

Nothing of the codec under test is used but names, the schema and the spelling of times. The shape
is that of contract 1.2, read narrowly: what is called right here must be taken.
"""

from __future__ import annotations

import re
import warnings
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache

import xmlsec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import InvalidVersion, load_der_x509_certificate
from lxml import etree

from openpoort.wire.names import (
    ANONYMOUS,
    BASE64_BINARY,
    BLANKS,
    DIGESTS,
    DS,
    EXC_C14N,
    NONE,
    SIGNATURES,
    SOAP,
    WSA,
    WSSE,
    WSU,
    X509V3,
)
from openpoort.wire.wus.services import by_element, xsd
from openpoort.wire.xml import instant

ID = f"{{{WSU}}}Id"
_NO_BLANKS = str.maketrans("", "", BLANKS)
_ONE_TEXT = re.compile("[ \t\n\r]+")
_LINES_KEPT = frozenset({"foutbeschrijving", "statusdetails", "beschrijving"})
_UNDERSTAND = f"{{{SOAP}}}mustUnderstand"


class Other(Exception):
    """Not of the contract's shape; says what."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """`signed`: xmlsec takes the signature, over all that is read. `shape`: empty when it is the
    contract's, else what is wrong. `values`: texts by place."""

    signed: bool
    shape: str
    values: dict[str, str]


def opinion(raw: bytes) -> Opinion | None:
    """None of what is no XML, or has a DTD."""
    parser = etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.getroottree().docinfo.internalDTD is not None or any(
        said.level >= etree.ErrorLevels.ERROR for said in parser.error_log
    ):
        return None
    try:
        _bounded(raw, root)
        _shape(root)
        shape = ""
    except Other as other:
        shape = str(other)
    values = _values(root)
    return Opinion(_signed(root), shape, values)


def flat(payload: etree._Element) -> dict[str, str]:
    """The leaves of a payload by place, as a reader of the schema has them."""
    found: dict[str, str] = {}
    for leaf in payload.iter("*"):
        if next(leaf.iterchildren("*"), None) is not None or _local(leaf) in _containers():
            continue
        text, local = _text(leaf), _local(leaf)
        if local == "inhoud":
            text = (
                b64decode(text.translate(_NO_BLANKS)).hex()
                if _base64(text)
                else f"no base64 {text}"
            )
        elif local.startswith("tijdstempel"):
            text = _time(text)
        elif local in _LINES_KEPT:
            text = text.strip(" \t\n\r")
        else:
            text = _ONE_TEXT.sub(" ", text).strip(" ")
        if text or local == "inhoud":  # what is empty is absent
            found[_place(leaf, payload)] = text
    return found


def _place(leaf: etree._Element, top: etree._Element) -> str:
    steps: list[str] = []
    while leaf is not top:
        before = sum(1 for _ in leaf.itersiblings(leaf.tag, preceding=True))
        steps.append(f"{_local(leaf)}[{before}]")
        parent = leaf.getparent()
        assert parent is not None
        leaf = parent
    return "/".join([_local(top), *reversed(steps)])


def _time(text: str) -> str:
    try:
        return instant.form(instant.parse(text))
    except ValueError:
        return f"no time {text}"


def _base64(text: str) -> bool:
    """xsd:base64Binary, by its grammar."""
    found = text.translate(_NO_BLANKS)
    return len(found) % 4 == 0 and bool(
        re.fullmatch("[A-Za-z0-9+/]*(?:[AEIMQUYcgkosw048]=|[AQgw]==)?", found)
    )


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _text(element: etree._Element) -> str:
    """All text, comments and instructions left out."""
    return str(element.xpath("string()"))


def _values(root: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for header in root.iterfind(f"{{{SOAP}}}Header/{{{WSA}}}*"):
        found[_local(header)] = _text(header).strip(BLANKS)
    for time in root.iterfind(f".//{{{WSU}}}Timestamp/{{{WSU}}}*"):
        try:
            found[_local(time)] = instant.parse(_text(time), UTC).isoformat()
        except ValueError:
            found[_local(time)] = "no time"
    payload = root.find(f"{{{SOAP}}}Body/*")
    token = _token(root)
    if token is not None:
        found["token"] = _text(token).translate(_NO_BLANKS)
    return found | (flat(payload) if payload is not None else {})


def _token(root: etree._Element) -> etree._Element | None:
    token = root.find(f".//{{{WSSE}}}BinarySecurityToken")
    return token if token is not None else root.find(f".//{{{DS}}}X509Certificate")


def _signed(root: etree._Element) -> bool:
    """What xmlsec says, with the key of the token; and that all that is read was referenced."""
    signature, token = root.find(f".//{{{DS}}}Signature"), _token(root)
    body = root.find(f"{{{SOAP}}}Body")
    if signature is None or token is None or body is None:
        return False
    key_info = signature.find(f"{{{DS}}}KeyInfo")
    try:
        der = b64decode(_text(token).translate(_NO_BLANKS), validate=True)
        public = load_der_x509_certificate(der).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
        if key_info is not None:
            signature.remove(key_info)  # the key is given; nobody signed this
        for element in root.iter("*"):
            if element.get(ID):
                context.register_id(element, "Id", WSU)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context.verify(signature)
    except (xmlsec.Error, ValueError, TypeError, InvalidVersion, UnsupportedAlgorithm):
        return False
    named = {r.get("URI", "")[1:] for r in signature.iter(f"{{{DS}}}Reference")}
    must = [body, *root.iterfind(f".//{{{WSU}}}Timestamp")]
    must += root.iterfind(f"{{{SOAP}}}Header/{{{WSA}}}*")
    return all(e.get(ID) in named for e in must)


def _bounded(raw: bytes, root: etree._Element) -> None:
    """What no honest message comes near: the limits of the codec, and those of keys."""
    declared = (root.getroottree().docinfo.encoding or "utf-8").lower()
    _must(declared in ("utf-8", "utf8", "us-ascii") and b"\x00" not in raw, "encoding")
    _must(len(raw.partition(b"Envelope")[0]) < 4000, "prolog")
    _must(raw.count(b"xmlns") <= 500, "namespaces")
    _must(raw.count(b"<!--") + raw.count(b"<?") <= 1000, "comments")
    token = _token(root)
    try:
        der = b64decode(_text(token).translate(_NO_BLANKS) if token is not None else "")
        numbers = load_der_x509_certificate(der).public_key().public_numbers()  # type: ignore[union-attr]
    except (ValueError, InvalidVersion, UnsupportedAlgorithm):
        raise Other("no certificate") from None
    _must(isinstance(numbers, RSAPublicNumbers), "no RSA")
    assert isinstance(numbers, RSAPublicNumbers)
    _must(2048 <= numbers.n.bit_length() <= 8192 and 65537 <= numbers.e <= 2**32, "key")


def _shape(root: etree._Element) -> None:
    """Raises Other where a message is not as contract 1.2 has it."""
    _remarks(root)
    _is(root, SOAP, "Envelope", {})
    header, body = _only(root, 2)
    _is(header, SOAP, "Header", {})
    _is(body, SOAP, "Body", {ID})
    ids = [v for e in root.iter("*") for k, v in e.items() if k.rpartition("}")[2].lower() == "id"]
    _must(len(ids) == len(set(ids)), "ids occur twice")
    headers = {_local(e): e for e in _only(header)}
    _must(len(headers) == len(_only(header)), "a header twice")
    security = headers.pop("Security", None)
    _must(security is not None, "no Security")
    assert security is not None
    _is(security, WSSE, "Security", {ID, _UNDERSTAND})
    (payload,) = _only(body, 1)
    _addressing(headers, payload)
    _security(security)
    _must(_schema().validate(payload), "not per schema")
    for leaf in payload.iter("*"):
        local = _local(leaf)
        _must(local != "inhoud" or _base64(_text(leaf)), "no base64")
        _must(local != "kenmerk" or bool(_text(leaf).strip(BLANKS)), "blank kenmerk")
        _must(local[:11] != "tijdstempel" or "no time" not in _time(_text(leaf)), "no time")


def _addressing(headers: dict[str, etree._Element], payload: etree._Element) -> None:
    known = by_element(str(payload.tag))
    _must(known is not None, "no request")
    assert known is not None
    texts = {}
    for local, element in headers.items():
        more = {"RelationshipType"} if local == "RelatesTo" else set()
        _is(element, WSA, local, {ID, _UNDERSTAND, *more})
        if local in ("ReplyTo", "FaultTo", "From"):
            (address,) = _only(element, 1)
            _is(address, WSA, "Address", {})
            texts[local] = _leaf(address).strip(BLANKS)
        else:
            texts[local] = _leaf(element).strip(BLANKS)
    _must(
        set(texts) <= {"To", "Action", "MessageID", "ReplyTo", "FaultTo", "From", "RelatesTo"}, "h"
    )
    _must(texts.get("Action") in (known[1].action, known[1].action_wcf), "another Action")
    _must(bool(texts.get("To")), "no To")
    _must(
        bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S{1,240}", texts.get("MessageID", ""))), "ID"
    )
    _must(texts.get("ReplyTo", ANONYMOUS) == ANONYMOUS, "ReplyTo")
    others = {texts.get(local, NONE) for local in ("FaultTo", "From", "RelatesTo")}
    _must(others <= {ANONYMOUS, NONE}, "answers elsewhere")


def _security(security: etree._Element) -> None:
    parts = {_local(e): e for e in _only(security)}
    _must(len(parts) == len(_only(security)), "a part of Security twice")
    _must({"Timestamp", "Signature"} <= set(parts), "no Timestamp or Signature")
    _must(set(parts) <= {"Timestamp", "Signature", "BinarySecurityToken"}, "another part")
    _is(parts["Timestamp"], WSU, "Timestamp", {ID})
    times = [(_local(e), _leaf(e)) for e in _only(parts["Timestamp"])]
    _must([n for n, _ in times] in (["Created"], ["Created", "Expires"]), "Timestamp")
    try:
        moments = [instant.parse(text, UTC) for _, text in times]
    except ValueError:
        raise Other("no time") from None
    _must(moments == sorted(moments), "Expires before Created")
    token = parts.get("BinarySecurityToken")
    if token is not None:
        _is(token, WSSE, "BinarySecurityToken", {ID, "EncodingType", "ValueType"})
        _must(token.get("ValueType") == X509V3, "ValueType")
        _must(token.get("EncodingType", BASE64_BINARY) == BASE64_BINARY, "EncodingType")
        _leaf(token)
    _signature(parts["Signature"], token)


def _signature(signature: etree._Element, token: etree._Element | None) -> None:
    _is(signature, DS, "Signature", {"Id"})
    info, value, key_info = _only(signature, 3)
    _is(info, DS, "SignedInfo", {})
    _is(value, DS, "SignatureValue", {})
    _is(key_info, DS, "KeyInfo", {"Id"})
    _leaf(value)
    _must(len(_only(info)) > 2, "SignedInfo")
    method, algorithm, *references = _only(info)
    _method(method, "CanonicalizationMethod")
    _is(algorithm, DS, "SignatureMethod", {"Algorithm"})
    _must(algorithm.get("Algorithm") in SIGNATURES and not _only(algorithm), "algorithm")
    _must(len(references) <= 16, "many references")
    for reference in references:
        _is(reference, DS, "Reference", {"URI"})
        transforms, digest, octets = _only(reference, 3)
        _is(transforms, DS, "Transforms", {})
        _method(_only(transforms, 1)[0], "Transform")
        _is(digest, DS, "DigestMethod", {"Algorithm"})
        _must(digest.get("Algorithm") in DIGESTS and not _only(digest), "algorithm")
        _is(octets, DS, "DigestValue", {})
        _leaf(octets)
    uris = [r.get("URI") for r in references]
    _must(all(uris.count(u) <= 2 for u in uris), "one part in many ways")
    (holder,) = _only(key_info, 1)
    (inside,) = _only(holder, 1)
    if token is None:
        _is(holder, DS, "X509Data", {})
        _is(inside, DS, "X509Certificate", {})
        _leaf(inside)
    else:
        _is(holder, WSSE, "SecurityTokenReference", {ID})
        _is(inside, WSSE, "Reference", {"URI", "ValueType"})
        _must(inside.get("URI") == f"#{token.get(ID)}", "another token")
        _must(inside.get("ValueType", X509V3) == X509V3, "ValueType")


def _method(element: etree._Element, local: str) -> None:
    _is(element, DS, local, {"Algorithm"})
    _must(element.get("Algorithm") == EXC_C14N, "algorithm")
    inner = _only(element)
    _must(len(inner) < 2, "parameters")
    for only in inner:
        _is(only, EXC_C14N, "InclusiveNamespaces", {"PrefixList"})
        _must(
            len(re.split(f"[{BLANKS}]+", only.get("PrefixList", ""))) <= 32 and not _only(only),
            "parameters",
        )


def _is(element: etree._Element, space: str, local: str, attributes: object) -> None:
    assert isinstance(attributes, (set, dict))
    _must(element.tag == f"{{{space}}}{local}", f"{element.tag} in the place of {local}")
    _must(set(element.keys()) <= set(attributes), f"attributes on {local}")


def _only(element: etree._Element, count: int | None = None) -> list[etree._Element]:
    """Child elements, so many, and no text between them."""
    found = list(element.iterchildren("*"))
    _must(count is None or len(found) == count, f"{len(found)} elements in {_local(element)}")
    between = [element.text, *(node.tail for node in element)]
    _must(not "".join(t for t in between if t).strip(" \t\r\n"), "text between elements")
    return found


def _leaf(element: etree._Element) -> str:
    _must(next(element.iterchildren("*"), None) is None, f"elements in {_local(element)}")
    return _text(element)


def _must(right: bool, what: str) -> None:
    if not right:
        raise Other(what)


def _remarks(root: etree._Element) -> None:
    """No comment and no instruction inside a text: only where elements may stand."""
    for node in _all_remarks(root):
        parent = node.getparent()
        if parent is not None:
            _must(_local(parent) in _containers(), f"{INSIDE} {_local(parent)}")


INSIDE = "comment or instruction inside"


def _all_remarks(root: etree._Element) -> Iterator[etree._Element]:
    yield from root.iter(etree.Comment, etree.PI)


# fmt: off
_NO_TEXT = frozenset({
    "Envelope", "Header", "Body", "Security", "Timestamp", "Signature", "SignedInfo", "KeyInfo",
    "X509Data", "Reference", "SecurityTokenReference", "Transforms", "Transform",
    "InclusiveNamespaces", "CanonicalizationMethod", "SignatureMethod", "DigestMethod", "ReplyTo",
    "FaultTo", "From",
})
# fmt: on


@lru_cache(maxsize=1)
def _containers() -> frozenset[str]:
    """Elements that hold elements: those of the envelope, and of the schema."""
    space = "{http://www.w3.org/2001/XMLSchema}"
    schema = etree.fromstring(xsd())
    simple = {t.get("name") for t in schema.iterfind(f"{space}simpleType")}
    found = {
        str(e.get("name"))
        for e in schema.iter(f"{space}element")
        if e.get("name") and not _is_simple(e, space, simple)
    }
    return _NO_TEXT | found


def _is_simple(element: etree._Element, space: str, simple: set[str | None]) -> bool:
    kind = element.get("type", "")
    if element.find(f"{space}complexType") is not None:
        return False
    return not kind or kind.startswith("xs:") or kind.rpartition(":")[2] in simple


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(xsd()))
