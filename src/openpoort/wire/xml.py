"""The one hardened parser: bytes to a tree under limits, or a refusal.

An attack (DTD, entities, nesting without end) gets a bare Refusal; a mistake (not well-formed,
not UTF-8) a Fault that says where. Nothing here touches files or the network.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may cost. `max_bytes` counts octets; `max_elements` and
    `max_attributes` the whole document; `max_width` attributes of one element; `max_name`
    characters of one name."""

    max_bytes: int = 64 * MIB
    max_depth: int = 64
    max_elements: int = 100_000
    max_attributes: int = 100_000
    max_width: int = 32
    max_name: int = 128


DEFAULT = Limits()


def parse(data: bytes, limits: Limits = DEFAULT) -> etree._Element:
    """The root element. Fault if not well-formed or not UTF-8; Refusal if over a limit."""
    raise NotImplementedError
