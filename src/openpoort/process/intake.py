"""The front of the process: take a message in, safely, and say so.

Nothing is answered before it is committed together with its first statuses and its first job.
"""

from __future__ import annotations

from openpoort.domain.message import (
    AanleverBevestiging,
    Aanlevering,
    Received,
    ZetStatus,
    ZetStatusBevestiging,
)
from openpoort.store.writer import Busy
from openpoort.trust.sender import VerifiedMessage

__all__ = ["Busy", "Intake"]


class Intake:
    """What the doors call. Every method raises Fault, or Busy when the queue is full."""

    async def aanleveren(
        self, who: VerifiedMessage, request: Aanlevering, raw: Received
    ) -> AanleverBevestiging:
        """Take a message in; returns after the commit."""
        raise NotImplementedError

    async def answered(self, kenmerk: str, answer: bytes) -> None:
        """Keep the signed answer, before it is sent."""
        raise NotImplementedError

    async def zet_status(
        self, who: VerifiedMessage, request: ZetStatus, raw: Received
    ) -> ZetStatusBevestiging:
        """An agency's verdict on a message it got."""
        raise NotImplementedError
