"""A message with everything that happened to it, put into a database without a gateway.

For measuring and testing what stands behind the doors: one accepted, answered and delivered
message with real signatures, journalled as the gateway does it, amid entries of others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from openpoort.domain.fault import Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.journal import JournalEntry
from openpoort.domain.message import AanleverBevestiging, Aanlevering, AfleverBevestiging, Document
from openpoort.store.journal import journal
from openpoort.store.messages import changes, messages
from openpoort.store.messages.rows import (
    Accept,
    Answered,
    DocumentRow,
    Evidence,
    StatusRow,
    started,
)
from openpoort.store.payloads import payloads
from openpoort.store.postgres import partitions
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import Signer, seal_answer, seal_request
from openpoort.wire.wus.services import AANLEVER

Connection = psycopg.Connection[Any]
SENDER = "00000099001000044000"
BELANG = Identiteit("001000044B37", "BTW")
MESSAGE_ID = "urn:uuid:0d3f2f2a-5b5e-4f0e-9a55-3c1f1f5f7a10"
FOUT = Fout("VAL100", "De omzet klopt niet.")


@dataclass(frozen=True, slots=True)
class Example:
    """`sender`, `gateway`, `agency` sign; `tls` is the certificate of the connection (DER)."""

    at: datetime
    sender: Signer
    gateway: Signer
    agency: Signer
    tls: bytes
    kenmerk: UUID
    content: bytes = b"<xbrl>" + b"omzet 1000 " * 60 + b"</xbrl>"
    answered: bool = True
    delivered: bool = True
    relates_to: str = MESSAGE_ID

    @property
    def handed_in(self) -> Aanlevering:
        return Aanlevering(
            "Omzetbelasting", BELANG, "Bedrijf", Document("application/xml", "a.xbrl", self.content)
        )

    @property
    def request(self) -> bytes:
        """The request as received."""
        return seal_request(
            koppelvlak.write(self.handed_in), to=f"https://localhost{AANLEVER.path}",
            action=AANLEVER.operations[0].action, message_id=MESSAGE_ID, created=self.at,
            signer=self.sender,
        )  # fmt: skip

    def put(self, conn: Connection) -> None:
        """Accept, answer and deliver, each in its own transaction. `conn` is outside one."""
        partitions.ensure(conn, self.at.date())
        self._accept(conn)
        if self.answered:
            self._answer(conn)
        if self.delivered:
            self._deliver(conn)

    def _accept(self, conn: Connection) -> None:
        raw = self.request
        kept, cuts = payloads.cut(raw, [self.content])
        token, mark = self.sender.certificate, str(self.kenmerk)
        document = DocumentRow("application/xml", "a.xbrl", digest(self.content), len(self.content))
        row = messages.from_request(
            self.handed_in, day=self.at.date(), kenmerk=self.kenmerk, sender=SENDER,
            berichtkenmerk="1", accepted_at=self.at, ontvanger=None, documents=(document,),
        )  # fmt: skip
        marks = {"request": raw, "tls": self.tls, "token": token}
        data: dict[str, object] = {n: digest(part).hex() for n, part in marks.items()}
        statuses = tuple(
            StatusRow(n, code, self.at) for n, code in enumerate(("105", "100", "110"), 1)
        )
        data["statuses"] = started(statuses)
        data |= {"kind": row.berichtsoort, "documents": [document.digest.hex()]}
        entries = (JournalEntry("message.accepted", self.at, SENDER, mark, data),)
        evidence = Evidence(
            self.at,
            digest(raw),
            len(raw),
            bytes(kept),
            cuts,
            token,
            self.tls,
            "text/xml; charset=utf-8",
        )
        stored = (payloads.store(self.content, (), self.at.date()),)
        with conn.transaction():
            messages.insert(
                conn, [Accept(row, str(BELANG), statuses, (), stored, entries, evidence)]
            )

    def _answer(self, conn: Connection) -> None:
        said = AanleverBevestiging(str(self.kenmerk), "Omzetbelasting", self.at, BELANG, "Bedrijf")
        body = _sealed(koppelvlak.write(said), self.relates_to, self.at, self.gateway)
        with conn.transaction():
            messages.answered(conn, [Answered(self.kenmerk, self.at, digest(body), body)])

    def _deliver(self, conn: Connection) -> None:
        at = self.at + timedelta(minutes=1)
        taken = koppelvlak.write(AfleverBevestiging(str(self.kenmerk), "1", at))
        receipt = _sealed(taken, "uuid:2", at, self.agency)
        with conn.transaction():
            (process,) = changes.lock(conn, [(self.kenmerk, self.at.date())]).values()
            process.add("400", at)
            process.add("510", at, FOUT, "details")
            process.payloads.append(payloads.store(receipt, (), self.at.date()))
            mark = digest(receipt)
            process.deliveries.append(changes.Delivery("DEMODIENST", 0, "uuid:2", 1, at, mark))
            proof = {"receipt": mark.hex(), "attempt": 1, "message_id": "uuid:2"}
            process.note("delivery.delivered", at, {"agency": "DEMODIENST", **proof})
            changes.apply(conn, [process])


def others(conn: Connection, count: int, at: datetime) -> None:
    """Entries of other messages, a thousand in a transaction."""
    for first in range(0, count, 1000):
        numbers = range(first, min(first + 1000, count))
        with conn.transaction():
            journal.add(
                conn,
                [JournalEntry("status.set", at, "openpoort", None, {"seq": n}) for n in numbers],
            )


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _sealed(body: bytes, relates_to: str, at: datetime, signer: Signer) -> bytes:
    return seal_answer(
        body, action="urn:openpoort:example", message_id="uuid:1", relates_to=relates_to,
        created=at, signer=signer, hash_name="sha256",
    )  # fmt: skip
