"""The promise that fuzzing holds the request path to.

Every input gives a message, a Fault or a Refusal, never another exception. A message only when
xmlsec takes its signature over all that is read, and the values are those of a plain reading of
what xmlsec took. And nothing but a message when xmlsec takes it and it has the contract's shape.
"""

from __future__ import annotations

from base64 import b64encode

from lxml import etree

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire import mime
from openpoort.wire.wus import addressing, koppelvlak
from openpoort.wire.wus.services import AANLEVER, by_element
from openpoort.wire.wus.signed_message import SignedMessage
from openpoort.wire.wus.soap import glimpse, open_answer, open_signed
from tests.fuzz import oracle

MULTIPART = 'multipart/related; type="application/xop+xml"; boundary="grens"'


class Broken(Exception):
    """The promise was broken; the input is worth keeping."""


def one(data: bytes, content_type: str | None = None, inlined: bytes | None = None) -> str:
    """What became of an input: `message`, `fault` or `refusal`. Raises Broken.

    `inlined`: what an MTOM message is about; None: as the codec itself unpacks it.
    """
    if content_type is None and data.startswith(b"--grens"):
        content_type = MULTIPART
    glimpse(data, content_type)
    became: str | SignedMessage
    try:
        became = open_signed(data, content_type)
        value = _judged(data, content_type, became)
    except Fault as fault:
        became = _told(fault)
    except Refusal:
        became = "refusal"
    try:
        opinion = oracle.opinion(mime.unpack(data, content_type) if inlined is None else inlined)
    except (Fault, Refusal):
        return became if isinstance(became, str) else _broken("taken, but not unpacked")
    if isinstance(became, str):
        if opinion is not None and opinion.signed and not opinion.shape:
            _broken(f"{became}, but xmlsec takes it and it has the contract's shape")
        return became
    if opinion is None or not opinion.signed:
        return _broken("taken, but xmlsec does not agree")
    if opinion.shape.startswith(oracle.INSIDE):
        _broken(f"taken, with a {opinion.shape}")
    if _values(became, value) != opinion.values:
        _broken("taken, and read as other values than those that xmlsec took")
    return "message"


def _broken(why: str) -> str:
    raise Broken(why)


def _judged(data: bytes, content_type: str | None, message: SignedMessage) -> koppelvlak.Value:
    open_answer(data, content_type)
    service, _ = by_element(str(message.body.tag)) or (AANLEVER, None)
    to = frozenset({message.addressing.to or ""})
    addressing.check(message, service, to, message.created)
    return _read(message)


def _values(message: SignedMessage, value: koppelvlak.Value) -> dict[str, str]:
    """All that we read, in the form in which the oracle has it."""
    sent = message.addressing
    found = {
        "To": sent.to, "Action": sent.action, "MessageID": sent.message_id,
        "ReplyTo": sent.reply_to, "FaultTo": sent.fault_to, "From": sent.source,
        "RelatesTo": sent.relates_to, "token": b64encode(message.token).decode(),
        "Created": message.created.isoformat(),
        "Expires": message.expires.isoformat() if message.expires else None,
    }  # fmt: skip
    said = {place: text for place, text in found.items() if text is not None}
    return said | oracle.flat(etree.fromstring(koppelvlak.write(value)))


def _told(fault: Fault) -> str:
    if not fault.text or len(fault.text) > 5000:
        raise Broken("a fault without a bearable text")
    return "fault"


def _read(message: SignedMessage) -> koppelvlak.Value:
    value = koppelvlak.read(message)
    again = koppelvlak.read(etree.fromstring(koppelvlak.write(value)))
    if again != _to_millisecond(value, again):
        raise Broken("a value that does not survive being written")
    return value


def _to_millisecond(value: koppelvlak.Value, again: koppelvlak.Value) -> koppelvlak.Value:
    """Times are written with milliseconds, so only the second reading is a fixed point."""
    return koppelvlak.read(etree.fromstring(koppelvlak.write(again)))
