"""The demonstration: a message from company to agency and the answer back, all of it real.

Own certificates, mutual TLS, signed messages, an embedded database, two agencies; nothing is
left out and nothing is faked. It holds only if both ends have, byte for byte, what they should.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from openpoort.client.wus import Client
from openpoort.domain.ids import Identiteit
from openpoort.domain.kind import StepKind
from openpoort.domain.message import Aanlevering, Bericht, Document, Operatie, Proces, Vraag
from openpoort.domain.status import FINAL, Status
from openpoort.process.flow import kinds
from openpoort.sandbox import gateway
from openpoort.sandbox.agency.archive import Receipt, contents, receipts
from openpoort.sandbox.agency.behaviour import HABITS, OTHERWISE, RETURN_KIND
from openpoort.sandbox.directory import BEDRIJF, identities

KIND = "Omzetbelasting"
_POLL = 0.1
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened; `seconds` since the beginning."""

    text: str
    seconds: float


@dataclass(slots=True)
class Outcome:
    """What the demonstration came to. It holds when `problems` is empty."""

    kenmerk: str = ""
    statuses: tuple[Status, ...] = ()
    sent: bytes = field(default=b"", repr=False)
    kept: bytes = field(default=b"", repr=False)
    answer: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    delivered: datetime | None = None
    problems: list[str] = field(default_factory=list)


class NotDemonstrable(Exception):
    """No shipped kind of this name that a company hands in and an agency judges."""


@dataclass(frozen=True, slots=True)
class Journey:
    """One kind, for whom it is handed in, the agency it goes to, whether that sends an answer."""

    berichtsoort: str
    who: Identiteit
    agency: str
    returns: bool


def journey(berichtsoort: str) -> Journey:
    """Raises NotDemonstrable with the kinds that can be."""
    found = {}
    for kind in kinds.load().values():
        agencies = [a for step in kind.steps if step.kind is StepKind.DELIVER
                    for a in step.agencies]  # fmt: skip
        own = [i for i in identities(*BEDRIJF) if i.type == kind.identity_types[0]]
        if agencies and own and kind.steps[-1].kind is StepKind.REPORT:
            habit = HABITS.get(kind.berichtsoort, OTHERWISE)
            found[kind.berichtsoort] = Journey(
                kind.berichtsoort, own[0], agencies[0], habit.returns
            )
    if berichtsoort not in found:
        raise NotDemonstrable(f"no demo of {berichtsoort}; there is {', '.join(sorted(found))}")
    return found[berichtsoort]


def run(
    home: Path,
    way: Journey,
    step: Callable[[Step], None] = lambda step: None,
    status: Callable[[tuple[Status, ...]], None] = lambda statuses: None,
) -> Outcome:
    """All of it in `home`, which must not exist yet. Raises NotStarted, NoAnswer, Faulted,
    BadAnswer when something does not work at all."""
    begin = time.monotonic()

    def say(text: str) -> None:
        step(Step(text, time.monotonic() - begin))

    outcome = Outcome()
    gateway.init(home)
    say("made a gateway: settings, certificates, parties, samples")
    with gateway.serving(home) as running:
        say(f"it answers at {running.url}: doors, worker, agencies, database")
        pki = home / "pki"
        files = (pki / "bedrijf.pem", pki / "bedrijf.key", pki / "ca.pem")
        with Client.from_files(running.url, *files) as client:
            _travel(home, way, client, outcome, say, status)
    say("stopped the gateway")
    outcome.seconds = time.monotonic() - begin
    return outcome


