"""Builders: a store on a test database, a message as a door would hand it in, two agencies."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from openpoort.checks.split import split
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.kind import Kind
from openpoort.domain.message import (
    Aanlevering,
    AfleverBevestiging,
    Antwoord,
    Bericht,
    Document,
    Operatie,
    Received,
    Vraag,
    ZetStatus,
)
from openpoort.domain.party import Directory
from openpoort.domain.status import Status
from openpoort.process.engine.engine import Engine
from openpoort.process.flow import kinds
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.context import House
from openpoort.process.intake import Intake
from openpoort.process.ports import Agency, Authority, Check, Filing
from openpoort.process.reading.reader import Reader
from openpoort.sandbox.directory import starting
from openpoort.sandbox.pki import OINS
from openpoort.store.payloads.payloads import Places
from openpoort.store.store import Store
from openpoort.trust.sender import VerifiedMessage, VerifiedSender
from openpoort.wire.wus.signed_message import Addressing, Algorithms, SignedMessage

BEDRIJF, INTERMEDIAIR = OINS["bedrijf"], OINS["intermediair"]
DIENST, REGISTER = OINS["agency"], OINS["register"]
BTW = Identiteit("001000044B37", "BTW")
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RECEIPT = "<Responsemessage><Code>0001</Code></Responsemessage>"


@dataclass
class Wall:
    """A clock that a test turns by hand."""

    at: datetime = START

    def __call__(self) -> float:
        return self.at.timestamp()

    def turn(self, **by: float) -> None:
        self.at += timedelta(**by)


def verified(oin: str, message_id: str | None = None) -> VerifiedMessage:
    addressing = Addressing(None, "action", message_id or f"urn:uuid:{uuid.uuid4()}")
    signed = SignedMessage(
        body=etree.Element("body"), addressing=addressing, created=START, expires=None,
        token=b"token of " + oin.encode(),
        algorithms=Algorithms("rsa-sha256", frozenset({"sha256"}), 2048, "sha256"),
    )  # fmt: skip
    return VerifiedMessage(VerifiedSender(Oin(oin), "Voorbeeld", "ab" * 32, "cd" * 32), signed)


def request(
    berichtsoort: str = "Omzetbelasting", body: bytes = b"<xbrl/>" * 60, **more: Any
) -> Aanlevering:
    values: dict[str, Any] = {
        "belanghebbende": BTW,
        "rol_belanghebbende": "Bedrijf",
        "inhoud": Document("application/xml", f"{berichtsoort}.xbrl", body),
        "aanleverkenmerk": "kenmerk van de klant",
    }
    return Aanlevering(berichtsoort=berichtsoort, **(values | more))


@dataclass
class Passes:
    """A check of which a test says what it finds."""

    name: str
    findings: tuple[Finding, ...] = ()
    error: Exception | None = None
    seen: list[Filing] = field(default_factory=list)

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        self.seen.append(filing)
        if self.error is not None:
            raise self.error
        return self.findings


@dataclass
class Demo:
    """A channel that keeps what it got. `error` is what comes instead of an answer; `answer`
    gets the message and the answer so far; with `receipts` the answer's octets are kept."""

    name: str = "wus"
    errors: dict[str, Exception] = field(default_factory=dict)
    got: list[tuple[str, str, Bericht]] = field(default_factory=list)
    tried: list[tuple[str, str]] = field(default_factory=list)
    verdict: str | None = "500"
    during: Callable[[Bericht], None] | None = None
    receipts: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def deliver(self, bericht: Bericht, agency: Agency, message_id: str) -> AfleverBevestiging:
        with self.lock:
            self.tried.append((agency.name, message_id))
        error = self.errors.get(agency.name)
        if error is not None:
            raise error
        if self.during is not None:
            self.during(bericht)
        with self.lock:
            self.got.append((agency.name, message_id, _received(bericht)))
        return AfleverBevestiging(
            bericht.kenmerk, bericht.berichtkenmerk, START, bericht.berichtsoort,
            statuscode=self.verdict, statusdetails=RECEIPT,
            raw=f"<antwoord>{message_id}</antwoord>".encode() if self.receipts else None,
        )  # fmt: skip


def _received(bericht: Bericht) -> Bericht:
    """With its contents read, as one that went over the wire."""
    inhoud, *bijlagen = (
        replace(d, inhoud=bytes(d.inhoud)) for d in (bericht.inhoud, *bericht.bijlagen)
    )
    return replace(bericht, inhoud=inhoud, bijlagen=tuple(bijlagen))


class Gate:
    """The whole house on one database, without doors. Time stands still unless turned."""

    def __init__(
        self,
        dsn: str,
        *,
        checks: Sequence[Check] = (),
        authority: Authority | None = None,
        directory: Directory | None = None,
        outside: Places = (),
        switches: bool = False,
        extra: Sequence[Kind] = (),
        **store: Any,
    ) -> None:
        self.wall = Wall()
        self.clock = Clock(wall=self.wall)
        self.store = Store(dsn, outside=outside, **store)
        self.channel = Demo()
        named: dict[str, Check] = {
            n: Passes(n) for n in ("structure", "filing", "xbrl", "plain")
        } | {c.name: c for c in checks}
        self.checks = named
        known = dict(kinds.load()) | {k.berichtsoort: k for k in extra}
        self.house = House(known, named, ask=authority is not None, split=split)
        self.directory = directory or starting()
        self.intake = Intake(
            self.store, self.house, lambda: self.directory, self.clock, switches=switches
        )
        self.reader = Reader(
            self.store, self.house, lambda: self.directory, self.clock, switches=switches
        )
        self.engine = Engine(
            self.store, self.house, lambda: self.directory, {"wus": self.channel}, authority,
            self.clock, switches=switches,
        )  # fmt: skip

    def send(
        self, asked: Aanlevering | None = None, *, oin: str = BEDRIJF, message_id: str | None = None
    ) -> str:
        """Hand one in; its kenmerk."""
        asked = asked or request()
        raw = Received(b"<soap>" + asked.inhoud.inhoud + b"</soap>", self.clock.now(), b"tls")
        done = self.intake.aanleveren(verified(oin, message_id), asked, raw)
        return asyncio.run(done).kenmerk

    def set_status(self, kenmerk: str, code: str, *, oin: str = DIENST, **more: Any) -> None:
        asked = ZetStatus(kenmerk, code, self.clock.now(), **more)
        asyncio.run(self.intake.zet_status(verified(oin), asked, Received(b"x", self.clock.now())))

    def work(self) -> None:
        self.engine.run_until_idle()

    def ask(self, operatie: Operatie, *, oin: str = BEDRIJF, **more: Any) -> Antwoord:
        """One question, the answer delivered."""

        async def both() -> Antwoord:
            reading = await self.reader.vraag(verified(oin), Vraag(operatie, **more))
            await reading.delivered()
            return reading.antwoord

        return asyncio.run(both())

    def statuses(self, kenmerk: str, oin: str = BEDRIJF) -> list[Status]:
        items = self.ask(Operatie.STATUSSEN_PROCES, kenmerk=kenmerk, oin=oin).items
        return [item for item in items if isinstance(item, Status)]

    def codes(self, kenmerk: str) -> list[str]:
        return [s.statuscode for s in self.statuses(kenmerk)]

    def count(self, table: str) -> int:
        with self.store.connect() as conn:
            row = conn.execute(f"select count(*) from {table}").fetchone()
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        self.intake.close()
        self.reader.close()
        self.store.close()


HAPPY = ["105", "100", "110", "200", "301", "301", "405", "400", "500"]
