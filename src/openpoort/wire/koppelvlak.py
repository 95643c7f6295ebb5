"""The messages of koppelvlakservices 1.2: XML elements to values and back."""

from __future__ import annotations

from lxml import etree

from openpoort.domain.message import (
    AanleverBevestiging,
    Aanlevering,
    AfleverBevestiging,
    Antwoord,
    Bericht,
    Vraag,
    ZetStatus,
    ZetStatusBevestiging,
)
from openpoort.wire.signed import SignedMessage

Value = (
    Aanlevering
    | AanleverBevestiging
    | AfleverBevestiging
    | Antwoord
    | Bericht
    | Vraag
    | ZetStatus
    | ZetStatusBevestiging
)


def read(source: SignedMessage | etree._Element) -> Value:
    """The value of a message. Pass the SignedMessage itself: long contents lie beside its body.

    Fault if it does not satisfy the schema; the text names the element and what is expected.
    """
    raise NotImplementedError


def write(value: Value) -> bytes:
    """Exclusive-canonical XML with the koppelvlak default namespace, ready to be a Body child."""
    raise NotImplementedError
