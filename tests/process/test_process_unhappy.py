"""Every way in which a message does not simply arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from openpoort.domain.fault import Fault, Fout
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.kind import Kind
from openpoort.domain.message import AfleverBevestiging, Bericht, Document, Operatie
from openpoort.process.engine.engine import Engine
from openpoort.process.flow import kinds
from openpoort.process.flow.steps import BROKEN_TRIES
from openpoort.process.ports import (
    Agency,
    AgencySilent,
    CheckUnavailable,
    DeliveryRefused,
    Verdict,
)
from openpoort.store.postgres.group_commit import Busy
from tests.process.house import (
    BEDRIJF,
    DIENST,
    HAPPY,
    INTERMEDIAIR,
    RECEIPT,
    REGISTER,
    Gate,
    Passes,
    request,
)

STARTED = ["105", "100", "110"]


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


class Ausp:
    """An AuSP that says what it is told to."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def ask(self, sender: Oin, kind: Kind, belanghebbende: Identiteit, at: datetime) -> Verdict:
        return self.verdict


@pytest.mark.parametrize(
    ("verdict", "codes"),
    [
        (Verdict.GRANTED, HAPPY),
        (Verdict.SENDER_REFUSED, [*STARTED, "210"]),
        (Verdict.RIGHT_REFUSED, [*STARTED, "220"]),
        (Verdict.UNAVAILABLE, [*STARTED, "230"]),
    ],
)
def test_the_ausp_decides(dsn: str, verdict: Verdict, codes: list[str]) -> None:
    gate = Gate(dsn, authority=Ausp(verdict))
    kenmerk = gate.send()
    gate.work()
    assert gate.codes(kenmerk) == codes
    last = gate.statuses(kenmerk)[-1]
    assert (last.fout is not None) == (verdict.value in ("210", "220"))
    gate.close()


def test_an_ausp_that_comes_back_lets_the_message_go_on(dsn: str) -> None:
    ausp = Ausp(Verdict.UNAVAILABLE)
    gate = Gate(dsn, authority=ausp)
    kenmerk = gate.send()
    gate.work()
    ausp.verdict = Verdict.GRANTED
    gate.wall.turn(minutes=5)
    gate.work()
    assert gate.codes(kenmerk) == [*STARTED, "230", *HAPPY[3:]]
    gate.close()


def test_findings_that_reject_become_311_with_the_findings_as_xml(dsn: str) -> None:
    found = Finding(
        "FR-NL-1.01", Severity.ERROR, "Element <x> ontbreekt & hoort er te zijn.", "filing"
    )
    gate = Gate(dsn, checks=[Passes("filing", (found,))])
    kenmerk = gate.send()
    gate.work()
    assert gate.codes(kenmerk) == [*STARTED, "200", "311"]
    fout = gate.statuses(kenmerk)[-1].fout
    assert fout is not None
    assert fout.foutcode == "VAS500"
    assert fout.foutbeschrijving.startswith("<")
    assert "FR-NL-1.01" in fout.foutbeschrijving
    assert gate.channel.tried == []
    assert gate.count("job") == 0
    gate.close()


@pytest.mark.parametrize("name", ["filing", "xbrl"])
def test_a_checker_that_fails_is_asked_again_and_told_once(dsn: str, name: str) -> None:
    check = Passes(name, error=CheckUnavailable("worker died"))
    gate = Gate(dsn, checks=[check])
    kenmerk = gate.send()
    for _ in range(4):
        gate.work()
        gate.wall.turn(hours=1)
    before = HAPPY[: 4 if name == "filing" else 5]
    assert gate.codes(kenmerk) == [*before, "321"]
    assert gate.statuses(kenmerk)[-1].fout is None
    check.error = None
    gate.wall.turn(hours=2)
    gate.work()
    assert gate.codes(kenmerk) == [*before, "321", *HAPPY[len(before) :]]
    gate.close()


def test_a_checker_that_stays_away_for_72_hours_ends_in_vas400_and_parked(dsn: str) -> None:
    gate = Gate(dsn, checks=[Passes("xbrl", error=CheckUnavailable("worker died"))])
    kenmerk = gate.send()
    for _ in range(20):
        gate.work()
        gate.wall.turn(hours=4)
    statuses = gate.statuses(kenmerk)
    assert [s.statuscode for s in statuses][-2:] == ["321", "321"]
    assert statuses[-1].fout is not None
    assert statuses[-1].fout.foutcode == "VAS400"
    assert gate.count("parked") == 1
    gate.close()


