"""How a demo agency answers: its receipt, its verdict, its return message, its bad days.

Bad days come from two places: the switch names that existing test set-ups put in
`aanleverkenmerk`, and a file `stand` in the agency's folder that a test may write at any time.
The receipt has the fields of the tax administration's (`Responsemessage`), in our own words.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from lxml import etree

from openpoort.domain.message import Aanlevering, Bericht, Document
from openpoort.domain.octets import sha256
from openpoort.sandbox.agencies import AGENCIES

RETURN_KIND = "Retourbericht"


class Stand(StrEnum):
    """What kind of day the agency has. `NORMAL` unless told otherwise.

    `DOWN` closes connections, `SLOW` waits before answering, `HALF` breaks off in its answer,
    `REFUSE` says no for good (AFO100), `TECHNICAL` says later (AFS400), `INVALID` finds the
    request not per specification (AFS100), `GARBAGE` answers what is no SOAP, `OTHER` answers
    about another kenmerk, `DOTNET` confirms in capitals and without times, as software on SQL
    Server and .NET may, `REJECT` takes the message and finds it wrong (510).
    """

    NORMAL = "normal"
    DOWN = "down"
    SLOW = "slow"
    HALF = "half"
    REFUSE = "refuse"
    TECHNICAL = "technical"
    INVALID = "invalid"
    GARBAGE = "garbage"
    OTHER = "other"
    DOTNET = "dotnet"
    REJECT = "reject"


SWITCHES = {
    "Foutuitvragendepartij": Stand.REFUSE,
    "Afleverfout": Stand.INVALID,
    "MaximaalAantalAfleverpogingen": Stand.TECHNICAL,
}
"""Names of the Aansluit Suite that this agency acts on, as `aanleverkenmerk`."""
PASSING = "TechnischProbleemAfleveren"
"""The switch for a technical problem that is over after `PASSING_ATTEMPTS` attempts."""
PASSING_ATTEMPTS = 2


class Report(StrEnum):
    """When the agency's own verdict (500) comes: in the answer, afterwards, or never."""

    SYNC = "sync"
    LATER = "later"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Habit:
    """What the agency does with one kind. `returns` hands in a return message as well."""

    report: Report = Report.LATER
    returns: bool = False


HABITS = {
    kind: Habit(Report(habit.get("report", Report.SYNC)), habit.get("returns", False))
    for agency in AGENCIES
    for kind, habit in agency.habits.items()
}
"""By berichtsoort, from `agencies.toml`; every other kind gets its verdict in the answer."""
OTHERWISE = Habit(Report.SYNC)


class Day:
    """The agency's stand of the moment; remembers the attempts of passing problems."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "stand"
        self._attempts: dict[str, int] = {}

    def stand(self, bericht: Bericht) -> Stand:
        """For this delivery: the file's word, else the switch's."""
        written = self.written()
        if written is not Stand.NORMAL:
            return written
        switch = bericht.aanleverkenmerk or ""
        if switch == PASSING:
            seen = self._attempts.get(bericht.kenmerk, 0)
            self._attempts[bericht.kenmerk] = seen + 1
            return Stand.TECHNICAL if seen < PASSING_ATTEMPTS else Stand.NORMAL
        return SWITCHES.get(switch, Stand.NORMAL)

    def written(self) -> Stand:
        try:
            return Stand(self._file.read_text().strip() or Stand.NORMAL)
        except (FileNotFoundError, ValueError):
            return Stand.NORMAL


def receipt(bericht: Bericht, at: datetime, *, accepted: bool = True) -> str:
    """The agency's receipt as XML text; its first character is `<` (clients look for that)."""
    root = etree.Element("Responsemessage", version="2006.1")
    head = etree.SubElement(root, "Identification")
    for name, text in (
        ("MessageId", bericht.berichtkenmerk),
        ("RefersToMessageId", bericht.kenmerk),
        ("MessageIdBd", own_number(bericht)),
        ("DatumTijdOntvangst", at.isoformat(timespec="seconds")),
        ("ResponseType", "acknowledgement" if accepted else "error"),
    ):
        etree.SubElement(head, name).text = text
    body = etree.SubElement(root, "Specification")
    for name, text in (
        ("Class", "A" if accepted else "F"),
        ("Code", "0001" if accepted else "0100"),
        ("Description", f"Status: {'Verwerkbaar' if accepted else 'Niet verwerkbaar'}"),
    ):
        etree.SubElement(body, name).text = text
    return etree.tostring(root, encoding="unicode")


def own_number(bericht: Bericht) -> str:
    """The agency's own reference: the same for every delivery of one message."""
    digest = hashlib.sha256(f"{bericht.kenmerk}\n{bericht.berichtkenmerk}".encode()).hexdigest()
    return f"DEMO-{int(digest[:12], 16) % 10**12:012d}"


def return_message(bericht: Bericht, at: datetime) -> Aanlevering:
    """A return message to the process the delivery belongs to."""
    root = etree.Element("Retourbericht")
    for name, text in (
        ("Kenmerk", bericht.kenmerk),
        ("Berichtsoort", bericht.berichtsoort),
        ("Nummer", own_number(bericht)),
        ("Ontvangen", at.isoformat(timespec="seconds")),
        ("Sha256", sha256(bericht.inhoud.inhoud).hex()),
        ("Tekst", "De aangifte is ontvangen en in behandeling genomen."),
    ):
        etree.SubElement(root, name).text = text
    content = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return Aanlevering(
        berichtsoort=RETURN_KIND,
        belanghebbende=bericht.belanghebbende,
        rol_belanghebbende=bericht.rol_belanghebbende,
        inhoud=Document("application/xml", f"{RETURN_KIND}.xml", content),
        kenmerk=bericht.kenmerk,
        aanleverkenmerk=own_number(bericht),
        eerder_aanleverkenmerk=bericht.aanleverkenmerk,
        autorisatie_adres="http://geenausp.nl",
    )


def message_id(bericht: Bericht, what: str) -> str:
    """The MessageID of an agency's own message: the same whenever it is tried again."""
    name = f"{what} {bericht.kenmerk} {bericht.berichtkenmerk}"
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"
