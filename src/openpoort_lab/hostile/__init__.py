"""The hostile corpus: messages that must not get through, each with what must become of it.

`corpus` makes them for one service, hash and address with a key that the gateway trusts, so
that the same messages run against the codec and against a door. Every message is wrong in one
way only; everything else about it is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from openpoort.wire.wus.seal import Signer
from openpoort.wire.wus.services import Service
from openpoort_lab.hostile import headers, keys, markup, signature, wrapping
from openpoort_lab.hostile.kit import ADDRESSING, CASES, CODEC, FAULT, SCHEMA, TRUST, Setting

__all__ = ["ADDRESSING", "CODEC", "FAMILIES", "SCHEMA", "TRUST", "Hostile", "corpus"]

FAMILIES = (wrapping, signature, keys, markup, headers)
"""The rooms of the corpus; importing them fills the list."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One message. `expected` is a fault code (`ALS100`) or an HTTP status (`400`, `403`).

    `layer` says who must stop it: `codec` (open_signed), `trust` (the gatekeeper), `addressing`
    (addressing.check) or `schema` (koppelvlak.read).
    """

    name: str
    raw: bytes
    content_type: str
    expected: str
    layer: str

    @property
    def is_fault(self) -> bool:
        return not self.expected.isdigit()


def corpus(
    signer: Signer, now: datetime, service: Service, hash_name: str, to: str
) -> Iterator[Hostile]:
    """Every case, made now. `to` is the wsa:To that the service answers to."""
    setting = Setting(signer, now, service, hash_name, to)
    for case in CASES:
        made = case.make(setting)
        raw, content_type = made if isinstance(made, tuple) else (made, "text/xml; charset=utf-8")
        expected = f"{service.letters}100" if case.expected == FAULT else case.expected
        yield Hostile(case.name, raw, content_type, expected, case.layer)