def _travel(
    home: Path,
    way: Journey,
    client: Client,
    outcome: Outcome,
    say: Callable[[str], None],
    status: Callable[[tuple[Status, ...]], None],
) -> None:
    sample = next((home / "samples").glob(f"{way.berichtsoort}.*"))
    outcome.sent = sample.read_bytes()
    answer = client.aanleveren(
        Aanlevering(
            berichtsoort=way.berichtsoort,
            belanghebbende=way.who,
            rol_belanghebbende="Bedrijf",
            inhoud=Document("application/xml", sample.name, outcome.sent),
            aanleverkenmerk="demo",
            autorisatie_adres="http://geenausp.nl",
        )
    )
    outcome.kenmerk = answer.kenmerk
    say(f"the company handed in {sample.name} ({len(outcome.sent)} bytes): {answer.kenmerk}")
    outcome.statuses = _followed(client, answer.kenmerk, status)
    say(f"the process ended with status {outcome.statuses[-1].statuscode}")
    good = outcome.statuses[-1].statuscode == "500"
    outcome.delivered = datetime.now(UTC)
    found = _returned(client, answer.kenmerk) if good and way.returns else None
    if found is not None:
        outcome.answer = bytes(found.inhoud.inhoud)
        say(f"the company fetched the agency's answer ({len(outcome.answer)} bytes)")
    _judge(home, way, outcome)


def _followed(
    client: Client, kenmerk: str, status: Callable[[tuple[Status, ...]], None]
) -> tuple[Status, ...]:
    """The whole history, or what there is when patience ends."""
    until = time.monotonic() + _PATIENCE
    known: tuple[Status, ...] = ()
    while time.monotonic() < until:
        now = client.statussen(kenmerk)
        if len(now) > len(known):
            known = now
            status(known)
        if known and known[-1].statuscode in FINAL:
            break
        time.sleep(_POLL)
    return known


def _returned(client: Client, kenmerk: str) -> Bericht | None:
    """The return message of this process, listed as new and fetched by its kenmerk."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        listed = client.vraag(Vraag(Operatie.NIEUWE_BERICHTEN_LIJST, berichtsoort=RETURN_KIND))
        if any(isinstance(item, Proces) and item.kenmerk == kenmerk for item in listed.items):
            question = Vraag(Operatie.BERICHTEN_KENMERK, kenmerk=kenmerk)
            for item in client.vraag(question).items:
                if isinstance(item, Bericht) and item.berichtsoort == RETURN_KIND:
                    return item
        time.sleep(_POLL)
    return None


def _judge(home: Path, way: Journey, outcome: Outcome) -> None:
    """Both ends against each other; every difference is a problem."""
    folder = home / "agency" / way.agency.lower()
    mine = [r for r in receipts(folder / "ontvangsten.csv") if r.kenmerk == outcome.kenmerk]
    if len(mine) != 1:
        outcome.problems.append(f"the agency has {len(mine)} messages with this kenmerk, not 1")
    else:
        outcome.kept = contents(folder, mine[0]).get("inhoud", b"")
        if outcome.kept != outcome.sent:
            outcome.problems.append("the agency holds other bytes than the company sent")
        _judge_answer(outcome, mine[0], way.returns)
    last = outcome.statuses[-1] if outcome.statuses else None
    if last is None or last.statuscode != "500":
        code = last.statuscode if last else "none"
        reason = f" ({last.fout.foutbeschrijving})" if last and last.fout else ""
        outcome.problems.append(f"the last status is {code}, not 500{reason}")
    elif not (last.details or "").startswith("<Responsemessage"):
        outcome.problems.append("status 500 does not hold the agency's receipt")


def _judge_answer(outcome: Outcome, receipt: Receipt, expected: bool) -> None:
    """The agency's answer names the digest of what it got, so it proves the way there too."""
    digest = hashlib.sha256(outcome.sent).hexdigest()
    if not outcome.answer and not expected:
        pass
    elif not outcome.answer:
        outcome.problems.append("the company could not fetch the agency's answer")
    elif digest.encode() not in outcome.answer:
        outcome.problems.append("the agency's answer is about other bytes")
    if receipt.digest != digest:
        outcome.problems.append("the agency's receipt list holds another digest")
