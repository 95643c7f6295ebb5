"""ds:SignedInfo: what a signature is over, read strictly.

One canonicalisation, one signature algorithm, references by id with one transform and one
digest each. Source: XML Signature 1.0 section 4.4; contract 1.2 security profile.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire.names import BLANKS, DIGESTS, DS, EXC_C14N, SIGNATURES
from openpoort.wire.xml.elements import elements, name, text_of
from openpoort.wire.xmldsig import certificate
from openpoort.wire.xmldsig.canonical import canonical

_WORDS = re.compile(f"[^{BLANKS}]+")
_MAX_REFERENCES = 16
_MAX_LIST = 2048
_MAX_PREFIXES = 32
"""Canonical form looks each prefix of a list up for each element: WSS4J lists some ten."""


def _ds(*names: str) -> tuple[str, ...]:
    return tuple(f"{{{DS}}}{n}" for n in names)


_METHODS = _ds("CanonicalizationMethod", "SignatureMethod")
_REFERENCE_PARTS = _ds("Transforms", "DigestMethod", "DigestValue")
_REFERENCE, _TRANSFORM = _ds("Reference", "Transform")
_INCLUSIVE = f"{{{EXC_C14N}}}InclusiveNamespaces"


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference: the id it names, prefixes to render, digest algorithm and value."""

    identity: str
    prefixes: tuple[str, ...]
    hash_uri: str
    value: bytes


@dataclass(frozen=True, slots=True)
class SignedInfo:
    """ds:SignedInfo read strictly, and the canonical form that the signature is over."""

    form: bytes
    signature_uri: str
    references: tuple[Reference, ...]


def read(element: etree._Element) -> SignedInfo:
    """Fault or Refusal if it is anything but the one shape that the profile allows."""
    return _from_form(element) or _from_tree(element)


def _from_form(element: etree._Element) -> SignedInfo | None:
    """The usual shape, read from the very bytes that were signed; None if it is another.

    No declaration can hide inside: every tag is spelled out, so the prefix of the first one
    means the same in all. This is the quick way; `_from_tree` reads every shape.
    """
    if next(element.iter(etree.Comment), None) is not None:
        return None  # canonical form forgets comments, and they may stand inside a text
    form = canonical(element)
    start = _START.match(form)
    if not start or start["prefix"] != start["bound"]:
        return None
    head, reference, end = _patterns(start["prefix"])
    found = head.match(form, start.end())
    if not found:
        return None
    uri, at, references = found[1].decode(), found.end(), []
    while one := reference.match(form, at):
        identity, hash_uri, value = one.groups()
        references.append((identity, hash_uri, value))
        at = one.end()
    if form[at:] != end or uri not in SIGNATURES or len(references) > _MAX_REFERENCES:
        return None
    try:
        return SignedInfo(form, uri, tuple([_quick(*r) for r in references]))
    except ValueError:
        return None


def _quick(identity: bytes, hash_uri: bytes, value: bytes) -> Reference:
    uri = hash_uri.decode()
    if uri not in DIGESTS:
        raise ValueError("another digest")
    return Reference(identity.decode(), (), uri, a2b_base64(value, strict_mode=True))


_START = re.compile(
    rb'<(?:(?P<prefix>[\w.-]+):)?SignedInfo xmlns(?::(?P<bound>[\w.-]+))?="%s">\s*' % DS.encode()
)


@lru_cache(maxsize=32)
def _patterns(prefix: bytes | None) -> tuple[re.Pattern[bytes], re.Pattern[bytes], bytes]:
    """What follows the start tag, one reference, and the end tag, for a prefix."""
    p = re.escape(prefix + b":") if prefix else b""

    def tags(name: bytes, inside: bytes) -> bytes:
        return b"<%s%s>%s</%s%s>" % (p, name, inside, p, name.split()[0])

    exclusive = b'Algorithm="%s"' % re.escape(EXC_C14N.encode())
    head = tags(b"CanonicalizationMethod " + exclusive, b"") + rb"\s*"
    head += tags(rb'SignatureMethod Algorithm="([^"]*)"', b"") + rb"\s*"
    transforms = tags(b"Transforms", rb"\s*" + tags(b"Transform " + exclusive, b"") + rb"\s*")
    digest = tags(rb'DigestMethod Algorithm="([^"]*)"', b"")
    inside = [transforms, digest, tags(b"DigestValue", rb"([A-Za-z0-9+/=]*)")]
    space = rb"\s*"
    body = space + space.join(inside) + space
    reference = tags(rb'Reference URI="#([A-Za-z0-9_.-]+)"', body) + space
    return (
        re.compile(head),
        re.compile(reference),
        b"</%sSignedInfo>" % (prefix + b":" if prefix else b""),
    )


def _from_tree(element: etree._Element) -> SignedInfo:
    """Text between elements is signed and means nothing; it is not looked at."""
    parts = elements(element)
    if len(parts) < 2 or (parts[0].tag, parts[1].tag) != _METHODS:
        raise Fault("ds:SignedInfo is niet opgebouwd zoals XML Signature voorschrijft.")
    prefixes = _exclusive(parts[0])
    uri = parts[1].get("Algorithm", "")
    if "hmac" in uri or elements(parts[1]):
        raise Refusal("signature method with a shared key or with parameters")
    if uri not in SIGNATURES:
        raise Fault(f"Handtekeningalgoritme {uri[:120]} wordt niet ondersteund.")
    if len(parts) - 2 > _MAX_REFERENCES:
        raise Refusal("too many references")
    references = tuple([_reference(p) for p in parts[2:]])
    return SignedInfo(canonical(element, prefixes), uri, references)


def _exclusive(method: etree._Element) -> tuple[str, ...]:
    """The InclusiveNamespaces prefixes of a canonicalisation that must be exclusive."""
    algorithm = method.get("Algorithm", "")
    if algorithm != EXC_C14N:
        raise Fault(f"{name(method)} gebruikt {algorithm[:120]}; alleen {EXC_C14N} is toegestaan.")
    inside = elements(method)
    if not inside:
        return ()
    only = inside[0]
    if len(inside) > 1 or only.tag != _INCLUSIVE or elements(only):
        raise Refusal("parameters other than InclusiveNamespaces in a transform")
    listed = only.get("PrefixList", "")
    prefixes = tuple(dict.fromkeys(_WORDS.findall(listed))) if len(listed) <= _MAX_LIST else ()
    if len(listed) > _MAX_LIST or len(prefixes) > _MAX_PREFIXES:
        raise Refusal("too many prefixes in a transform")
    return prefixes


def _reference(element: etree._Element) -> Reference:
    uri = element.get("URI", "")
    parts = elements(element)
    if element.tag != _REFERENCE or tuple([p.tag for p in parts]) != _REFERENCE_PARTS:
        raise Fault("ds:Reference moet Transforms, DigestMethod en DigestValue bevatten.")
    if len(uri) < 2 or uri[0] != "#":
        raise Refusal("reference to something outside the message")
    transforms, method, value = parts
    steps = elements(transforms)
    if len(steps) != 1 or steps[0].tag != _TRANSFORM:
        raise Fault(f"ds:Reference {uri[:80]} moet precies een Transform hebben.")
    prefixes = _exclusive(steps[0])
    hash_uri = method.get("Algorithm", "")
    if elements(method) or elements(value):
        raise Refusal("elements inside a digest")
    if hash_uri not in DIGESTS:
        raise Fault(f"Digestalgoritme {hash_uri[:120]} wordt niet ondersteund.")
    octets = certificate.base64(text_of(value), "ds:DigestValue")
    return Reference(uri[1:], prefixes, hash_uri, octets)
