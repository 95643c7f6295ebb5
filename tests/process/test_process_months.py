"""What a month cost: counted from the journal, each entry once, whoever counts and whoever dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from openpoort.app.months import terms
from openpoort.process.flow import kinds
from openpoort.store.journal import sequencer
from openpoort.store.messages import months
from openpoort.store.messages.months import KindTerms, Month
from tests.process.house import Gate, request

UNKNOWN = KindTerms("", "unknown", 90, 730, 3650)
KINDS = terms(kinds.load())


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


@pytest.fixture
def conn(dsn: str) -> Iterator[months.Connection]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield conn


def _count(conn: months.Connection, batch: int = months.BATCH) -> list[Month]:
    while sequencer.step(conn, wait=True).more:  # type: ignore[union-attr]
        pass
    while months.count(conn, KINDS, UNKNOWN, batch) == batch:
        pass
    return months.counted(conn).rows


def test_row_holds_what_the_messages_wrote_and_what_was_spent(
    gate: Gate, conn: months.Connection
) -> None:
    kenmerken = [gate.send() for _ in range(3)]
    gate.work()
    months.spent(conn, "door a", "door", 3.0)
    months.spent(conn, "worker a", "worker", 5.0)
    months.spent(conn, "postgres 1", "database", 2.0)
    (row,) = _count(conn)
    told = conn.execute("select sum(octet_length(entry)) from journal").fetchone()
    assert told is not None
    asked = conn.execute("select sum(octet_length(body) + octet_length(token)) from request")
    documents = sum(len(request().inhoud.inhoud) for _ in kenmerken)
    least = told[0] + asked.fetchone()[0] + documents  # type: ignore[index]
    assert (row.month, row.messages) == (gate.clock.now().date().replace(day=1), 3)
    assert (row.cpu_seconds, row.database_seconds) == (pytest.approx(8.0), pytest.approx(2.0))
    assert least <= row.bytes <= least + 20_000
    assert row.byte_days > 90 * row.bytes


def test_counting_again_adds_nothing_and_what_comes_later_is_added(
    gate: Gate, conn: months.Connection
) -> None:
    gate.send()
    months.spent(conn, "door a", "door", 1.0)
    (first,) = _count(conn)
    assert _count(conn) == [first]
    months.spent(conn, "door a", "door", 0.5)  # a late word of the same process
    gate.send()
    months.spent(conn, "door a", "door", 4.0)
    (second,) = _count(conn)
    assert (second.messages, second.cpu_seconds) == (2, pytest.approx(4.0))
    assert second.database_seconds is None  # nobody measured it


def test_batches_add_up_to_the_same_as_one(gate: Gate, conn: months.Connection) -> None:
    for _ in range(4):
        gate.send()
    gate.work()
    (row,) = _count(conn, batch=3)
    conn.execute("update month_counted set leaf = 0")
    conn.execute("delete from month_cost")
    (whole,) = _count(conn)
    assert (row.messages, row.bytes, row.byte_days) == (
        whole.messages,
        whole.bytes,
        whole.byte_days,
    )


def test_a_counter_that_dies_leaves_all_or_nothing(
    dsn: str, gate: Gate, conn: months.Connection
) -> None:
    gate.send()
    months.spent(conn, "door a", "door", 1.0)
    sequencer.step(conn, wait=True)
    with psycopg.connect(dsn) as dying:  # in a transaction that never commits
        assert months.count(dying, KINDS, UNKNOWN) > 0
        assert months.count(conn, KINDS, UNKNOWN) == 0  # another is at work
        dying.rollback()
    (row,) = _count(conn)
    assert (row.messages, row.cpu_seconds) == (1, pytest.approx(1.0))


def test_many_counters_at_once_count_each_message_once(
    dsn: str, gate: Gate, conn: months.Connection
) -> None:
    for _ in range(12):
        gate.send()
    gate.work()
    months.spent(conn, "door a", "door", 6.0)
    while sequencer.step(conn, wait=True).more:  # type: ignore[union-attr]
        pass

    def counter() -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            for _ in range(40):
                months.count(own, KINDS, UNKNOWN, batch=4)

    threads = [threading.Thread(target=counter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (row,) = _count(conn)
    assert (row.messages, row.cpu_seconds) == (12, pytest.approx(6.0))


def test_time_without_messages_waits_for_the_next(gate: Gate, conn: months.Connection) -> None:
    months.spent(conn, "door a", "door", 7.0)
    assert _count(conn) == []
    gate.send()
    (row,) = _count(conn)
    assert row.cpu_seconds == pytest.approx(7.0)


def test_months_and_kinds_stand_apart(gate: Gate, conn: months.Connection) -> None:
    gate.send()
    first = gate.clock.now().date().replace(day=1)
    gate.wall.turn(days=31)
    gate.send()
    rows = _count(conn)
    assert [r.messages for r in rows] == [1, 1]
    assert rows[0].month == first < rows[1].month
    assert all(isinstance(r.month, date) and r.agency != "unknown" for r in rows)
