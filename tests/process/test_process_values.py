"""Values as clients really write them: kenmerken in capitals, times and elements left blank."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from lxml import etree

from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import (
    Aanlevering,
    AfleverBevestiging,
    Bericht,
    Operatie,
    Received,
    Vraag,
    ZetStatus,
)
from openpoort.domain.status import Status
from openpoort.wire.names import KOPPELVLAK
from openpoort.wire.wus import koppelvlak, schema
from tests.process.house import DIENST, HAPPY, Gate, request, verified


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


@pytest.mark.parametrize(
    "operatie",
    [
        Operatie.STATUSSEN_PROCES, Operatie.NIEUWE_STATUSSEN_PROCES,
        Operatie.BERICHTEN_KENMERK, Operatie.NIEUWE_BERICHTEN_KENMERK,
    ],
)  # fmt: skip
def test_a_kenmerk_is_found_in_capitals_and_written_as_it_was_issued(
    gate: Gate, operatie: Operatie
) -> None:
    kenmerk = gate.send(request("Servicebericht"), oin=DIENST)
    gate.work()
    read_by = DIENST if "Statussen" in operatie else None
    more = {"oin": read_by} if read_by else {}
    found = gate.ask(operatie, kenmerk=kenmerk.upper(), **more).items
    assert found
    assert {item.kenmerk for item in found if isinstance(item, Status | Bericht)} == {kenmerk}


def test_only_letters_have_a_case(gate: Gate) -> None:
    """A sign that only becomes a hexadecimal digit or a letter elsewhere is no kenmerk."""
    kenmerk = gate.send()
    for odd in (
        kenmerk.replace("-", "\u2010"),
        "\uff21" + kenmerk[1:],
        kenmerk + " ",
        "{" + kenmerk,
    ):
        with pytest.raises(Fault, match="niet bekend"):
            gate.ask(Operatie.STATUSSEN_PROCES, kenmerk=odd)


def test_zet_status_in_capitals_is_about_the_same_message(gate: Gate) -> None:
    gate.channel.verdict = None
    kenmerk = gate.send()
    gate.work()
    asked = ZetStatus(kenmerk.upper(), "500", gate.clock.now())
    raw = Received(b"x", gate.clock.now())
    done = asyncio.run(gate.intake.zet_status(verified(DIENST), asked, raw))
    assert done.kenmerk == kenmerk
    assert gate.codes(kenmerk) == HAPPY


def test_a_return_message_in_capitals_belongs_to_the_same_process(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    asked = request("Retourbericht", kenmerk=kenmerk.upper())
    assert gate.send(asked, oin=DIENST, message_id="urn:x:1") == kenmerk
    again = request("Retourbericht", kenmerk=kenmerk)
    assert gate.send(again, oin=DIENST, message_id="urn:x:1") == kenmerk, "the same request"
    assert gate.count("message where about is not null") == 1


def asked(operation: str, inside: str) -> koppelvlak.Value:
    """As it comes over the wire: judged by the schema, then read."""
    body = etree.fromstring(f'<{operation} xmlns="{KOPPELVLAK}">{inside}</{operation}>')
    schema.check(body)
    return koppelvlak.read(body)


WHO = (
    "<identiteitBelanghebbende><nummer>001000044B37</nummer><type>BTW</type>"
    "</identiteitBelanghebbende>"
)
UNSET = datetime(1, 1, 1, tzinfo=UTC)
NEVER = [
    "0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000",
    "0001-01-01T00:00:00.0000000+01:00", "0001-01-01T00:00:00+00:20", "0001-01-01T00:00:00-05:00",
]  # fmt: skip


@pytest.mark.parametrize("never", NEVER)
def test_a_bound_that_was_not_filled_in_is_no_bound(gate: Gate, never: str) -> None:
    kenmerk = gate.send()
    gate.work()
    bounds = f"<tijdstempelVanaf>{never}</tijdstempelVanaf><tijdstempelTot>{never}</tijdstempelTot>"
    for operation, rest in (
        ("getStatussenProcesRequest", f"<kenmerk>{kenmerk}</kenmerk>"),
        ("getNieuweStatussenRequest", f"<berichtsoort>Omzetbelasting</berichtsoort>{WHO}"),
    ):
        vraag = asked(operation, rest + bounds)
        assert isinstance(vraag, Vraag)
        assert vraag.vanaf is None
        assert vraag.tot is None
        more = {k: getattr(vraag, k) for k in ("kenmerk", "berichtsoort", "belanghebbende")}
        found = gate.ask(vraag.operatie, vanaf=vraag.vanaf, tot=vraag.tot, **more).items
        assert [s.statuscode for s in found if isinstance(s, Status)] == HAPPY


def test_the_last_moment_of_dotnet_is_an_upper_bound_that_nothing_reaches(gate: Gate) -> None:
    kenmerk = gate.send()
    last = "9999-12-31T23:59:59.9999999"
    vraag = asked(
        "getStatussenProcesRequest",
        f"<kenmerk>{kenmerk}</kenmerk><tijdstempelTot>{last}</tijdstempelTot>",
    )
    assert isinstance(vraag, Vraag)
    assert len(gate.ask(vraag.operatie, kenmerk=kenmerk, tot=vraag.tot).items) == 3


@pytest.mark.parametrize("never", NEVER)
def test_a_verdict_without_a_time_gets_the_time_of_receipt(gate: Gate, never: str) -> None:
    gate.channel.verdict = None
    kenmerk = gate.send()
    gate.work()
    gate.wall.turn(minutes=5)
    said = asked(
        "zetStatusRequest",
        f"<kenmerk>{kenmerk}</kenmerk><statuscode>500</statuscode>"
        f"<tijdstempelStatus>{never}</tijdstempelStatus>",
    )
    assert isinstance(said, ZetStatus)
    raw = Received(b"x", gate.clock.now())
    asyncio.run(gate.intake.zet_status(verified(DIENST), said, raw))
    assert gate.statuses(kenmerk)[-1].tijdstempel == gate.clock.now()
    with gate.store.connect() as conn:
        (entry,) = conn.execute(
            "select convert_from(entry, 'UTF8')::jsonb -> 'data' from journal"
            " where convert_from(entry, 'UTF8') like '%status.received%'"
        ).fetchone() or (None,)
    assert entry["said_at"] == UNSET.isoformat(), "what was said stays in the evidence"


@pytest.mark.parametrize("never", NEVER)
def test_an_answer_of_an_agency_without_times_is_a_delivery(never: str) -> None:
    answer = asked(
        "afleverResponse",
        "<kenmerk>k</kenmerk><berichtkenmerk>b</berichtkenmerk>"
        f"<tijdstempelAfgeleverd>{never}</tijdstempelAfgeleverd><statuscode>500</statuscode>"
        f"<tijdstempelStatus>{never}</tijdstempelStatus>",
    )
    assert isinstance(answer, AfleverBevestiging)
    assert answer.tijdstempel_afgeleverd == UNSET


BLANK = ["<{0}/>", "<{0}></{0}>", "<{0}>  \n </{0}>"]


@pytest.mark.parametrize("form", BLANK)
def test_an_optional_element_without_a_word_in_it_is_absent(gate: Gate, form: str) -> None:
    def blank(name: str) -> str:
        return form.format(name)

    inhoud = (
        "<berichtInhoud><mimeType>application/xml</mimeType><bestandsnaam>a.xbrl</bestandsnaam>"
        "<inhoud>PHhicmwvPg==</inhoud></berichtInhoud>"
    )
    nobody = f"<identiteitOntvanger>{blank('nummer')}{blank('type')}</identiteitOntvanger>"
    value = asked(
        "aanleverRequest",
        blank("kenmerk") + "<berichtsoort>Omzetbelasting</berichtsoort>"
        + blank("aanleverkenmerk") + blank("eerderAanleverkenmerk") + WHO
        + "<rolBelanghebbende>Bedrijf</rolBelanghebbende>" + nobody + blank("rolOntvanger")
        + inhoud + blank("autorisatieAdres"),
    )  # fmt: skip
    assert isinstance(value, Aanlevering)
    assert (value.kenmerk, value.aanleverkenmerk, value.eerder_aanleverkenmerk) == (None,) * 3
    assert (value.ontvanger, value.rol_ontvanger, value.autorisatie_adres) == (None,) * 3
    assert len(gate.send(value)) == 36
    listing = asked("getNieuweBerichtenLijstRequest", blank("berichtsoort"))
    assert isinstance(listing, Vraag)
    assert listing.berichtsoort is None, "every kind, as without the element"
    none = f"<statusFoutcode>{blank('foutcode')}{blank('foutbeschrijving')}</statusFoutcode>"
    said = asked(
        "zetStatusRequest",
        f"<kenmerk>k</kenmerk>{blank('berichtkenmerk')}<statuscode>500</statuscode>"
        f"<tijdstempelStatus>2026-11-23T12:00:00Z</tijdstempelStatus>{none}"
        + blank("statusdetails"),
    )
    assert isinstance(said, ZetStatus)
    assert (said.berichtkenmerk, said.fout, said.statusdetails) == (None, None, None)


def test_a_mandatory_identity_without_a_word_in_it_is_nobody_and_not_everybody(
    gate: Gate,
) -> None:
    gate.send(request("Servicebericht"), oin=DIENST)
    vraag = asked(
        "getBerichtenRequest",
        "<identiteitBelanghebbende><nummer/><type/></identiteitBelanghebbende>",
    )
    assert isinstance(vraag, Vraag)
    assert vraag.belanghebbende == Identiteit("", "")
    assert gate.ask(vraag.operatie, belanghebbende=vraag.belanghebbende).items == ()


def test_zet_status_with_the_berichtkenmerk_of_another_message_is_refused(gate: Gate) -> None:
    gate.channel.verdict = None
    first = gate.send(message_id="urn:x:first")
    second = gate.send(message_id="urn:x:second")
    gate.work()
    for wrong in ("urn:x:second", "urn:x:FIRST", "urn:x:none"):
        with pytest.raises(Fault, match="hoort niet bij"):
            gate.set_status(first, "510", berichtkenmerk=wrong)
    assert gate.codes(first) == gate.codes(second) == HAPPY[:8]
    gate.set_status(first, "500", berichtkenmerk="urn:x:first")
    gate.set_status(second, "500")
    assert gate.codes(first) == gate.codes(second) == HAPPY


def test_a_wrong_berichtkenmerk_teaches_nothing_to_who_may_not_set(gate: Gate) -> None:
    gate.channel.verdict = None
    kenmerk = gate.send(message_id="urn:x:first")
    gate.work()
    for named in ("urn:x:first", "urn:x:second"):
        with pytest.raises(Fault, match="niet bekend"):
            gate.set_status(kenmerk, "500", oin="00000099002000040000", berichtkenmerk=named)
