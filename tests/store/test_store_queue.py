"""Who may take, hold and finish a job: each rule of the queue's SQL, between two connections."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from openpoort.store import queue
from openpoort.store.messages.rows import JobRow

Connection = psycopg.Connection[Any]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
LANE = "agency:X:Omzetbelasting"


@pytest.fixture
def a(room: str) -> Iterator[Connection]:
    with psycopg.connect(room, autocommit=True) as one:
        one.execute("truncate job")
        yield one


@pytest.fixture
def b(room: str) -> Iterator[Connection]:
    with psycopg.connect(room, autocommit=True) as one:
        yield one


def put(conn: Connection, due: datetime = NOW, lane: str = LANE, **more: Any) -> int:
    """One job; its id."""
    values = {"day": NOW.date(), "kenmerk": uuid4(), "step": "afleveren", "lane": lane,
              "agency": "X", "due_at": due} | more  # fmt: skip
    row = conn.execute(
        f"insert into job ({', '.join(values)}) values ({', '.join(['%s'] * len(values))})"
        " returning id", list(values.values()),
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def lease(
    conn: Connection, *, limit: int = 9, cap: int = 9, fence: UUID | None = None, **more: Any
) -> list[JobRow]:
    values: dict[str, Any] = {"lane": LANE, "agency": "X", "now": NOW, "seconds": 60.0} | more
    return queue.lease(conn, limit=limit, cap=cap, fence=fence or uuid4(), **values)


def run_out(conn: Connection) -> None:
    """All leases ended a moment ago."""
    conn.execute("update job set lease_until = clock_timestamp() - interval '1 millisecond'")


def ids(jobs: list[JobRow]) -> list[int]:
    return [job.id for job in jobs]


def left(conn: Connection) -> list[int]:
    return [row[0] for row in conn.execute("select id from job order by id")]


# Finishing: the fence.


def test_a_worker_whose_lease_ran_out_finishes_nothing_that_another_holds(
    a: Connection, b: Connection
) -> None:
    number = put(a)
    late = lease(a)
    run_out(a)
    other = lease(b)
    assert ids(late) == ids(other) == [number]
    assert queue.finish(a, late) == set()
    assert left(a) == [number]
    assert queue.finish(b, other) == {number}
    assert left(a) == []


def test_a_worker_whose_lease_ran_out_finishes_what_nobody_took(
    a: Connection, b: Connection
) -> None:
    number = put(a)
    late = lease(a)
    run_out(b)
    assert queue.finish(a, late) == {number}


def test_a_job_that_was_leased_is_not_finished_by_who_claimed_nothing(
    a: Connection, b: Connection
) -> None:
    number = put(a)
    with a.transaction():
        [unleased] = queue.claim(a, LANE, NOW, 1)
    lease(b)
    assert queue.finish(a, [unleased]) == set()
    assert left(b) == [number]


def test_finishing_some_leaves_the_others(a: Connection) -> None:
    kept, done = put(a), put(a)
    jobs = lease(a)
    assert queue.finish(a, [job for job in jobs if job.id == done]) == {done}
    assert left(a) == [kept]


def test_two_that_finish_the_same_jobs_in_another_order_wait_and_do_not_deadlock(
    a: Connection, b: Connection
) -> None:
    first, second = put(a), put(a)
    jobs = lease(a)
    with a.transaction():
        a.execute("select from job where id = %s for update", [first])
        b.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable), b.transaction():
            queue.finish(b, jobs[::-1])
        # The other waits for the first id and has the second one not yet.
        a.execute("select from job where id = %s for update nowait", [second])
    assert left(a) == [first, second]


# Leasing: who may have how many.


@pytest.mark.parametrize("cap", [1, 2, 3])
def test_over_all_workers_as_many_are_out_as_the_cap_says(
    a: Connection, b: Connection, cap: int
) -> None:
    for _ in range(5):
        put(a)
    one, two = lease(a, limit=1, cap=cap), lease(b, limit=5, cap=cap)
    assert (len(one), len(two)) == (1, cap - 1)
    assert lease(a, cap=cap) == lease(b, cap=cap) == []
    queue.finish(a, one)
    assert len(lease(b, cap=cap)) == 1


def test_all_lanes_of_an_agency_share_its_places(a: Connection, b: Connection) -> None:
    other = "agency:X:Aangifte_LH"
    for lane in (LANE, LANE, other, other):
        put(a, lane=lane)
    assert len(lease(a, cap=3)) == 2
    assert len(lease(b, cap=3, lane=other)) == 1


def test_another_agency_has_places_of_its_own(a: Connection, b: Connection) -> None:
    put(a)
    put(a, lane="agency:Y:Omzetbelasting", agency="Y")
    assert len(lease(a, cap=1)) == 1
    assert len(lease(b, cap=1, lane="agency:Y:Omzetbelasting", agency="Y")) == 1


def test_a_lane_without_an_agency_counts_its_own_leases(a: Connection, b: Connection) -> None:
    for _ in range(3):
        put(a, lane="checks", agency=None)
    assert len(lease(a, limit=1, cap=2, lane="checks", agency=None)) == 1
    assert len(lease(b, cap=2, lane="checks", agency=None)) == 1
    assert lease(b, cap=2, lane="checks", agency=None) == []


def test_a_lease_that_ran_out_takes_no_place(a: Connection, b: Connection) -> None:
    put(a), put(a)
    assert len(lease(a, cap=1)) == 1
    run_out(a)
    assert len(lease(b, cap=1)) == 1


def test_a_cap_that_was_lowered_leases_nothing_and_is_no_error(
    a: Connection, b: Connection
) -> None:
    for _ in range(4):
        put(a)
    assert len(lease(a, limit=3, cap=3)) == 3
    assert lease(b, cap=1) == []


def test_a_leased_job_is_not_leased_again_before_its_time(a: Connection, b: Connection) -> None:
    number = put(a)
    lease(a)
    assert lease(b) == []
    run_out(b)
    [again] = lease(b)
    assert (again.id, again.attempts) == (number, 2)


def test_a_lease_lasts_as_long_as_was_asked_by_the_clock_of_the_server(a: Connection) -> None:
    put(a)
    [job] = lease(a, seconds=90.0)
    row = a.execute(
        "select lease_until - clock_timestamp(), attempts, first_at, fence from job"
    ).fetchone()
    assert row is not None
    assert timedelta(seconds=60) < row[0] <= timedelta(seconds=90)
    assert row[1:] == (1, NOW, job.fence)
    run_out(a)
    [again] = lease(a, now=NOW + timedelta(hours=1))
    assert again.first_at == NOW, "the first attempt stays the first"


def test_what_is_due_this_moment_is_leased_and_claimed_and_not_what_is_due_after(
    a: Connection,
) -> None:
    now = put(a)
    put(a, NOW + MOMENT)
    with a.transaction():
        assert ids(queue.claim(a, LANE, NOW, 9)) == [now]
    assert ids(lease(a)) == [now]


def test_oldest_first_and_no_more_than_asked_whatever_the_planner_does(a: Connection) -> None:
    for way in ("indexscan", "indexonlyscan", "bitmapscan"):  # which would bring them in order
        a.execute(f"set enable_{way} = off")
    last = put(a, NOW - timedelta(minutes=1))
    middle = put(a, NOW - timedelta(minutes=2))
    first = put(a, NOW - timedelta(minutes=3))
    equal = put(a, NOW - timedelta(minutes=1))
    with a.transaction():
        assert ids(queue.claim(a, LANE, NOW, 2)) == [first, middle]
    assert ids(lease(a, limit=2)) == [first, middle]
    assert ids(lease(a, limit=1)) == [last]
    assert ids(lease(a, limit=9)) == [equal]


def test_messages_in_hand_elsewhere_are_left_out(a: Connection) -> None:
    kenmerk = uuid4()
    put(a, NOW - MOMENT, kenmerk=kenmerk)
    other = put(a)
    assert ids(lease(a, but=[kenmerk])) == [other]


def test_other_lanes_are_not_touched(a: Connection) -> None:
    put(a, lane="local", agency=None)
    assert lease(a) == []
    with a.transaction():
        assert queue.claim(a, LANE, NOW, 9) == []


def test_a_side_is_entered_by_one_worker_at_a_time(a: Connection, b: Connection) -> None:
    with a.transaction():
        assert queue.enter(a, "X")
        with b.transaction():
            assert not queue.enter(b, "X")
            assert queue.enter(b, "Y")
    with b.transaction():
        assert queue.enter(b, "X")


# Claiming: a lock for as long as the transaction lasts.


def test_two_that_claim_at_once_get_different_jobs_and_nobody_waits(
    a: Connection, b: Connection
) -> None:
    one, two = put(a, NOW - MOMENT), put(a)
    b.execute("set lock_timeout = '1s'")
    with a.transaction(), b.transaction():
        assert ids(queue.claim(a, LANE, NOW, 1)) == [one]
        assert ids(queue.claim(b, LANE, NOW, 9)) == [two]
        assert ids(lease(b)) == [two], "what another has locked is not leased either"


def test_a_leased_job_is_not_claimed_before_its_time(a: Connection, b: Connection) -> None:
    number = put(a)
    lease(a)
    with b.transaction():
        assert queue.claim(b, LANE, NOW, 1) == []
    run_out(a)
    with b.transaction():
        assert ids(queue.claim(b, LANE, NOW, 1)) == [number]


def test_lanes_say_whether_work_is_due(a: Connection) -> None:
    put(a, NOW + MOMENT, lane="a-later", agency="A")
    put(a, lane="b-now", agency="B")
    put(a, NOW + MOMENT, lane="b-now", agency="B")
    put(a, lane="c-out", agency="C")
    put(a, NOW - timedelta(days=1), lane="d-late", agency=None)
    lease(a, lane="c-out", agency="C")
    expected = [
        ("a-later", "A", False), ("b-now", "B", True), ("c-out", "C", False),
        ("d-late", None, True),
    ]  # fmt: skip
    assert queue.lanes(a, NOW) == expected
    a.execute("update job set lease_until = clock_timestamp() - interval '1s' where lane = 'c-out'")
    assert ("c-out", "C", True) in queue.lanes(a, NOW)


# Leases that end with their holder, or by its own hand.


def test_orphans_are_those_whose_holder_is_gone_and_no_others(a: Connection, b: Connection) -> None:
    living, dead = uuid4(), uuid4()
    put(a, NOW - MOMENT), put(a), put(a, NOW + timedelta(days=1))
    assert queue.hold(a, living)
    [kept], [lost] = lease(a, limit=1, fence=living), lease(a, limit=1, fence=dead)
    assert queue.release_orphans(b) == 1
    assert queue.release_orphans(b) == 0, "a lease that has ended is no orphan"
    assert ids(lease(b, fence=uuid4())) == [lost.id]
    assert queue.finish(a, [kept, lost]) == {kept.id}, "the fence of the dead does not stand"


def test_a_job_that_somebody_has_in_hand_is_passed_over_when_orphans_are_looked_for(
    a: Connection, b: Connection
) -> None:
    number = put(a)
    lease(a)
    b.execute("set lock_timeout = '1s'")
    with a.transaction():
        a.execute("select from job where id = %s for update", [number])
        assert queue.release_orphans(b) == 0
    assert queue.release_orphans(b) == 1


def test_the_same_lock_in_another_database_keeps_no_lease_here(
    a: Connection, b: Connection, postgres: Any
) -> None:
    fence = uuid4()
    put(a)
    lease(a, fence=fence)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as elsewhere:
        assert queue.hold(elsewhere, fence)
        assert queue.release_orphans(b) == 1


def test_letting_go_ends_the_leases_of_this_holder_but_for_those_in_hand(
    a: Connection, b: Connection
) -> None:
    mine, others = uuid4(), uuid4()
    for _ in range(3):
        put(a)
    in_hand, given_back = lease(a, limit=2, fence=mine)
    lease(b, limit=1, fence=others)
    queue.let_go(a, mine, [in_hand.id])
    assert ids(lease(b)) == [given_back.id]
    assert queue.finish(a, [in_hand]) == {in_hand.id}


def test_letting_go_does_not_make_an_ended_lease_longer(a: Connection) -> None:
    mine = uuid4()
    put(a)
    lease(a, fence=mine)
    a.execute("update job set lease_until = '2026-01-01'")
    queue.let_go(a, mine, [])
    assert a.execute("select lease_until from job").fetchone() == (
        datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_letting_go_waits_for_a_job_that_is_being_finished(a: Connection, b: Connection) -> None:
    mine = uuid4()
    put(a)
    jobs = lease(a, fence=mine)
    b.execute("set lock_timeout = '50ms'")
    with a.transaction():
        queue.finish(a, jobs)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            queue.let_go(b, mine, [])


# Later and sooner.


def test_a_postponed_job_is_nobodys_until_its_time(a: Connection, b: Connection) -> None:
    later = NOW + timedelta(hours=1)
    number, other = put(a), put(a)
    jobs = lease(a)
    queue.postpone(a, [job for job in jobs if job.id == number], later)
    assert lease(b, now=later - MOMENT) == []
    [again] = lease(b, now=later)
    assert (again.id, again.attempts) == (number, 2)
    assert queue.finish(a, jobs) == {other}


def test_what_was_tried_before_is_hastened_and_nothing_else(a: Connection, b: Connection) -> None:
    for way in ("indexscan", "indexonlyscan", "bitmapscan"):
        a.execute(f"set enable_{way} = off")
    later, kenmerk = NOW + timedelta(hours=1), uuid4()
    put(a, later)  # never tried
    held = put(a, first_at=NOW)
    lease(a)
    a.execute("update job set due_at = %s where id = %s", [later, held])
    put(a, later, first_at=NOW, lane="agency:Y:Omzetbelasting", agency="Y")
    put(a, later, first_at=NOW, kenmerk=kenmerk)
    second = put(a, later + MOMENT, first_at=NOW)
    first = put(a, later, first_at=NOW)
    assert queue.hasten(a, LANE, NOW, 1, [kenmerk]) == 1
    assert ids(lease(b)) == [first]
    assert queue.hasten(a, LANE, NOW, None, [kenmerk]) == 1
    assert ids(lease(b)) == [second]
    assert queue.hasten(a, LANE, NOW) == 1, "the one that was left out before"
    assert queue.hasten(a, LANE, NOW) == 0, "what is due already is not moved"


def test_what_a_worker_has_locked_is_not_hastened_and_nobody_waits(
    a: Connection, b: Connection
) -> None:
    number = put(a, NOW + timedelta(hours=1), first_at=NOW)
    b.execute("set lock_timeout = '1s'")
    with a.transaction():
        a.execute("select from job where id = %s for update", [number])
        assert queue.hasten(b, LANE, NOW) == 0
    assert queue.hasten(b, LANE, NOW) == 1


def test_work_that_another_commits_is_heard(a: Connection, b: Connection) -> None:
    queue.listen(a)
    assert not queue.heard(a, 0)
    queue.wake(b)
    assert queue.heard(a, 10)
