"""The reading side: statuses and return messages, for whoever may see them."""

from __future__ import annotations

from openpoort.domain.message import Antwoord, Vraag
from openpoort.trust.sender import VerifiedMessage


class Reading:
    """An answer on its way. For the "nieuwe" operations the requester's turn is held until
    `delivered` or `release`; for the others both do nothing."""

    def __init__(self, antwoord: Antwoord) -> None:
        self.antwoord = antwoord

    async def delivered(self) -> None:
        """The last byte is written: what was new no longer is."""

    async def release(self) -> None:
        """The answer did not get through: everything stays new."""


class Reader:
    """Answers the eleven reading operations."""

    async def vraag(self, who: VerifiedMessage, vraag: Vraag) -> Reading:
        """Raises Fault for an unknown kenmerk and, in the same words, for somebody else's."""
        raise NotImplementedError
