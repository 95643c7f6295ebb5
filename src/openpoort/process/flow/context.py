"""One message in the hands of the process, and what its steps may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from openpoort.domain.fault import Fault
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit, Kenmerk
from openpoort.domain.kind import Kind, Step
from openpoort.domain.message import Document
from openpoort.domain.octets import Octets
from openpoort.process.flow import behaviours, texts
from openpoort.process.ports import Check
from openpoort.store.messages.changes import Process
from openpoort.store.messages.rows import JobRow, MessageRow

Documents = Callable[[], Sequence[Document]]
"""Reads the bytes of a message's documents: content first."""


@dataclass(frozen=True, slots=True)
class House:
    """What steps may ask for. `render` makes the text of 311 out of findings; `split`
    makes the documents of all elements of a local name, or says why not; `slow` names checks that
    run outside a transaction."""

    kinds: Mapping[str, Kind]
    checks: Mapping[str, Check]
    ask: bool = False
    slow: frozenset[str] = frozenset({"xbrl", "malware"})
    render: Callable[[Sequence[Finding]], str] = texts.findings
    split: Callable[[Octets, str], tuple[Sequence[bytes], Sequence[Finding]]] | None = None
    new_kenmerk: Callable[[], UUID] = texts.new_kenmerk

    def lane(self, step: Step) -> str | None:
        return behaviours.lane(step, slow=self.slow, ask=self.ask)


@dataclass(frozen=True, slots=True)
class Work:
    """One message in the hands of the engine. `apart`: what follows a step is a job of its own,
    even if it could be done at once."""

    house: House
    kind: Kind
    process: Process
    message: MessageRow
    now: datetime
    documents: Documents
    apart: bool = False


def belang(who: Identiteit) -> str:
    """An identity folded into one text for look-ups."""
    return ":".join(who.key)


def kenmerk_of(text: str | None) -> UUID:
    """The kenmerk that a request names, in whatever case. Fault where there can be none."""
    try:
        return Kenmerk.read(text or "").uuid
    except ValueError:
        raise Fault(texts.NO_SUCH_KENMERK) from None


def first_jobs(house: House, kind: Kind, message: MessageRow) -> tuple[JobRow, ...]:
    """The job or jobs with which a message of this kind starts."""
    step = kind.steps[0]
    day, kenmerk, now = message.day, message.kenmerk, message.accepted_at
    if step.kind in behaviours.DELIVERING:
        return tuple(
            JobRow(day, kenmerk, step.name, behaviours.agency_lane(a, kind.berichtsoort), now, a)
            for a in step.agencies
        )
    return (JobRow(day, kenmerk, step.name, house.lane(step) or behaviours.LOCAL, now),)


def first_open(kind: Kind) -> int:
    return len(kind.steps[0].agencies)
