"""Signed requests in any shape: as other stacks write them, and wrong in one chosen way.

`wire/wus/soap.py` writes the one shape openpoort itself sends. The conformance kit and the tests
need all the others: every order in wsse:Security, both Action spellings, SHA-1, parts left out
of the signature, tokens referred to in other ways. Slow and explicit; never on a hot path.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lxml import etree

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
from openpoort.wire.wus.seal import Signer


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to write a request. Names in the tuples are local names; order is order.

    `signed` leaves out what is not signed. `key_info` is `bst` or `x509data`. `inclusive` is an
    InclusiveNamespaces PrefixList for every part. `fraction` counts the digits after the
    second. `after` may change the signed tree (to break it); `before` the unsigned one.
    """

    header: tuple[str, ...] = ("Action", "MessageID", "ReplyTo", "To", "Security")
    security: tuple[str, ...] = ("Timestamp", "BinarySecurityToken", "Signature")
    signed: tuple[str, ...] = ("Body", "Timestamp", "Action", "MessageID", "ReplyTo", "To")
    digest: str = "sha256"
    signature: str = "sha256"
    key_info: str = "bst"
    canonical: str = EXC_C14N
    inclusive: str | None = None
    reply_to: str = ANONYMOUS
    message_id: str | None = None
    lifetime: timedelta | None = timedelta(minutes=5)
    fraction: int = 3
    prefix: str = "s"
    before: Callable[[etree._Element], None] | None = field(default=None, repr=False)
    after: Callable[[etree._Element], None] | None = field(default=None, repr=False)

    def parts(self) -> tuple[str, ...]:
        """What is signed of what is there."""
        return tuple(p for p in self.signed if p in ("Body", "Timestamp") or p in self.header)


def forge(
    body: bytes, shape: Shape, *, to: str, action: str, created: datetime, signer: Signer
) -> bytes:
    """The request in this shape: UTF-8 without declaration. `body` is the child of s:Body."""
    root = _envelope(body, shape, to, action, created, signer)
    if shape.before is not None:
        shape.before(root)
        # What is signed must be what a receiver parses, not what stands in this memory.
        root = _parsed(etree.tostring(root))
    _sign(root, shape, signer)
    if shape.after is not None:
        shape.after(root)
    return etree.tostring(root)


def _parsed(data: bytes) -> etree._Element:
    """Our own bytes, with documents of any size."""
    return etree.fromstring(data, etree.XMLParser(huge_tree=True, resolve_entities=False))


def _envelope(
    body: bytes, shape: Shape, to: str, action: str, created: datetime, signer: Signer
) -> etree._Element:
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={shape.prefix: SOAP, "a": WSA, "u": WSU})
    header = etree.SubElement(root, f"{{{SOAP}}}Header")
    texts = {
        "Action": action,
        "MessageID": shape.message_id or f"urn:uuid:{uuid.uuid4()}",
        "To": to,
    }
    for name in shape.header:
        if name == "Security":
            header.append(_security(shape, created, signer))
            continue
        element = etree.SubElement(header, f"{{{WSA}}}{name}")
        _name(element)
        if name == "ReplyTo":
            etree.SubElement(element, f"{{{WSA}}}Address").text = shape.reply_to
        else:
            element.text = texts.get(name, ANONYMOUS)
    element = etree.SubElement(root, f"{{{SOAP}}}Body")
    _name(element)
    element.append(_parsed(body))
    return _parsed(etree.tostring(root))


def _name(element: etree._Element) -> None:
    element.set(f"{{{WSU}}}Id", f"id-{etree.QName(element).localname}")


