"""A message as a door puts it in, with nothing in it that a rule does not ask for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from openpoort.domain.ids import Identiteit
from openpoort.domain.journal import JournalEntry
from openpoort.store.messages.rows import Accept, DocumentRow, JobRow, MessageRow, StatusRow
from openpoort.store.payloads.payloads import Stored

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SENDER = "00000099001000044000"
BELANG = Identiteit("001000044B37", "BTW")


def accept(
    key: UUID | None = None,
    digest: bytes = b"values",
    *,
    berichtsoort: str = "Omzetbelasting",
    sender: str = SENDER,
    jobs: bool = True,
    content_key: UUID | None = None,
    at: datetime = NOW,
    **more: Any,
) -> Accept:
    kenmerk, day = uuid4(), at.date()
    message = MessageRow(
        day, kenmerk, None, None, berichtsoort, sender, f"urn:uuid:{kenmerk}", None, None, BELANG,
        "Bedrijf", None, None, None, at, (DocumentRow("text/xml", "x.xml", b"d" * 32, 1),),
    )  # fmt: skip
    work = (JobRow(day, kenmerk, "check", "local", at),) if jobs else ()
    return Accept(
        message, "BTW 001000044B37", (StatusRow(1, "105", at),), work,
        (Stored(b"d" * 32, 1, body=b"x"),),
        (JournalEntry("message.accepted", at, sender, str(kenmerk)),),
        key=key, digest=digest, content_key=content_key, open=1, **more,
    )  # fmt: skip
