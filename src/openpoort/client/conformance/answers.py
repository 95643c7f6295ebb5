"""Cases: the layout of answers, and what the operations answer."""

from __future__ import annotations

import re
import time
import uuid
from datetime import timedelta

from lxml import etree

from openpoort.client.conformance.kit import Case, Fails, Kit, expect, tree
from openpoort.client.forge import Shape
from openpoort.domain.message import AanleverBevestiging, Antwoord, Operatie
from openpoort.domain.status import Status
from openpoort.wire.names import ANONYMOUS, DS, EXC_C14N, KOPPELVLAK, SOAP, WSA, WSSE, WSU, XENC
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.services import AANLEVER, OPHAAL, STATUSINFORMATIE

_HEADERS = ["Security", "To", "MessageID", "Action", "RelatesTo"]
_PARTS = ["Timestamp", "To", "MessageID", "Action", "RelatesTo", "Body"]
_KENMERK = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_PATIENCE = 20.0


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _answer(kit: Kit, shape: Shape | None = None) -> tuple[etree._Element, str]:
    seen = kit.hand_in(shape)
    seen.accepted()
    return tree(seen), seen.message_id


def _element(root: etree._Element, path: str) -> etree._Element:
    found = root.find(path)
    if found is None:
        raise Fails(f"the answer has no {path.rpartition('}')[2]}")
    return found


def _header_order(kit: Kit) -> None:
    root, _ = _answer(kit)
    order = [_local(e) for e in _element(root, f"{{{SOAP}}}Header")]
    expect(order == _HEADERS, f"the headers are {', '.join(order)}")


def _security_order(kit: Kit) -> None:
    security = _element(_answer(kit)[0], f".//{{{WSSE}}}Security")
    order = [_local(e) for e in security]
    wanted = ["Timestamp", "BinarySecurityToken", "Signature"]
    expect(order == wanted, f"Security holds {', '.join(order)}")
    must = security.get(f"{{{SOAP}}}mustUnderstand")
    expect(must == "1", f"mustUnderstand is {must}")


def _references(kit: Kit) -> None:
    root, _ = _answer(kit)
    by_id = {e.get(f"{{{WSU}}}Id"): _local(e) for e in root.iter("*") if e.get(f"{{{WSU}}}Id")}
    references = root.findall(f".//{{{DS}}}Reference")
    order = [by_id.get((r.get("URI") or "")[1:], "?") for r in references]
    expect(order == _PARTS, f"signed are {', '.join(order)}")
    for reference in references:
        used = [t.get("Algorithm") for t in reference.iter(f"{{{DS}}}Transform")]
        expect(used == [EXC_C14N], f"transforms {used}")


def _unprefixed(kit: Kit) -> None:
    """wus.core looks for `Signature` by its name as written."""
    signature = _element(_answer(kit)[0], f".//{{{DS}}}Signature")
    expect(signature.prefix is None, f"Signature has prefix {signature.prefix}")


def _token(kit: Kit) -> None:
    root, _ = _answer(kit)
    reference = _element(root, f".//{{{WSSE}}}SecurityTokenReference/{{{WSSE}}}Reference")
    token = _element(root, f".//{{{WSSE}}}BinarySecurityToken")
    expect(
        reference.get("URI") == "#" + (token.get(f"{{{WSU}}}Id") or ""),
        "KeyInfo does not refer to the token",
    )


def _timestamp(kit: Kit) -> None:
    seen = kit.hand_in()
    message = seen.accepted()
    text = tree(seen).findtext(f".//{{{WSU}}}Created") or ""
    expect(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text) is not None,
        f"Created is {text}",
    )
    expect(message.expires is not None, "there is no Expires")
    assert message.expires is not None
    life = message.expires - message.created
    expect(life == timedelta(minutes=10), f"it lasts {life}")


def _relates(kit: Kit) -> None:
    root, message_id = _answer(kit)
    relates = _element(root, f".//{{{WSA}}}RelatesTo")
    expect(relates.text == message_id, f"RelatesTo is {relates.text}")
    expect(relates.get("RelationshipType") is None, "RelatesTo has a RelationshipType")
    to = root.findtext(f".//{{{WSA}}}To")
    expect(to == ANONYMOUS, f"To is {to}")


def _default_namespace(kit: Kit) -> None:
    payload = _element(_answer(kit)[0], f"{{{SOAP}}}Body/*")
    expect(payload.prefix is None, f"the body has prefix {payload.prefix}")
    expect(payload.nsmap.get(None) == KOPPELVLAK, "the koppelvlak is not the default namespace")


def _hash_follows(kit: Kit) -> None:
    """A .NET client with TripleDesRsa15 refuses an answer that is not SHA-1."""
    shape = Shape(digest="sha1", signature="sha1")
    found = kit.hand_in(shape).accepted().algorithms
    expect(found.signature == DS + "rsa-sha1", f"a SHA-1 request gets {found.signature}")
    expect(found.digests == {DS + "sha1"}, f"digests {sorted(found.digests)}")
    found = kit.hand_in(Shape()).accepted().algorithms
    expect(found.digests in ({XENC + "sha256"}, {DS + "sha1"}), f"digests {sorted(found.digests)}")


def _bevestiging(kit: Kit, **how: object) -> AanleverBevestiging:
    value = koppelvlak.read(kit.hand_in(**how).accepted())  # type: ignore[arg-type]  # passed through
    if not isinstance(value, AanleverBevestiging):
        raise Fails("the answer is no aanleverResponse")
    return value


def _kenmerk(kit: Kit) -> None:
    kenmerk = _bevestiging(kit).kenmerk
    expect(_KENMERK.fullmatch(kenmerk) is not None, f"the kenmerk is {kenmerk}")


