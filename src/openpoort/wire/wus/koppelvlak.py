"""The messages of koppelvlakservices 1.2: XML elements to values and back.

Each message is a row of fields in schema order; reading and writing follow the same rows.
White space of texts collapses as the schema has it; the three long texts keep their inner line
breaks, because real descriptions carry them and people read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, Final, cast

from lxml import etree

from openpoort.domain.fault import Fault
from openpoort.domain.message import (
    AanleverBevestiging,
    Aanlevering,
    AfleverBevestiging,
    Antwoord,
    Bericht,
    Operatie,
    Proces,
    Vraag,
    ZetStatus,
    ZetStatusBevestiging,
)
from openpoort.domain.status import Status
from openpoort.wire.names import KOPPELVLAK
from openpoort.wire.wus import schema
from openpoort.wire.wus.fields import (
    BIJLAGEN,
    BOUND,
    CONSTATERINGEN,
    DOCUMENT,
    ELEMENTEN,
    FOUT,
    IDENTITEIT,
    LONG,
    TEXT,
    TIME,
    Codec,
    Field,
    Pieces,
    Row,
    many,
    nested,
    optional,
    wrap,
)
from openpoort.wire.wus.signed_message import SignedMessage
from openpoort.wire.xml.streamed_body import Body, weave

Value = (
    Aanlevering
    | AanleverBevestiging
    | AfleverBevestiging
    | Antwoord
    | Bericht
    | Vraag
    | ZetStatus
    | ZetStatusBevestiging
)
Item = str | Proces | Status | Bericht
"""What an answer may be a list of."""


def _bevestiging(**values: Any) -> AanleverBevestiging:
    """`aanleverResponse` holds its status flat; the value holds it as one Status or None."""
    flat = {name[7:]: values.pop(name) for name in list(values) if name.startswith("status.")}
    if flat:
        flat.setdefault("statuscode", "")
        flat.setdefault("tijdstempel", values["tijdstempel_aangeleverd"])
        flat.setdefault("omschrijving", "")
        values["status"] = Status(values["kenmerk"], values["belanghebbende"], **flat)
    return AanleverBevestiging(**values)


_KENMERK = Field("kenmerk", "kenmerk", TEXT)
_BERICHTSOORT = Field("berichtsoort", "berichtsoort", TEXT)
_BERICHTKENMERK = Field("berichtkenmerk", "berichtkenmerk", TEXT)
_AANLEVERKENMERK = Field("aanleverkenmerk", "aanleverkenmerk", TEXT)
_EERDER = Field("eerderAanleverkenmerk", "eerder_aanleverkenmerk", TEXT)
_AANGELEVERD = Field("tijdstempelAangeleverd", "tijdstempel_aangeleverd", TIME)
_BELANGHEBBENDE = Field("identiteitBelanghebbende", "belanghebbende", IDENTITEIT)
_ROL_BELANGHEBBENDE = Field("rolBelanghebbende", "rol_belanghebbende", TEXT)
_AANLEVERAAR = Field("identiteitAanleveraar", "aanleveraar", TEXT)
_ONTVANGER = Field("identiteitOntvanger", "ontvanger", optional(IDENTITEIT))
_ROL_ONTVANGER = Field("rolOntvanger", "rol_ontvanger", TEXT)
_INHOUD = Field("berichtInhoud", "inhoud", DOCUMENT)
_BIJLAGEN = Field("berichtBijlagen", "bijlagen", BIJLAGEN)
_ADRES = Field("autorisatieAdres", "autorisatie_adres", TEXT)
_STATUSCODE = Field("statuscode", "statuscode", TEXT)
_FOUT = Field("statusFoutcode", "fout", optional(FOUT))
_DETAILS = Field("statusdetails", "statusdetails", LONG)
_PARTIES = (_BELANGHEBBENDE, _ROL_BELANGHEBBENDE)
_RECEIVER = (_ONTVANGER, _ROL_ONTVANGER)
_ADDED = (
    Field("constateringenLijst", "constateringen", CONSTATERINGEN),
    Field("additioneleElementenLijst", "elementen", ELEMENTEN),
)

_ROWS: Final = {
    "aanleverRequest": Row(
        Aanlevering,
        *(_KENMERK, _BERICHTSOORT, _AANLEVERKENMERK, _EERDER),
        *(*_PARTIES, *_RECEIVER, _INHOUD, _BIJLAGEN, _ADRES),
    ),
    "aanleverResponse": Row(
        _bevestiging,
        *(_KENMERK, _BERICHTSOORT, _AANLEVERKENMERK, _EERDER, _AANGELEVERD),
        *(*_PARTIES, *_RECEIVER, _ADRES),
        Field("statuscode", "status.statuscode", TEXT),
        Field("tijdstempelStatus", "status.tijdstempel", TIME),
        Field("statusomschrijving", "status.omschrijving", TEXT),
        Field("statusFoutcode", "status.fout", FOUT),
        Field("statusdetails", "status.details", LONG),
    ),
    "afleverRequest": Row(
        Bericht,
        *(_KENMERK, _BERICHTSOORT, _BERICHTKENMERK, _AANLEVERKENMERK, _AANGELEVERD),
        *(*_PARTIES, _AANLEVERAAR, *_RECEIVER, _INHOUD, _BIJLAGEN, *_ADDED),
    ),
    "afleverResponse": Row(
        AfleverBevestiging,
        *(_KENMERK, _BERICHTSOORT, _BERICHTKENMERK),
        Field("tijdstempelAfgeleverd", "tijdstempel_afgeleverd", TIME),
        _STATUSCODE,
        Field("tijdstempelStatus", "tijdstempel_status", TIME),
        Field("statusomschrijving", "statusomschrijving", TEXT),
        *(_FOUT, _DETAILS),
    ),
    "zetStatusRequest": Row(
        ZetStatus,
        *(_KENMERK, _BERICHTKENMERK, _STATUSCODE),
        Field("tijdstempelStatus", "tijdstempel_status", TIME),
        *(_FOUT, _DETAILS),
    ),
    "zetStatusResponse": Row(ZetStatusBevestiging, _KENMERK, _STATUSCODE),
}
_NAMES: Final[Mapping[type, str]] = {
    Aanlevering: "aanleverRequest",
    AanleverBevestiging: "aanleverResponse",
    Bericht: "afleverRequest",
    AfleverBevestiging: "afleverResponse",
    ZetStatus: "zetStatusRequest",
    ZetStatusBevestiging: "zetStatusResponse",
}

_PROCES = Row(Proces, _KENMERK, _BERICHTSOORT, _BELANGHEBBENDE, _ONTVANGER)
_STATUS = Row(
    Status,
    *(_KENMERK, _BELANGHEBBENDE, _STATUSCODE),
    Field("tijdstempelStatus", "tijdstempel", TIME),
    Field("statusomschrijving", "omschrijving", TEXT),
    _FOUT,
    Field("statusdetails", "details", LONG),
)
_BERICHT = Row(
    Bericht,
    *(_KENMERK, _BERICHTSOORT, _BERICHTKENMERK, _AANLEVERKENMERK, _EERDER, _AANGELEVERD),
    *(*_PARTIES, _AANLEVERAAR, *_RECEIVER, _INHOUD, _BIJLAGEN, *_ADDED),
)
_LIJST = Row(Proces, _BERICHTSOORT, _BELANGHEBBENDE, _KENMERK)
_PROCESSEN = many("ProcesResultaat", nested(_PROCES))
_STATUSSEN = many("StatusResultaat", nested(_STATUS))
_BERICHTEN = many("BerichtResultaat", nested(_BERICHT))
_BERICHTENLIJST = many("BerichtLijstResultaat", nested(_LIJST))

_PERIODE = (Field("tijdstempelVanaf", "vanaf", BOUND), Field("tijdstempelTot", "tot", BOUND))
_VAN_PROCES = (_KENMERK, _ADRES, *_PERIODE)
_VAN_SOORT = (_BERICHTSOORT, _BELANGHEBBENDE, _ADRES, *_PERIODE)
_VAN_LIJST = (_BERICHTSOORT, _ADRES, *_PERIODE)

# Per reading operation: the fields of its request, and the list it answers with.
_READING: Final[Mapping[Operatie, tuple[tuple[Field, ...], Codec]]] = {
    Operatie.BERICHTSOORTEN: ((_BELANGHEBBENDE, _ADRES), many("berichtsoort", TEXT)),
    Operatie.PROCESSEN: ((_BERICHTSOORT, _BELANGHEBBENDE, _ADRES), _PROCESSEN),
    Operatie.STATUSSEN_PROCES: (_VAN_PROCES, _STATUSSEN),
    Operatie.NIEUWE_STATUSSEN_PROCES: (_VAN_PROCES, _STATUSSEN),
    Operatie.NIEUWE_STATUSSEN: (_VAN_SOORT, _STATUSSEN),
    Operatie.BERICHTEN: (_VAN_SOORT, _BERICHTEN),
    Operatie.NIEUWE_BERICHTEN: (_VAN_SOORT, _BERICHTEN),
    Operatie.BERICHTEN_LIJST: (_VAN_LIJST, _BERICHTENLIJST),
    Operatie.NIEUWE_BERICHTEN_LIJST: (_VAN_LIJST, _BERICHTENLIJST),
    Operatie.BERICHTEN_KENMERK: (_VAN_PROCES, _BERICHTEN),
    Operatie.NIEUWE_BERICHTEN_KENMERK: (_VAN_PROCES, _BERICHTEN),
}
_ASKING: Final = {o: Row(partial(Vraag, o), *fields) for o, (fields, _) in _READING.items()}


def read(source: SignedMessage | etree._Element) -> Value:
    """The value of a message. Pass the SignedMessage itself: long contents lie beside its body.

    Fault if it does not satisfy the schema; the text names the element and what is expected.
    """
    signed = isinstance(source, SignedMessage)
    body = source.body if isinstance(source, SignedMessage) else source
    contents = source.aside if isinstance(source, SignedMessage) else {}
    schema.check(body, contents if signed else None)
    local = etree.QName(body).localname
    if local in _ROWS:
        return cast(Value, _ROWS[local].read(body, contents))
    name, tail = local[: -len("Request")], local[-len("Request") :]
    if tail == "Request":
        return cast(Vraag, _ASKING[Operatie(name)].read(body, contents))
    if local.endswith("Response"):
        operatie = Operatie(local.removesuffix("Response"))
        return Antwoord(
            operatie, _READING[operatie][1].read(next(body.iterchildren("*")), contents)
        )
    raise Fault(f"{local} is geen verzoek of antwoord.")


def write(value: Value) -> bytes:
    """Exclusive-canonical XML with the koppelvlak default namespace, ready to be a Body child."""
    return bytes(written(value))


def size(operatie: Operatie, item: Item) -> int:
    """Octets that an item takes among the others of an answer."""
    inside: Pieces = []
    _READING[operatie][1].write((item,), inside)
    return sum(map(len, inside))


@cache
def frame(operatie: Operatie) -> int:
    """Octets of an answer without items."""
    return len(write(Antwoord(operatie, ())))


def written(value: Value) -> Body:
    """The same, in pieces where a content is too large to hold."""
    inside: Pieces = []
    if isinstance(value, Antwoord):
        name = f"{value.operatie}Response"
        wrap(f"{value.operatie}Return", value.items, _READING[value.operatie][1], inside)
    elif isinstance(value, Vraag):
        name = f"{value.operatie}Request"
        _ASKING[value.operatie].write(value, inside)
    else:
        name = _NAMES[type(value)]
        _ROWS[name].write(value, inside)
    opening = f'<{name} xmlns="{KOPPELVLAK}">'.encode()
    return weave((opening, *inside, f"</{name}>".encode()))
