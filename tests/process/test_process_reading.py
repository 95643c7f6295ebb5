"""The eleven reading operations: what is there, what is new, and for whom."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar

import psycopg
import pytest

from openpoort.domain.fault import Fault
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Antwoord, Bericht, Document, Operatie, Proces, Vraag
from openpoort.domain.status import Status
from openpoort.process.reading import answers
from openpoort.process.reading.reader import Reading
from openpoort.store.postgres.primary import SETUP
from openpoort.wire.wus import koppelvlak
from tests.process.house import (
    BEDRIJF,
    BTW,
    DIENST,
    HAPPY,
    INTERMEDIAIR,
    REGISTER,
    Gate,
    Passes,
    request,
    verified,
)

NOBODY = "00000000-0000-4000-8000-000000000000"
CLIENT = Identiteit("003000059B37", "BTW")


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def new_codes(gate: Gate, **more: object) -> list[str]:
    operatie = Operatie.NIEUWE_STATUSSEN_PROCES if "kenmerk" in more else Operatie.NIEUWE_STATUSSEN
    found = gate.ask(operatie, **more).items
    return [s.statuscode for s in found if isinstance(s, Status)]


def test_new_statuses_of_a_process_are_new_once(gate: Gate) -> None:
    kenmerk = gate.send()
    assert new_codes(gate, kenmerk=kenmerk) == HAPPY[:3]
    assert new_codes(gate, kenmerk=kenmerk) == []
    gate.work()
    assert new_codes(gate, kenmerk=kenmerk) == HAPPY[3:]
    assert new_codes(gate, kenmerk=kenmerk) == []
    assert gate.codes(kenmerk) == HAPPY


def test_new_statuses_over_all_processes_of_a_kind(gate: Gate) -> None:
    asked = {"berichtsoort": "Omzetbelasting", "belanghebbende": BTW}
    for _ in range(3):
        gate.send()
    other = gate.send(request("ICP"))
    assert new_codes(gate, **asked) == HAPPY[:3] * 3
    assert new_codes(gate, **asked) == []
    gate.work()
    assert new_codes(gate, **asked) == HAPPY[3:] * 3
    assert new_codes(gate, kenmerk=other) == HAPPY
    assert gate.count("process where unread") == 0


def test_what_the_filter_leaves_out_stays_new(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.wall.turn(hours=1)
    since = gate.clock.now()
    gate.work()
    assert new_codes(gate, kenmerk=kenmerk, vanaf=since) == HAPPY[3:]
    assert new_codes(gate, kenmerk=kenmerk) == HAPPY[:3]
    assert new_codes(gate, kenmerk=kenmerk, tot=since) == []
    old = gate.ask(Operatie.STATUSSEN_PROCES, kenmerk=kenmerk, tot=since).items
    assert len(old) == 3


def test_an_answer_that_did_not_get_through_leaves_everything_new(gate: Gate) -> None:
    kenmerk = gate.send()

    async def lost() -> Antwoord:
        vraag = Vraag(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)
        reading = await gate.reader.vraag(verified(BEDRIJF), vraag)
        await reading.release()
        await reading.delivered()  # too late: the turn was given up
        return reading.antwoord

    assert len(asyncio.run(lost()).items) == 3
    assert new_codes(gate, kenmerk=kenmerk) == HAPPY[:3]


def test_polls_of_one_requester_go_one_after_the_other(gate: Gate) -> None:
    kenmerk = gate.send()
    vraag = Vraag(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)

    async def race() -> list[int]:
        first = await gate.reader.vraag(verified(BEDRIJF), vraag)
        second = asyncio.create_task(gate.reader.vraag(verified(BEDRIJF), vraag))
        third: Reading = await gate.reader.vraag(
            verified(BEDRIJF), Vraag(Operatie.STATUSSEN_PROCES, kenmerk=kenmerk)
        )
        assert not second.done()
        await first.delivered()
        later = await second
        await later.delivered()
        return [len(r.antwoord.items) for r in (first, third, later)]

    assert asyncio.run(race()) == [3, 3, 0]


def test_a_requester_that_hangs_up_gives_up_its_turn(gate: Gate) -> None:
    kenmerk = gate.send()
    vraag = Vraag(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)

    async def hang_up() -> int:
        for _ in range(20):  # more than there are connections to hold a turn with
            poll = asyncio.create_task(gate.reader.vraag(verified(BEDRIJF), vraag))
            await asyncio.sleep(0)
            poll.cancel()
            await asyncio.wait([poll])
        last = await gate.reader.vraag(verified(BEDRIJF), vraag)
        await last.delivered()
        return len(last.antwoord.items)

    assert asyncio.run(hang_up()) == 3


def test_many_polls_of_one_requester_do_not_stop_the_others(gate: Gate) -> None:
    kenmerk = gate.send()
    own = Identiteit("002000040B37", "BTW")
    other = gate.send(request(belanghebbende=own), oin=INTERMEDIAIR)

    async def poll(oin: str, kenmerk: str) -> int:
        vraag = Vraag(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)
        reading = await gate.reader.vraag(verified(oin), vraag)
        await asyncio.sleep(0)
        await reading.delivered()
        return len(reading.antwoord.items)

    async def storm() -> list[int]:
        polls = [poll(BEDRIJF, kenmerk) for _ in range(30)]
        return await asyncio.gather(*polls, poll(INTERMEDIAIR, other))

    *mine, theirs = asyncio.run(storm())
    assert sorted(mine) == [0] * 29 + [3]
    assert theirs == 3


by_kenmerk = pytest.mark.parametrize(
    "operatie",
    [
        Operatie.STATUSSEN_PROCES, Operatie.NIEUWE_STATUSSEN_PROCES,
        Operatie.BERICHTEN_KENMERK, Operatie.NIEUWE_BERICHTEN_KENMERK,
    ],
)  # fmt: skip


@by_kenmerk
def test_somebody_elses_kenmerk_reads_like_one_that_does_not_exist(
    gate: Gate, operatie: Operatie
) -> None:
    kenmerk = gate.send()
    texts = set()
    for asked, oin in [(kenmerk, INTERMEDIAIR), (NOBODY, INTERMEDIAIR), (NOBODY, BEDRIJF),
                       ("geen uuid", BEDRIJF), (kenmerk, REGISTER)]:  # fmt: skip
        with pytest.raises(Fault) as fault:
            gate.ask(operatie, oin=oin, kenmerk=asked)
        texts.add(fault.value.text)
    assert len(texts) == 1


class Recording(psycopg.Connection[Any]):
    """Remembers the statements that read or write."""

    ran: ClassVar[list[str]] = []

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        self.ran.append(str(query))
        return super().execute(query, params, **more)


def recording(dsn: str) -> Recording:
    conn = Recording.connect(dsn, autocommit=True)
    psycopg.Connection.execute(conn, SETUP)
    return conn


@by_kenmerk
def test_guessing_a_kenmerk_costs_the_same_work_whether_it_is_there_or_not(
    dsn: str, operatie: Operatie
) -> None:
    """The same statements in the same order: no time to be read off a refusal."""
    gate = Gate(dsn, connect=recording)
    try:
        theirs, work = gate.send(), []
        for asked in (NOBODY, theirs, NOBODY, theirs):
            Recording.ran.clear()
            with pytest.raises(Fault):
                gate.ask(operatie, oin=INTERMEDIAIR, kenmerk=asked)
            work.append(list(Recording.ran))
        assert work[2] == work[3]
        assert work[2]
    finally:
        gate.close()


def test_a_mandated_reader_has_its_own_new(gate: Gate) -> None:
    """An intermediary sends for its client; nobody else may look, it may look at both."""
    asked = request(belanghebbende=CLIENT, rol_belanghebbende="Intermediair")
    kenmerk = gate.send(asked, oin=INTERMEDIAIR)
    assert gate.statuses(kenmerk, INTERMEDIAIR)
    with pytest.raises(Fault):
        gate.statuses(kenmerk, BEDRIJF)


def test_new_statuses_for_a_reader_who_is_not_the_sender(dsn: str) -> None:
    gate = Gate(dsn)
    asked = request(belanghebbende=CLIENT, rol_belanghebbende="Intermediair")
    kenmerk = gate.send(asked, oin=INTERMEDIAIR)
    with gate.store.connect() as conn:  # as if another office had sent it
        for table in ("process", "message", "register"):
            conn.execute(f"update {table} set sender = %s where kenmerk = %s", [DIENST, kenmerk])
    query = {"berichtsoort": "Omzetbelasting", "belanghebbende": CLIENT, "oin": INTERMEDIAIR}
    assert new_codes(gate, **query) == HAPPY[:3]
    assert new_codes(gate, **query) == []
    gate.work()
    assert new_codes(gate, **query) == HAPPY[3:]
    assert gate.ask(Operatie.PROCESSEN, **query).items  # type: ignore[arg-type]
    gate.close()


def test_processes_and_kinds_of_an_interested_party(gate: Gate) -> None:
    first, second = gate.send(), gate.send()
    gate.send(request("ICP"))
    assert gate.ask(Operatie.BERICHTSOORTEN, belanghebbende=BTW).items == ("ICP", "Omzetbelasting")
    found = gate.ask(Operatie.PROCESSEN, belanghebbende=BTW, berichtsoort="Omzetbelasting").items
    assert [p.kenmerk for p in found if isinstance(p, Proces)] in ([first, second], [second, first])
    assert all(
        isinstance(p, Proces) and p.ontvanger and p.ontvanger.nummer == DIENST for p in found
    )
    elsewhere = {"belanghebbende": BTW, "oin": INTERMEDIAIR}
    assert gate.ask(Operatie.BERICHTSOORTEN, **elsewhere).items == ()
    assert gate.ask(Operatie.PROCESSEN, berichtsoort="ICP", **elsewhere).items == ()
    lower = Identiteit("nl001000044b37", "btw")
    assert len(gate.ask(Operatie.BERICHTSOORTEN, belanghebbende=lower).items) == 2


def returned(gate: Gate, body: bytes = b"<aanslag/>", **more: object) -> str:
    asked = request("Retourbericht" if "kenmerk" in more else "Servicebericht", body, **more)
    return gate.send(asked, oin=DIENST)


def test_a_return_message_belongs_to_the_process_it_names(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    assert returned(gate, b"<antwoord/>" * 40, kenmerk=kenmerk) == kenmerk
    assert gate.ask(Operatie.BERICHTEN_KENMERK, kenmerk=kenmerk).items == ()
    gate.work()
    [bericht] = gate.ask(Operatie.NIEUWE_BERICHTEN_KENMERK, kenmerk=kenmerk).items
    assert isinstance(bericht, Bericht)
    assert (bericht.kenmerk, bericht.inhoud.inhoud) == (kenmerk, b"<antwoord/>" * 40)
    assert bericht.aanleveraar == DIENST
    assert gate.ask(Operatie.NIEUWE_BERICHTEN_KENMERK, kenmerk=kenmerk).items == ()
    assert len(gate.ask(Operatie.BERICHTEN_KENMERK, kenmerk=kenmerk).items) == 1


def test_an_agency_cannot_return_to_a_process_it_had_no_part_in(gate: Gate) -> None:
    kenmerk = gate.send(request("eFactuur", belanghebbende=Identiteit("90000044", "KvK")))
    for named in (kenmerk, NOBODY):
        with pytest.raises(Fault, match="kenmerk"):
            returned(gate, kenmerk=named)


def test_a_service_message_waits_for_the_party_it_is_about(gate: Gate) -> None:
    kenmerk = returned(gate)
    gate.work()
    [line] = gate.ask(Operatie.NIEUWE_BERICHTEN_LIJST).items
    assert line == Proces(kenmerk, "Servicebericht", BTW)
    assert gate.ask(Operatie.NIEUWE_BERICHTEN_LIJST).items == ()
    assert len(gate.ask(Operatie.BERICHTEN_LIJST).items) == 1
    # Listed is not fetched: the content is still new.
    [bericht] = gate.ask(Operatie.NIEUWE_BERICHTEN, belanghebbende=BTW).items
    assert isinstance(bericht, Bericht)
    assert gate.ask(Operatie.NIEUWE_BERICHTEN, belanghebbende=BTW).items == ()
    assert (
        len(gate.ask(Operatie.BERICHTEN, belanghebbende=BTW, berichtsoort="Servicebericht").items)
        == 1
    )
    assert gate.ask(Operatie.BERICHTEN, belanghebbende=BTW, berichtsoort="ICP").items == ()
    assert gate.ask(Operatie.BERICHTEN_LIJST, oin=INTERMEDIAIR).items == ()
    assert (
        gate.count("journal where position('message.fetched' in convert_from(entry, 'UTF8')) > 0")
        == 2
    )


def test_whoever_holds_a_mandate_fetches_for_its_client(gate: Gate) -> None:
    returned(gate, belanghebbende=CLIENT)
    gate.work()
    assert len(gate.ask(Operatie.NIEUWE_BERICHTEN_LIJST, oin=INTERMEDIAIR).items) == 1
    assert gate.ask(Operatie.NIEUWE_BERICHTEN_LIJST, oin=INTERMEDIAIR).items == ()
    query = {"belanghebbende": CLIENT, "oin": INTERMEDIAIR}
    assert len(gate.ask(Operatie.NIEUWE_BERICHTEN, **query).items) == 1
    assert gate.ask(Operatie.NIEUWE_BERICHTEN, **query).items == ()
    assert gate.ask(Operatie.BERICHTEN, belanghebbende=CLIENT).items == ()


def test_new_messages_are_cut_at_64_kib_with_at_least_one(gate: Gate) -> None:
    sizes = [100_000, 16_000, 16_000, 16_000]
    for size in sizes:
        returned(gate, b"<" + b"x" * size + b"/>")
        gate.work()
        gate.wall.turn(seconds=1)
    got: list[int] = []
    answers_got = 0
    while items := gate.ask(Operatie.NIEUWE_BERICHTEN, belanghebbende=BTW).items:
        answers_got += 1
        got += [len(b.inhoud.inhoud) - 3 for b in items if isinstance(b, Bericht)]
    assert got == sizes
    assert answers_got == 3
    assert len(gate.ask(Operatie.BERICHTEN, belanghebbende=BTW).items) == 4


def test_new_statuses_are_cut_and_the_rest_comes_later(dsn: str) -> None:
    found = Finding("FR-1", Severity.ERROR, "<&>" * 5000, "filing")
    gate = Gate(dsn, checks=[Passes("filing", (found,))])
    for _ in range(3):
        gate.send()
    gate.work()
    asked = {"berichtsoort": "Omzetbelasting", "belanghebbende": BTW}
    polls = []
    while codes := new_codes(gate, **asked):
        polls.append(codes)
    assert [code for codes in polls for code in codes] == [*HAPPY[:4], "311"] * 3
    assert len(polls) > 1
    gate.close()


def test_the_measure_of_an_item_is_exact(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    statuses = gate.ask(Operatie.STATUSSEN_PROCES, kenmerk=kenmerk)
    assert len(koppelvlak.write(statuses)) == measured(statuses)
    bijlage = Document("application/pdf", "een & twee.pdf", b"\0\xff" * 999)
    returned(gate, b"<a>" * 5000, bijlagen=(bijlage,))
    gate.work()
    berichten = gate.ask(Operatie.BERICHTEN, belanghebbende=BTW)
    assert len(koppelvlak.write(berichten)) == measured(berichten)
    lines = gate.ask(Operatie.BERICHTEN_LIJST)
    assert len(koppelvlak.write(lines)) == measured(lines)


def measured(antwoord: Antwoord) -> int:
    assert antwoord.items
    sizes = (answers.size(antwoord.operatie, item) for item in antwoord.items)
    return koppelvlak.frame(antwoord.operatie) + sum(sizes)
