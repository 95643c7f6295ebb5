"""The schema of all messages: judged by libxml2, explained in Dutch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from lxml import etree

from openpoort.domain.fault import Fault
from openpoort.domain.octets import in_pieces
from openpoort.wire.names import KOPPELVLAK
from openpoort.wire.wus.services import xsd
from openpoort.wire.xml.detached_content import Aside

_NAME = re.compile(r"\{[^}]*\}")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (.*) \)")
_ATTRIBUTE = re.compile(r"attribute '([^']*)'")
_ELEMENT = re.compile(r"^Element '([^']*)'")
_LENGTH = re.compile(r"length of '(\d+)'.*maximum length of '(\d+)'")
_ATOMIC = re.compile(r"type '(?:\{[^}]*\}|xs:)?([^']*)'\.?$")


def check(element: etree._Element, aside: Aside | None = None) -> None:
    """Fault that names the element, and what is expected there, if it is not per schema.

    The Fault names the line when the lines of the tree are those of the message as sent: with
    `aside`, the contents that were taken out of it, known and of one line each.
    """
    if _schema().validate(element):
        return
    own = etree.XMLSchema(etree.fromstring(xsd()))  # a log of its own: others may be judging too
    own.validate(element)
    errors: list[Any] = list(cast(Iterable[Any], own.error_log))
    first = errors[0] if errors else None
    if first is None:
        raise Fault("Het bericht voldoet niet aan het schema van het koppelvlak.")
    lines = aside is not None and not any(
        b"\n" in piece for text in aside.values() for piece in in_pieces(text)
    )
    where = f"Regel {first.line}: " if lines and first.line else ""
    found = _ELEMENT.match(first.message)
    raise Fault(
        where + _explain(first.type_name, first.message),
        log=f"schema: {first.type_name} at {found[1] if found else '?'}",
    )


def _explain(kind: str, message: str) -> str:
    """One Dutch sentence for one libxml2 message. Unknown kinds keep the element's name."""
    found = _ELEMENT.match(message)
    element = _short(found[1]) if found else "?"
    expected = _EXPECTED.search(message)
    wanted = f" Verwacht: {_short(expected[1])}." if expected else ""
    if "Missing child element" in message:
        return f"element {element} is niet volledig.{wanted}"
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        return f"element {element} wordt hier niet verwacht.{wanted}"
    if kind == "SCHEMAV_CVC_MAXLENGTH_VALID" and (size := _LENGTH.search(message)):
        return f"element {element} is {size[1]} lang; ten hoogste {size[2]} is toegestaan."
    if kind.startswith("SCHEMAV_CVC_DATATYPE"):
        atomic = _ATOMIC.search(message)
        type_name = atomic[1] if atomic else "base64Binary" if element == "inhoud" else "tekst"
        return f"element {element} heeft een ongeldige waarde; verwacht: {type_name}."
    if "is not allowed" in message and (name := _ATTRIBUTE.search(message)):
        return f"attribuut {_short(name[1])} op element {element} is niet toegestaan."
    if kind == "SCHEMAV_CVC_COMPLEX_TYPE_2_3":
        return f"element {element} bevat tekst waar alleen elementen mogen staan."
    if kind == "SCHEMAV_CVC_TYPE_3_1_2":
        return f"element {element} bevat elementen waar alleen tekst mag staan."
    if "No matching global declaration" in message:
        return f"element {element} is geen bericht van koppelvlak 1.2 ({KOPPELVLAK})."
    return f"element {element} voldoet niet aan het schema van het koppelvlak."


def _short(names: str) -> str:
    return _NAME.sub("", names)


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(xsd()))
