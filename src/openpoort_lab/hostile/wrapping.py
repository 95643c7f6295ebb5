"""Signature wrapping: what was signed stays in the message, what is read is something else."""

from __future__ import annotations

from lxml import etree

from openpoort.wire.names import DS, SOAP, SOAP12, WSA, WSU, XML
from openpoort_lab.forge import WSU_ID
from openpoort_lab.hostile.kit import BARE, FAULT, Setting, case, copy, evil


def _other_body(setting: Setting, identity: str | None = "id-other") -> tuple[etree._Element, ...]:
    """A signed message whose Body was replaced: (root, new Body, the signed Body)."""
    made = setting.signed()
    signed = made.body
    body = etree.Element(f"{{{SOAP}}}Body")
    if identity:
        body.set(WSU_ID, identity)
    body.append(evil(made))
    made.root.replace(signed, body)
    return made.root, body, signed


def _raw(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="utf-8")


@case("wrapping/body-in-own-header", FAULT)
def _own_header(s: Setting) -> bytes:
    root, _, signed = _other_body(s)
    etree.SubElement(root[0], "{urn:x}Wrapper").append(signed)
    return _raw(root)


@case("wrapping/body-as-header", FAULT)
def _as_header(s: Setting) -> bytes:
    root, _, signed = _other_body(s)
    root[0].append(signed)
    return _raw(root)


@case("wrapping/body-in-security", FAULT)
def _in_security(s: Setting) -> bytes:
    root, _, signed = _other_body(s)
    root[0][0].append(signed)
    return _raw(root)


@case("wrapping/body-in-signature-object", FAULT)
def _in_object(s: Setting) -> bytes:
    root, _, signed = _other_body(s)
    etree.SubElement(root[0][0][-1], f"{{{DS}}}Object").append(signed)
    return _raw(root)


@case("wrapping/body-in-key-info", FAULT)
def _in_key_info(s: Setting) -> bytes:
    root, _, signed = _other_body(s)
    root[0][0][-1][-1].append(signed)
    return _raw(root)


@case("wrapping/body-beside-payload", FAULT)
def _beside(s: Setting) -> bytes:
    root, body, signed = _other_body(s)
    body.append(signed)
    return _raw(root)


@case("wrapping/body-inside-payload", BARE)
def _inside(s: Setting) -> bytes:
    root, body, signed = _other_body(s)
    body[0].append(signed)
    return _raw(root)


@case("wrapping/body-inside-payload-same-id", BARE)
def _same_id(s: Setting) -> bytes:
    root, body, signed = _other_body(s, "id-body")
    body[0].append(signed)
    return _raw(root)


@case("wrapping/body-inside-payload-no-id-outside", BARE)
def _no_id(s: Setting) -> bytes:
    root, body, signed = _other_body(s, None)
    body[0].append(signed)
    return _raw(root)


@case("wrapping/body-with-xml-id", BARE)
def _xml_id(s: Setting) -> bytes:
    root, body, signed = _other_body(s, None)
    body.set(f"{{{XML}}}id", "id-body")
    body[0].append(signed)
    return _raw(root)


@case("wrapping/body-with-plain-id", BARE)
def _plain_id(s: Setting) -> bytes:
    root, body, signed = _other_body(s, None)
    body.set("Id", "id-body")
    body[0].append(signed)
    return _raw(root)


@case("wrapping/envelope-with-xml-id", BARE)
def _envelope_id(s: Setting) -> bytes:
    made = s.signed()
    made.root.set(f"{{{XML}}}id", "id-body")
    return made.raw()


@case("wrapping/signature-value-with-xml-id", BARE)
def _value_id(s: Setting) -> bytes:
    made = s.signed()
    made.security[-1][1].set(f"{{{XML}}}id", "id-body")
    return made.raw()


@case("wrapping/body-in-timestamp", FAULT)
def _in_timestamp(s: Setting) -> bytes:
    root, _, signed = _other_body(s)
    root[0][0][0].append(signed)
    return _raw(root)


@case("wrapping/body-in-reply-to", BARE)
def _in_reply_to(s: Setting) -> bytes:
    made = s.forge()
    made.sign([p for p in made.parts if p is not made.reply_to])
    body = etree.Element(f"{{{SOAP}}}Body")
    body.append(evil(made))
    signed = made.body
    made.root.replace(signed, body)
    made.reply_to[0].append(signed)
    return made.raw()


@case("wrapping/two-bodies-evil-first", BARE)
def _evil_first(s: Setting) -> bytes:
    root, _, signed = _other_body(s)
    root.append(signed)
    return _raw(root)


@case("wrapping/two-bodies-evil-last", BARE)
def _evil_last(s: Setting) -> bytes:
    root, body, signed = _other_body(s)
    root.insert(1, signed)
    root.append(body)
    return _raw(root)


@case("wrapping/two-bodies-same-id", BARE)
def _twins(s: Setting) -> bytes:
    root, _, signed = _other_body(s, "id-body")
    root.append(signed)
    return _raw(root)


