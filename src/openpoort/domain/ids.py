"""Identifiers: OIN, kenmerk and the identity of an interested party.

Identifiers mask themselves: `str()` and `repr()` show only the tail, so that a log line or a
traceback cannot leak a BSN. Code that needs the real text asks for `.value` or `.nummer`.
Sources: OIN-Stelsel (prefix table), Digipoort koppelvlak 1.2 `identiteitType`, `kenmerkType`.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

_OIN = re.compile(r"[0-9]{20}")
_KENMERK = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TEST_OIN_PREFIX = "00000099"


def mask(text: str) -> str:
    """Keep the last three characters; enough to tell two apart, too little to know one."""
    return "…" + text[-3:] if len(text) > 5 else "…"


@dataclass(frozen=True, slots=True, repr=False)
class Oin:
    """Organisatie-identificatienummer: 20 digits, as in the subject serialNumber."""

    value: str

    def __post_init__(self) -> None:
        if not _OIN.fullmatch(self.value):
            raise ValueError("an OIN has exactly 20 digits")

    def __str__(self) -> str:
        return mask(self.value)

    def __repr__(self) -> str:
        return f"Oin({mask(self.value)})"


@dataclass(frozen=True, slots=True, order=True)
class Kenmerk:
    """Key of one process: a UUID v4 in lower case, 36 characters. Not secret, so not masked."""

    value: str

    def __post_init__(self) -> None:
        if not _KENMERK.fullmatch(self.value):
            raise ValueError("a kenmerk is a lower-case UUID of 36 characters")

    def __str__(self) -> str:
        return self.value

    @classmethod
    def of(cls, number: uuid.UUID) -> Kenmerk:
        return cls(str(number))

    @classmethod
    def read(cls, text: str) -> Kenmerk:
        """As somebody names it: databases of clients (SQL Server) give a UUID back in capitals.

        ValueError if it is none of ours.
        """
        return cls(text.lower())

    @property
    def uuid(self) -> uuid.UUID:
        return uuid.UUID(self.value)


@dataclass(frozen=True, slots=True, repr=False)
class Identiteit:
    """Who a message is about or goes to: number and type as sent (`identiteitType`).

    Compare through `key`: senders differ in the case of the type (`LHnr`, `Lhnr`) and in a
    leading `NL` before VAT numbers.
    """

    nummer: str
    type: str

    @property
    def key(self) -> tuple[str, str]:
        """(type, number) folded for comparison: type in lower case, number without `NL`."""
        nummer = self.nummer.upper()
        kind = self.type.lower()
        if kind in {"btw", "fi"} and nummer.startswith("NL"):
            nummer = nummer[2:]
        return kind, nummer

    def __str__(self) -> str:
        return f"{self.type}:{mask(self.nummer)}"

    def __repr__(self) -> str:
        return f"Identiteit({self})"


def elfproef(number: str) -> bool:
    """The eleven test of BSN and RSIN: nine digits, weights 9..2 and -1, sum divisible by 11."""
    if len(number) != 9 or not number.isascii() or not number.isdigit() or number == "0" * 9:
        return False
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(w * int(d) for w, d in zip(weights, number, strict=True)) % 11 == 0
