"""Statuses: the history of a process as its sender sees it.

Texts marked captured come from real answers; others are ours (docs: divergences page).
Source: Digipoort koppelvlak 1.2 `StatusResultaat`; Statussen en foutcodes Digipoort.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from openpoort.domain.fault import Fout
from openpoort.domain.ids import Identiteit

OMSCHRIJVING = {
    "105": "Aanleverproces gestart.",
    "100": "Aanleveren gelukt.",
    "110": "Aanleverproces wordt aangeboden.",
    "200": "Authenticatie gelukt.",
    "210": "Authenticatie niet gelukt.",
    "220": "Autorisatie niet gelukt.",
    "230": "Technisch probleem bij de Autorisatie Service Provider (AuSP).",
    "301": "Validatie gelukt.",
    "311": "Validatie niet gelukt.",
    "321": "Technisch probleem bij validatie.",
    "405": "Afleveren naar uitvragende partij bezig...",
    "400": "Afleveren uitvragende partij gelukt.",
    "410": "Afleveren uitvragende partij niet gelukt.",
    "420": "Technisch probleem bij de afleverservice van de uitvragende partij.",
    "500": "Validatie bij de uitvragende partij gelukt.",
    "510": "Validatie bij de uitvragende partij niet gelukt.",
    "710": "Verwerking bij de uitvragende partij niet gelukt.",
    "720": "Technisch probleem bij de verwerking van de uitvragende partij.",
}
"""Dutch text per code, at most 80 characters."""

FINAL = frozenset({"210", "220", "311", "410", "500", "510", "710"})
"""Codes after which nothing follows. 400 is final for kinds without a 500."""

ENDED = ("delivered", "rejected", "cancelled")
STATES = ("running", "waiting", "parked", *ENDED)
"""Where the engine stands with a process: the operator's words, no sender sees them."""


@dataclass(frozen=True, slots=True)
class Status:
    """`StatusResultaat`: one event in the history of a process."""

    kenmerk: str
    belanghebbende: Identiteit
    statuscode: str
    tijdstempel: datetime
    omschrijving: str
    fout: Fout | None = None
    details: str | None = None
