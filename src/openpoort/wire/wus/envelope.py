"""The shape of a SOAP 1.1 envelope: which element may stand where, and nothing else.

A signature proves that an element is unchanged, not that it stands where a reader looks for it.
So the place is fixed here, before any signature is looked at: one Body with one child, known
headers once each, one wsse:Security. What does not fit is refused; nothing is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from lxml import etree

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire.names import DS, SOAP, SOAP12, WSA, WSSE, WSU, XENC
from openpoort.wire.xml.elements import children, elements, name

_HEADERS = {
    f"{{{WSA}}}{local}": local
    for local in ("To", "Action", "MessageID", "ReplyTo", "FaultTo", "From", "RelatesTo")
}
_HOMES = {
    **dict.fromkeys(("Envelope", "Header", "Body"), SOAP),
    **dict.fromkeys((*_HEADERS.values(), "Address"), WSA),
    **dict.fromkeys(("Security", "BinarySecurityToken"), WSSE),
    **dict.fromkeys(("SecurityTokenReference", "Reference"), WSSE),
    **dict.fromkeys(("Timestamp", "Created", "Expires"), WSU),
    "Signature": DS,
}
"""Local names that a reader knows, and the namespace they are known in."""
_DRAFT_WSU = re.compile(r"http://schemas\.xmlsoap\.org/ws/200[23]/[0-9]{2}/utility")
_SECURITY = f"{{{WSSE}}}Security"
WSU_ID = f"{{{WSU}}}Id"
_ACTOR = f"{{{SOAP}}}actor"
_ATTRIBUTES = frozenset({f"{{{SOAP}}}mustUnderstand", _ACTOR, WSU_ID})
_RELATION = frozenset({*_ATTRIBUTES, "RelationshipType"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """The elements of a message by place. `headers` maps wsa local names to elements."""

    root: etree._Element
    security: etree._Element | None
    headers: dict[str, etree._Element]
    body: etree._Element
    payload: etree._Element


def read(root: etree._Element) -> Envelope:
    """Fault if the envelope is not as the koppelvlak has it; Refusal if it plays tricks."""
    if root.tag == f"{{{SOAP12}}}Envelope":
        raise Fault(
            f"Het bericht is SOAP 1.2 (namespace {SOAP12}); dit koppelvlak gebruikt SOAP 1.1 "
            f"({SOAP})."
        )
    if root.tag != f"{{{SOAP}}}Envelope":
        raise misplaced(
            root, f"Het bericht begint met {name(root)} in plaats van soapenv:Envelope."
        )
    parts = list(children(root))
    for element in (root, *parts):
        _nameless(element)
    header = parts.pop(0) if parts and parts[0].tag == f"{{{SOAP}}}Header" else None
    if not parts or parts[0].tag != f"{{{SOAP}}}Body":
        lacks = "In soapenv:Envelope ontbreekt soapenv:Body, of staat een onbekend element."
        raise misplaced(parts[0], lacks) if parts else Fault(lacks)
    if len(parts) > 1:
        raise Refusal("elements after the first Body")
    body = parts[0]
    plain(body)
    payload = _payload(body)
    headers, security = _headers(header)
    return Envelope(root, security, headers, body, payload)


def misplaced(element: etree._Element, otherwise: str) -> Fault:
    """For an element that may not stand where it does: one that only has the namespace of another
    version of the standard (WS-Addressing of 2004, drafts of WS-Security) is told which it needs.
    """
    found = etree.QName(element)
    home = _HOMES.get(found.localname, found.namespace)
    if found.namespace == home:
        return Fault(otherwise)
    there = f"namespace {found.namespace[:120]}" if found.namespace else "geen namespace"
    return Fault(f"{name(element)} staat in {there}; verwacht is namespace {home}.")


def _payload(body: etree._Element) -> etree._Element:
    parts = list(children(body))
    if not parts:
        raise Fault("soapenv:Body is leeg.")
    if len(parts) > 1:
        raise Fault("In soapenv:Body staat meer dan een element.")
    if parts[0].tag == f"{{{XENC}}}EncryptedData":
        raise Fault("soapenv:Body is versleuteld; dit koppelvlak versleutelt alleen met TLS.")
    return parts[0]


def _headers(
    header: etree._Element | None,
) -> tuple[dict[str, etree._Element], etree._Element | None]:
    found: dict[str, etree._Element] = {}
    security = None
    for child in children(header) if header is not None else ():
        local = _HEADERS.get(child.tag)
        if local:
            if local in found:
                raise Refusal(f"two wsa:{local} headers")
            plain(child, _RELATION if local == "RelatesTo" else _ATTRIBUTES)
            found[local] = child
        elif child.tag == _SECURITY:
            if security is not None:
                raise Refusal("two wsse:Security headers")
            plain(child, _ATTRIBUTES)
            security = child
        else:
            raise misplaced(
                child, f"Header {name(child)} is niet toegestaan; eigen headers mogen niet."
            )
    return found, security


def plain(element: etree._Element, allowed: Collection[str] = (WSU_ID,)) -> None:
    """Only known attributes: another reader might take `ID` or `xml:id` for an identity."""
    for attribute in element.keys():  # noqa: SIM118 - an element is no mapping
        if attribute not in allowed:
            _nameless(element)
            raise Fault(f"Attribuut {str(attribute)[:120]} op {name(element)} is niet toegestaan.")
        if attribute == _ACTOR and element.get(attribute):
            raise Fault(f"Header {name(element)} is aan een andere actor gericht.")


def _nameless(element: etree._Element) -> None:
    """No identity by another attribute than wsu:Id, also where ids mean nothing to us."""
    for attribute in element.keys():  # noqa: SIM118 - an element is no mapping
        found = etree.QName(attribute)
        if attribute != WSU_ID and found.localname.lower() == "id":
            if found.namespace and _DRAFT_WSU.fullmatch(found.namespace):
                where = f"staat in namespace {found.namespace}; verwacht is namespace {WSU}."
                raise Fault(f"Attribuut {found.localname} op {name(element)} {where}")
            raise Refusal("identity by another attribute than wsu:Id")


# A union of the two would compare each with all.
_COUNT = etree.XPath("count(//@u:Id) + count(//@xml:id)", namespaces={"u": WSU})
_XML_ID = etree.XPath("boolean(//@xml:id)")
_IDS = etree.XPath("//*[@u:Id]", namespaces={"u": WSU})


def identities(
    envelope: Envelope, security_parts: list[etree._Element], signature: etree._Element
) -> dict[str, etree._Element]:
    """Every wsu:Id of a part that may be signed. Refusal if an id occurs twice or elsewhere.

    `security_parts` are Timestamp and token. Ids in the signature count for uniqueness but
    never name a signed part.
    """
    found: dict[str, etree._Element] = {}
    count = 0
    for element in (envelope.body, *envelope.headers.values(), *security_parts):
        identity = element.get(WSU_ID)
        if identity is not None:
            count += 1
            if identity in found:
                raise Refusal("one id on two elements")
            found[identity] = element
    if signature.get("Id") in found or any(e.get("Id") in found for e in elements(signature)):
        raise Refusal("id of a signed part on the signature")
    if _COUNT(envelope.root) != count:
        _others(envelope, found, signature)
    return found


def _others(
    envelope: Envelope, owners: dict[str, etree._Element], signature: etree._Element
) -> None:
    """More ids than signed parts: fine on Security and in the signature, if each is unique."""
    if _XML_ID(envelope.root):
        raise Refusal("identity by another attribute than wsu:Id")
    inside = set(signature.iter("*"))
    seen: set[str] = set(owners)
    for element in _found(envelope.root):
        identity = element.get(WSU_ID, "")
        if owners.get(identity) is element:
            continue
        legal = element is envelope.security or element in inside
        if not legal or identity in seen:
            raise Refusal("id where no signed part belongs, or twice")
        seen.add(identity)


def _found(root: etree._Element) -> list[etree._Element]:
    found = _IDS(root)
    return [e for e in found if isinstance(e, etree._Element)] if isinstance(found, list) else []
