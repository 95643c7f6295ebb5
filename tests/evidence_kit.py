"""A message with everything that happened to it, put into a database without a gateway."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openpoort.domain.fault import Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.journal import JournalEntry, words_digest
from openpoort.domain.message import AanleverBevestiging, AfleverBevestiging
from openpoort.evidence.export import Exporter
from openpoort.store import changes, journal, messages, payloads, tables
from openpoort.store.messages import Accept, Answered, DocumentRow, Evidence, StatusRow
from openpoort.wire import koppelvlak
from openpoort.wire.seal import seal_answer
from tests.wire_kit import MESSAGE_ID, NOW, aanlevering, key, request

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "openpoort.example"
KENMERK = UUID("3f0c2ab4-16b5-4c3c-9d3e-0123456789ab")
BELANG = Identiteit("001000044B37", "BTW")
CONTENT = b"<xbrl>" + b"omzet 1000 " * 60 + b"</xbrl>"
SENDER = "00000099001000044000"
FOUT = Fout("VAL100", "De omzet klopt niet.")


@dataclass(frozen=True)
class Case:
    """What to put in; everything by default."""

    answered: bool = True
    delivered: bool = True
    kenmerk: UUID = KENMERK
    relates_to: str = MESSAGE_ID


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def exporter() -> Exporter:
    return Exporter(KEY, ORIGIN, lambda: NOW + timedelta(days=1), patience=5)


def put(conn: psycopg.Connection[Any], case: Case = Case()) -> None:  # frozen
    """Accept, answer and deliver one message, each in its own transaction."""
    tables.ensure(conn, NOW.date())
    _accept(conn, case)
    if case.answered:
        _answer(conn, case)
    if case.delivered:
        _deliver(conn, case)


def _accept(conn: psycopg.Connection[Any], case: Case) -> None:
    handed_in = aanlevering(CONTENT)
    raw = request(koppelvlak.write(handed_in))
    kept, cuts = payloads.cut(raw, [CONTENT])
    assert cuts, "the content was not cut out"
    tls = key("Voorbeeld TLS").certificate
    row = messages.from_request(
        handed_in, day=NOW.date(), kenmerk=case.kenmerk, sender=SENDER, berichtkenmerk="1",
        accepted_at=NOW, ontvanger=None,
        documents=(DocumentRow("application/xml", "a.xbrl", digest(CONTENT), len(CONTENT)),),
    )  # fmt: skip
    mark = str(case.kenmerk)
    data = {
        "request": digest(raw).hex(),
        "tls": digest(tls).hex(),
        "token": digest(key().certificate).hex(),
    }
    statuses = tuple(StatusRow(n + 1, c, NOW) for n, c in enumerate(("105", "100", "110")))
    entries = [JournalEntry("message.accepted", NOW, SENDER, mark, data)] + [
        JournalEntry("status.set", NOW, "openpoort", mark, {"seq": s.seq, "code": s.code})
        for s in statuses
    ]
    evidence = Evidence(
        NOW, digest(raw), len(raw), kept, cuts, key().certificate, tls, "text/xml; charset=utf-8"
    )
    with conn.transaction():
        messages.insert(
            conn,
            [
                Accept(
                    row, str(BELANG), statuses, (), (payloads.store(CONTENT, None),),
                    tuple(entries), evidence,
                )
            ],
        )  # fmt: skip


def _sealed(body: bytes, relates_to: str) -> bytes:
    return seal_answer(
        body, action="urn:a", message_id="uuid:1", relates_to=relates_to, created=NOW,
        signer=key("Poort"), hash_name="sha256",
    )  # fmt: skip


def _answer(conn: psycopg.Connection[Any], case: Case) -> None:
    confirmation = AanleverBevestiging(
        str(case.kenmerk), "Omzetbelasting", NOW, BELANG, "Bedrijf", "kenmerk-1"
    )
    body = _sealed(koppelvlak.write(confirmation), case.relates_to)
    with conn.transaction():
        messages.answered(conn, [Answered(case.kenmerk, NOW, digest(body), body)])


def _deliver(conn: psycopg.Connection[Any], case: Case) -> None:
    mark, at = str(case.kenmerk), NOW + timedelta(minutes=1)
    taken = AfleverBevestiging(mark, "1", at)
    receipt = _sealed(koppelvlak.write(taken), "uuid:2")
    with conn.transaction():
        (process,) = changes.lock(conn, [(case.kenmerk, NOW.date())]).values()
        process.add("400", at)
        process.add("510", at, FOUT, "details")
        process.payloads.append(payloads.store(receipt, None))
        process.deliveries.append(
            changes.Delivery("DEMODIENST", 0, "uuid:2", 1, at, digest(receipt))
        )
        process.note(
            "message.delivered", at, {"agency": "DEMODIENST", "receipt": digest(receipt).hex()}
        )
        changes.apply(conn, [process])
    assert process.entries[1].data["words"] == words_digest(FOUT.foutbeschrijving, "details")


def others(conn: psycopg.Connection[Any], count: int) -> None:
    """Entries of other messages."""
    with conn.transaction():
        journal.add(
            conn, [JournalEntry("other", NOW, "gateway", data={"n": n}) for n in range(count)]
        )
