"""Reading SOAP 1.1 messages with WS-Security: bytes to one value of which all was signed."""

from __future__ import annotations

from lxml import etree

from openpoort.domain.fault import Fault, Fout, Refusal
from openpoort.domain.octets import Octets
from openpoort.wire import mime
from openpoort.wire.names import BLANKS, KOPPELVLAK, SOAP, WSA
from openpoort.wire.wus import addressing, envelope, wssec
from openpoort.wire.wus.signed_message import Addressing, Algorithms, SignedMessage, SoapFault
from openpoort.wire.xml import detached_content, elements, parser
from openpoort.wire.xml.parser import DEFAULT, MIB, Limits

__all__ = [
    "Addressing",
    "Algorithms",
    "SignedMessage",
    "SoapFault",
    "glimpse",
    "open_answer",
    "open_signed",
]

ANSWER = Limits(
    max_bytes=1024 * MIB, max_elements=4_000_000, max_attributes=400_000, max_namespaces=20_000
)
"""Answers may be long lists of messages; they come from a gateway that the client chose."""


def open_signed(
    raw: Octets, content_type: str | None = None, limits: Limits = DEFAULT
) -> SignedMessage:
    """Read a request: structure, signed parts and signature. No opinion on signer or time.

    Fault when the sender made a mistake (the text says which), Refusal when it is an attack.
    """
    shape, contents = _shape(mime.unpack(raw, content_type, limits), limits)
    return _signed(shape, contents, answer=False)


def open_answer(raw: Octets, content_type: str | None = None) -> SignedMessage | SoapFault:
    """Read an answer: a signed message, or an unsigned fault. Raises as `open_signed`."""
    shape, contents = _shape(mime.unpack(raw, content_type, ANSWER), ANSWER)
    if shape.payload.tag != f"{{{SOAP}}}Fault":
        return _signed(shape, contents, answer=True)
    if shape.security is not None:  # not ours to send, but another gateway may
        _signed(shape, contents, answer=True)
    return _fault(shape)


def glimpse(raw: Octets, content_type: str | None = None) -> tuple[str | None, str | None]:
    """Body element (Clark name) and MessageID of a refused request, as far as they can be seen.

    Nobody vouches for them: good for addressing a fault, for nothing else.
    """
    try:
        short, _ = detached_content.lift(mime.unpack(raw, content_type))
        if len(short) > MIB:  # not worth a second reading
            return None, None
        root = parser.parse(bytes(short))
    except (Fault, Refusal):
        return None, None
    body = root.find(f"{{{SOAP}}}Body/*")
    found = root.find(f"{{{SOAP}}}Header/{{{WSA}}}MessageID")
    message_id = (found.text or "").strip(BLANKS) if found is not None and not len(found) else ""
    return (
        None if body is None else str(body.tag),
        message_id if addressing.is_message_id(message_id) else None,
    )


def _shape(data: Octets, limits: Limits) -> tuple[envelope.Envelope, detached_content.Aside]:
    if len(data) > limits.max_bytes:
        raise Fault(
            f"Het bericht is {len(data)} octetten groot; "
            f"ten hoogste {limits.max_bytes} is toegestaan."
        )
    lifted, cuts = detached_content.lift(data)
    short = bytes(lifted)
    root = parser.parse(short, limits)
    contents = detached_content.settle(short, root, cuts) if cuts else {}
    if contents is None:
        root, contents = parser.parse(bytes(data), limits), {}
    return envelope.read(root), contents


def _signed(
    shape: envelope.Envelope, contents: detached_content.Aside, *, answer: bool
) -> SignedMessage:
    security = wssec.verify(shape, contents, answer=answer)
    return SignedMessage(
        body=shape.payload,
        addressing=addressing.read(shape.headers, answer=answer),
        created=security.created,
        expires=security.expires,
        token=security.token,
        algorithms=security.algorithms,
        aside=contents,
    )


def _fault(shape: envelope.Envelope) -> SoapFault:
    """SOAP 1.1 section 4.4; the detail of ours holds foutcode and foutbeschrijving."""
    found = shape.payload
    code = _text(found.find(f"detail/*/{{{KOPPELVLAK}}}foutcode"))
    text = _text(found.find(f"detail/*/{{{KOPPELVLAK}}}foutbeschrijving"))
    relates_to = shape.headers.get("RelatesTo")
    return SoapFault(
        faultcode=_text(found.find("faultcode")) or "",
        faultstring=_text(found.find("faultstring")) or "",
        fout=Fout(code, text or "") if code else None,
        relates_to=_text(relates_to),
    )


def _text(element: etree._Element | None) -> str | None:
    return None if element is None else elements.text_of(element).strip(BLANKS)
