"""Answers of those outside, and connections that break at the wrong moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import psycopg
import pytest

from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.kind import Kind
from openpoort.process.ports import Verdict
from openpoort.store import queue
from openpoort.store.postgres.primary import SETUP
from tests.process.house import HAPPY, Gate


@dataclass
class Fickle:
    """An AuSP that says something else each time."""

    answers: list[Verdict] = field(default_factory=list)

    def ask(self, sender: Oin, kind: Kind, belanghebbende: Identiteit, at: datetime) -> Verdict:
        return self.answers.pop(0)


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn, authority=Fickle([Verdict.SENDER_REFUSED, Verdict.GRANTED]))
    yield gate
    gate.close()


def asked(gate: Gate, conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """One round, and the answer is in."""
    gate.engine._outside_work.clear()
    assert gate.engine._outside.round(conn) == 1
    assert gate.engine._outside_work.wait(30)


def test_of_two_answers_to_one_job_the_first_counts(gate: Gate) -> None:
    """A worker whose lease ran out may lease the job anew, under the same fence."""
    rounds = gate.engine._outside
    kenmerk = gate.send()
    with gate.store.connect() as conn:
        asked(gate, conn)
        first = rounds._answered()
        conn.execute("update job set lease_until = clock_timestamp() - interval '1 second'")
        asked(gate, conn)
        second = rounds._answered()
        rounds._put_back([*first, *second])
        rounds.round(conn)
    assert gate.codes(kenmerk) == [*HAPPY[:3], "210"]
    assert rounds.out == 0


def test_an_answer_outlives_the_connection_of_the_round_that_took_it(gate: Gate) -> None:
    rounds = gate.engine._outside
    kenmerk = gate.send()
    with gate.store.connect() as conn:
        asked(gate, conn)
    with pytest.raises(psycopg.OperationalError):
        rounds.round(conn)  # closed: the look at the lanes fails
    with gate.store.connect() as conn:
        assert rounds.round(conn) == 1
    assert rounds.out == 0  # else its place with the AuSP is taken for good
    assert gate.codes(kenmerk) == [*HAPPY[:3], "210"]


class Breaking(psycopg.Connection[Any]):
    """Loses its connection when it is told, once, that an agency is back."""

    armed: ClassVar[bool] = False

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        if query == queue.HASTEN and Breaking.armed:
            Breaking.armed = False
            self.close()
        return super().execute(query, params, **more)


def breaking(dsn: str) -> Breaking:
    conn = Breaking.connect(dsn, autocommit=True)
    psycopg.Connection.execute(conn, SETUP)
    return conn


def test_what_is_leased_goes_out_though_the_connection_is_lost_after_the_commit(dsn: str) -> None:
    """An agency's first answer is written and the next message leased in one commit, and then the
    connection is gone: its places must not stay taken, nor the message wait for its lease."""
    gate = Gate(dsn, connect=breaking)
    try:
        kenmerken = [gate.send(message_id=f"uuid:{n}") for n in range(5)]
        Breaking.armed = True
        with pytest.raises(psycopg.OperationalError):
            gate.work()
        assert not Breaking.armed
        gate.work()
        assert gate.engine._outside.out == 0
        assert [gate.codes(k) for k in kenmerken] == [HAPPY] * 5
    finally:
        gate.close()
