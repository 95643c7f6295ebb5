"""Messages as the koppelvlak names them: what is handed in, delivered and fetched.

Every value mirrors one element of the contract (`aanleverRequest` and so on); the codec in
`wire/wus/koppelvlak.py` turns them into XML and back. Times are aware datetimes in UTC.
Source: Digipoort koppelvlakservices 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openpoort.domain.fault import Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.octets import Octets
from openpoort.domain.status import Status

MAX_DOCUMENT = 20 * 1024 * 1024  # octets, decoded (`inhoud` maxLength)


@dataclass(frozen=True, slots=True)
class Document:
    """`berichtInhoudType`: one file. `inhoud` is the decoded content, at most 20 MiB."""

    mime_type: str
    bestandsnaam: str
    inhoud: Octets = field(repr=False)


@dataclass(frozen=True, slots=True)
class Received:
    """The request as it came in, kept as evidence: every byte of the HTTP body, the content type
    that goes with it, the TLS client certificate (DER; None without one) and the time."""

    raw: Octets = field(repr=False)
    received_at: datetime
    tls_certificate: bytes | None = field(default=None, repr=False)
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Constatering:
    """`constateringType`: one finding handed to the agency beside the message."""

    code: str
    beschrijving: str


@dataclass(frozen=True, slots=True)
class Element:
    """`elementType`: a name and value added to a delivery."""

    naam: str
    waarde: str


@dataclass(frozen=True, slots=True)
class Aanlevering:
    """`aanleverRequest`, from a company, or from an agency handing in a return message."""

    berichtsoort: str
    belanghebbende: Identiteit
    rol_belanghebbende: str
    inhoud: Document
    bijlagen: tuple[Document, ...] = ()
    kenmerk: str | None = None
    aanleverkenmerk: str | None = None
    eerder_aanleverkenmerk: str | None = None
    ontvanger: Identiteit | None = None
    rol_ontvanger: str | None = None
    autorisatie_adres: str | None = None


@dataclass(frozen=True, slots=True)
class AanleverBevestiging:
    """`aanleverResponse`. `status` is only filled by gateways that answer at once (BIV)."""

    kenmerk: str
    berichtsoort: str
    tijdstempel_aangeleverd: datetime
    belanghebbende: Identiteit
    rol_belanghebbende: str
    aanleverkenmerk: str | None = None
    eerder_aanleverkenmerk: str | None = None
    ontvanger: Identiteit | None = None
    rol_ontvanger: str | None = None
    autorisatie_adres: str | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Bericht:
    """`afleverRequest` and `BerichtResultaat`: a message on its way to its receiver.

    `eerder_aanleverkenmerk` exists in `BerichtResultaat` only.
    """

    kenmerk: str
    berichtsoort: str
    berichtkenmerk: str
    tijdstempel_aangeleverd: datetime
    belanghebbende: Identiteit
    rol_belanghebbende: str
    inhoud: Document
    bijlagen: tuple[Document, ...] = ()
    aanleverkenmerk: str | None = None
    eerder_aanleverkenmerk: str | None = None
    aanleveraar: str | None = None
    ontvanger: Identiteit | None = None
    rol_ontvanger: str | None = None
    constateringen: tuple[Constatering, ...] = ()
    elementen: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class AfleverBevestiging:
    """`afleverResponse`: the agency took the message; it may hand a status in the same answer.

    `raw` is the whole signed answer as received, kept as proof of delivery; it is no part of
    the value.
    """

    kenmerk: str
    berichtkenmerk: str
    tijdstempel_afgeleverd: datetime
    berichtsoort: str | None = None
    statuscode: str | None = None
    tijdstempel_status: datetime | None = None
    statusomschrijving: str | None = None
    fout: Fout | None = None
    statusdetails: str | None = None
    raw: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ZetStatus:
    """`zetStatusRequest`: an agency sets a status on a process."""

    kenmerk: str
    statuscode: str
    tijdstempel_status: datetime
    berichtkenmerk: str | None = None
    fout: Fout | None = None
    statusdetails: str | None = None


@dataclass(frozen=True, slots=True)
class ZetStatusBevestiging:
    """`zetStatusResponse`."""

    kenmerk: str
    statuscode: str


class Operatie(StrEnum):
    """The eleven reading operations; the value is the name in the contract."""

    BERICHTSOORTEN = "getBerichtsoorten"
    PROCESSEN = "getProcessen"
    STATUSSEN_PROCES = "getStatussenProces"
    NIEUWE_STATUSSEN_PROCES = "getNieuweStatussenProces"
    NIEUWE_STATUSSEN = "getNieuweStatussen"
    BERICHTEN = "getBerichten"
    NIEUWE_BERICHTEN = "getNieuweBerichten"
    BERICHTEN_LIJST = "getBerichtenLijst"
    NIEUWE_BERICHTEN_LIJST = "getNieuweBerichtenLijst"
    BERICHTEN_KENMERK = "getBerichtenKenmerk"
    NIEUWE_BERICHTEN_KENMERK = "getNieuweBerichtenKenmerk"

    @property
    def nieuwe(self) -> bool:
        return "Nieuwe" in self.value


@dataclass(frozen=True, slots=True)
class Vraag:
    """A request to one of the reading operations; fields the operation lacks are None.

    `vanaf` and `tot` filter on the time of the status or of the handing in.
    """

    operatie: Operatie
    kenmerk: str | None = None
    berichtsoort: str | None = None
    belanghebbende: Identiteit | None = None
    autorisatie_adres: str | None = None
    vanaf: datetime | None = None
    tot: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proces:
    """`ProcesResultaat` and, without `ontvanger`, `BerichtLijstResultaat`."""

    kenmerk: str
    berichtsoort: str
    belanghebbende: Identiteit
    ontvanger: Identiteit | None = None


@dataclass(frozen=True, slots=True)
class Antwoord:
    """The list a reading operation answers with; which kind of item follows from `operatie`.

    Items: str (berichtsoorten), Proces, Status or Bericht, oldest first.
    """

    operatie: Operatie
    items: tuple[str | Proces | Status | Bericht, ...]
