"""What is new is found in a settled week too, in whatever order it came about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Operatie, Vraag
from openpoort.domain.status import Status
from openpoort.sandbox.directory import starting
from openpoort.store.messages import closed_weeks, mailbox, reading, retention
from openpoort.store.messages.mailbox import Wanted
from openpoort.store.messages.reading import About
from openpoort.store.postgres import partitions
from tests.process.house import (
    BEDRIJF,
    BTW,
    DIENST,
    HAPPY,
    INTERMEDIAIR,
    START,
    Gate,
    request,
    verified,
)

CLIENT = Identiteit("003000059B37", "BTW")
WEEK = timedelta(weeks=1)


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    gate.channel.verdict = None
    yield gate
    gate.close()


def settle(gate: Gate) -> date:
    with gate.store.connect() as conn:
        return closed_weeks.settle(conn, gate.clock.now().date())


def codes(gate: Gate, *, oin: str = BEDRIJF, who: Identiteit = BTW, **more: Any) -> list[str]:
    asked = {"berichtsoort": "Omzetbelasting", "belanghebbende": who}
    found = gate.ask(Operatie.NIEUWE_STATUSSEN, oin=oin, **asked, **more).items
    return [s.statuscode for s in found if isinstance(s, Status)]


def letters(gate: Gate, oin: str = BEDRIJF) -> int:
    return len(gate.ask(Operatie.NIEUWE_BERICHTEN_LIJST, oin=oin).items)


def test_what_was_never_fetched_is_new_after_a_year(gate: Gate) -> None:
    gate.send()
    gate.send(request("Servicebericht"), oin=DIENST)
    gate.work()
    gate.wall.turn(days=365)
    assert settle(gate) == date(2027, 11, 8)
    assert codes(gate) == HAPPY[:-1]
    assert codes(gate) == []
    assert letters(gate) == 1
    assert letters(gate) == 0


def test_what_was_cut_off_or_lost_on_the_way_is_given_again(gate: Gate) -> None:
    for _ in range(80):  # more than a page, and more than an answer can hold
        gate.send()
    gate.wall.turn(days=365)
    settle(gate)

    async def lost() -> int:
        vraag = Vraag(Operatie.NIEUWE_STATUSSEN, berichtsoort="Omzetbelasting", belanghebbende=BTW)
        reading = await gate.reader.vraag(verified(BEDRIJF), vraag)
        await reading.release()
        return len(reading.antwoord.items)

    got = []
    while asyncio.run(lost()):
        got.append(codes(gate))
    assert len(got) > 1
    assert [code for each in got for code in each] == HAPPY[:3] * 80


def test_what_a_filter_left_out_is_new_after_a_year_of_polls(gate: Gate) -> None:
    gate.send()
    gate.work()
    gate.wall.turn(days=365)
    settle(gate)
    for _ in range(2):
        assert codes(gate, vanaf=gate.clock.now()) == []
    gate.send()
    assert codes(gate, vanaf=gate.clock.now()) == HAPPY[:3]
    assert codes(gate) == HAPPY[:-1]
    assert gate.count("nothing_new") == 2  # of its own, and of others about it


def test_a_status_after_months_is_new_to_its_sender_and_to_who_reads_for_the_party(
    gate: Gate,
) -> None:
    asked = request(belanghebbende=CLIENT, rol_belanghebbende="Intermediair")
    kenmerk = gate.send(asked, oin=INTERMEDIAIR)
    theirs = gate.send(asked, oin=INTERMEDIAIR)
    with gate.store.connect() as conn:  # as if another office had sent it
        for table in ("process", "message", "register"):
            conn.execute(f"update {table} set sender = %s where kenmerk = %s", [DIENST, theirs])
    gate.work()
    query: dict[str, Any] = {"oin": INTERMEDIAIR, "who": CLIENT}
    assert len(codes(gate, **query)) == 2 * len(HAPPY[:-1])
    gate.wall.turn(days=60)
    settle(gate)
    assert codes(gate, **query) == []
    for each in (kenmerk, theirs):
        gate.set_status(each, "500")
        assert codes(gate, **query) == ["500"]
        assert codes(gate, **query) == []


def test_a_letter_that_is_put_in_the_mailbox_months_late_is_new(gate: Gate) -> None:
    gate.send(request("Servicebericht"), oin=DIENST)
    gate.send(request("Servicebericht", belanghebbende=CLIENT), oin=DIENST)
    gate.wall.turn(days=60)
    settle(gate)
    assert letters(gate) == letters(gate, INTERMEDIAIR) == 0
    gate.work()
    assert letters(gate) == letters(gate, INTERMEDIAIR) == 1
    assert letters(gate) == letters(gate, INTERMEDIAIR) == 0


def test_a_clock_that_was_a_year_ahead_leaves_nothing_unfound(gate: Gate) -> None:
    """What comes after it came back is taken in on days long settled, in weeks made anew."""
    gate.wall.turn(days=365)
    gate.send()
    settle(gate)
    assert codes(gate) == HAPPY[:3]
    assert codes(gate) == []
    gate.wall.turn(days=-365)
    gate.send()
    assert codes(gate) == HAPPY[:3]
    gate.work()
    assert codes(gate) == HAPPY[3:-1]  # the other waits for its time
    gate.wall.turn(days=365)
    gate.work()
    assert codes(gate) == HAPPY[3:-1]


def test_two_doors_and_a_week_made_by_an_older_version(dsn: str, gate: Gate) -> None:
    """One that knows nothing of settled weeks makes no trigger; the next round mends it."""
    other = Gate(dsn)
    gate.wall.turn(days=365)
    settle(gate)
    assert codes(gate) == codes(other) == []
    gate.wall.turn(days=-365)
    gate.send()
    gate.send(request("Servicebericht"), oin=DIENST)
    gate.work()
    with gate.store.connect() as conn:
        conn.execute("truncate late")
        for table in partitions.WATCHED:
            conn.execute(f"drop trigger late on {partitions.partition(table, date(2026, 11, 23))}")
    assert codes(other) == []
    gate.wall.turn(days=365)
    settle(gate)
    assert codes(other) == HAPPY[:-1]
    assert codes(gate) == []
    assert letters(other) == 1
    assert letters(gate) == 0
    other.close()


def test_the_present_weeks_are_written_without_triggers(gate: Gate) -> None:
    gate.send()
    settle(gate)
    with gate.store.connect() as conn:
        assert conn.execute("select from pg_trigger where tgname = 'late'").fetchall() == []
    gate.wall.turn(days=21)
    assert settle(gate) == date(2026, 11, 30)
    with gate.store.connect() as conn:
        rows = conn.execute(
            "select tgrelid::regclass::text from pg_trigger where tgname = 'late' order by 1"
        ).fetchall()
    assert [row[0] for row in rows] == ["mailbox_20261123", "process_20261123"]


def test_what_goes_takes_along_what_was_said_about_it(gate: Gate) -> None:
    kenmerk = gate.send()
    gate.work()
    gate.wall.turn(days=60)
    gate.send()
    settle(gate)
    codes(gate)
    gate.set_status(kenmerk, "500")
    assert gate.count("late") == 1
    with gate.store.connect() as conn:
        newer, older = date(2026, 11, 30), date(2026, 11, 23)
        retention.forget_keys(conn, newer, START)
        assert gate.count("late") == 1  # an older week may have been kept
        retention.forget_keys(conn, older, START)
    assert gate.count("late") == 0
    assert gate.count("nothing_new") == 2
    with gate.store.connect() as conn:
        retention.forget_keys(conn, partitions.week(gate.clock.now().date()), START)
    assert gate.count("nothing_new") == 0


# --- every order ---------------------------------------------------------------------------

Newer = Callable[[psycopg.Connection[Any], UUID, date], None]


def a_status(conn: psycopg.Connection[Any], kenmerk: UUID, day: date) -> None:
    conn.execute(
        "update process set seq = seq + 1, unread = true where kenmerk = %s and day = %s",
        [kenmerk, day],
    )


def a_process(
    conn: psycopg.Connection[Any], kenmerk: UUID, day: date, seq: int = 1, unread: bool = True
) -> None:
    at = datetime(day.year, day.month, day.day, tzinfo=START.tzinfo)
    conn.execute(
        "insert into process (day, kenmerk, berichtsoort, sender, belang, accepted_at, state, seq,"
        " last_at, unread) values (%s, %s, 'ICP', 'me', 'btw:1', %s, 'waiting', %s, %s, %s)",
        [day, kenmerk, at, seq, at, unread],
    )


def a_letter(conn: psycopg.Connection[Any], kenmerk: UUID, day: date) -> None:
    conn.execute(
        "insert into mailbox (day, kenmerk, shown, owner, belang, berichtsoort, at)"
        " values (%s, %s, %s, 'me', 'btw:1', 'ICP', %s)",
        [day, kenmerk, kenmerk, START],
    )


def test_many_letters_of_one_party_do_not_hide_those_of_another(dsn: str) -> None:
    """A reader for many parties may not have all that is about them, and what it may not have
    stays unseen for ever."""
    day, last = START.date(), uuid4()
    wanted = Wanted("reader", new=mailbox.LIST, limit=3)
    with psycopg.connect(dsn, autocommit=True) as conn:
        partitions.ensure(conn, day)
        for _ in range(5):
            a_letter(conn, uuid4(), day)
        conn.execute(
            "insert into mailbox (day, kenmerk, shown, owner, belang, berichtsoort, at)"
            " values (%s, %s, %s, 'me', 'btw:2', 'ICP', %s)",
            [day, last, last, START + timedelta(hours=1)],
        )
        found = mailbox.others(conn, wanted, ["btw:1", "btw:2"])
        assert [x.belang for x in found] == ["btw:1"] * 3 + ["btw:2"]
        assert found[-1].kenmerk == last
        assert len(mailbox.others(conn, wanted, ["btw:2"])) == 1


def test_many_letters_that_may_not_be_had_do_not_hide_what_comes_after_them(dsn: str) -> None:
    """Of one party, of a kind that its reader has no mandate for: they stay unseen for ever."""
    gate = Gate(dsn, directory=starting(("Servicebericht",)))
    try:
        with gate.store.connect() as conn:
            partitions.ensure(conn, START.date())
            conn.execute(
                "insert into mailbox (day, kenmerk, shown, owner, belang, berichtsoort, at)"
                " select %s, gen_random_uuid(), gen_random_uuid(), 'other', %s, 'Geheim', %s"
                " from generate_series(1, 10001)",
                [START.date(), ":".join(CLIENT.key), START - timedelta(hours=1)],
            )
        gate.send(request("Servicebericht", belanghebbende=CLIENT), oin=DIENST)
        gate.work()
        assert letters(gate, INTERMEDIAIR) == 1
        assert letters(gate, INTERMEDIAIR) == 0
    finally:
        gate.close()


def test_a_right_that_comes_later_is_another_question() -> None:
    """What was found to be nothing new with fewer rights says nothing about more."""
    keys = {Wanted("reader", kinds=kinds).key("btw:1") for kinds in (None, ("A",), ("A", "B"))}
    assert len(keys) == 3


AGAIN = f"""
truncate late, nothing_new;
delete from process; delete from mailbox;
update settled set before = '0001-01-01';
drop trigger if exists late on process_{START - timedelta(days=START.weekday()):%Y%m%d};
drop trigger if exists late on mailbox_{START - timedelta(days=START.weekday()):%Y%m%d};
"""


def new_processes(requester: str) -> Callable[[psycopg.Connection[Any]], Iterator[set[UUID]]]:
    """A poll in its steps: where to look, the list, what it learns of it."""

    def poll(conn: psycopg.Connection[Any]) -> Iterator[set[UUID]]:
        about = About(requester, "btw:1", "ICP", own=requester == "me")
        span = reading.span(conn, about)
        yield set()
        page = reading.unread(conn, about, span, [], 1000)
        yield {row[0] for row in page}
        closed_weeks.learn(conn, span, {about.key(): {row[1] for row in page}})
        yield set()

    return poll


def new_letters(requester: str) -> Callable[[psycopg.Connection[Any]], Iterator[set[UUID]]]:
    def poll(conn: psycopg.Connection[Any]) -> Iterator[set[UUID]]:
        wanted = Wanted(requester, new=mailbox.LIST)
        listed = mailbox.own(conn, wanted) if requester == "me" else mailbox.others(
            conn, wanted, ["btw:1"]
        )  # fmt: skip
        yield {letter.kenmerk for letter in listed}

    return poll


@pytest.mark.parametrize(
    ("newer", "poll", "steps"),
    [
        (a_status, new_processes("me"), 3), (a_process, new_processes("reader"), 3),
        (a_letter, new_letters("me"), 1), (a_letter, new_letters("reader"), 1),
    ],
)  # fmt: skip
def test_in_whatever_order_they_come_nothing_is_missed(
    dsn: str, newer: Newer, poll: Callable[[psycopg.Connection[Any]], Iterator[set[UUID]]],
    steps: int,
) -> None:  # fmt: skip
    """One writes something new in a week and commits, one settles it, and somebody asks, in steps,
    and has begun to ask again. Two polls later it was found."""
    acts = "WCS" + "P" * min(2 * steps, 4)
    orders = [order for order in set(permutations(acts)) if order.index("W") < order.index("C")]
    day, kenmerk = partitions.week(START.date()), uuid4()
    with (
        psycopg.connect(dsn, autocommit=True) as writer,
        psycopg.connect(dsn, autocommit=True) as settler,
        psycopg.connect(dsn, autocommit=True) as poller,
    ):
        partitions.ensure(settler, day - WEEK, 1)
        for order in sorted(orders):
            assert closed_weeks.settle(settler, day + closed_weeks.AGE) == day
            if newer is a_status:
                a_process(settler, kenmerk, day, 0, unread=False)
            assert set().union(*poll(poller)) == set()
            found: set[UUID] = set()
            polls = (step for _ in range(3) for step in poll(poller))
            for who in order:
                if who == "W":
                    writer.execute("begin")
                    newer(writer, kenmerk, day)
                elif who == "C":
                    writer.execute("commit")
                elif who == "S":
                    closed_weeks.settle(settler, day + WEEK + closed_weeks.AGE, "1ms")
                else:
                    found |= next(polls)
            assert found.union(*polls) == {kenmerk}, order
            settler.execute(AGAIN)
