"""The front of the process: take a message in, safely, and say so.

Nothing is answered before it is committed together with its first statuses and its first job.
A repeat (same sender, MessageID and values) gets the earlier kenmerk and starts nothing; the
unique keys in the database decide, so that this holds over any number of nodes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from openpoort.domain.event import REFUSED, Event
from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.journal import JournalEntry
from openpoort.domain.kind import Kind
from openpoort.domain.message import (
    AanleverBevestiging,
    Aanlevering,
    Received,
    ZetStatus,
    ZetStatusBevestiging,
)
from openpoort.domain.octets import sha256
from openpoort.domain.party import Directory
from openpoort.domain.process import Carried, State
from openpoort.process import admission
from openpoort.process.flow import agency_status, switches, texts
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.context import House, belang, first_jobs, first_open, kenmerk_of
from openpoort.store.messages import changes, marks
from openpoort.store.messages.changes import TICK
from openpoort.store.messages.marks import Beside
from openpoort.store.messages.messages import from_request
from openpoort.store.messages.rows import (
    Accept,
    Accepted,
    Answered,
    DocumentRow,
    Evidence,
    MessageRow,
    Reused,
    StatusRow,
    started,
)
from openpoort.store.payloads import payloads
from openpoort.store.postgres.group_commit import GATHER, Busy
from openpoort.store.store import Store
from openpoort.telemetry import emit
from openpoort.trust.sender import VerifiedMessage

__all__ = ["Busy", "Intake"]

_LARGE = 256 * 1024
"""Octets from which a request is hashed and put away off the event loop."""


Seal = Callable[[AanleverBevestiging], bytes]
"""Makes the signed answer out of what it says."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message that was taken in is told, and that as signed, if it was to be."""

    bevestiging: AanleverBevestiging
    answer: bytes = b""

    @property
    def kenmerk(self) -> str:
        return self.bevestiging.kenmerk


