"""Leases end with their holder, not with a clock."""

import uuid
from datetime import UTC, datetime

import psycopg

from openpoort.store import queue

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def _leased(dsn: str, fence: uuid.UUID) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "insert into job (day, kenmerk, step, lane, due_at, fence, lease_until)"
            " values (%s, %s, 'afleveren', 'agency:X', %s, %s, clock_timestamp() + '1 hour')",
            [NOW.date(), uuid.uuid4(), NOW, fence],
        )


def test_lease_of_a_living_holder_stands(dsn: str) -> None:
    fence = uuid.uuid4()
    _leased(dsn, fence)
    with (
        psycopg.connect(dsn, autocommit=True) as holder,
        psycopg.connect(dsn, autocommit=True) as other,
    ):
        assert queue.hold(holder, fence)
        assert queue.release_orphans(other) == 0
        assert queue.lease(other, "agency:X", "X", NOW, 5, 5, uuid.uuid4(), 60.0) == []


def test_lease_of_a_dead_holder_is_released_at_once(dsn: str) -> None:
    fence, mine = uuid.uuid4(), uuid.uuid4()
    _leased(dsn, fence)
    with psycopg.connect(dsn, autocommit=True) as holder:
        assert queue.hold(holder, fence)
    with psycopg.connect(dsn, autocommit=True) as other:
        assert queue.release_orphans(other) == 1
        assert [
            job.fence for job in queue.lease(other, "agency:X", "X", NOW, 5, 5, mine, 60.0)
        ] == [mine]


def test_second_connection_of_a_holder_waits_its_turn(dsn: str) -> None:
    fence = uuid.uuid4()
    with psycopg.connect(dsn, autocommit=True) as first:
        assert queue.hold(first, fence)
        with psycopg.connect(dsn, autocommit=True) as second:
            assert not queue.hold(second, fence)