def test_an_agency_that_refuses_ends_in_410(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = DeliveryRefused("AFO100", "Geweigerd.")
    kenmerk = gate.send()
    gate.work()
    assert gate.codes(kenmerk) == [*HAPPY[:6], "405", "410"]
    assert gate.statuses(kenmerk)[-1].fout == Fout("AFO100", "Geweigerd.")


def test_420_stands_once_and_without_a_code_until_the_agency_is_back(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = AgencySilent("connection refused")
    kenmerk = gate.send()
    for _ in range(10):
        gate.work()
        gate.wall.turn(hours=1)
    assert gate.codes(kenmerk) == [*HAPPY[:6], "405", "420"]
    assert gate.statuses(kenmerk)[-1].fout is None
    del gate.channel.errors["DEMODIENST"]
    gate.wall.turn(hours=2)
    gate.work()
    assert gate.codes(kenmerk) == [*HAPPY[:6], "405", "420", "400", "500"]
    assert len({message_id for _, message_id in gate.channel.tried}) == 1
    assert len(gate.channel.got) == 1


def test_an_agency_down_for_three_days_ends_in_afs600_and_parked(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = AgencySilent("connection refused")
    first, more = gate.send(), [gate.send() for _ in range(20)]
    for _ in range(25):
        gate.work()
        gate.wall.turn(hours=3)
    for kenmerk in (first, *more):
        statuses = gate.statuses(kenmerk)
        assert [s.statuscode for s in statuses] == [*HAPPY[:6], "405", "420", "420"]
        assert statuses[-1].fout is not None
        assert statuses[-1].fout.foutcode == "AFS600"
    assert gate.count("parked") == 21
    assert gate.count("job") == 0


def test_what_a_dead_worker_put_off_goes_when_another_gets_through(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = AgencySilent("connection refused")
    put_off = [gate.send() for _ in range(10)]
    gate.work()
    assert {gate.codes(k)[-1] for k in put_off} == {"420"}
    del gate.channel.errors["DEMODIENST"]
    gate.engine = Engine(
        gate.store, gate.house, lambda: gate.directory, {"wus": gate.channel}, clock=gate.clock
    )
    fresh = gate.send()
    gate.work()
    assert gate.codes(fresh)[-1] == "500"
    assert {gate.codes(k)[-1] for k in put_off} == {"500"}


def test_a_short_outage_is_over_soon_after_it_ends(gate: Gate) -> None:
    for _ in range(8):  # so many that several are under way at once
        gate.send()
    gate.work()
    gate.channel.errors["DEMODIENST"] = AgencySilent("connection refused")
    put_off = [gate.send() for _ in range(20)]
    gate.work()
    assert {gate.codes(k)[-1] for k in put_off} == {"420"}
    del gate.channel.errors["DEMODIENST"]
    gate.wall.turn(seconds=31)
    gate.work()
    left = [k for k in put_off if gate.codes(k)[-1] == "420"]
    assert len(left) <= 10  # those that were tried meanwhile
    gate.wall.turn(seconds=10)
    gate.work()
    assert {gate.codes(k)[-1] for k in put_off} == {"500"}


def test_an_agency_that_is_down_holds_up_nobody_else(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = AgencySilent("connection refused")
    kvk = {"belanghebbende": Identiteit("90000044", "KvK")}
    stuck = [gate.send() for _ in range(5)]
    free = [gate.send(request("eFactuur", **kvk)) for _ in range(5)]
    gate.work()
    assert all(gate.codes(k)[-1] == "400" for k in free)
    assert all(gate.codes(k)[-1] == "420" for k in stuck)


def test_the_agency_may_say_no_in_its_answer(gate: Gate) -> None:
    gate.channel.verdict = "510"
    kenmerk = gate.send()
    gate.work()
    assert gate.codes(kenmerk) == [*HAPPY[:8], "510"]
    assert gate.statuses(kenmerk)[-1].details == RECEIPT


def test_without_a_verdict_in_the_answer_the_message_waits_for_zet_status(gate: Gate) -> None:
    gate.channel.verdict = None
    kenmerk = gate.send()
    gate.work()
    assert gate.codes(kenmerk) == HAPPY[:8]
    gate.set_status(kenmerk, "500")
    gate.set_status(kenmerk, "500")
    assert gate.codes(kenmerk) == HAPPY
    assert gate.statuses(kenmerk)[-1].details == RECEIPT
    with pytest.raises(Fault, match="afgerond"):
        gate.set_status(kenmerk, "510")
    assert gate.codes(kenmerk) == HAPPY


def test_720_is_not_the_end(gate: Gate) -> None:
    gate.channel.verdict = None
    kenmerk = gate.send()
    gate.work()
    gate.set_status(kenmerk, "720", statusdetails="later")
    gate.set_status(kenmerk, "500")
    statuses = gate.statuses(kenmerk)
    assert [s.statuscode for s in statuses] == [*HAPPY[:8], "720", "500"]
    assert statuses[-1].details == RECEIPT


def test_a_verdict_that_overtakes_the_delivery_waits_for_it(gate: Gate) -> None:
    gate.channel.verdict = None
    gate.channel.during = lambda bericht: gate.set_status(bericht.kenmerk, "500")
    kenmerk = gate.send()
    gate.work()
    assert gate.codes(kenmerk) == HAPPY


@pytest.mark.parametrize("in_the_answer", [True, False])
def test_a_720_that_overtakes_the_delivery_does_not_shut_out_the_500(
    gate: Gate, in_the_answer: bool
) -> None:
    def speak(bericht: Bericht) -> None:
        gate.set_status(bericht.kenmerk, "720")
        if not in_the_answer:
            gate.set_status(bericht.kenmerk, "500")

    gate.channel.verdict = "500" if in_the_answer else None
    gate.channel.during = speak
    kenmerk = gate.send()
    gate.work()
    assert gate.codes(kenmerk) == HAPPY


@pytest.mark.parametrize(
    ("code", "oin"),
    [("500", REGISTER), ("500", BEDRIJF), ("999", DIENST), ("400", DIENST)],
)
def test_zet_status_is_for_the_agency_that_got_it_and_known_codes(
    gate: Gate, code: str, oin: str
) -> None:
    gate.channel.verdict = None
    kenmerk = gate.send()
    gate.work()
    with pytest.raises(Fault):
        gate.set_status(kenmerk, code, oin=oin)
    assert gate.codes(kenmerk) == HAPPY[:8]


def test_zet_status_before_any_delivery_is_an_unknown_kenmerk(gate: Gate) -> None:
    kenmerk = gate.send()
    with pytest.raises(Fault) as early:
        gate.set_status(kenmerk, "500")
    with pytest.raises(Fault) as unknown:
        gate.set_status("00000000-0000-4000-8000-000000000000", "500")
    assert early.value.text == unknown.value.text


def test_two_agencies_get_content_and_attachments_apart(gate: Gate) -> None:
    bijlage = Document("application/pdf", "bijlage.pdf", b"%PDF" * 100)
    kvk = Identiteit("90000044", "KvK")
    kenmerk = gate.send(request("Jaarrekening-Kopie", belanghebbende=kvk, bijlagen=(bijlage,)))
    gate.work()
    assert gate.codes(kenmerk) == [*STARTED, "301", "405", "400"]
    got = sorted(
        (agency, b.inhoud.bestandsnaam, len(b.bijlagen)) for agency, _, b in gate.channel.got
    )
    assert got == [
        ("DEMODIENST", "Jaarrekening-Kopie.xbrl", 0),
        ("DEMOREGISTER", "Jaarrekening-Kopie.xbrl", 0),
        ("DEMOREGISTER", "bijlage.pdf", 0),
    ]
    assert len({message_id for _, message_id, _ in gate.channel.got}) == 3


def test_of_two_agencies_one_refuses(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = DeliveryRefused("AFO100", "Nee.")
    kvk = Identiteit("90000044", "KvK")
    kenmerk = gate.send(request("Jaarrekening-Kopie", belanghebbende=kvk))
    gate.work()
    assert gate.codes(kenmerk) == [*STARTED, "301", "405", "410"]
    assert [agency for agency, _, _ in gate.channel.got] == ["DEMOREGISTER"]


def test_a_batch_is_split_once_into_processes_of_their_own(gate: Gate) -> None:
    body = b"<Verzameling>" + b"<Factuur><regel/></Factuur>" * 3 + b"</Verzameling>"
    kvk = Identiteit("90000044", "KvK")
    kenmerk = gate.send(request("Verzamelfactuur", body, belanghebbende=kvk))
    gate.work()
    assert gate.codes(kenmerk) == [*STARTED, "301", "400"]
    with gate.store.connect() as conn:
        children = conn.execute(
            "select kenmerk::text from message where parent = %s", [kenmerk]
        ).fetchall()
    assert len(children) == 3
    for (child,) in children:
        assert gate.codes(child) == [*STARTED, "301", "405", "400"]
    assert {b.inhoud.inhoud.count(b"<regel/>") for _, _, b in gate.channel.got} == {1}


def test_an_empty_batch_is_rejected(gate: Gate) -> None:
    kvk = Identiteit("90000044", "KvK")
    kenmerk = gate.send(request("Verzamelfactuur", b"<Verzameling/>", belanghebbende=kvk))
    gate.work()
    assert gate.codes(kenmerk) == [*STARTED, "301", "311"]


def test_a_kind_may_offer_again(dsn: str) -> None:
    base = kinds.load()["eFactuur"]
    again = replace(
        base,
        berichtsoort="Nabezorgd",
        steps=(
            base.steps[1],
            replace(base.steps[1], name="opnieuw", kind=kinds.StepKind.REOFFER, ok=None,
                    options={"after_hours": "24"}),
        ),
    )  # fmt: skip
    gate = Gate(dsn, extra=[again])
    kvk = Identiteit("90000044", "KvK")
    kenmerk = gate.send(request("Nabezorgd", b"<a/>", belanghebbende=kvk))
    gate.work()
    assert [b.inhoud.inhoud for _, _, b in gate.channel.got] == [b"<a/>"]
    gate.wall.turn(hours=25)
    gate.work()
    first, second = (message_id for _, message_id, _ in gate.channel.got)
    assert first != second
    assert gate.codes(kenmerk) == [*STARTED, "405", "400"]
    gate.close()


def test_findings_travel_along_where_the_kind_says_so(dsn: str) -> None:
    found = Finding("FG-NL-1.01", Severity.WARNING, "Let op.", "filing")
    gate = Gate(dsn, checks=[Passes("filing", (found,))])
    kvk = Identiteit("90000044", "KvK")
    gate.send(request("Jaarrekening", belanghebbende=kvk))
    gate.work()
    [(_, _, bericht)] = gate.channel.got
    assert [(c.code, c.beschrijving) for c in bericht.constateringen] == [("FG-NL-1.01", "Let op.")]
    gate.close()


@pytest.mark.parametrize(
    ("asked", "oin", "says"),
    [
        (request("Onbekend"), BEDRIJF, "niet bekend"),
        (request(kenmerk="00000000-0000-4000-8000-000000000000"), BEDRIJF, "kenmerk"),
        (request(belanghebbende=Identiteit("123456782", "BSN")), BEDRIJF, "Identiteitstype"),
        (request(rol_belanghebbende="Gast"), BEDRIJF, "Rol"),
        (request(), INTERMEDIAIR, "rol|voor zichzelf"),
        (request("Servicebericht"), BEDRIJF, "niet aanleveren"),
        (request(), DIENST, "niet aangesloten"),
    ],
)
def test_what_is_not_allowed_is_refused_and_leaves_nothing(
    gate: Gate, asked: object, oin: str, says: str
) -> None:
    with pytest.raises(Fault, match=says):
        gate.send(asked, oin=oin)  # type: ignore[arg-type]
    for table in ("register", "message", "journal", "request", "payload"):
        assert gate.count(table) == 0


@pytest.mark.parametrize(
    ("name", "codes", "foutcode"),
    [
        ("Happyflow", HAPPY, None),
        ("Afleverfout", [*HAPPY[:7], "410"], "AFS400"),
        ("Foutuitvragendepartij", [*HAPPY[:7], "410"], "AFO100"),
        ("TechnischProbleemAfleveren", [*HAPPY[:7], "420"], None),
        ("MaximaalAantalAfleverpogingen", [*HAPPY[:7], "420", "420"], "AFS600"),
    ],
)
def test_the_switches_of_the_aansluit_suite(
    dsn: str, name: str, codes: list[str], foutcode: str | None
) -> None:
    gate = Gate(dsn, switches=True)
    kenmerk = gate.send(request(aanleverkenmerk=name))
    gate.work()
    assert gate.codes(kenmerk) == codes
    fout = gate.statuses(kenmerk)[-1].fout
    assert (fout.foutcode if fout else None) == foutcode
    gate.close()


def test_switches_on_the_doors(dsn: str) -> None:
    gate = Gate(dsn, switches=True)
    with pytest.raises(Fault, match="AanleverFault"):
        gate.send(request(aanleverkenmerk="AanleverFault"))
    with pytest.raises(Busy):
        gate.send(request(aanleverkenmerk="OverbelastAanleveren"))
    kenmerk = gate.send(request(aanleverkenmerk="StatusInformatieFault"))
    with pytest.raises(Fault, match="StatusInformatieFault"):
        gate.codes(kenmerk)
    with pytest.raises(Fault, match="StatusInformatieFault"):
        gate.ask(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)
    kenmerk = gate.send(request(aanleverkenmerk="OverbelastStatusInformatie"))
    with pytest.raises(Busy):
        gate.codes(kenmerk)
    gate.close()


def test_switches_do_nothing_when_off(gate: Gate) -> None:
    kenmerk = gate.send(request(aanleverkenmerk="AanleverFault"))
    gate.work()
    assert gate.codes(kenmerk) == HAPPY


@pytest.mark.parametrize("step", [0, 1])
def test_a_kind_that_was_taken_away_parks_its_messages_and_no_others(dsn: str, step: int) -> None:
    base = kinds.load()["eFactuur"]
    gone = replace(base, berichtsoort="Weg", steps=base.steps[step:])
    before, after = Gate(dsn, extra=[gone]), Gate(dsn)
    kvk = {"belanghebbende": Identiteit("90000044", "KvK")}
    lost = [before.send(request("Weg", **kvk)) for _ in range(2)]
    fine = before.send(request("eFactuur", **kvk))
    after.work()
    assert after.codes(fine)[-1] == "400"
    code, foutcode = ("420", "AFS400") if step else ("321", "VAS400")
    for kenmerk in lost:
        assert after.codes(kenmerk) == [*STARTED, code]
        fout = after.statuses(kenmerk)[-1].fout
        assert fout is not None
        assert fout.foutcode == foutcode
    assert after.count("parked where reason like '%not installed any more'") == 2
    before.close()
    after.close()


def test_an_answer_that_cannot_be_written_is_trouble_of_its_own_message(gate: Gate) -> None:
    kenmerken = [gate.send() for _ in range(4)]
    bad = kenmerken[1]
    deliver = gate.channel.deliver

    def odd(bericht: Bericht, agency: Agency, message_id: str) -> AfleverBevestiging:
        answer = deliver(bericht, agency, message_id)
        details = "nul \x00" if bericht.kenmerk == bad else answer.statusdetails
        return replace(answer, statusdetails=details)

    class Odd:
        name = "wus"
        deliver = staticmethod(odd)

    engine = Engine(
        gate.store, gate.house, lambda: gate.directory, {"wus": Odd()}, clock=gate.clock
    )
    engine.run_until_idle()
    assert [gate.codes(k) for k in kenmerken if k != bad] == [HAPPY] * 3
    assert gate.codes(bad) == [*HAPPY[:7], "420"]
    for _ in range(BROKEN_TRIES):
        gate.wall.turn(hours=1)
        engine.run_until_idle()
    assert gate.codes(bad) == [*HAPPY[:7], "420", "420"]
    fout = gate.statuses(bad)[-1].fout
    assert fout is not None
    assert fout.foutcode == "AFS400"
    assert gate.count("parked") == 1
    assert len({message_id for _, message_id, b in gate.channel.got if b.kenmerk == bad}) == 1
