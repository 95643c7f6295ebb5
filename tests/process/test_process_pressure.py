"""Under pressure: bounded queues, no storms, and nobody waits for another's agency."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Bericht, Received
from openpoort.process.ports import AgencySilent
from openpoort.store.postgres.group_commit import Batcher, Busy
from openpoort.store.postgres.primary import Lost, connect, usable
from tests.process.house import BEDRIJF, HAPPY, START, Gate, request, verified

KVK = {"belanghebbende": Identiteit("90000044", "KvK")}


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def until(gate: Gate, kenmerken: list[str], code: str) -> None:
    end = time.monotonic() + 60
    while any(gate.codes(k)[-1] != code for k in kenmerken):
        assert time.monotonic() < end, [gate.codes(k) for k in kenmerken]
        time.sleep(0.02)


def test_an_agency_that_answers_slowly_holds_up_nobody_else(gate: Gate) -> None:
    answer, stop = threading.Event(), threading.Event()

    def slowly(bericht: Bericht) -> None:
        if bericht.berichtsoort == "Omzetbelasting":
            answer.wait(60)

    gate.channel.during = slowly
    slow = [gate.send() for _ in range(12)]
    quick = [gate.send(request("eFactuur", **KVK)) for _ in range(12)]
    worker = threading.Thread(target=gate.engine.run, args=[stop])
    worker.start()
    until(gate, quick, "400")
    assert all(gate.codes(k)[-1] in {"301", "405"} for k in slow)
    answer.set()
    until(gate, slow, "500")
    stop.set()
    gate.engine.wake()
    worker.join(30)
    assert not worker.is_alive()
    assert [gate.codes(k) for k in slow] == [HAPPY] * 12


def test_an_agency_that_comes_back_is_met_one_by_one_and_never_over_its_limit(gate: Gate) -> None:
    eight = tuple(replace(a, max_parallel=8) for a in gate.directory.agencies)
    gate.directory = replace(gate.directory, agencies=eight)
    gate.channel.errors["DEMOREGISTER"] = AgencySilent("down")
    kenmerken = [gate.send(request("eFactuur", **KVK)) for _ in range(60)]
    gate.work()
    assert all(gate.codes(k)[-1] == "420" for k in kenmerken)
    assert len(gate.channel.tried) < 10, "the others were told without an attempt each"
    at_once: list[int] = []
    inside = 0
    lock = threading.Lock()

    def count(bericht: Bericht) -> None:
        nonlocal inside
        with lock:
            inside += 1
            at_once.append(inside)
        threading.Event().wait(0.005)  # an answer takes time, or none would overlap
        with lock:
            inside -= 1

    gate.channel.errors.clear()
    gate.channel.during = count
    for _ in range(20):
        gate.wall.turn(minutes=16)
        gate.work()
    assert all(gate.codes(k)[-1] == "400" for k in kenmerken)
    assert at_once[0] == 1
    assert max(at_once[:2]) <= 2
    assert 1 < max(at_once) <= 8


def test_over_the_bound_the_door_hears_busy_and_what_was_taken_is_safe(dsn: str) -> None:
    gate = Gate(dsn, bound=5)

    async def storm() -> list[object]:
        raw = Received(b"<soap/>", START)
        asked = (gate.intake.aanleveren(verified(BEDRIJF), request(), raw) for _ in range(200))
        return await asyncio.gather(*asked, return_exceptions=True)

    results = asyncio.run(storm())
    busy = [r for r in results if isinstance(r, Busy)]
    assert busy
    assert all(isinstance(b, Busy) and b.retry_after >= 1 for b in busy)
    assert gate.count("message") == len(results) - len(busy)
    gate.close()


def test_a_connection_that_ended_while_it_lay_idle_costs_nobody_an_answer(dsn: str) -> None:
    """The server was started again: whoever comes next must not be the one who notices."""
    gate = Gate(dsn)
    gate.send()
    pooled = gate.store.pool.take()
    gate.store.pool.give(pooled)
    ours = "pid <> pg_backend_pid() and datname = current_database()"
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where {ours}")
    kenmerk = gate.send()
    assert gate.codes(kenmerk)
    with gate.store.pool.lend() as conn:
        assert conn is not pooled
        assert conn.execute("select 1").fetchone() == (1,)
    gate.close()


def test_a_server_that_fell_silent_is_not_asked_again_over_older_connections(dsn: str) -> None:
    older, other = connect(dsn), connect(dsn, silence=0.2)
    assert usable(older)
    with pytest.raises(Lost, match="said nothing"):
        other.execute("select pg_sleep(30)")
    assert not usable(older)
    with connect(dsn) as fresh:
        assert usable(fresh)
        fresh.execute("listen x")
        with connect(dsn) as third:
            third.execute("notify x")
        assert usable(fresh)  # something came in, and it was not the end
    older.close()


def test_a_batcher_that_closes_finishes_what_it_has() -> None:
    done: list[int] = []

    def work(conn: object, items: object) -> list[int]:
        assert isinstance(items, list)
        done.extend(items)
        return items

    batcher: Batcher[int, int] = Batcher("test", _Closed, work, batch=7)  # type: ignore[arg-type]

    async def ask() -> list[int]:
        asked = [asyncio.ensure_future(batcher.done(n)) for n in range(100)]
        await asyncio.sleep(0)  # every one of them has queued
        await asyncio.to_thread(batcher.close)
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == done == list(range(100))
    with pytest.raises(Busy):
        asyncio.run(batcher.done(1))


class _Closed:
    """Stands where a connection would: this work needs none."""

    closed = False
    broken = False

    def close(self) -> None:
        self.closed = True
