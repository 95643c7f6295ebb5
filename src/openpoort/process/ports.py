"""Seams of the process: what the engine asks of checks, channels and the AuSP.

Each is a Protocol; implementations live in `checks/` and `outbound/` and are handed in by the
wiring (`app`). They run in worker threads: they may block, they may not touch the store.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.kind import Kind
from openpoort.domain.message import AfleverBevestiging, Bericht, Document


@dataclass(frozen=True, slots=True)
class Filing:
    """What a check looks at: the request as parsed, and the kind it claims to be."""

    kind: Kind
    belanghebbende: Identiteit
    inhoud: Document
    bijlagen: tuple[Document, ...] = ()
    received_at: datetime | None = None
    aanleverkenmerk: str | None = None


class CheckUnavailable(Exception):
    """The checker itself failed (status 321): try again later, the message is not to blame."""


class Check(Protocol):
    """One named check (`structure`, `filing`, `xbrl`, `plain`, …)."""

    @property
    def name(self) -> str: ...

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        """Findings, possibly none. Raises CheckUnavailable when it could not judge."""
        ...


@dataclass(frozen=True, slots=True)
class Agency:
    """An afnemer as the process needs it. `endpoint` is its afleverservice URL."""

    name: str
    oin: Oin
    endpoint: str
    channel: str = "wus"
    max_parallel: int = 8
    options: dict[str, str] = field(default_factory=dict)


class DeliveryRefused(Exception):
    """The agency said no for good (status 410): `foutcode` AFO100, or AFS400 when it is ours."""

    def __init__(self, foutcode: str, text: str) -> None:
        super().__init__(f"{foutcode}: {text}")
        self.foutcode = foutcode
        self.text = text


class DeliveryFailed(Exception):
    """The agency answered, and it was no yes and no no (status 420): a fault that may pass, an
    HTTP error, half an answer, one that cannot be believed. It says something of this message."""


class AgencySilent(DeliveryFailed):
    """No answer at all (status 420): nobody listens, no handshake, nothing within the time. It says
    something of the agency."""


class AgencyBusy(AgencySilent):
    """The agency asks to be left alone for `pause`, before it looked at the message."""

    def __init__(self, why: str, pause: timedelta) -> None:
        super().__init__(why)
        self.pause = pause


class Channel(Protocol):
    """A way to hand a message to an agency (`wus`; later `ebms`)."""

    @property
    def name(self) -> str: ...

    def deliver(self, bericht: Bericht, agency: Agency, message_id: str) -> AfleverBevestiging:
        """One attempt. Every attempt of a delivery repeats `message_id` (settled: Statuses).

        Raises DeliveryRefused, AgencySilent or DeliveryFailed.
        """
        ...


class Verdict(StrEnum):
    """What an AuSP says, by the status it leads to."""

    GRANTED = "200"
    SENDER_REFUSED = "210"
    RIGHT_REFUSED = "220"
    UNAVAILABLE = "230"


class Authority(Protocol):
    """Autorisatie Service Provider: may this sender act for this belanghebbende?"""

    def ask(self, sender: Oin, kind: Kind, belanghebbende: Identiteit, at: datetime) -> Verdict: ...
