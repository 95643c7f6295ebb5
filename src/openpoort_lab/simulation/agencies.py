"""Agencies, checkers and the AuSP as simulated parties: good days, bad days and odd habits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from openpoort.domain.fault import Fout
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.kind import Kind, StepKind
from openpoort.domain.message import AfleverBevestiging, Bericht
from openpoort.process.ports import (
    Agency,
    AgencySilent,
    CheckUnavailable,
    DeliveryFailed,
    DeliveryRefused,
    Filing,
    Verdict,
)
from openpoort_lab.simulation.scheduler import Scheduler

TIMEOUT = 60.0
"""Seconds after which the channel gives an agency up."""
RECEIPT = "<Responsemessage><Code>0001</Code></Responsemessage>"


@dataclass(slots=True)
class Mood:
    """How one agency is now, in shares of one. `down_until` is when it can be reached again."""

    down_until: float = 0.0
    slow: float = 0.0
    half: float = 0.0
    lost: float = 0.0
    refuses: float = 0.02


@dataclass(slots=True)
class Kept:
    """What an agency has under one MessageID, and the verdict that it answers with."""

    kenmerk: str
    content: str
    verdict: str | None = None


@dataclass(slots=True)
class Shelf:
    """All that one agency took in, by MessageID: how it tells a repeat from a new message."""

    mood: Mood = field(default_factory=Mood)
    kept: dict[str, Kept] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    mixed: list[str] = field(default_factory=list)

    def keep(self, message_id: str, bericht: Bericht) -> bool:
        """False for a repeat. One with other values is noted: the gateway may never do that."""
        content = [bericht.inhoud, *bericht.bijlagen]
        digest = sha256(b"".join(sha256(bytes(d.inhoud)).digest() for d in content)).hexdigest()
        known = self.kept.get(message_id)
        if known is None:
            self.kept[message_id] = Kept(bericht.kenmerk, digest)
            return True
        if (known.kenmerk, known.content) != (bericht.kenmerk, digest):
            self.mixed.append(message_id)
        return False


class Agencies:
    """The channel `wus` and the agencies behind it. `speak` has an agency set a status by
    zetStatus: (agency, kenmerk, code, seconds from now).

    Until `mended`, they cannot take some messages: they answer a share of all with a fault each
    time (`sore`), and one kind with nothing (`hung`).
    """

    name = "wus"

    def __init__(
        self, scheduler: Scheduler, kinds: dict[str, Kind],
        speak: Callable[[str, str, str, float], None],
    ) -> None:  # fmt: skip
        self._scheduler, self._speak = scheduler, speak
        self.shelves: dict[str, Shelf] = {}
        self.sore, self.hung, self.mended = 0.0, "", False
        self._reports = {
            name for name, kind in kinds.items()
            if any(step.kind is StepKind.REPORT for step in kind.steps)
        }  # fmt: skip

    def is_good(self, kenmerk: str, berichtsoort: str) -> bool:
        """Whether the agencies can take this message from the beginning."""
        digest = sha256(kenmerk.encode()).digest()
        return berichtsoort != self.hung and digest[0] >= 256 * self.sore

    def deliver(self, bericht: Bericht, agency: Agency, message_id: str) -> AfleverBevestiging:
        scheduler, draw = self._scheduler, self._scheduler.draw
        shelf = self.shelves[agency.name]
        mood = shelf.mood
        if scheduler.now < mood.down_until:
            scheduler.pause(draw.choice((0.001, 3.0)))
            raise AgencySilent("no connection")
        if not self.mended and bericht.berichtsoort == self.hung:
            scheduler.pause(5.0)
            raise AgencySilent("nothing within the time")
        if not self.mended and not self.is_good(bericht.kenmerk, bericht.berichtsoort):
            scheduler.pause(0.05 * draw.random())
            raise DeliveryFailed("AFS400: fault")
        slow = draw.random() < mood.slow
        scheduler.pause(draw.uniform(5.0, 2 * TIMEOUT) if slow else 0.005 + 0.05 * draw.random())
        refuses = draw.random() < mood.refuses and message_id not in shelf.kept
        if refuses or message_id in shelf.refused:
            shelf.refused.add(message_id)  # an agency that knows repeats says the same to each
            raise DeliveryRefused("AFO100", "geweigerd")
        new = shelf.keep(message_id, bericht)
        scheduler.note(agency.name, "keeps" if new else "knows", bericht.kenmerk)
        if new:
            shelf.kept[message_id].verdict = self._verdict(agency.name, bericht)
        verdict = shelf.kept[message_id].verdict
        if slow and draw.random() < 0.5:
            scheduler.pause(TIMEOUT)
            raise AgencySilent("no answer in time")
        if draw.random() < mood.half:
            raise DeliveryFailed("half an answer")
        if draw.random() < mood.lost:
            raise AgencySilent("connection lost")
        at = datetime.fromtimestamp(scheduler.wall(), UTC)
        return AfleverBevestiging(
            bericht.kenmerk, bericht.berichtkenmerk, at, bericht.berichtsoort,
            statuscode=verdict, statusdetails=RECEIPT,
            raw=f"<afleverResponse>{bericht.kenmerk} {at}</afleverResponse>".encode(),
        )  # fmt: skip

    def _verdict(self, agency: str, bericht: Bericht) -> str | None:
        """In the answer, or by zetStatus: before the answer, long after it, or twice."""
        if bericht.berichtsoort not in self._reports:
            return None
        draw = self._scheduler.draw
        code = draw.choices(("500", "510", "710"), (8, 1, 1))[0]
        way = draw.choices(("answer", "early", "late", "twice", "both"), (6, 1, 2, 1, 1))[0]
        if way == "early":
            self._speak(agency, bericht.kenmerk, code, 0.0)
            self._scheduler.pause(draw.random())
        if way in ("late", "twice"):
            self._speak(agency, bericht.kenmerk, code, draw.choice((0.5, 60.0, 7200.0)))
        if way in ("twice", "both"):
            other = draw.choice((code, "500", "720"))
            self._speak(agency, bericht.kenmerk, other, draw.choice((0.5, 60.0, 7200.0)))
        return code if way in ("answer", "both") else None


@dataclass(slots=True)
class Checker:
    """A named check: rejects content that says so, is out of order in a share of its calls."""

    name: str
    scheduler: Scheduler
    seconds: float = 0.0
    broken: float = 0.0

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        if self.seconds:
            self.scheduler.pause(self.seconds * self.scheduler.draw.random())
        if self.broken and self.scheduler.draw.random() < self.broken:
            raise CheckUnavailable("out of order")
        if b"fout:" + self.name.encode() in bytes(filing.inhoud.inhoud):
            return (Finding("FOUT", Severity.ERROR, "Het bericht is fout.", self.name),)
        return ()


@dataclass(slots=True)
class Ausp:
    """Grants nearly everything, when it can be asked."""

    scheduler: Scheduler
    broken: float = 0.0

    def ask(self, sender: Oin, kind: Kind, belanghebbende: Identiteit, at: datetime) -> Verdict:
        draw = self.scheduler.draw
        self.scheduler.pause(0.1 * draw.random())
        if self.broken and draw.random() < self.broken:
            return Verdict.UNAVAILABLE
        return draw.choices((Verdict.GRANTED, Verdict.SENDER_REFUSED, Verdict.RIGHT_REFUSED),
                            (97, 1, 2))[0]  # fmt: skip


def fout(code: str) -> Fout | None:
    """What goes along with a verdict that is no 500."""
    return None if code in ("500", "720") else Fout("AFN100", "afgekeurd")
