"""Rightly signed messages that ask for what they should not: other addresses, times, bodies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from lxml import etree

from openpoort.wire.names import KOPPELVLAK, SOAP, WSA, XENC
from openpoort.wire.wus.services import SERVICES, Service
from openpoort_lab.forge import payload
from openpoort_lab.hostile.kit import ADDRESSING, FAULT, SCHEMA, Setting, case

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XINCLUDE = "http://www.w3.org/2001/XInclude"


def _other(service: Service) -> Service:
    """A service that the message was not meant for."""
    names = sorted(SERVICES)
    return SERVICES[names[(names.index(service.path) + 1) % len(names)]]


@case("replay/of-another-service", FAULT, ADDRESSING)
def _cross_service(s: Setting) -> bytes:
    other = _other(s.service)
    elsewhere = Setting(
        s.signer, s.now, other, s.hash_name, s.to.replace(s.service.path, other.path)
    )
    return elsewhere.signed().raw()


@case("replay/body-of-another-service", FAULT, ADDRESSING)
def _cross_body(s: Setting) -> bytes:
    made = s.forge()
    made.body[:] = [etree.fromstring(payload(_other(s.service), s.now))]
    return made.sign().raw()


@case("replay/answer-as-request", FAULT, ADDRESSING)
def _answer(s: Setting) -> bytes:
    made = s.forge()
    made.payload.tag = s.service.operations[0].response
    return made.sign().raw()


@case("time/stale", FAULT, ADDRESSING)
def _stale(s: Setting) -> bytes:
    return s.forge(now=s.now - timedelta(hours=2)).sign().raw()


@case("time/future", FAULT, ADDRESSING)
def _future(s: Setting) -> bytes:
    return s.forge(now=s.now + timedelta(hours=2)).sign().raw()


@case("time/good-for-a-century", FAULT, ADDRESSING)
def _century(s: Setting) -> bytes:
    made = s.forge(now=s.now - timedelta(days=30))
    made.timestamp[1].text = "2126-01-01T00:00:00Z"
    return made.sign().raw()


def _created(text: str | None) -> Callable[[Setting], bytes]:
    def make(s: Setting) -> bytes:
        made = s.forge()
        made.timestamp[0].text = text
        return made.sign().raw()

    return make


for _name, _text in (
    ("no-date", "gisteren"),
    ("empty", None),
    ("month-13", "2026-13-01T00:00:00Z"),
    ("year-zero", "0000-01-01T00:00:00Z"),
    ("other-digits", "２０２６-11-23T13:00:00Z"),
):
    case(f"time/created-{_name}", FAULT)(_created(_text))


@case("time/no-created", FAULT)
def _no_created(s: Setting) -> bytes:
    made = s.forge()
    made.timestamp.remove(made.timestamp[0])
    return made.sign().raw()


@case("time/two-created", FAULT)
def _two_created(s: Setting) -> bytes:
    made = s.forge()
    twin = etree.SubElement(made.timestamp, made.timestamp[0].tag)
    twin.text = made.timestamp[0].text
    return made.sign().raw()


@case("time/expires-before-created", FAULT)
def _expires(s: Setting) -> bytes:
    made = s.forge()
    made.timestamp[1].text = "2001-01-01T00:00:00Z"
    return made.sign().raw()


@case("header/to-elsewhere", FAULT, ADDRESSING)
def _to(s: Setting) -> bytes:
    return s.forge(to="https://elders.example" + s.service.path).sign().raw()


@case("header/to-anonymous", FAULT, ADDRESSING)
def _to_anonymous(s: Setting) -> bytes:
    return s.forge(to=f"{WSA}/anonymous").sign().raw()


@case("header/to-with-user", FAULT, ADDRESSING)
def _to_user(s: Setting) -> bytes:
    return s.forge(to=s.to.replace("https://", "https://x@") + "#x").sign().raw()


@case("header/action-of-another-service", FAULT, ADDRESSING)
def _action(s: Setting) -> bytes:
    return s.forge(action=_other(s.service).operations[0].action).sign().raw()


@case("header/action-of-the-answer", FAULT, ADDRESSING)
def _answer_action(s: Setting) -> bytes:
    return s.forge(action=s.service.operations[0].response_action).sign().raw()


@case("header/message-id-without-scheme", FAULT, ADDRESSING)
def _message_id(s: Setting) -> bytes:
    made = s.forge()
    made.message_id.text = "12345"
    return made.sign().raw()


@case("header/message-id-of-a-kilobyte", FAULT, ADDRESSING)
def _long_id(s: Setting) -> bytes:
    made = s.forge()
    made.message_id.text = "urn:" + "x" * 1024
    return made.sign().raw()


@case("header/reply-to-elsewhere", FAULT, ADDRESSING)
def _reply_to(s: Setting) -> bytes:
    made = s.forge()
    made.reply_to[0].text = "https://elders.example/vang"
    return made.sign().raw()


@case("header/fault-to-elsewhere", FAULT, ADDRESSING)
def _fault_to(s: Setting) -> bytes:
    made = s.forge()
    header = made.wsa("FaultTo", "id-fault", None)
    etree.SubElement(header, f"{{{WSA}}}Address").text = "https://elders.example/vang"
    return made.sign().raw()


@case("header/relates-to", FAULT, ADDRESSING)
def _relates_to(s: Setting) -> bytes:
    made = s.forge()
    made.wsa("RelatesTo", "id-related", "urn:uuid:1")
    return made.sign().raw()


@case("header/reference-parameters", FAULT)
def _parameters(s: Setting) -> bytes:
    made = s.forge()
    etree.SubElement(made.reply_to, f"{{{WSA}}}ReferenceParameters")
    return made.sign().raw()


@case("header/unknown-addressing", FAULT)
def _unknown(s: Setting) -> bytes:
    made = s.forge()
    made.wsa("Elders", "id-elders", "x")
    return made.sign().raw()


@case("header/own", FAULT)
def _own(s: Setting) -> bytes:
    made = s.forge()
    etree.SubElement(made.header, "{urn:x}Voorrang").text = "hoog"
    return made.sign().raw()


@case("header/unknown-must-understand", FAULT)
def _must(s: Setting) -> bytes:
    made = s.forge()
    etree.SubElement(made.header, "{urn:x}Moet").set(f"{{{SOAP}}}mustUnderstand", "1")
    return made.sign().raw()


for _local in ("To", "Action", "MessageID"):

    def _missing(s: Setting, local: str = _local) -> bytes:
        made = s.forge()
        for element in made.header.findall(f"{{{WSA}}}{local}"):
            made.header.remove(element)
        return made.sign().raw()

    case(f"header/no-{_local}", FAULT)(_missing)


@case("header/element-in-to", FAULT)
def _element(s: Setting) -> bytes:
    made = s.forge()
    etree.SubElement(made.to, "{urn:x}x").tail = "elders"
    return made.sign().raw()


@case("header/own-attribute-on-to", FAULT)
def _own_attribute(s: Setting) -> bytes:
    made = s.forge()
    made.to.set("{urn:x}soort", "1")
    return made.sign().raw()


@case("header/own-attribute-on-timestamp", FAULT)
def _timestamp_attribute(s: Setting) -> bytes:
    made = s.forge()
    made.timestamp.set("soort", "1")
    return made.sign().raw()


@case("header/text-between", FAULT)
def _text_between(s: Setting) -> bytes:
    made = s.signed()
    made.to.tail = "elders"
    return made.raw()


@case("encrypted/body", FAULT)
def _encrypted(s: Setting) -> bytes:
    made = s.forge()
    made.payload.tag = f"{{{XENC}}}EncryptedData"
    return made.sign().raw()


@case("encrypted/key-in-security", FAULT)
def _encrypted_key(s: Setting) -> bytes:
    made = s.forge()
    etree.SubElement(made.security, f"{{{XENC}}}EncryptedKey")
    return made.sign().raw()


@case("payload/unknown", FAULT, ADDRESSING)
def _unknown_payload(s: Setting) -> bytes:
    made = s.forge()
    made.payload.tag = f"{{{KOPPELVLAK}}}verwijderAllesRequest"
    return made.sign().raw()


@case("payload/attribute", FAULT, SCHEMA)
def _attribute(s: Setting) -> bytes:
    made = s.forge()
    made.payload.set("soort", "x")
    return made.sign().raw()


@case("payload/other-type", FAULT, SCHEMA)
def _type(s: Setting) -> bytes:
    made = s.forge()
    made.payload[0].set(f"{{{XSI}}}type", "anyType")
    return made.sign().raw()


@case("payload/nil", FAULT, SCHEMA)
def _nil(s: Setting) -> bytes:
    made = s.forge()
    made.payload[0].set(f"{{{XSI}}}nil", "true")
    return made.sign().raw()


@case("payload/xinclude", FAULT, SCHEMA)
def _xinclude(s: Setting) -> bytes:
    made = s.forge()
    include = etree.SubElement(made.payload, f"{{{XINCLUDE}}}include")
    include.set("href", "file:///etc/passwd")
    include.set("parse", "text")
    return made.sign().raw()


@case("payload/value-twice", FAULT, SCHEMA)
def _twice(s: Setting) -> bytes:
    made = s.forge()
    twin = etree.fromstring(etree.tostring(made.payload[0]))
    made.payload.insert(0, twin)
    return made.sign().raw()


@case("payload/value-too-long", FAULT, SCHEMA)
def _long(s: Setting) -> bytes:
    made = s.forge()
    made.payload[0].text = "x" * 2000
    return made.sign().raw()


@case("payload/schema-location", FAULT, SCHEMA)
def _location(s: Setting) -> bytes:
    made = s.forge()
    made.payload.set(f"{{{XSI}}}schemaLocation", f"{KOPPELVLAK} file:///etc/passwd")
    etree.SubElement(made.payload, "{urn:x}x")
    return made.sign().raw()