class Intake:
    """What the doors call. Every method raises Fault, or Busy when the queue is full or a
    place for large documents cannot be reached.

    `directory` gives the present one; `switches` turns on the names of the Aansluit Suite.
    """

    def __init__(
        self,
        store: Store,
        house: House,
        directory: Callable[[], Directory],
        clock: Clock,
        *,
        switches: bool = False,
    ) -> None:
        self._store = store
        self._house = house
        self._directory = directory
        self._clock = clock
        self._switches = switches
        self._writer = store.batcher("intake", store.take_in, gather=GATHER)
        self._verdicts = store.batcher(
            "verdicts", agency_status.Setter(store, directory), gather=GATHER
        )

    @property
    def waiting(self) -> int:
        """Messages and answers queued for the database, for the metrics."""
        return self._writer.waiting

    def cpu_since(self) -> float:
        """CPU seconds that writing took since this was last asked."""
        return self._writer.cpu_since()

    async def aanleveren(
        self,
        who: VerifiedMessage,
        request: Aanlevering,
        raw: Received,
        seal: Seal | None = None,
        *,
        suite: bool = False,
    ) -> Taken:
        """Take a message in; returns after the commit. `suite`: it came in by a path of the
        Aansluit Suite, where `Happyflow` takes any document and goes nowhere.

        What `seal` makes is kept in the same transaction as the message (decision 0044): nobody
        sees it before the commit, and when that fails nobody ever does.
        """
        now = self._clock.now()
        suited = admission.suited(self._house.kinds, request, switched=self._switches, suite=suite)
        kind = suited.kind
        if suited.wait:
            await asyncio.sleep(suited.wait.total_seconds())
        about, owner = await self._route(who.sender.oin, kind, request, now)
        self._store.crash_point("after-rights")
        build = _Build(self._store, self._house, who, request, raw, kind, now, suited.stub)
        ontvanger = admission.ontvanger(self._directory(), kind, request)
        arguments = (about, owner, ontvanger, suited.switch)
        item = (
            build.item(*arguments)
            if len(raw.raw) < _LARGE
            else await asyncio.to_thread(build.item, *arguments)
        )
        said = self._said(item.message, request)
        answer = seal(said) if seal else b""
        if answer:
            item = replace(item, answer=self._answer(item.message.kenmerk, answer))
        try:
            accepted = await self._writer.done(item)
        except Reused:
            self._report_reuse(who, now)
            raise Fault(
                "MessageID is al gebruikt voor een aanlevering met een andere inhoud. Gebruik "
                "voor ieder nieuw bericht een nieuw MessageID.",
                log="MessageID used again with other values",
            ) from None
        assert isinstance(accepted, Accepted)
        if accepted.repeated:
            said = replace(
                said, kenmerk=str(accepted.shown), tijdstempel_aangeleverd=accepted.accepted_at
            )
            answer = seal(said) if seal else b""
            if answer:
                await self._writer.done(self._answer(accepted.kenmerk, answer))
        return Taken(said, answer)

    def _answer(self, kenmerk: UUID, answer: bytes) -> Answered:
        return Answered(kenmerk, self._clock.now(), hashlib.sha256(answer).digest(), answer)

    def _said(self, m: MessageRow, request: Aanlevering) -> AanleverBevestiging:
        return AanleverBevestiging(
            kenmerk=str(m.about or m.kenmerk),
            berichtsoort=request.berichtsoort,
            tijdstempel_aangeleverd=m.accepted_at,
            belanghebbende=request.belanghebbende,
            rol_belanghebbende=request.rol_belanghebbende,
            aanleverkenmerk=request.aanleverkenmerk,
            eerder_aanleverkenmerk=request.eerder_aanleverkenmerk,
            ontvanger=m.ontvanger,
            rol_ontvanger=request.rol_ontvanger,
            autorisatie_adres=request.autorisatie_adres,
        )

    async def zet_status(
        self, who: VerifiedMessage, request: ZetStatus, raw: Received
    ) -> ZetStatusBevestiging:
        """An agency's verdict on a message it got. Setting the same again changes nothing."""
        kenmerk = kenmerk_of(request.kenmerk)
        item = agency_status.Verdict(
            who.sender.oin, kenmerk, request, self._clock.now(), sha256(raw.raw)
        )
        await self._verdicts.done(item)
        return ZetStatusBevestiging(str(kenmerk), request.statuscode)

    def close(self) -> None:
        """Finish what is queued."""
        self._writer.close()
        self._verdicts.close()

    async def _route(
        self, sender: Oin, kind: Kind, request: Aanlevering, now: datetime
    ) -> tuple[UUID | None, str | None]:
        """Whether this sender may hand this in, to which earlier process it belongs and, for a
        return message, who its receiver is. Raises Fault."""
        directory = self._directory()
        about, owner = admission.route(directory, sender, kind, request, now)
        if about is None:
            return None, owner
        known = await asyncio.to_thread(self._known, about)
        if known is None or not admission.got_it(self._house.kinds, directory, sender, known[0]):
            raise Fault(texts.NO_SUCH_KENMERK)
        return about, known[1]

    def _known(self, kenmerk: UUID) -> tuple[str, str] | None:
        with self._store.pool.lend() as conn:
            row = changes.register(conn, kenmerk)
        return (row[1], row[2]) if row else None

    def _report_reuse(self, who: VerifiedMessage, now: datetime) -> None:
        details = {"code": "ALS100", "reason": "MessageID used again with other values"}
        emit(
            Event("request.replayed", "aanleverservice", REFUSED, "unknown", who.sender.oin.value,
                  now, details)
        )  # fmt: skip


