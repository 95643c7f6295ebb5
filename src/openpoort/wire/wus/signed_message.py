"""What a codec hands over: a message of which every part used was signed, or a bare fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from openpoort.domain.fault import Fout
from openpoort.domain.octets import View


@dataclass(frozen=True, slots=True)
class Addressing:
    """The wsa headers as sent, trimmed; None where absent (`to`: in answers only)."""

    to: str | None
    action: str
    message_id: str
    reply_to: str | None = None
    fault_to: str | None = None
    source: str | None = None
    relates_to: str | None = None


@dataclass(frozen=True, slots=True)
class Algorithms:
    """What a signature was made with: URIs as sent, and the size of the RSA key in bits."""

    signature: str
    digests: frozenset[str]
    key_bits: int
    hash_name: str


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A message whose signature arithmetic holds under its own token.

    Nobody has judged the signer yet: `trust` does. `body` is the one child of soap:Body; read
    its values with `koppelvlak.read(message)`, because long contents lie in `aside`, by element.
    `token` is the certificate (DER).
    """

    body: etree._Element
    addressing: Addressing
    created: datetime
    expires: datetime | None
    token: bytes = field(repr=False)
    algorithms: Algorithms
    aside: Mapping[etree._Element, View] = field(default_factory=dict, repr=False)

    @property
    def operation(self) -> str:
        """Local name of the body element (`aanleverRequest`)."""
        return etree.QName(self.body).localname


@dataclass(frozen=True, slots=True)
class SoapFault:
    """An unsigned fault as a client sees it; `fout` is None when the detail is not ours."""

    faultcode: str
    faultstring: str
    fout: Fout | None
    relates_to: str | None = None
