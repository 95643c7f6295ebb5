"""Items of an answer: made from rows, filtered by time, measured before they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from openpoort.domain.message import Bericht, Operatie, Vraag
from openpoort.domain.status import OMSCHRIJVING, Status
from openpoort.store.messages.reading import Known
from openpoort.store.messages.rows import StatusRow
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.koppelvlak import Item

LARGEST = 64 * 1024
"""Octets of an answer to a "nieuwe" operation, all of the HTTP body: old clients read no more
(settled: Sizes)."""
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


def fitting(items: Iterable[tuple[T, int]], room: int) -> Iterator[T]:
    """The first items that fit in `room` octets together; always at least one."""
    for place, (item, size) in enumerate(items):
        room -= size
        if room < 0 and place:
            return
        yield item


def size(operatie: Operatie, item: Item) -> int:
    """Octets that an item takes in the answer. Contents are counted, not encoded."""
    if not isinstance(item, Bericht):
        return koppelvlak.size(operatie, item)
    bare = replace(
        item, inhoud=replace(item.inhoud, inhoud=b""),
        bijlagen=tuple(replace(d, inhoud=b"") for d in item.bijlagen),
    )  # fmt: skip
    return koppelvlak.size(operatie, bare) + contents(item)


def contents(item: Item) -> int:
    """Octets of an item's documents in the answer."""
    documents = (item.inhoud, *item.bijlagen) if isinstance(item, Bericht) else ()
    return sum((len(d.inhoud) + 2) // 3 * 4 for d in documents)
