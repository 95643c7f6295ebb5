"""A batch of claimed jobs with everything their steps need, read with one statement per table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from openpoort.domain.message import Document
from openpoort.domain.octets import Octets
from openpoort.domain.process import AT_WORK
from openpoort.process.engine.row_cache import Recent
from openpoort.process.flow import steps
from openpoort.process.flow.context import House, Work
from openpoort.store.messages import changes, messages
from openpoort.store.messages.changes import Process
from openpoort.store.messages.rows import DocumentRow, JobRow, MessageRow
from openpoort.store.payloads import payloads
from openpoort.store.payloads.payloads import Stored
from openpoort.store.postgres.pool import Connection
from openpoort.store.store import Store
from openpoort.telemetry import logger

_log = logger("process")
Needs = Callable[[House, str, JobRow], bool]
"""Whether a job of a kind (its berichtsoort) needs the bytes of the documents."""


@dataclass(frozen=True, slots=True)
class Item:
    """A job and its process. `work` is None when there is nothing to do: no job may work on the
    process in its state, or it was parked because its kind or step is not installed any more."""

    job: JobRow
    process: Process
    work: Work | None


class Documents:
    """The documents of one message, read when asked for; large ones stand where they are."""

    def __init__(
        self, rows: Sequence[DocumentRow], stored: Mapping[bytes, Stored], store: Store
    ) -> None:
        self._rows, self._stored, self._store = rows, stored, store

    def __call__(self) -> list[Document]:
        """Raises PayloadMissing, PayloadUnavailable."""
        return [Document(r.mime_type, r.bestandsnaam, self._body(r.digest)) for r in self._rows]

    def _body(self, digest: bytes) -> Octets:
        stored = self._stored.get(digest)
        if stored is None:
            raise payloads.PayloadMissing(f"no row for payload {digest.hex()}")
        return payloads.read(stored, self._store.outside)


def load(
    conn: Connection,
    store: Store,
    house: House,
    jobs: Sequence[JobRow],
    now: datetime,
    needs: Needs,
    recent: Recent,
) -> list[Item]:
    """Lock the processes of `jobs` and read their messages; payloads where `needs` says so."""
    places = {(job.kenmerk, job.day) for job in jobs}
    locked = changes.lock(conn, places)
    rows = _messages(conn, places, recent)
    documents: list[Sequence[DocumentRow]] = []
    losses: list[str] = []
    wanted: dict[tuple[date, bytes], None] = {}
    for job in jobs:
        process = locked[job.kenmerk]
        documents.append(rows[job.kenmerk].documents)
        losses.append(_not_installed(house, process, job))
        if process.state not in AT_WORK or losses[-1]:
            continue
        if needs(house, process.berichtsoort, job):
            wanted.update(dict.fromkeys((job.day, row.digest) for row in documents[-1]))
    stored = _stored(conn, wanted, recent)
    items = []
    for job, present, lost in zip(jobs, documents, losses, strict=True):
        process = locked[job.kenmerk]
        if process.state not in AT_WORK:  # never, by the table: let go of, and told
            _log.error("job_without_work", kenmerk=str(job.kenmerk), state=process.state.value,
                       step=job.step)  # fmt: skip
            items.append(Item(job, process, None))
        elif lost:
            steps.strand(process, job, now, lost)
            items.append(Item(job, process, None))
        else:
            kind = house.kinds[process.berichtsoort]
            read = Documents(present, stored, store)
            work = Work(house, kind, process, rows[job.kenmerk], now, read)
            items.append(Item(job, process, work))
    return items


def _messages(
    conn: Connection, places: Iterable[tuple[UUID, date]], recent: Recent
) -> dict[UUID, MessageRow]:
    here = recent.messages(kenmerk for kenmerk, _ in places)
    if missing := [place for place in places if place[0] not in here]:
        read = messages.messages(conn, missing)
        recent.keep_messages(read)
        here.update(read)
    return here


def _stored(
    conn: Connection, places: Collection[tuple[date, bytes]], recent: Recent
) -> dict[bytes, Stored]:
    here = recent.stored(digest for _, digest in places)
    if missing := [place for place in places if place[1] not in here]:
        read = payloads.load(conn, missing)
        recent.keep_stored(read)
        here.update(read)
    return here


def _not_installed(house: House, process: Process, job: JobRow) -> str:
    """Why this job cannot be looked up; empty when it can."""
    kind = house.kinds.get(process.berichtsoort)
    if kind is None:
        return f"kind {process.berichtsoort} is not installed any more"
    for step in kind.steps:
        if step.name == job.step:
            return ""
    return f"kind {process.berichtsoort} has no step {job.step} any more"


def stranded(items: Iterable[Item]) -> list[Process]:
    """Processes that were parked while loading: to be written with the rest."""
    return [item.process for item in items if item.work is None and item.process.parked]


def fresh(process: Process) -> Process:
    """A copy to go back to when a step breaks off half-way."""
    return dataclasses.replace(
        process, carried=dataclasses.replace(process.carried), statuses=[], entries=[], jobs=[],
        parked=[], deliveries=[], mailbox=[], children=[], payloads=[],
    )  # fmt: skip


def write(conn: Connection, processes: Iterable[Process]) -> None:
    changes.apply(conn, [p for p in processes if p.entries or p.jobs])
