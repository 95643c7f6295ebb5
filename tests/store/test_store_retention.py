"""What may be deleted, and what a legal hold keeps, between who deletes and who holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from openpoort.domain.process import State
from openpoort.store.journal import journal, sequencer
from openpoort.store.messages import retention
from openpoort.store.store import Store
from tests.store.rows import NOW, accept

Connection = psycopg.Connection[Any]
MONDAY = date(2026, 11, 23)
WEEK = timedelta(days=7)
MONTH = date(2026, 11, 1)


@pytest.fixture
def store(dsn: str) -> Iterator[Store]:
    made = Store(dsn)
    yield made
    made.close()


@pytest.fixture
def a(store: Store) -> Iterator[Connection]:
    with store.connect() as one:
        yield one


@pytest.fixture
def b(store: Store) -> Iterator[Connection]:
    with store.connect() as one:
        one.execute("set lock_timeout = '100ms'")
        yield one


def taken_in(store: Store, conn: Connection, day: date, **more: Any) -> str:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    item = accept(uuid4(), at=at, **more)
    store.take_in(conn, [item])
    return str(item.message.kenmerk)


def said(conn: Connection, kind: str) -> list[dict[str, Any]]:
    rows = conn.execute("select entry from journal order by xid, id").fetchall()
    return [e for e in (json.loads(entry) for (entry,) in rows) if e["kind"] == kind]


def test_a_week_is_from_monday_to_sunday(store: Store, a: Connection) -> None:
    before, first, last, after = (
        taken_in(store, a, MONDAY + timedelta(days=n)) for n in (-1, 0, 6, 7)
    )
    assert retention.week(a, MONDAY).open == 2
    for kenmerk, held in ((before, 0), (after, 0), (first, 1), (last, 2)):
        retention.hold(a, kenmerk, "jurist", "zaak", NOW)
        assert retention.week(a, MONDAY).held == held
    assert retention.forget_keys(a, MONDAY, NOW) == 4, "kenmerk and repeat key of two"
    left = a.execute("select kenmerk::text from register order by day").fetchall()
    assert left == [(before,), (after,)]
    assert a.execute("select count(*) from repeat").fetchone() == (2,)


def test_a_week_tells_its_kinds_and_what_has_not_ended(store: Store, a: Connection) -> None:
    taken_in(store, a, MONDAY)
    taken_in(store, a, MONDAY, state=State.DELIVERED)
    taken_in(store, a, MONDAY, state=State.REJECTED, berichtsoort="Aangifte_LH")
    found = retention.week(a, MONDAY)
    assert (found.kinds, found.open) == ({"Omzetbelasting", "Aangifte_LH"}, 1)
    assert retention.week(a, MONDAY - WEEK) == retention.Week(MONDAY - WEEK, frozenset(), 0, 0)


def test_a_hold_keeps_its_week_and_no_other_until_it_is_lifted(
    store: Store, a: Connection, b: Connection
) -> None:
    kenmerk, later = taken_in(store, a, MONDAY), taken_in(store, a, MONDAY + WEEK)
    assert retention.hold(b, kenmerk, "jurist", "zaak", NOW)
    assert not retention.hold(a, kenmerk, "ander", "zaak", NOW), "the first one stands"
    assert [(k, by) for k, _, by, _ in retention.holds(a)] == [(kenmerk, "jurist")]
    assert retention.drop_week(a, "message", MONDAY, NOW) is None
    assert a.execute("select count(*) from message").fetchone() == (2,)
    assert said(a, "retention.deleted") == []
    dropped = retention.drop_week(a, "message", MONDAY + WEEK, NOW)
    assert dropped is not None
    assert dropped.rows == 1
    assert not retention.lift(b, later, "jurist", NOW)
    assert retention.lift(b, kenmerk, "jurist", NOW)
    assert not retention.lift(b, kenmerk, "jurist", NOW)
    assert len(said(a, "hold.set")) == len(said(a, "hold.lifted")) == 1
    assert retention.drop_week(a, "message", MONDAY, NOW) is not None
    assert a.execute("select count(*) from message").fetchone() == (0,)


def test_who_reads_a_week_while_it_is_deleted_waits(
    store: Store, a: Connection, b: Connection
) -> None:
    taken_in(store, a, MONDAY)
    with a.transaction():
        assert retention.drop_week(a, "message", MONDAY, NOW) is not None
        with pytest.raises(psycopg.errors.LockNotAvailable):
            b.execute("select count(*) from message")


def test_a_week_that_somebody_writes_in_is_waited_for(
    store: Store, a: Connection, b: Connection
) -> None:
    taken_in(store, a, MONDAY)
    with a.transaction():
        a.execute("update message set rol_belang = rol_belang")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            retention.drop_week(b, "message", MONDAY, NOW)
    assert a.execute("select count(*) from message").fetchone() == (1,)


def test_a_hold_that_comes_while_the_week_is_locked_keeps_it(
    store: Store, a: Connection, b: Connection
) -> None:
    kenmerk = taken_in(store, a, MONDAY)
    b.execute("set lock_timeout = 0")
    with a.transaction():
        a.execute("lock table message in access share mode")
        retention.hold(a, kenmerk, "jurist", "zaak", NOW)
        found: list[Any] = []
        waits = _drops(b, found)
    waits.join()
    assert found == [None]


def _drops(conn: Connection, found: list[Any]) -> Any:
    """A thread that drops the week, and waits for a lock before this returns."""
    import threading

    pid = conn.info.backend_pid
    thread = threading.Thread(
        target=lambda: found.append(retention.drop_week(conn, "message", MONDAY, NOW))
    )
    thread.start()
    with psycopg.connect(conn.info.dsn, password=conn.info.password, autocommit=True) as watch:
        waiting = "select count(*) from pg_locks where pid = %s and not granted"
        while watch.execute(waiting, [pid]).fetchone() != (1,):
            assert thread.is_alive()
    return thread


def test_the_proof_is_over_the_keys_that_went(store: Store, a: Connection) -> None:
    kenmerken = sorted(taken_in(store, a, MONDAY) for _ in range(3))
    retention.drop_week(a, "message", MONDAY, NOW)
    row = a.execute(
        "select encode(sha256(convert_to(%s, 'UTF8')), 'hex')",
        ["".join(f"{k}\n" for k in kenmerken)],
    ).fetchone()
    assert row is not None
    [proof] = said(a, "retention.deleted")
    assert proof["data"] == {
        "table": "message", "from": "2026-11-23", "rows": 3, "digest": row[0],
    }  # fmt: skip


def test_keys_of_weeks_whose_processes_went_are_found(store: Store, a: Connection) -> None:
    taken_in(store, a, MONDAY + timedelta(days=6))
    taken_in(store, a, MONDAY + WEEK)
    assert retention.unforgotten(a) == []
    a.execute("drop table process_20261123")
    assert retention.unforgotten(a) == [MONDAY]


def test_a_month_stays_while_an_entry_waits_or_a_message_in_it_is_held(
    store: Store, a: Connection, b: Connection
) -> None:
    journal.ahead(a, NOW)
    kenmerk = taken_in(store, a, MONDAY)
    assert retention.drop_month(a, MONTH, NOW) is None, "an entry has no place yet"
    sequencer.step(b)
    a.execute("insert into hold values (%s, %s, 'jurist', 'zaak')", [kenmerk, NOW])
    assert retention.held_in_month(a, MONTH) == 1
    assert retention.held_in_month(a, date(2026, 10, 1)) == 0
    assert retention.held_in_month(a, date(2026, 12, 1)) == 0
    assert retention.drop_month(a, MONTH, NOW) is None
    assert MONTH in retention.months(a)
    a.execute("delete from hold")
    dropped = retention.drop_month(a, MONTH, NOW + timedelta(days=40))
    assert dropped is not None
    assert dropped.rows == 1
    assert MONTH not in retention.months(a)
    [proof] = said(a, "retention.deleted")
    assert proof["data"]["months"] == {"2026-11": 1}
