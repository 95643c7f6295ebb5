"""Everybody who waits for rows locks them in one order; an aborted poll tells nothing twice."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from openpoort.domain.message import Operatie, Vraag
from openpoort.domain.status import Status
from openpoort.store import queue
from openpoort.store.messages import changes, closed_weeks, reading
from openpoort.store.messages.closed_weeks import Span
from openpoort.store.postgres.primary import Link, connect
from tests.process.house import BEDRIJF, BTW, HAPPY, START, Gate, verified

PLANS = [
    (),
    ("enable_seqscan", "enable_bitmapscan"),
    ("enable_indexscan", "enable_bitmapscan", "enable_nestloop", "enable_mergejoin"),
    ("enable_indexscan", "enable_bitmapscan", "enable_nestloop", "enable_hashjoin"),
]
"""What the planner may not do: tables that grow and shrink make it choose now this, now that."""
FAR = START + timedelta(days=1000)


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def session(dsn: str, without: Sequence[str]) -> Link:
    conn = connect(dsn, silence=0)
    for name in without:
        conn.execute(f"set {name} = off")
    return conn


def waiting(dsn: str, count: int) -> None:
    """Until so many sessions of this database wait for a lock."""
    end = time.monotonic() + 20
    with connect(dsn) as conn:
        while time.monotonic() < end:
            (found,) = conn.execute(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and wait_event_type = 'Lock'"
            ).fetchone() or (0,)
            if found >= count:
                return
    raise AssertionError("nobody waits")


def sent(gate: Gate, count: int, step: int = -1) -> list[tuple[UUID, date]]:
    """So many messages that have ended, in the order of their kenmerk. With `step` -1 they came in
    the other way round: the index of what is unread goes by time."""
    for _ in range(count):
        gate.send()
    gate.work()
    with gate.store.connect() as conn:
        rows = conn.execute("select kenmerk, day from process order by kenmerk").fetchall()
        for place, (kenmerk, _) in enumerate(rows):
            conn.execute(
                "update process set accepted_at = accepted_at + %s where kenmerk = %s",
                [timedelta(seconds=place * step), kenmerk],
            )
    return [(kenmerk, day) for kenmerk, day in rows]


@pytest.mark.parametrize("without", PLANS)
def test_a_poll_and_a_worker_wait_for_each_other_one_way_only(
    gate: Gate, without: Sequence[str]
) -> None:
    places = sent(gate, 6)
    had = [(day, kenmerk, seq) for kenmerk, day in places for seq in range(1, 10)]
    meet(
        gate.store.dsn, "select from process order by kenmerk",
        lambda conn: changes.lock(conn, places),
        lambda conn: reading.mark(conn, BEDRIJF, had), without,
    )  # fmt: skip
    assert gate.count("process where unread") == 0


def meet(
    dsn: str,
    first_row: str,
    one: Callable[[Link], object],
    two: Callable[[Link], object],
    without: Sequence[str],
) -> None:
    """Both want several rows of which somebody has the first: `one` waits, then `two`, then the
    first row comes free."""

    def run(act: Callable[[Link], object]) -> None:
        with session(dsn, without) as conn, conn.transaction():
            act(conn)

    with ThreadPoolExecutor(2) as threads:
        with connect(dsn) as conn, conn.transaction():
            assert conn.execute(first_row + " limit 1 for update").fetchone() is not None
            first = threads.submit(run, one)
            waiting(dsn, 1)
            second = threads.submit(run, two)
            waiting(dsn, 2)
        first.result(30)
        second.result(30)


@pytest.mark.parametrize("without", PLANS)
def test_retention_and_a_poll_wait_for_each_other_one_way_only(
    dsn: str, without: Sequence[str]
) -> None:
    questions = [UUID(int=n) for n in range(1, 7)]
    known = dict.fromkeys(questions, date.min)
    learnt = Span(date.min, [], date(2026, 1, 5), known)
    with connect(dsn) as conn:
        for question in reversed(questions):
            closed_weeks.learn(conn, Span(date.min, [], date(2025, 1, 6), {question: date.min}), {})
    meet(
        dsn, "select from nothing_new order by question",
        lambda conn: closed_weeks.learn(conn, learnt, {}),
        lambda conn: closed_weeks.forget(conn, date(2027, 1, 4)), without,
    )  # fmt: skip


@pytest.mark.parametrize("without", PLANS)
def test_two_who_finish_jobs_wait_for_each_other_one_way_only(
    dsn: str, without: Sequence[str]
) -> None:
    fence = uuid4()
    with connect(dsn) as conn:
        conn.execute(
            "insert into job (day, kenmerk, step, lane, generation, due_at, attempts)"
            " select '2026-11-23', gen_random_uuid(), 'x', 'local', 0,"
            " now() - n * interval '1 s', 0 from generate_series(1, 6) n"
        )
        jobs = queue.lease(conn, "local", None, FAR, 6, 6, fence, 3600)
        conn.execute("update job set step = 'y' where id = (select min(id) from job)")
    meet(
        dsn, "select from job order by id",
        lambda conn: queue.let_go(conn, fence, ()),
        lambda conn: queue.finish(conn, jobs), without,
    )  # fmt: skip


def test_a_poll_that_the_database_aborts_is_marked_all_the_same(gate: Gate) -> None:
    """Another program locks rows in its own order; PostgreSQL lets the poll lose."""
    places = sent(gate, 2, step=1)
    low, high = places[0][0], places[1][0]
    vraag = Vraag(Operatie.NIEUWE_STATUSSEN, berichtsoort="Omzetbelasting", belanghebbende=BTW)
    locked = threading.Event()

    def stranger() -> None:
        with connect(gate.store.dsn, silence=0) as conn, conn.transaction():
            conn.execute("set local deadlock_timeout = '1h'")
            conn.execute("select from process where kenmerk = %s for update", [high])
            locked.set()
            waiting(gate.store.dsn, 1)
            conn.execute("select from process where kenmerk = %s for update", [low])

    async def told() -> list[str]:
        reading = await gate.reader.vraag(verified(BEDRIJF), vraag)
        found = [s.statuscode for s in reading.antwoord.items if isinstance(s, Status)]
        other = asyncio.get_running_loop().run_in_executor(None, stranger)
        await asyncio.to_thread(locked.wait, 20)
        await reading.delivered()
        await other
        return found

    assert asyncio.run(told()) == HAPPY * 2
    again = gate.ask(
        vraag.operatie, berichtsoort=vraag.berichtsoort, belanghebbende=vraag.belanghebbende
    )
    assert again.items == ()
    assert gate.count("process where unread") == 0
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    with connect(gate.store.dsn) as conn:
        end = time.monotonic() + 20  # each backend tells of what it saw when it is done
        while conn.execute(deadlocks).fetchone() != (1,):
            assert time.monotonic() < end, "nothing was aborted: this test showed nothing"
            conn.execute("select pg_stat_clear_snapshot()")


def storm(dsn: str, places: Sequence[tuple[UUID, date]], rounds: int, seed: int) -> list[str]:
    """All who wait for rows, on connections of their own, each with a planner that may do other
    things each time; what went wrong."""
    questions = [uuid4() for _ in range(300)]
    wrong: list[str] = []

    def worker(conn: Link, dice: random.Random) -> None:
        with conn.transaction():
            jobs = queue.claim(conn, "local", FAR, 20)
            locked = changes.lock(conn, dice.sample(places, 150))
            for process in locked.values():
                process.add("110", process.last_at)
            changes.apply(conn, list(locked.values()))
            queue.finish(conn, jobs)

    def poll(conn: Link, dice: random.Random) -> None:
        wanted = [kenmerk for kenmerk, _ in dice.sample(places, 100)]
        rows = conn.execute(
            "select day, kenmerk, n from process, generate_series(1, seq) n"
            " where kenmerk = any(%s)",
            [wanted],
        ).fetchall()
        had = [(day, kenmerk, seq) for day, kenmerk, seq in rows]
        with conn.transaction():
            reading.mark(conn, BEDRIJF, had)

    def lessee(conn: Link, dice: random.Random) -> None:
        fence = uuid4()
        with conn.transaction():
            jobs = queue.lease(conn, "storm", None, FAR, 50, 1000, fence, 60)
        with conn.transaction():
            queue.finish(conn, dice.sample(jobs, len(jobs) // 2))
        queue.let_go(conn, fence, ())

    def orphans(conn: Link, dice: random.Random) -> None:
        queue.release_orphans(conn)

    def reader(conn: Link, dice: random.Random) -> None:
        known = dict.fromkeys(dice.sample(questions, 200), date.min)
        before = date(2026, 1, 1) + timedelta(days=dice.randrange(1000))
        closed_weeks.learn(conn, Span(date.min, [], before, known), {})

    def retention(conn: Link, dice: random.Random) -> None:
        closed_weeks.forget(conn, date(2027, 1, 1))

    def actor(number: int, act: Callable[[Link, random.Random], None]) -> None:
        dice = random.Random(f"{seed}/{number}")
        for _ in range(rounds):
            with session(dsn, dice.choice(PLANS)) as conn:
                conn.execute("set deadlock_timeout = '20ms'")
                for _ in range(5):
                    try:
                        act(conn, dice)
                    except psycopg.errors.DeadlockDetected as error:
                        wrong.append(f"{act.__name__}: {error.diag.message_detail}")

    acts = [worker, worker, poll, poll, lessee, orphans, reader, reader, retention]
    with ThreadPoolExecutor(len(acts)) as threads:
        for done in [threads.submit(actor, n, act) for n, act in enumerate(acts)]:
            done.result(120)
    return wrong


def test_no_two_of_the_store_ever_deadlock(gate: Gate) -> None:

    sent(gate, 1)
    with connect(gate.store.dsn) as conn:
        conn.execute(
            "insert into process select (jsonb_populate_record(p, jsonb_build_object("
            "'kenmerk', gen_random_uuid(), 'accepted_at', now() - n * interval '1 s'))).*"
            " from process p, generate_series(1, 299) n"
        )
        conn.execute(
            "insert into job (day, kenmerk, step, lane, generation, due_at, attempts)"
            " select p.day, p.kenmerk, 'x', lane, 0, now() - random() * interval '1 h', 0"
            " from process p, generate_series(1, 5) n, unnest(array['storm', 'local']) lane"
        )
        rows = conn.execute("select kenmerk, day from process").fetchall()
    assert storm(gate.store.dsn, rows, rounds=4, seed=7) == []
