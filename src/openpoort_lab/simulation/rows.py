"""The columns of the simulated tables, in the order of the real ones.

`jsonb` is kept as text, so that every reader gets a value of its own; `Journal` is without the
number of its transaction, which nobody in `process` looks at.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID


class Register(NamedTuple):
    kenmerk: UUID
    day: date
    berichtsoort: str
    sender: str
    about: UUID | None
    switch: str | None


class Repeat(NamedTuple):
    key: UUID
    digest: bytes
    kenmerk: UUID
    day: date


class Certificate(NamedTuple):
    digest: bytes
    der: bytes


class Message(NamedTuple):
    day: date
    kenmerk: UUID
    about: UUID | None
    parent: UUID | None
    berichtsoort: str
    sender: str
    berichtkenmerk: str
    aanleverkenmerk: str | None
    eerder_aanleverkenmerk: str | None
    belang_type: str
    belang_nummer: str
    rol_belang: str
    ontvanger_type: str | None
    ontvanger_nummer: str | None
    rol_ontvanger: str | None
    autorisatie_adres: str | None
    accepted_at: datetime
    documents: str


class Process(NamedTuple):
    day: date
    kenmerk: UUID
    berichtsoort: str
    sender: str
    belang: str
    accepted_at: datetime
    state: str
    seq: int
    last_at: datetime
    open: int
    episode: bool
    unread: bool
    data: str | None


class Status(NamedTuple):
    day: date
    kenmerk: UUID
    seq: int
    code: str
    at: datetime
    foutcode: str | None
    fout: str | None
    details: str | None


class Request(NamedTuple):
    day: date
    kenmerk: UUID
    received_at: datetime
    content_type: str | None
    digest: bytes
    size: int
    cuts: str
    body: bytes
    tls: bytes | None
    token: bytes


class Answer(NamedTuple):
    day: date
    kenmerk: UUID
    at: datetime
    digest: bytes
    body: bytes


class Payload(NamedTuple):
    day: date
    digest: bytes
    size: int
    place: str
    body: bytes | None


class Delivery(NamedTuple):
    day: date
    kenmerk: UUID
    agency: str
    generation: int
    message_id: str
    attempts: int
    delivered_at: datetime
    receipt: bytes


class Mailbox(NamedTuple):
    day: date
    kenmerk: UUID
    shown: UUID
    owner: str
    belang: str
    berichtsoort: str
    at: datetime
    new_in_list: bool
    new_as_message: bool


class Seen(NamedTuple):
    day: date
    requester: str
    kenmerk: UUID
    what: str
    seqs: tuple[int, ...]


class Job(NamedTuple):
    id: int
    day: date
    kenmerk: UUID
    step: str
    lane: str
    agency: str | None
    generation: int
    due_at: datetime
    attempts: int
    first_at: datetime | None
    fence: UUID | None
    lease_until: datetime | None


class Parked(NamedTuple):
    id: int
    day: date
    kenmerk: UUID
    step: str
    lane: str
    agency: str | None
    generation: int
    attempts: int
    since: datetime
    reason: str


class Journal(NamedTuple):
    id: int
    at: datetime
    entry: bytes


ROWS: dict[str, type[NamedTuple]] = {
    row.__name__.lower(): row
    for row in (Register, Repeat, Certificate, Message, Process, Status, Request, Answer, Payload,
                Delivery, Mailbox, Seen, Job, Parked, Journal)
}  # fmt: skip
"""By the name of the table."""
