"""Reading SOAP 1.1 messages with WS-Security: bytes to one value of which all was signed."""

from __future__ import annotations

from openpoort.wire.signed import Addressing, Algorithms, SignedMessage, SoapFault
from openpoort.wire.xml import DEFAULT, Limits

__all__ = ["Addressing", "Algorithms", "SignedMessage", "SoapFault", "open_answer", "open_signed"]


def open_signed(
    raw: bytes, content_type: str | None = None, limits: Limits = DEFAULT
) -> SignedMessage:
    """Read a request: structure, signed parts and signature. No opinion on signer or time.

    Fault when the sender made a mistake (the text says which), Refusal when it is an attack.
    """
    raise NotImplementedError


def open_answer(raw: bytes, content_type: str | None = None) -> SignedMessage | SoapFault:
    """Read an answer: a signed message, or an unsigned fault. Raises as `open_signed`."""
    raise NotImplementedError
