"""What the kinds are made with: a sender that the gateway knows, and a list to stand in."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from openpoort.wire.wus.seal import Signer
from openpoort.wire.wus.services import AANLEVER, Service
from openpoort_lab.forge import Forge


@dataclass(slots=True)
class Sender:
    """`signer` holds the key of a company with a mandate; `base` is the address of the gateway."""

    signer: Signer
    now: datetime
    base: str
    draw: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - filling

    def forge(self, service: Service = AANLEVER, body: bytes | None = None) -> Forge:
        """A right message, to be changed; its MessageID is new, so that nothing is remembered."""
        identity = f"urn:uuid:{self.draw.getrandbits(128):032x}"
        to = self.base + service.path
        return Forge(self.signer, self.now, service, "sha256", to, message_id=identity, body=body)

    def post(
        self, body: bytes, content_type: bytes = b"text/xml; charset=utf-8", *lines: bytes
    ) -> bytes:
        """As it goes over the line. `lines` are more header fields."""
        head = (
            b"POST " + AANLEVER.path.encode() + b" HTTP/1.1", b"host: localhost",
            b"content-type: " + content_type, b"content-length: %d" % len(body), *lines, b"", b"",
        )  # fmt: skip
        return b"\r\n".join(head) + body


@dataclass(frozen=True, slots=True)
class Kind:
    """One construct. `make` gives a request of about `octets`, or as many as the kind can have."""

    group: str
    name: str
    make: Callable[[Sender, int], bytes]


KINDS: list[Kind] = []
Maker = Callable[[Sender, int], bytes]


def kind(group: str, name: str) -> Callable[[Maker], Maker]:
    def note(make: Maker) -> Maker:
        KINDS.append(Kind(group, name, make))
        return make

    return note


def filled(unit: bytes, octets: int) -> bytes:
    """`unit` again and again."""
    return unit * max(1, octets // len(unit))
