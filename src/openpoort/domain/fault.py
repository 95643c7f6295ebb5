"""What can go wrong, once for the whole house.

A `Fault` says what happened, whose turn it is and whether trying again helps. `text` is Dutch
and safe to send; `log` is for the operator and holds no personal data. A `Refusal` is the bare
answer to an attack: the sender learns nothing. Each door renders both its own way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Fout:
    """`foutType`: code (at most 20) and description as they stand in a fault or a status."""

    foutcode: str
    foutbeschrijving: str


class Turn(StrEnum):
    """Whose turn it is to act."""

    SENDER = "sender"
    OPERATOR = "operator"
    AGENCY = "agency"


class Fault(Exception):
    """A clear no to somebody who made a mistake, or a yes that cannot be given now.

    `reason` is a number from the one list: 100 (not per koppelvlak or not allowed) or 400
    (technical). The door puts the service's letters before it: ALS100, STS100, OPH100.
    """

    def __init__(
        self,
        text: str,
        *,
        reason: int = 100,
        log: str = "",
        turn: Turn = Turn.SENDER,
        retry: bool = False,
    ) -> None:
        self.log = log or unquoted(text)
        super().__init__(self.log)
        self.text = text
        self.reason = reason
        self.turn = turn
        self.retry = retry


_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


def quoted(text: str) -> str:
    """What another wrote, on one line between quotes that `unquoted` finds again whatever it is."""
    inside = " ".join(text.split()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{inside}'"


def unquoted(text: str) -> str:
    """`text` without what it quotes: a sender may read back what he sent, a log may not hold it."""
    return _QUOTED.sub("'…'", text)


class Refusal(Exception):
    """A bare no to an attack: HTTP `status` (400; 403 for a certificate) and no body.

    `what` names the attack for the security event; it never leaves the gateway.
    """

    def __init__(self, what: str, *, status: int = 400) -> None:
        super().__init__(what)
        self.what = what
        self.status = status
