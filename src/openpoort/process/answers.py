"""Items of an answer: made from rows, filtered by time, measured before they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from openpoort.domain.message import Bericht, Proces, Vraag
from openpoort.domain.status import OMSCHRIJVING, Status
from openpoort.store.reading import Known
from openpoort.store.rows import StatusRow

LARGEST = 64 * 1024
"""Octets of an answer to a "nieuwe" operation: old clients read no more (settled: Sizes)."""
_ENVELOPE = 8 * 1024  # headers, signature and token around the items
T = TypeVar("T")


def status(known: Known, row: StatusRow) -> Status:
    return Status(
        kenmerk=str(known.kenmerk),
        belanghebbende=known.belanghebbende,
        statuscode=row.code,
        tijdstempel=row.at,
        omschrijving=OMSCHRIJVING.get(row.code, row.code),
        fout=row.fout,
        details=row.details,
    )


def within(vraag: Vraag, at: datetime) -> bool:
    """tijdstempelVanaf counts, tijdstempelTot does not."""
    return (vraag.vanaf is None or vraag.vanaf <= at) and (vraag.tot is None or at < vraag.tot)


def fitting(items: Iterable[tuple[T, int]]) -> Iterator[T]:
    """The first items that fit an answer of LARGEST octets together; always at least one."""
    room = LARGEST - _ENVELOPE
    for place, (item, size) in enumerate(items):
        room -= size
        if room < 0 and place:
            return
        yield item


def size(item: str | Proces | Status | Bericht) -> int:
    """Octets that an item takes in the answer, counted high."""
    if isinstance(item, str):
        return 64 + 6 * len(item)
    if isinstance(item, Proces):
        return 700
    if isinstance(item, Status):
        fout = _text(item.fout.foutcode + item.fout.foutbeschrijving) if item.fout else 0
        return 700 + fout + _text(item.details or "")
    documents = (item.inhoud, *item.bijlagen)
    content = sum(400 + _text(d.bestandsnaam) + (len(d.inhoud) + 2) // 3 * 4 for d in documents)
    notes = sum(_text(c.code + c.beschrijving) + 100 for c in item.constateringen)
    return 2000 + content + notes


def _text(text: str) -> int:
    """A text in UTF-8 after escaping: `<` becomes `&lt;`, `>` in canonical XML `&gt;`."""
    marks = text.count("<") + text.count(">") + text.count("&") + text.count("\r")
    return len(text.encode()) + 4 * marks + 100
