"""Pressure: full queues, many waiting jobs, a full disk, a clock that jumps back.

OPENPOORT_JOBS sets how many messages wait at the restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from openpoort.domain.message import Bericht, Received
from openpoort.process.engine.engine import Engine
from openpoort.process.ports import DeliveryFailed
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.group_commit import Busy
from tests.e2e.gateway import until
from tests.process.house import BEDRIJF, HAPPY, START, Gate, request, verified

JOBS = int(os.environ.get("OPENPOORT_JOBS", "5000"))
RAW = Received(b"<soap/>", START, b"tls")


def _hand_in(gate: Gate, count: int) -> list[object]:
    """`count` messages at once: kenmerken, and exceptions where there was a no."""

    async def all_at_once() -> list[object]:
        asked = (gate.intake.aanleveren(verified(BEDRIJF), request(), RAW) for _ in range(count))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    return [getattr(done, "kenmerk", done) for done in asyncio.run(all_at_once())]


def test_a_full_queue_says_when_to_come_back_and_grows_no_further(dsn: str) -> None:
    """While the database stands still; what was let in then is taken in after all."""
    gate = Gate(dsn, bound=20)
    gate.send()
    with psycopg.connect(dsn) as blocker:
        blocker.execute("lock table register in access exclusive mode")
        results: list[object] = []
        waves: list[threading.Thread] = []

        def full() -> bool:
            waves.append(threading.Thread(target=lambda: results.extend(_hand_in(gate, 50))))
            waves[-1].start()
            assert gate.intake.waiting <= 20
            return gate.intake.waiting == 20

        until(full)
        blocker.rollback()
    for wave in waves:
        wave.join(60)
    busy = [r for r in results if isinstance(r, Busy)]
    kenmerken = [r for r in results if isinstance(r, str)]
    assert len(busy) + len(kenmerken) == 50 * len(waves)
    assert 0 < len(kenmerken) <= 20 + 64  # a batch is under way besides the queue
    assert all(b.retry_after >= 1 for b in busy)
    assert gate.count("message") == 1 + len(kenmerken)
    assert len(_hand_in(gate, 5)) == 5
    gate.close()


def test_a_restart_with_many_waiting_jobs_does_not_storm_the_agency(dsn: str) -> None:
    """Two workers start on a full queue: the agency sees one message each, then a ramp, and never
    more at once than the directory allows."""
    gate = Gate(dsn)
    for start in range(0, JOBS, 500):
        assert all(isinstance(k, str) for k in _hand_in(gate, min(500, JOBS - start)))
    lock, out, done, seen = threading.Lock(), 0, 0, []
    kept = gate.channel.deliver

    def deliver(bericht: Bericht, agency: object, message_id: str) -> object:
        nonlocal out, done
        with lock:
            out += 1
            seen.append((out, done))
        answer = kept(bericht, agency, message_id)  # type: ignore[arg-type]  # as the engine gave it
        with lock:
            out -= 1
            done += 1
        return answer

    gate.channel.deliver = deliver  # type: ignore[assignment,method-assign]  # counted on the way
    cap = max(a.max_parallel for a in gate.directory.agencies)
    stop = threading.Event()
    engines = [
        Engine(
            gate.store, gate.house, lambda: gate.directory, {"wus": gate.channel}, None, gate.clock
        )
        for _ in range(2)
    ]
    threads = [threading.Thread(target=e.run, args=[stop]) for e in engines]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(gate.channel.got) >= JOBS, 60 + JOBS / 20)
        until(lambda: gate.count("job") == 0, 60)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert max(n for n, _ in seen) <= cap
    # A worker's window grows by one with each success, so two can never be further than this.
    assert all(n <= 2 + ended for n, ended in seen)
    assert len({b.kenmerk for _, _, b in gate.channel.got}) == len(gate.channel.got) == JOBS
    gate.close()


def test_a_clock_that_jumps_back_stops_and_doubles_nothing(dsn: str) -> None:
    gate = Gate(dsn)
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("connection refused")
    first = gate.send()
    gate.work()
    gate.wall.turn(hours=-3)
    second = gate.send()
    gate.work()
    del gate.channel.errors["DEMODIENST"]
    for _ in range(8):
        gate.wall.turn(hours=1)
        gate.work()
    assert gate.codes(first) == [*HAPPY[:7], "420", "400", "500"]
    assert [c for c in gate.codes(second) if c != "420"] == HAPPY
    assert sorted(b.kenmerk for _, _, b in gate.channel.got) == sorted([first, second])
    assert gate.count("job") == 0
    gate.close()


@pytest.fixture
def small_disk(tmp_path: Path, postgres: Embedded) -> Iterator[Path]:
    """A file system of 12 MiB that the server may write."""
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "openpoort-test", str(folder)]
    try:
        mounted = os.geteuid() == 0 and subprocess.run(words, capture_output=True, check=False)
    except OSError:
        mounted = False
    if not mounted or mounted.returncode:
        pytest.skip("needs root and the right to mount a small file system")
    place = folder / "space"
    place.mkdir(mode=0o700)
    postgres.user.give(folder)
    postgres.user.give(place)
    yield place
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_and_keeps_nothing_half(
    dsn: str, postgres: Embedded, small_disk: Path
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    space = f"small_{name}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute(f"create tablespace {space} location '{small_disk}'")
        conn.execute(f"alter database {name} set default_tablespace = {space}")
    gate = Gate(dsn)
    try:
        big = os.urandom(700_000)
        taken: list[str] = []
        full: list[str | None] = []
        while len(taken) < 30 and not full:
            raw = Received(b"<soap>" + big + b"</soap>", START, b"tls")
            asked = gate.intake.aanleveren(verified(BEDRIJF, f"urn:{len(taken)}"), request(), raw)
            try:
                taken.append(asyncio.run(asked).kenmerk)
            except psycopg.Error as error:
                full.append(error.sqlstate)
        assert full == ["53100"]  # disk_full
        assert gate.count("message") == gate.count("request") == len(taken)
        assert gate.count("register") == gate.count("process") == len(taken)
        # Room again: the same message is taken in, once.
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("set default_tablespace = pg_default")
            parts = conn.execute(
                "select inhrelid::regclass::text from pg_inherits"
                " where inhparent = 'request'::regclass"
            ).fetchall()
            for (part,) in parts:
                conn.execute(f"alter table {part} set tablespace pg_default")
        raw = Received(b"<soap>" + big + b"</soap>", START, b"tls")
        again = gate.intake.aanleveren(verified(BEDRIJF, f"urn:{len(taken)}"), request(), raw)
        taken.append(asyncio.run(again).kenmerk)
        gate.work()
        assert all(gate.codes(k) == HAPPY for k in taken)
    finally:
        gate.close()
        with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
            conn.execute(f"alter database {name} reset default_tablespace")
            conn.execute(f"drop database {name} with (force)")
            conn.execute(f"create database {name}")
            with contextlib.suppress(psycopg.Error):
                conn.execute(f"drop tablespace {space}")
