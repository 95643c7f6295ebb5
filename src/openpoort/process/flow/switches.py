"""The scenario switches of the Aansluit Suite: an aanleverkenmerk that chooses what happens.

Existing test set-ups send these names. They work only where the installation says so
(`switches = true`), never by default. Which codes the stub returned is known for Happyflow
alone; the others follow the meaning of their name (docs: divergences).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from openpoort.domain.fault import Fault
from openpoort.process.flow import texts
from openpoort.process.ports import DeliveryFailed, DeliveryRefused
from openpoort.store.postgres.group_commit import Busy

SLOW = timedelta(seconds=5)
"""How long a heavily loaded service takes, in real time."""
HAPPY = ("105", "100", "110", "200", "301", "301", "405", "400", "500")
"""What the Aansluit Suite told of every `Happyflow` (captured), whatever the document."""
OVERLOADED = 30
"""Retry-After of an overloaded service, seconds."""


class Switch(StrEnum):
    HAPPYFLOW = "Happyflow"
    AANLEVER_FAULT = "AanleverFault"
    STATUS_FAULT = "StatusInformatieFault"
    REFUSED = "Afleverfout"
    AGENCY_ERROR = "Foutuitvragendepartij"
    TROUBLE = "TechnischProbleemAfleveren"
    OUT_OF_TRIES = "MaximaalAantalAfleverpogingen"
    SLOW_HAND_IN = "ZwaarbelastAanleveren"
    OVERLOADED_HAND_IN = "OverbelastAanleveren"
    SLOW_STATUS = "ZwaarbelastStatusInformatie"
    OVERLOADED_STATUS = "OverbelastStatusInformatie"


class OutOfTries(DeliveryFailed):
    """As if all attempts were made already."""


def of(aanleverkenmerk: str | None) -> Switch | None:
    try:
        return Switch(aanleverkenmerk) if aanleverkenmerk else None
    except ValueError:
        return None


def at_hand_in(switch: Switch | None) -> timedelta | None:
    """How long to wait before taking the message in. Raises Fault or Busy."""
    if switch is Switch.AANLEVER_FAULT:
        raise Fault("Het aanleverkenmerk vraagt om deze fout (AanleverFault).")
    if switch is Switch.OVERLOADED_HAND_IN:
        raise Busy(OVERLOADED)
    return SLOW if switch is Switch.SLOW_HAND_IN else None


def at_status(switch: Switch | None) -> timedelta | None:
    """How long to wait before telling a status. Raises Fault or Busy."""
    if switch is Switch.STATUS_FAULT:
        raise Fault("Het aanleverkenmerk vraagt om deze fout (StatusInformatieFault).")
    if switch is Switch.OVERLOADED_STATUS:
        raise Busy(OVERLOADED)
    return SLOW if switch is Switch.SLOW_STATUS else None


def at_delivery(switch: Switch | None) -> None:
    """Raises what the agency would have done."""
    if switch is Switch.REFUSED:
        raise DeliveryRefused("AFS400", texts.FOUTEN["AFS400"])
    if switch is Switch.AGENCY_ERROR:
        raise DeliveryRefused("AFO100", texts.FOUTEN["AFO100"])
    if switch is Switch.OUT_OF_TRIES:
        raise OutOfTries("the aanleverkenmerk asks for it")
    if switch is Switch.TROUBLE:
        raise DeliveryFailed("the aanleverkenmerk asks for it")
