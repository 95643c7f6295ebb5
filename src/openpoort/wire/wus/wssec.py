"""WS-Security 1.0: the arithmetic of the one signature profile of contract 1.2.

Strict about the one shape that the profile allows: RSA with SHA, exclusive canonical form as
the only transform, references to ids of parts that stand at their legal place, token by direct
reference (or X509Data, as one client has it). All parts that matter must be signed. Whose token
it is, and whether it is fresh, others judge.
Sources: contract 1.2 security profile; WSS X.509 token profile 1.0; XML Signature 1.0.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire.names import (
    BASE64_BINARY,
    DIGESTS,
    DS,
    SIGNATURES,
    WSSE,
    WSSE11,
    WSU,
    X509V3,
)
from openpoort.wire.wus.envelope import WSU_ID, Envelope, identities, misplaced, plain
from openpoort.wire.wus.signed_message import Algorithms
from openpoort.wire.xml import detached_content as asides
from openpoort.wire.xml import instant
from openpoort.wire.xml.elements import children, elements, name, text_of
from openpoort.wire.xmldsig import certificate, signedinfo
from openpoort.wire.xmldsig.canonical import canonical

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - the contract; policy judges it
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_PARTS = {
    f"{{{WSU}}}Timestamp": "Timestamp",
    f"{{{WSSE}}}BinarySecurityToken": "BinarySecurityToken",
    f"{{{DS}}}Signature": "Signature",
}
_ANSWER_PARTS = {**_PARTS, f"{{{WSSE11}}}SignatureConfirmation": "SignatureConfirmation"}
_TIMES = {f"{{{WSU}}}{local}": local for local in ("Created", "Expires")}
_TOKEN_ATTRIBUTES = (WSU_ID, "EncodingType", "ValueType")

_MOST_WAYS = 2
"""Different references to one part: each costs its canonical form and a digest of all of it."""
_MOST_WORK = 30_000
"""Prefixes of a list times elements of its part, in one message: each pair is looked up, among
all declarations in scope."""
_INSIDE = etree.XPath("count(descendant-or-self::*)")
_SIGNATURE = tuple(f"{{{DS}}}{n}" for n in ("SignedInfo", "SignatureValue", "KeyInfo"))


@dataclass(frozen=True, slots=True)
class Security:
    """What a valid wsse:Security says. `token` is the certificate in DER."""

    created: datetime
    expires: datetime | None
    token: bytes
    algorithms: Algorithms


def verify(envelope: Envelope, aside: asides.Aside, *, answer: bool = False) -> Security:
    """Fault if a part is unsigned or does not match; Refusal if the signature plays tricks.

    An `answer` may hold a SignatureConfirmation (Digikoppeling WB014), which nobody reads.
    """
    if envelope.security is None:
        raise Fault("De header wsse:Security ontbreekt; het bericht is niet ondertekend.")
    parts = _security_parts(envelope.security, _ANSWER_PARTS if answer else _PARTS)
    signature = parts.get("Signature")
    if signature is None:
        raise Fault("In wsse:Security ontbreekt de handtekening (ds:Signature).")
    timestamp = parts.get("Timestamp")
    if timestamp is None:
        raise Fault("In wsse:Security ontbreekt wsu:Timestamp.")
    created, expires = _timestamp(timestamp)
    bst = parts.get("BinarySecurityToken")
    if bst is not None:
        plain(bst, _TOKEN_ATTRIBUTES)
    outer = [part for place, part in parts.items() if place != "Signature"]
    info_element, value, key_info = _signature(signature)
    ids = identities(envelope, outer, signature)
    info = signedinfo.read(info_element)
    der, key = certificate.token(_token(key_info, bst))
    _check_value(key, info, value)
    _check_parts(envelope, timestamp, info, ids, aside)
    algorithms = Algorithms(
        signature=info.signature_uri,
        digests=frozenset(r.hash_uri for r in info.references),
        key_bits=key.key_size,
        hash_name=SIGNATURES[info.signature_uri],
    )
    return Security(created, expires, der, algorithms)


def _security_parts(
    security: etree._Element, known: Mapping[str, str]
) -> dict[str, etree._Element]:
    parts: dict[str, etree._Element] = {}
    for child in children(security):
        place = known.get(child.tag)
        if place is None:
            raise misplaced(child, f"{name(child)} in wsse:Security is niet toegestaan.")
        if place in parts:
            raise Refusal(f"two {place} in Security")
        parts[place] = child
    return parts


def _timestamp(timestamp: etree._Element) -> tuple[datetime, datetime | None]:
    plain(timestamp)
    times: dict[str, datetime] = {}
    for child in children(timestamp):
        local = _TIMES.get(child.tag)
        if local is None or local in times or elements(child):
            wrong = f"{name(child)} staat verkeerd of dubbel in wsu:Timestamp."
            raise misplaced(child, wrong)
        try:
            times[local] = instant.parse(text_of(child), UTC)
        except ValueError:
            raise Fault(f"wsu:{local} is geen geldige datum en tijd (xsd:dateTime).") from None
    if "Created" not in times:
        raise Fault("In wsu:Timestamp ontbreekt wsu:Created.")
    expires = times.get("Expires")
    if expires and expires < times["Created"]:
        raise Fault("In wsu:Timestamp ligt wsu:Expires voor wsu:Created.")
    return times["Created"], expires


def _signature(signature: etree._Element) -> tuple[etree._Element, bytes, etree._Element]:
    parts = list(islice(signature.iterchildren("*"), len(_SIGNATURE) + 1))
    if tuple(p.tag for p in parts) != _SIGNATURE:
        raise Fault(
            "ds:Signature moet SignedInfo, SignatureValue en KeyInfo bevatten, in die volgorde."
        )
    info, value, key_info = parts
    if elements(value):
        raise Refusal("elements inside SignatureValue")
    return info, certificate.base64(text_of(value), "ds:SignatureValue"), key_info


def _token(key_info: etree._Element, bst: etree._Element | None) -> str:
    """The base64 text of the certificate that KeyInfo points to."""
    parts = list(children(key_info))
    if len(parts) != 1:
        raise Fault("ds:KeyInfo moet precies een verwijzing naar het certificaat bevatten.")
    if parts[0].tag == f"{{{WSSE}}}SecurityTokenReference":
        return _direct(parts[0], bst)
    inner = list(children(parts[0]))
    one = len(inner) == 1 and inner[0].tag == f"{{{DS}}}X509Certificate"
    if parts[0].tag != f"{{{DS}}}X509Data" or not one or elements(inner[0]):
        raise Fault(
            "ds:KeyInfo moet naar het BinarySecurityToken verwijzen "
            "of een X509Certificate bevatten."
        )
    if bst is not None:
        raise Refusal("a token beside the certificate in KeyInfo")
    return text_of(inner[0])


def _direct(reference: etree._Element, bst: etree._Element | None) -> str:
    inner = list(children(reference))
    if len(inner) != 1 or inner[0].tag != f"{{{WSSE}}}Reference":
        wrong = "wsse:SecurityTokenReference moet een directe wsse:Reference bevatten."
        raise misplaced(inner[0], wrong) if inner else Fault(wrong)
    if bst is None:
        raise Fault("Het wsse:BinarySecurityToken met het certificaat ontbreekt.")
    if inner[0].get("URI") != f"#{bst.get(WSU_ID)}" or elements(bst):
        raise Refusal("key reference to another element than the token")
    if inner[0].get("ValueType", X509V3) != X509V3 or bst.get("ValueType") != X509V3:
        raise Fault(f"Het BinarySecurityToken moet ValueType {X509V3} hebben.")
    if bst.get("EncodingType", BASE64_BINARY) != BASE64_BINARY:
        raise Fault(f"Het BinarySecurityToken moet EncodingType {BASE64_BINARY} hebben.")
    return text_of(bst)


def _check_value(key: RSAPublicKey, info: signedinfo.SignedInfo, value: bytes) -> None:
    try:
        key.verify(value, info.form, PKCS1v15(), _HASHES[SIGNATURES[info.signature_uri]])
    except InvalidSignature:
        raise Fault(
            "De handtekening (ds:SignatureValue) klopt niet bij ds:SignedInfo en het certificaat."
        ) from None


def _check_parts(
    envelope: Envelope,
    timestamp: etree._Element,
    info: signedinfo.SignedInfo,
    ids: dict[str, etree._Element],
    aside: asides.Aside,
) -> None:
    signed: Counter[str] = Counter()
    work = 0
    for reference in dict.fromkeys(info.references):  # CXF writes one to the Timestamp twice
        element = ids.get(reference.identity)
        if element is None:
            raise Fault(f"ds:Reference #{reference.identity[:80]} wijst naar geen enkel deel.")
        signed[reference.identity] += 1
        if signed[reference.identity] > _MOST_WAYS:
            raise Refusal("one part digested in too many ways")
        if reference.prefixes:
            work += len(reference.prefixes) * int(cast(float, _INSIDE(element)))
            if work > _MOST_WORK:
                raise Refusal("too many prefixes for so many elements")
        _check_digest(element, reference, aside if element is envelope.body else {})
    required = (timestamp, *envelope.headers.values(), envelope.body)
    missing = [name(e) for e in required if e.get(WSU_ID) not in signed]
    if missing:
        raise Fault(f"Niet ondertekend: {', '.join(missing)}.")


def _check_digest(
    element: etree._Element, reference: signedinfo.Reference, aside: asides.Aside
) -> None:
    form = canonical(element, reference.prefixes)
    computed = asides.digest(element, form, aside, DIGESTS[reference.hash_uri])
    if computed != reference.value:
        raise Fault(
            f"De digest van {name(element)} (#{reference.identity[:80]}) klopt niet: "
            f"berekend {b64encode(computed).decode()}, "
            f"in het bericht {b64encode(reference.value).decode()[:120]}."
        )
