"""What the hostile messages share: the setting they are made in, and the list they stand on."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from openpoort.wire.names import DS
from openpoort.wire.wus.seal import Signer
from openpoort.wire.wus.services import Service
from openpoort_lab.forge import Forge

FAULT = "fault"
"""The service's fault 100: the sender could have made this mistake himself."""
BARE = "400"
"""A bare refusal: nobody makes this by mistake."""
FORBIDDEN = "403"
"""A bare refusal because of the certificate."""

CODEC, TRUST, ADDRESSING, SCHEMA = "codec", "trust", "addressing", "schema"


@dataclass(frozen=True, slots=True)
class Setting:
    """Whose key, when, for which service and address, with which hash."""

    signer: Signer
    now: datetime
    service: Service
    hash_name: str
    to: str

    def forge(
        self,
        *,
        now: datetime | None = None,
        signer: Signer | None = None,
        to: str | None = None,
        action: str | None = None,
    ) -> Forge:
        """A message that is right in every way, not signed yet."""
        return Forge(
            signer or self.signer,
            now or self.now,
            self.service,
            self.hash_name,
            to or self.to,
            action=action,
        )

    def signed(self) -> Forge:
        return self.forge().sign()


Made = bytes | tuple[bytes, str]
"""Body of a request, or body and content type."""
Maker = Callable[[Setting], Made]


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile message: how it is made, what must become of it, and who must see it."""

    name: str
    expected: str
    layer: str
    make: Maker


CASES: list[Case] = []


def case(name: str, expected: str, layer: str = CODEC) -> Callable[[Maker], Maker]:
    """Put a maker on the list. Names are unique and say `family/trick`."""

    def enlist(make: Maker) -> Maker:
        CASES.append(Case(name, expected, layer, make))
        return make

    return enlist


def copy(element: etree._Element) -> etree._Element:
    """A copy without what follows it."""
    twin = deepcopy(element)
    twin.tail = None
    return twin


def of(element: etree._Element, local: str, space: str = DS) -> etree._Element:
    """The first descendant of that name; the makers know it is there."""
    found = element.find(f".//{{{space}}}{local}")
    if found is None:
        raise LookupError(local)
    return found


def evil(forge: Forge) -> etree._Element:
    """The payload as an attacker would like it: one value changed."""
    twin = copy(forge.payload)
    last = [e for e in twin.iter() if len(e) == 0][-1]
    last.text = "QUFBQQ=="
    return twin
