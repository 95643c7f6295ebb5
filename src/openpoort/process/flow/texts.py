"""Sentences and small values that the process hands out: fault texts, codes, new numbers."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Sequence

from openpoort.domain.finding import Finding
from openpoort.wire.wus.bevindingen import to_xml

FOUTEN = {
    "AFS600": "De informatie kan niet worden afgeleverd bij de uitvragende partij: de "
    "afleverservice was gedurende de hele herhaalperiode niet beschikbaar.",
    "AFS400": "Er is een technische fout opgetreden in de afleverservice.",
    "AFO100": "De uitvragende partij heeft het bericht geweigerd.",
    "VAS400": "Het bericht kon door een technisch probleem niet worden gevalideerd.",
    "AUS400": "De Autorisatie Service Provider was gedurende de hele herhaalperiode niet "
    "beschikbaar.",
    "AUS210": "De verzender kon niet worden geauthenticeerd.",
    "AUS220": "De verzender is niet gemachtigd voor deze belanghebbende en berichtsoort.",
    "ANN100": "Het bericht is door de beheerder ingetrokken.",
}
"""Description per status fault code. Wording is ours (docs: divergences)."""

NO_SUCH_KENMERK = "Het opgegeven kenmerk is niet bekend, of niet bekend voor deze aanvrager."
"""One text for both, so that guessing a kenmerk teaches nothing."""


_SALT = os.urandom(16)
_SPOT_SECONDS = 10


def new_kenmerk() -> uuid.UUID:
    """A UUID v4 of which the first 24 bits are chosen anew every ten seconds.

    Kenmerken of one moment then stand side by side in every index: with all bits drawn each
    time, every message would touch its own page of each of ten indexes, and after a checkpoint
    write that page whole to the log (measured: decision 0031). 98 random bits remain.
    """
    moment = int(time.monotonic() / _SPOT_SECONDS).to_bytes(8, "big")
    spot = hashlib.sha256(_SALT + moment).digest()[:3]
    return uuid.UUID(bytes=spot + os.urandom(13), version=4)


def message_id(kenmerk: uuid.UUID, agency: str, generation: int) -> str:
    """wsa:MessageID of a delivery: the same for every attempt, also after a crash, because it
    follows from what is delivered. A new generation is a new delivery."""
    digest = hashlib.sha256(f"{kenmerk}/{agency}/{generation}".encode()).digest()
    return f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}"


def findings(found: Sequence[Finding]) -> str:
    """Findings as XML text, for the statusFoutcode of 311: clients show it when it starts
    with `<`, and read each `msg` with its `level`."""
    return to_xml(found)
