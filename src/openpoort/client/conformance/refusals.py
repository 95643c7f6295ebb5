"""Cases: what a gateway must not take, and the fault it gives instead."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import timedelta

from lxml import etree

from openpoort.client.conformance.kit import Case, Fails, Kit, expect, now, tree
from openpoort.client.forge import Shape
from openpoort.domain.message import Document, Operatie
from openpoort.wire.names import ANONYMOUS, DS, KOPPELVLAK, SOAP, WSA, WSSE
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.wus.signed_message import SoapFault

Change = Callable[[etree._Element], None]
_ALL = ("Body", "Timestamp", "Action", "MessageID", "ReplyTo", "To")


def _find(root: etree._Element, tag: str) -> etree._Element:
    found = root.find(f".//{tag}")
    assert found is not None
    return found


def _set(tag: str, text: str) -> Change:
    def change(root: etree._Element) -> None:
        _find(root, tag).text = text

    return change


def _drop(tag: str) -> Change:
    def change(root: etree._Element) -> None:
        element = _find(root, tag)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return change


def _own_header(root: etree._Element) -> None:
    etree.SubElement(_find(root, f"{{{SOAP}}}Header"), "{urn:conformance}Eigen").text = "x"


def _wrapped(root: etree._Element) -> None:
    """The classic: the signed Body moves away, an unsigned one takes its place."""
    body = _find(root, f"{{{SOAP}}}Body")
    fake = copy.deepcopy(body)
    fake.attrib.clear()
    content = fake.find(f".//{{{KOPPELVLAK}}}berichtsoort")
    assert content is not None
    content.text = "ICP"
    root.replace(body, fake)
    etree.SubElement(_find(root, f"{{{SOAP}}}Header"), "{urn:conformance}Weg").append(body)


def _second_body(root: etree._Element) -> None:
    root.append(copy.deepcopy(_find(root, f"{{{SOAP}}}Body")))


def _refused(clause: str, title: str, shape: Shape, **how: object) -> Case:
    def run(kit: Kit) -> None:
        kit.hand_in(shape, **how).refused()

    return Case(clause, f"refuses {title}", run)


def _faulted(
    clause: str, title: str, shape: Shape, naming: str | None, must: bool = True, **how: object
) -> Case:
    """A fault with ALS…; that the description names the mistake is our own reading."""

    def run(kit: Kit) -> None:
        kit.hand_in(shape, **how).fault("ALS", naming)

    return Case(clause, f"gives a fault for {title}", run, must)


def _signatures() -> Iterator[Case]:
    for part in ("Body", "Timestamp", "To", "Action", "MessageID", "ReplyTo"):
        rest = tuple(p for p in _ALL if p != part)
        yield _refused("WUS-2.1-9", f"a request with {part} unsigned", Shape(signed=rest))
    berichtsoort = f"{{{KOPPELVLAK}}}berichtsoort"
    for clause, title, after in (
        ("WUS-5.9-3", "a body changed after signing", _set(berichtsoort, "ICP")),
        ("WUS-5.9-3", "a To changed after signing", _set(f"{{{WSA}}}To", "https://x/")),
        ("WUS-5.9-3", "a signed body that was moved away", _wrapped),
        ("WUS-5.9-3", "a second Body", _second_body),
        ("WUS-5.9-3", "another signature value", _set(f"{{{DS}}}SignatureValue", "AAAA")),
        ("WUS-5.9-3", "a request without wsse:Security", _drop(f"{{{WSSE}}}Security")),
        ("WUS-5.9-3", "a request without Signature", _drop(f"{{{DS}}}Signature")),
        ("WUS-2.1-10", "a token reference to nothing", _drop(f"{{{WSSE}}}BinarySecurityToken")),
    ):
        yield _refused(clause, title, Shape(after=after))
    yield _refused("WUS-2.1-1", "a header of one's own", Shape(before=_own_header))
    late = Shape(security=("BinarySecurityToken", "Signature"))
    yield _refused("WUS-2.1-2", "a request without Timestamp", late)


def _values() -> Iterator[Case]:
    yield _faulted("WUS-2.1-3", "a To of another host", Shape(), "To", to="https://x.example/")
    yield _faulted("WUS-5.9-4", "another Action", Shape(), "Action", action="urn:iets-anders")
    yield _faulted("WUS-2.1-4", "a MessageID that is no IRI", Shape(message_id="17"), "MessageID")
    other = Shape(reply_to="https://x.example/antwoord")
    yield _faulted("WUS-2.1-5", "a ReplyTo elsewhere", other, "ReplyTo")
    for missing in ("To", "Action", "MessageID"):
        header = tuple(h for h in ("Action", "MessageID", "To", "Security") if h != missing)
        yield _faulted("WUS-5.9-4", f"a missing {missing}", Shape(header=header), missing)
    yield Case("WUS-5.9-5", "gives a fault for a request an hour old", _aged(timedelta(hours=-1)))
    yield Case("WUS-5.9-5", "gives a fault for a request of tomorrow", _aged(timedelta(days=1)))
    extra = ("Action", "MessageID", "ReplyTo", "FaultTo", "To", "Security")
    signed = (*_ALL, "FaultTo")
    yield Case(
        "WUS-2.1-6",
        "takes FaultTo with anonymous",
        lambda kit: _taken(kit, Shape(header=extra, signed=signed, before=_fault_to)),
        must=False,
    )


def _taken(kit: Kit, shape: Shape) -> None:
    kit.hand_in(shape).accepted()


def _fault_to(root: etree._Element) -> None:
    element = _find(root, f"{{{WSA}}}FaultTo")
    element.text = None
    etree.SubElement(element, f"{{{WSA}}}Address").text = ANONYMOUS


def _aged(age: timedelta) -> Callable[[Kit], None]:
    def run(kit: Kit) -> None:
        kit.hand_in(created=now() + age).fault("ALS")

    return run


def _bodies() -> Iterator[Case]:
    for title, old, new, naming in (
        ("a missing element", b"<rolBelanghebbende>", None, "rolBelanghebbende"),
        (
            "empty berichtBijlagen",
            b"</berichtInhoud>",
            b"</berichtInhoud><berichtBijlagen/>",
            "berichtBijlagen",
        ),
        ("an unknown element", b"<berichtInhoud>", b"<iets/><berichtInhoud>", "iets"),
        ("content that is no base64", b"</inhoud>", b"*</inhoud>", "inhoud"),
    ):
        yield Case("WUS-5.9-6", f"gives a fault for {title}", _broken(old, new, naming))
    yield Case("WUS-5.9-6", "gives a fault for elements in another order", _disordered)
    yield Case("WUS-1.4-2", "gives a fault for a berichtsoort of 81 characters", _too_long)


def _broken(old: bytes, new: bytes | None, naming: str) -> Callable[[Kit], None]:
    def run(kit: Kit) -> None:
        body = koppelvlak.write(kit.message.aanlevering())
        if new is None:
            name = old.strip(b"<>")
            start, end = body.index(old), body.index(b"</" + name + b">") + len(name) + 3
            body = body[:start] + body[end:]
        else:
            body = body.replace(old, new, 1)
        kit.hand_in(body=body).fault("ALS", naming)

    return run


def _disordered(kit: Kit) -> None:
    body = koppelvlak.write(kit.message.aanlevering())
    start, end = body.index(b"<rolBelanghebbende>"), body.index(b"<berichtInhoud>")
    moved = body[:start] + body[end:]
    moved = moved.replace(b"<berichtsoort>", body[start:end] + b"<berichtsoort>", 1)
    kit.hand_in(body=moved).fault("ALS")


def _too_long(kit: Kit) -> None:
    kit.hand_in(value=kit.message.aanlevering(berichtsoort="x" * 81)).fault("ALS")


def _unknown_kind(kit: Kit) -> None:
    kit.hand_in(value=kit.message.aanlevering(berichtsoort="Bestaat_niet")).fault("ALS")


def _strange_kenmerk(kit: Kit) -> None:
    kenmerk = "00000000-0000-4000-8000-000000000000"
    kit.ask(Operatie.STATUSSEN_PROCES, kenmerk=kenmerk).fault("STS")


def _hostile(kit: Kit) -> None:
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    url = kit.endpoints.aanleveren
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    for title, raw in (("a DTD", bomb), ("no XML", b"hello"), ("no body", b"")):
        seen = kit.post(url, raw, headers)
        said_no = seen.answer.status >= 400 or isinstance(seen.opened, SoapFault)
        expect(said_no, f"{title}: {seen.told()}")


def _large(kit: Kit) -> None:
    content = b"<a>" + b"x" * (21 * 1024 * 1024) + b"</a>"
    value = kit.message.aanlevering(inhoud=Document("application/xml", "groot.xml", content))
    kit.hand_in(value=value).refused()


def _layout(kit: Kit) -> None:
    """Unsigned, with its addressing, and the literal prefix `fault`."""
    seen = kit.hand_in(to="https://x.example/")
    root = tree(seen)
    expect(root.find(f".//{{{WSSE}}}Security") is None, "the fault has a wsse:Security")
    relates = root.findtext(f".//{{{WSA}}}RelatesTo")
    expect(relates == seen.message_id, f"RelatesTo is {relates}")
    action = root.findtext(f".//{{{WSA}}}Action")
    expect(action == AANLEVER.operations[0].fault_action, f"Action is {action}")


def _prefix(kit: Kit) -> None:
    seen = kit.hand_in(to="https://x.example/")
    detail = tree(seen).find(".//detail/*")
    if detail is None:
        raise Fails("the fault has no detail")
    expect(detail.prefix == "fault", f"the detail has prefix {detail.prefix}")
    expect(detail.tag == f"{{{KOPPELVLAK}}}aanleverFault", f"the detail is {detail.tag}")


def _parts(kit: Kit) -> None:
    root = tree(kit.hand_in(to="https://x.example/"))
    for name, value in (
        ("faultstring", "Algemene fout"),
        ("faultactor", "Verantwoordingsplichtige"),
    ):
        found = root.findtext(f".//{name}")
        expect(found == value, f"{name} is {found}")


def _description(kit: Kit) -> None:
    fault = kit.hand_in(to="https://x.example/").fault("ALS")
    assert fault.fout is not None
    text = fault.fout.foutbeschrijving
    expect("De volgende fout is opgetreden:" in text, f"the description is {text[:200]}")


def _codes(kit: Kit) -> None:
    """Each service has letters of its own."""
    kit.hand_in(to="https://x.example/").fault("ALS")
    unknown = "00000000-0000-4000-8000-000000000000"
    kit.ask(Operatie.STATUSSEN_PROCES, kenmerk=unknown).fault("STS")
    kit.ask(Operatie.BERICHTEN_KENMERK, kenmerk=unknown).fault("OPH")


CASES = (
    *_signatures(),
    *_values(),
    *_bodies(),
    Case("WUS-1.5-1", "sends faults unsigned, about the request", _layout),
    Case("WUS-1.5-2", "has the texts of a Digipoort fault", _parts),
    Case("WUS-1.5-3", "writes the fault detail with the prefix fault", _prefix),
    Case("WUS-1.5-4", "says in the description what is wrong", _description),
    Case("WUS-1.5-5", "has fault codes of the service", _codes, must=False),
    Case("WUS-1.5-5", "gives ALS for an unknown kind", _unknown_kind),
    Case("WUS-1.5-5", "gives STS for a kenmerk that is not the sender's", _strange_kenmerk, False),
    Case("WUS-5.9-2", "refuses DTD, what is no XML, and an empty body", _hostile),
)
LARGE = (Case("WUS-1.4-3", "refuses a document of 21 MiB", _large),)