def _security(shape: Shape, created: datetime, signer: Signer) -> etree._Element:
    security = etree.Element(f"{{{WSSE}}}Security", nsmap={"o": WSSE})
    security.set(f"{{{SOAP}}}mustUnderstand", "1")
    for name in shape.security:
        if name == "Timestamp":
            stamp = etree.SubElement(security, f"{{{WSU}}}Timestamp")
            _name(stamp)
            etree.SubElement(stamp, f"{{{WSU}}}Created").text = moment(created, shape.fraction)
            if shape.lifetime is not None:
                expires = etree.SubElement(stamp, f"{{{WSU}}}Expires")
                expires.text = moment(created + shape.lifetime, shape.fraction)
        elif name == "BinarySecurityToken" and shape.key_info == "bst":
            token = etree.SubElement(
                security, f"{{{WSSE}}}{name}", EncodingType=BASE64_BINARY, ValueType=X509V3
            )
            _name(token)
            token.text = base64.b64encode(signer.certificate).decode()
        elif name == "Signature":
            etree.SubElement(security, f"{{{DS}}}Signature", nsmap={"ds": DS})
    return security


def moment(at: datetime, fraction: int) -> str:
    """xsd:dateTime in UTC with 0 to 7 digits after the second."""
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{at.microsecond:06d}0"[:fraction]
    return f"{text}.{digits}Z" if fraction else f"{text}Z"


def canonical(
    element: etree._Element, algorithm: str = EXC_C14N, inclusive: str | None = None
) -> bytes:
    """C14N without comments, exclusive or inclusive by `algorithm`."""
    prefixes = inclusive.split() if inclusive else None
    return etree.tostring(
        element,
        method="c14n",
        exclusive=algorithm == EXC_C14N,
        with_comments=False,
        inclusive_ns_prefixes=prefixes,
    )


def _sign(root: etree._Element, shape: Shape, signer: Signer) -> None:
    signature = root.find(f".//{{{DS}}}Signature")
    if signature is None:
        return
    info = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
    etree.SubElement(info, f"{{{DS}}}CanonicalizationMethod", Algorithm=EXC_C14N)
    etree.SubElement(info, f"{{{DS}}}SignatureMethod", Algorithm=SIGNATURE_URI[shape.signature])
    for name in shape.parts():
        target = root.find(f".//*[@{{{WSU}}}Id='id-{name}']")
        if target is not None:
            info.append(_reference(target, name, shape))
    value = signer.sign(canonical(info), shape.signature)
    etree.SubElement(signature, f"{{{DS}}}SignatureValue").text = base64.b64encode(value).decode()
    signature.append(_key_info(shape, signer))


def _reference(target: etree._Element, name: str, shape: Shape) -> etree._Element:
    reference = etree.Element(f"{{{DS}}}Reference", URI=f"#id-{name}")
    transforms = etree.SubElement(reference, f"{{{DS}}}Transforms")
    transform = etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=shape.canonical)
    if shape.inclusive is not None:
        etree.SubElement(
            transform,
            f"{{{EXC_C14N}}}InclusiveNamespaces",
            nsmap={"ec": EXC_C14N},
            PrefixList=shape.inclusive,
        )
    etree.SubElement(reference, f"{{{DS}}}DigestMethod", Algorithm=DIGEST_URI[shape.digest])
    digest = hashlib.new(shape.digest, canonical(target, shape.canonical, shape.inclusive))
    value = etree.SubElement(reference, f"{{{DS}}}DigestValue")
    value.text = base64.b64encode(digest.digest()).decode()
    return reference


def _key_info(shape: Shape, signer: Signer) -> etree._Element:
    info = etree.Element(f"{{{DS}}}KeyInfo")
    if shape.key_info == "x509data":
        data = etree.SubElement(info, f"{{{DS}}}X509Data")
        certificate = etree.SubElement(data, f"{{{DS}}}X509Certificate")
        certificate.text = base64.b64encode(signer.certificate).decode()
        return info
    reference = etree.SubElement(info, f"{{{WSSE}}}SecurityTokenReference", nsmap={"o": WSSE})
    etree.SubElement(
        reference, f"{{{WSSE}}}Reference", URI="#id-BinarySecurityToken", ValueType=X509V3
    )
    return info