@case("wrapping/body-of-soap-12-beside", BARE)
def _soap_12(s: Setting) -> bytes:
    made = s.signed()
    other = etree.SubElement(made.root, f"{{{SOAP12}}}Body")
    other.append(evil(made))
    return made.raw()


@case("wrapping/body-before-header", BARE)
def _before_header(s: Setting) -> bytes:
    made = s.signed()
    made.root.insert(0, made.body)
    return made.raw()


@case("wrapping/second-header", FAULT)
def _second_header(s: Setting) -> bytes:
    made = s.signed()
    made.root.insert(1, etree.Element(f"{{{SOAP}}}Header"))
    return made.raw()


@case("wrapping/envelope-in-envelope", FAULT)
def _matryoshka(s: Setting) -> bytes:
    made = s.signed()
    outer = etree.Element(f"{{{SOAP}}}Envelope")
    etree.SubElement(outer, f"{{{SOAP}}}Body").append(made.root)
    return _raw(outer)


@case("wrapping/two-payloads", FAULT)
def _two_payloads(s: Setting) -> bytes:
    made = s.forge()
    made.body.append(evil(made))
    return made.sign().raw()


@case("wrapping/fresh-timestamp-beside-signed", BARE)
def _second_timestamp(s: Setting) -> bytes:
    made = s.signed()
    other = copy(made.timestamp)
    other.set(WSU_ID, "id-fresh")
    made.security.insert(0, other)
    return made.raw()


@case("wrapping/signed-timestamp-moved-to-header", FAULT)
def _moved_timestamp(s: Setting) -> bytes:
    made = s.signed()
    other = copy(made.timestamp)
    other.set(WSU_ID, "id-fresh")
    made.security.replace(made.timestamp, other)
    made.header.append(made.timestamp)
    return made.raw()


@case("wrapping/signed-timestamp-inside-fresh", FAULT)
def _inner_timestamp(s: Setting) -> bytes:
    made = s.signed()
    other = etree.Element(f"{{{WSU}}}Timestamp")
    etree.SubElement(other, f"{{{WSU}}}Created").text = made.timestamp[0].text
    made.security.replace(made.timestamp, other)
    other.append(made.timestamp)
    return made.raw()


@case("wrapping/unsigned-to-beside-signed", BARE)
def _second_to(s: Setting) -> bytes:
    made = s.signed()
    made.wsa("To", "id-to-2", s.to)
    return made.raw()


@case("wrapping/signed-to-inside-unsigned-from", BARE)
def _nested_to(s: Setting) -> bytes:
    made = s.signed()
    source = etree.SubElement(made.header, f"{{{WSA}}}From")
    source.append(made.to)
    made.wsa("To", "id-to-2", s.to)
    return made.raw()


@case("wrapping/parts-swap-ids", FAULT)
def _swapped(s: Setting) -> bytes:
    made = s.signed()
    made.to.set(WSU_ID, "id-action")
    made.action.set(WSU_ID, "id-to")
    return made.raw()


@case("wrapping/duplicate-id-on-headers", BARE)
def _duplicate(s: Setting) -> bytes:
    made = s.signed()
    made.action.set(WSU_ID, "id-to")
    return made.raw()


@case("wrapping/id-of-body-on-token", BARE)
def _token_id(s: Setting) -> bytes:
    made = s.signed()
    made.token.set(WSU_ID, "id-body")
    return made.raw()


@case("wrapping/id-of-body-on-signature", BARE)
def _signature_id(s: Setting) -> bytes:
    made = s.signed()
    made.security[-1].set("Id", "id-body")
    return made.raw()


@case("wrapping/id-deep-in-payload", BARE)
def _deep_id(s: Setting) -> bytes:
    made = s.forge()
    made.payload[0].set(WSU_ID, "id-deep")
    return made.sign().raw()


@case("wrapping/second-security", BARE)
def _second_security(s: Setting) -> bytes:
    made = s.signed()
    made.header.append(copy(made.security))
    return made.raw()


@case("wrapping/second-security-for-other-actor", BARE)
def _other_actor(s: Setting) -> bytes:
    made = s.signed()
    other = copy(made.security)
    other.set(f"{{{SOAP}}}actor", "urn:iemand-anders")
    made.header.append(other)
    return made.raw()


@case("wrapping/security-for-other-actor", FAULT)
def _wrong_actor(s: Setting) -> bytes:
    made = s.signed()
    made.security.set(f"{{{SOAP}}}actor", "urn:iemand-anders")
    return made.raw()


@case("wrapping/two-signatures", BARE)
def _two_signatures(s: Setting) -> bytes:
    return s.signed().sign([]).raw()


@case("wrapping/signature-outside-security", FAULT)
def _loose_signature(s: Setting) -> bytes:
    made = s.signed()
    made.header.append(made.security[-1])
    return made.raw()
