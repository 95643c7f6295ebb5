"""The values that go into the tables of messages and come out of them, one class per row.

Plain data: no SQL and no connection (`arrival` and `messages` have those).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from openpoort.domain.fault import Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.journal import JournalEntry
from openpoort.domain.process import State
from openpoort.store.payloads.payloads import Cut, Stored

WAKE = "openpoort_work"
"""Channel of the wake-up that goes out once per batch."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The request as received, its documents cut out. `tls` and `token` are DER."""

    received_at: datetime
    digest: bytes
    size: int
    body: bytes = field(repr=False)
    cuts: tuple[Cut, ...]
    token: bytes = field(repr=False)
    tls: bytes | None = field(default=None, repr=False)
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    mime_type: str
    bestandsnaam: str
    digest: bytes
    size: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as kept; `documents` is the content first, then the attachments."""

    day: date
    kenmerk: UUID
    about: UUID | None
    parent: UUID | None
    berichtsoort: str
    sender: str
    berichtkenmerk: str
    aanleverkenmerk: str | None
    eerder_aanleverkenmerk: str | None
    belanghebbende: Identiteit
    rol_belanghebbende: str
    ontvanger: Identiteit | None
    rol_ontvanger: str | None
    autorisatie_adres: str | None
    accepted_at: datetime
    documents: tuple[DocumentRow, ...]


@dataclass(frozen=True, slots=True)
class StatusRow:
    """`seq` counts from 1 within a process."""

    seq: int
    code: str
    at: datetime
    fout: Fout | None = None
    details: str | None = None


def started(statuses: Sequence[StatusRow]) -> list[list[object]]:
    """The first statuses as the entry of the acceptance holds them: (seq, code, time)."""
    return [[s.seq, s.code, s.at.astimezone(UTC).isoformat()] for s in statuses]


@dataclass(frozen=True, slots=True)
class JobRow:
    """Work to do. `attempts` made so far, the first at `first_at`. `fence` is held by whoever
    leased the job: another worker that took it over holds another one."""

    day: date
    kenmerk: UUID
    step: str
    lane: str
    due_at: datetime
    agency: str | None = None
    generation: int = 0
    attempts: int = 0
    first_at: datetime | None = None
    fence: UUID | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """The signed answer to a message, kept before it is sent."""

    kenmerk: UUID
    at: datetime
    digest: bytes
    body: bytes = field(repr=False)
    actor: str = "openpoort"

    def entry(self) -> JournalEntry:
        """Its line in the journal."""
        data = {"answer": self.digest.hex()}
        return JournalEntry("message.answered", self.at, self.actor, str(self.kenmerk), data)


@dataclass(frozen=True, slots=True)
class Accept:
    """Everything one accepted message puts into the database.

    `key` and `digest`: sender and MessageID, and the values (settled: Repeats); None for a
    message that the process makes itself. `content_key`: the same for kinds whose repeats go by
    aanleverkenmerk. `switch`: the name of a test switch.
    """

    message: MessageRow
    belang: str
    statuses: tuple[StatusRow, ...]
    jobs: tuple[JobRow, ...]
    payloads: tuple[Stored, ...]
    entries: tuple[JournalEntry, ...]
    evidence: Evidence | None = None
    key: UUID | None = None
    digest: bytes = b""
    content_key: UUID | None = None
    switch: str | None = None
    state: State = State.RUNNING
    open: int = 0
    data: Mapping[str, object] | None = None
    answer: Answered | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """`repeated`: nothing new was started, this is the earlier one."""

    kenmerk: UUID
    shown: UUID
    day: date
    accepted_at: datetime
    repeated: bool


class Reused(Exception):
    """The MessageID was used before by this sender, with other values."""
