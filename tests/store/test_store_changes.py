"""Who may change a process and who was offered it; what stands parked. Two connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from openpoort.domain.process import State
from openpoort.store.messages import changes, parked
from openpoort.store.messages.changes import Delivery, Mail, Parking
from openpoort.store.messages.rows import JobRow
from openpoort.store.store import Store
from tests.store.rows import NOW, accept

Connection = psycopg.Connection[Any]


@pytest.fixture
def store(room: str) -> Iterator[Store]:
    made = Store(room)
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


def taken_in(store: Store, conn: Connection, **more: Any) -> UUID:
    item = accept(**more)
    store.take_in(conn, [item])
    return item.message.kenmerk


def places(*kenmerken: UUID) -> list[tuple[UUID, Any]]:
    return [(kenmerk, NOW.date()) for kenmerk in kenmerken]


def test_a_process_is_changed_by_one_at_a_time(store: Store, a: Connection, b: Connection) -> None:
    one, two = taken_in(store, a), taken_in(store, a)
    with a.transaction():
        changes.lock(a, places(one))
        with pytest.raises(psycopg.errors.LockNotAvailable), b.transaction():
            changes.lock(b, places(one))
        with b.transaction():
            assert set(changes.lock(b, places(two))) == {two}


def test_two_that_lock_the_same_in_another_order_do_not_deadlock(
    store: Store, a: Connection, b: Connection
) -> None:
    first, second = sorted((taken_in(store, a), taken_in(store, a)))
    with a.transaction():
        changes.lock(a, places(first))
        with pytest.raises(psycopg.errors.LockNotAvailable), b.transaction():
            changes.lock(b, places(second, first))
        with b.transaction():
            changes.lock(b, places(second))  # which it had not when it waited for the first


def test_only_what_was_locked_is_changed_and_its_sender_told(store: Store, a: Connection) -> None:
    changed, other = taken_in(store, a), taken_in(store, a)
    a.execute("update process set unread = false")
    with a.transaction():
        process = changes.lock(a, places(changed))[changed]
        process.add("200", NOW)
        process.state, process.open = State.CANCELLED, 3
        changes.apply(a, [process])
    with a.transaction():
        again = changes.lock(a, places(changed, other))
    assert (again[changed].state, again[changed].open, again[changed].seq) == (
        State.CANCELLED,
        3,
        2,
    )
    assert (again[other].state, again[other].open, again[other].seq) == (State.RUNNING, 1, 1)
    unread = dict(a.execute("select kenmerk, unread from process").fetchall())
    assert (unread[changed], unread[other]) == (True, False)
    with a.transaction():
        changes.apply(a, [again[changed]])
    assert a.execute("select unread from process where kenmerk = %s", [changed]).fetchone() == (
        True,
    ), "what was not read stays so when nothing is added"


def test_a_process_is_found_under_its_own_day(store: Store, a: Connection) -> None:
    kenmerk = taken_in(store, a)
    with a.transaction():
        assert changes.lock(a, [(kenmerk, NOW.date() - timedelta(days=1))]) == {}
        assert changes.lock(a, []) == {}


def test_who_was_offered_a_message_is_who_got_it_or_was_tried(store: Store, a: Connection) -> None:
    one, two = taken_in(store, a, jobs=False), taken_in(store, a, jobs=False)
    with a.transaction():
        process = changes.lock(a, places(one))[one]
        process.deliveries.append(Delivery("GOT", 0, "id", 1, NOW, b"receipt"))
        changes.apply(a, [process])
    jobs = (("WAITS", 0, one), ("TRIED", 1, one), (None, 4, one), ("TRIED2", 1, two))
    for agency, attempts, kenmerk in jobs:
        a.execute(
            "insert into job (day, kenmerk, step, lane, agency, due_at, attempts)"
            " values (%s, %s, 'afleveren', 'x', %s, %s, %s)",
            [NOW.date(), kenmerk, agency, NOW, attempts],
        )
    assert changes.offered_to(a, places(one)) == {one: frozenset({"GOT", "TRIED"})}
    assert changes.offered_to(a, places(two)) == {two: frozenset({"TRIED2"})}
    assert changes.offered_to(a, places(uuid4())) == {}


def test_a_kenmerk_leads_to_its_own_register(store: Store, a: Connection) -> None:
    one, two = taken_in(store, a), taken_in(store, a, sender="00000099002000055000")
    assert changes.register(a, one) == (NOW.date(), "Omzetbelasting", "00000099001000044000", None)
    assert changes.register(a, uuid4()) is None
    found = changes.registers(a, [two, uuid4()])
    assert found == {two: (NOW.date(), "Omzetbelasting", "00000099002000055000")}
    assert set(changes.berichtkenmerken(a, places(one))) == {one}


def parking(agency: str | None, since: datetime) -> Parking:
    return Parking("afleveren", "x", agency, 0, 7, since, "reden")


def test_parked_jobs_are_listed_by_agency_and_kind_and_taken_away_one_by_one(
    store: Store, a: Connection
) -> None:
    a.execute("delete from parked")
    old, new = taken_in(store, a), taken_in(store, a, berichtsoort="Aangifte_LH")
    with a.transaction():
        found = changes.lock(a, places(old, new))
        found[new].parked.append(parking("Y", NOW))
        found[old].parked.append(parking("X", NOW - timedelta(hours=1)))
        found[old].parked.append(parking(None, NOW + timedelta(hours=1)))
        changes.apply(a, list(found.values()))
    listed = [(p.kenmerk, p.job.agency) for p in parked.listed(a)]
    assert listed == [(old, "X"), (new, "Y"), (old, None)]
    assert [p.kenmerk for p in parked.listed(a, agency="Y")] == [new]
    assert [p.kenmerk for p in parked.listed(a, berichtsoort="Omzetbelasting")] == [old, old]
    assert parked.listed(a, agency="Y", berichtsoort="Omzetbelasting") == []
    assert len(parked.listed(a, limit=2)) == 2
    first, last = parked.of(a, old)
    assert (first.job, last.job.agency) == (parking("X", NOW - timedelta(hours=1)), None)
    parked.remove(a, [first.id])
    assert [p.job.agency for p in parked.listed(a)] == ["Y", None]


def test_an_operator_does_not_wait_for_a_worker_that_has_the_message_in_hand(
    store: Store, a: Connection, b: Connection
) -> None:
    kenmerk, other = taken_in(store, a), taken_in(store, a)
    with a.transaction():
        a.execute("select from job where kenmerk = %s for update", [kenmerk])
        with pytest.raises(parked.Held), b.transaction():
            parked.jobs(b, kenmerk, lock=True)
        with b.transaction():
            assert len(parked.jobs(b, other, lock=True)) == 1
        [(job, out)] = parked.jobs(b, kenmerk)
    assert isinstance(job, JobRow)
    assert (job.kenmerk, out) == (kenmerk, False)
    with b.transaction():
        parked.jobs(b, kenmerk, lock=True)
        a.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            a.execute("update job set attempts = 1 where kenmerk = %s", [kenmerk])


def test_a_job_is_out_while_its_lease_lasts(store: Store, a: Connection) -> None:
    kenmerk = taken_in(store, a)

    def out(fence: UUID | None, until: str) -> bool:
        a.execute(
            f"update job set fence = %s, lease_until = clock_timestamp() + '{until}'::interval"
            " where kenmerk = %s", [fence, kenmerk],
        )  # fmt: skip
        [(_, is_out)] = parked.jobs(a, kenmerk)
        return is_out

    assert out(uuid4(), "1 hour")
    assert not out(uuid4(), "-1 second")
    assert not out(None, "1 hour")


def test_deliveries_are_told_of_this_message_in_their_order(store: Store, a: Connection) -> None:
    one, two = taken_in(store, a), taken_in(store, a)
    later = NOW + timedelta(hours=1)
    with a.transaction():
        found = changes.lock(a, places(one, two))
        made = Delivery("LATE", 1, "id", 1, later, b"receipt")
        found[one].deliveries += [made, replace(made, agency="SOON", delivered_at=NOW), made]
        found[two].deliveries.append(made)
        changes.apply(a, list(found.values()))
    assert parked.delivered_to(a, one, NOW.date()) == [("SOON", 0 + 1, NOW), ("LATE", 1, later)]
    assert parked.delivered_to(a, one, NOW.date() - timedelta(days=1)) == []


def test_mail_lies_there_for_its_owner(store: Store, a: Connection) -> None:
    kenmerk = taken_in(store, a)
    with a.transaction():
        process = changes.lock(a, places(kenmerk))[kenmerk]
        process.mailbox.append(Mail(kenmerk, "owner", "belang", "Omzetbelasting", NOW))
        changes.apply(a, [process])
    row = a.execute(
        "select day, kenmerk, shown, owner, belang, berichtsoort, at from mailbox"
    ).fetchone()
    assert row == (
        NOW.date(), kenmerk, kenmerk, "owner", "belang", "Omzetbelasting",
        datetime(2026, 11, 23, 12, tzinfo=UTC),
    )  # fmt: skip