def _echo(kit: Kit) -> None:
    value, sent = _bevestiging(kit), kit.message.aanlevering()
    expect(value.berichtsoort == sent.berichtsoort, f"berichtsoort {value.berichtsoort}")
    expect(value.aanleverkenmerk == sent.aanleverkenmerk, f"{value.aanleverkenmerk}")
    expect(value.belanghebbende.key == sent.belanghebbende.key, "another belanghebbende")
    expect(value.status is None, "status fields stand in the answer")


def _repeat(kit: Kit) -> None:
    shape = Shape(message_id=f"urn:uuid:{uuid.uuid4()}")
    first, second = _bevestiging(kit, shape=shape), _bevestiging(kit, shape=shape)
    expect(first.kenmerk == second.kenmerk, "a repeated message got another kenmerk")


def _history(kit: Kit) -> None:
    """105, 100, 110 stand first; nobody else's statuses come along."""
    kenmerk = _bevestiging(kit).kenmerk
    until = time.monotonic() + _PATIENCE
    codes: list[str] = []
    while time.monotonic() < until and len(codes) < 3:
        statuses = _items(kit, Operatie.STATUSSEN_PROCES, kenmerk=kenmerk)
        codes = [s.statuscode for s in statuses if isinstance(s, Status) and s.kenmerk == kenmerk]
    expect(codes[:3] == ["105", "100", "110"], f"the first statuses are {', '.join(codes)}")


def _new_once(kit: Kit) -> None:
    kenmerk = _bevestiging(kit).kenmerk
    first = _items(kit, Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)
    expect(len(first) >= 1, "getNieuweStatussenProces gives nothing after handing in")
    second = _items(kit, Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)
    twice = {s for s in first if s in second}
    expect(not twice, "an old status came again as new")


def _items(kit: Kit, operatie: Operatie, **fields: object) -> tuple[object, ...]:
    value = koppelvlak.read(kit.ask(operatie, **fields).accepted())
    if not isinstance(value, Antwoord):
        raise Fails(f"the answer is no {operatie.value}Response")
    return value.items


def _operation(operatie: Operatie) -> Case:
    def run(kit: Kit) -> None:
        fields: dict[str, object] = {}
        if operatie in _BY_KENMERK:
            fields["kenmerk"] = _bevestiging(kit).kenmerk
        if operatie in _BY_KIND:
            fields["berichtsoort"] = kit.message.berichtsoort
        if operatie in _BY_PARTY:
            fields["belanghebbende"] = kit.message.belanghebbende
        _items(kit, operatie, **fields)

    return Case("WUS-1.2-3", f"answers {operatie.value}", run)


_BY_KENMERK = {
    Operatie.STATUSSEN_PROCES,
    Operatie.NIEUWE_STATUSSEN_PROCES,
    Operatie.BERICHTEN_KENMERK,
    Operatie.NIEUWE_BERICHTEN_KENMERK,
}
_BY_KIND = {Operatie.PROCESSEN, Operatie.NIEUWE_STATUSSEN}
_BY_PARTY = {
    Operatie.BERICHTSOORTEN,
    Operatie.PROCESSEN,
    Operatie.NIEUWE_STATUSSEN,
    Operatie.BERICHTEN,
    Operatie.NIEUWE_BERICHTEN,
}


def _wsdl(kit: Kit) -> None:
    """Odoo fetches the WSDL on each call and expects the message namespace as `ns0`."""
    for service in (AANLEVER, STATUSINFORMATIE, OPHAAL):
        answer = kit.http.get(kit.endpoints.of(service) + "?wsdl")
        expect(answer.status == 200, f"{service.path}?wsdl gives HTTP {answer.status}")
        root = etree.fromstring(answer.body)
        space = root.get("targetNamespace")
        expect(space == service.namespace, f"targetNamespace {space}")
        expect(KOPPELVLAK.encode() in answer.body, "the message namespace is not imported")
        names = {e.get("name") for e in root.iter("{http://schemas.xmlsoap.org/wsdl/}operation")}
        missing = {o.name for o in service.operations} - names
        expect(not missing, f"operations are missing: {', '.join(sorted(missing))}")


CASES = (
    Case("WUS-2.2-1", "has its headers in the captured order", _header_order),
    Case("WUS-2.2-2", "has Security in the captured order", _security_order),
    Case("WUS-2.2-3", "signs the six parts, in the captured order", _references),
    Case("WUS-2.2-4", "has an unprefixed Signature", _unprefixed),
    Case("WUS-2.2-5", "refers to its token directly", _token),
    Case("WUS-2.2-6", "has a Timestamp in UTC with milliseconds, for ten minutes", _timestamp),
    Case("WUS-2.2-7", "says which request it answers", _relates),
    Case("WUS-2.2-8", "has the koppelvlak as default namespace", _default_namespace),
    Case("WUS-5.9-7", "signs with SHA-1 for who asks with SHA-1", _hash_follows),
    Case("WUS-3.3-1", "gives a kenmerk that is a lower-case UUID v4", _kenmerk),
    Case("WUS-5.10-1", "repeats what was handed in, without a status", _echo),
    Case("WUS-3.1-1", "starts the history with 105, 100, 110", _history, must=False),
    Case("WUS-3.6-1", "gives a new status once", _new_once, must=False),
    Case("WUS-3.3-2", "gives a repeated MessageID the same kenmerk", _repeat, must=False),
    Case("WUS-2.1-12", "serves the WSDL of its three services", _wsdl),
    *(_operation(operatie) for operatie in Operatie),
)