class _Build:
    """Makes of one request what goes into the database."""

    def __init__(
        self, store: Store, house: House, who: VerifiedMessage, request: Aanlevering,
        raw: Received, kind: Kind, now: datetime, stub: bool,
    ) -> None:  # fmt: skip
        self.store, self.house, self.who, self.request = store, house, who, request
        self.raw, self.kind, self.now, self.stub = raw, kind, now, stub

    def item(
        self,
        about: UUID | None,
        owner: str | None,
        ontvanger: Identiteit | None,
        switch: switches.Switch | None,
    ) -> Accept:
        """May block: large documents are put in their place, synced, before the transaction."""
        request, kind, outside = self.request, self.kind, self.store.outside
        documents = (request.inhoud, *request.bijlagen)
        start = _start(self.raw.received_at, self.now)
        stored = [payloads.store(d.inhoud, outside, start.date()) for d in documents]
        message = from_request(
            request, day=start.date(), kenmerk=self.house.new_kenmerk(), about=about,
            sender=self.who.sender.oin.value,
            berichtkenmerk=self.who.message.addressing.message_id, accepted_at=start,
            ontvanger=ontvanger,
            documents=tuple(
                DocumentRow(d.mime_type, d.bestandsnaam, s.digest, s.size)
                for d, s in zip(documents, stored, strict=True)
            ),
        )  # fmt: skip
        evidence = self._evidence(stored, start.date())
        key, digest, content_key = self._keys(message.documents)
        statuses = tuple(
            StatusRow(n + 1, code, start + n * TICK)
            for n, code in enumerate(switches.HAPPY if self.stub else kind.start)
        )
        named = switch.value if switch else None
        beside = Beside(belang(request.belanghebbende), named, key, digest, content_key)
        return Accept(
            message=message, belang=beside.belang, statuses=statuses,
            jobs=() if self.stub else first_jobs(self.house, kind, message), payloads=tuple(stored),
            entries=self._entries(message, beside, evidence, statuses),
            evidence=evidence, key=key, digest=digest, content_key=content_key,
            switch=named, open=0 if self.stub else first_open(kind),
            state=State.DELIVERED if self.stub else State.RUNNING,
            data=Carried(owner=owner).json() if owner is not None else None,
        )  # fmt: skip

    def _evidence(self, stored: list[payloads.Stored], day: date) -> Evidence:
        raw = self.raw.raw
        documents = (self.request.inhoud, *self.request.bijlagen)
        kept, cuts = payloads.cut(raw, [d.inhoud for d in documents])
        if len(kept) >= payloads.THRESHOLD and self.store.outside:
            # Base64 with line breaks, say: the whole request goes where large documents go.
            whole = payloads.store(raw, self.store.outside, day)
            stored.append(whole)
            kept, cuts = b"", (payloads.Cut(0, len(stored) - 1, "whole"),)
        return Evidence(
            self.raw.received_at, sha256(raw), len(raw), bytes(kept), cuts,
            self.who.message.token, self.raw.tls_certificate, self.raw.content_type,
        )  # fmt: skip

    def _keys(self, documents: tuple[DocumentRow, ...]) -> tuple[UUID, bytes, UUID | None]:
        """Repeat key, digest of the values, key by content for the kinds that ask for it."""
        oin = self.who.sender.oin.value
        key = marks.key("message-id", oin, self.who.message.addressing.message_id)
        values = values_digest(self.request, documents)
        if self.kind.repeat != "aanleverkenmerk" or not self.request.aanleverkenmerk:
            return key, values, None
        content = documents[0].digest.hex()
        return key, values, marks.key(
            "aanleverkenmerk", oin, self.kind.berichtsoort, self.request.aanleverkenmerk, content
        )  # fmt: skip

    def _entries(
        self, message: MessageRow, beside: Beside, evidence: Evidence,
        statuses: Sequence[StatusRow],
    ) -> tuple[JournalEntry, ...]:  # fmt: skip
        accepted = self._entry(message, beside, evidence, statuses)
        if not self.stub:
            return (accepted,)
        state = {
            "state": State.DELIVERED.value,
            "reason": "Happyflow of the Aansluit Suite: went nowhere",
        }
        end = statuses[-1].at
        closed = JournalEntry("message.closed", end, "openpoort", str(message.kenmerk), state)
        return (accepted, closed)

    def _entry(
        self, message: MessageRow, beside: Beside, evidence: Evidence,
        statuses: Sequence[StatusRow],
    ) -> JournalEntry:  # fmt: skip
        data: dict[str, object] = {
            "kind": self.kind.berichtsoort,
            "request": evidence.digest.hex(),
            "token": hashlib.sha256(evidence.token).hexdigest(),
            "documents": [d.digest.hex() for d in message.documents],
            "statuses": started(statuses),
            marks.ROW: marks.message(message, beside),
            marks.RECEIVED: marks.request(evidence.received_at, evidence.content_type),
        }
        if evidence.tls is not None:
            data["tls"] = hashlib.sha256(evidence.tls).hexdigest()
        oin = self.who.sender.oin.value
        return JournalEntry(
            "message.accepted", message.accepted_at, oin, str(message.kenmerk), data
        )


def _start(received: datetime, now: datetime) -> datetime:
    """Time of acceptance: when the request came, by the clock of the process. A door whose
    clock differs (a test's) does not set the time of a status."""
    return received if timedelta(0) <= now - received < timedelta(minutes=1) else now


def values_digest(request: Aanlevering, documents: tuple[DocumentRow, ...]) -> bytes:
    """Digest of what was asked, as parsed: layout, prefixes and time stamps do not count."""

    def identity(who: Identiteit | None) -> list[str] | None:
        return [who.type, who.nummer] if who else None

    values = [
        request.berichtsoort, identity(request.belanghebbende), request.rol_belanghebbende,
        request.kenmerk and request.kenmerk.lower(),
        request.aanleverkenmerk, request.eerder_aanleverkenmerk,
        identity(request.ontvanger), request.rol_ontvanger, request.autorisatie_adres,
        [[d.mime_type, d.bestandsnaam, d.digest.hex()] for d in documents],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).digest()
