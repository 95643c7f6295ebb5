"""What the journal says that must stand in the rows of one message.

An entry of before there were marks says less: then what it cannot prove is counted, not named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from openpoort.store.messages import marks

Said = dict[str, Any]
ODD = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What reading an entry raises that somebody made: it is named, and hides nothing behind it."""
Status = tuple[str, datetime, str | None, str | None]
"""Code, time, foutcode, digest of the words."""


@dataclass(slots=True)
class Claim:
    """One message, as its entries tell. `accepted` is the data of the entry of its acceptance;
    `answers` are (time, digest), `deliveries` and `parked` entries as they are, `documents` the
    digests that came or were made later."""

    kenmerk: UUID
    sender: str
    at: datetime
    accepted: Said
    statuses: dict[int, Status] = field(default_factory=dict)
    answers: list[tuple[datetime, str]] = field(default_factory=list)
    deliveries: list[tuple[datetime, Said]] = field(default_factory=list)
    returned: list[tuple[datetime, Said]] = field(default_factory=list)
    parked: list[tuple[datetime, Said]] = field(default_factory=list)
    closed: str | None = None

    @property
    def day(self) -> date:
        """Under which all its rows stand."""
        return self.at.astimezone(UTC).date()

    @property
    def row(self) -> str | None:
        return self.accepted.get(marks.ROW)


def claim(kenmerk: UUID, entries: Sequence[Said]) -> Claim | None:
    """From the entries about one message in their order; None when none tells of an acceptance."""
    first = next((e for e in entries if e["kind"] == "message.accepted"), None)
    if first is None:
        return None
    made = Claim(kenmerk, first["actor"], _at(first), first["data"])
    for seq, code, at in first["data"].get("statuses", ()):
        made.statuses[seq] = (code, datetime.fromisoformat(at), None, None)
    for said in entries:
        _add(made, said["kind"], _at(said), said["data"])
    return made


def _add(made: Claim, kind: str, at: datetime, data: Said) -> None:
    if kind == "status.set":
        made.statuses[data["seq"]] = (data["code"], at, data.get("foutcode"), data.get("words"))
    elif kind == "message.answered":
        made.answers.append((at, data["answer"]))
    elif kind == "delivery.delivered":
        made.deliveries.append((at, data))
    elif kind == "message.returned":
        made.returned.append((at, data))
    elif kind == "message.parked":
        made.parked.append((at, data))
    elif kind == "message.closed":
        made.closed = data["state"]


def _at(said: Said) -> datetime:
    return datetime.fromisoformat(said["at"])
