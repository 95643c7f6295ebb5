"""A real streaming replica, promoted; the long run is `openpoort failover-drill`.

What one connection does comes first, with a standby that is frozen and thawed; then the standby
is promoted, and the last tests look at the old primary. All of it on one pair of servers, in the
order of this file.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from openpoort.app import proofs
from openpoort.app.health import ready_state
from openpoort.settings import Settings
from openpoort.store.messages import consistency
from openpoort.store.messages.rows import Answered
from openpoort.store.postgres import lineage, primary, standby
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.group_commit import Away
from openpoort.store.postgres.migrate import migrate
from openpoort.store.postgres.primary import Lost, Unreplicated, connect
from openpoort_lab.bench.gateway import free_port
from openpoort_lab.failover.pair import Pair
from openpoort_lab.failover.run import Plan, one_round
from tests.e2e.gateway import openpoort
from tests.process.house import START, Gate

SEED = 20261123
_COMMITS = [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A primary and its synchronous standby. The schema was made through the DSN of both."""
    folder = tmp_path_factory.mktemp("pair")
    first = Embedded(folder / "first", free_port())
    second = Embedded(folder / "second", free_port())
    try:
        first.start()
        standby.follow(first, second)
        standby.configure(first, synchronous=True)
        dsn = (
            f"host=127.0.0.1,127.0.0.1 port={first.port},{second.port} user=openpoort"
            f" dbname=openpoort passfile={first.folder / 'pgpass'}"
        )
        migrate(dsn)
        yield Pair(first, second, folder, dsn)
    finally:
        for server in (first, second):
            standby.thaw(server)
            server.stop()


def on_primary(servers: Pair, query: str) -> list[tuple[object, ...]]:
    """Straight to the first server, past our own connections."""
    with psycopg.connect(servers.first.dsn(), autocommit=True) as conn:
        return conn.execute(query).fetchall()


def cut_short(servers: Pair) -> None:
    """Cancel the first commit that waits for the standby, as an operator would."""
    waiting = "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'"
    end = time.monotonic() + 30
    while not on_primary(servers, waiting):
        assert time.monotonic() < end, "no commit waits"
        time.sleep(0.02)


def frozen_while(servers: Pair, work: Callable[[], object]) -> object:
    """What `work` returns, or raises, with the standby frozen and its commit cut short."""
    standby.freeze(servers.second)
    try:
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(work)
            cut_short(servers)
            return future.exception(30) or future.result()
    finally:
        standby.thaw(servers.second)


def test_what_a_dsn_leaves_open_is_filled_in(servers: Pair) -> None:
    with connect(servers.dsn) as conn:
        assert conn.info.port == servers.first.port
        assert conn.silence == 15.0
        got = conn.info.get_parameters()
        assert got["target_session_attrs"] == "read-write"
        assert got["connect_timeout"] == "5"
    with connect(servers.dsn + " tcp_user_timeout=3000 connect_timeout=2") as conn:
        assert conn.silence == 3.0
        assert conn.info.get_parameters()["connect_timeout"] == "2"
    with pytest.raises(Lost, match="2 values for port, 3 hosts"):
        connect("host=a,b,c port=1,2")


def test_a_standby_is_not_taken(servers: Pair) -> None:
    with pytest.raises(psycopg.OperationalError, match="read-only"):
        connect(servers.second.dsn())


def test_read_only_means_that_the_primary_is_gone(servers: Pair) -> None:
    conn = connect(servers.dsn)
    conn.execute("set default_transaction_read_only = on")
    with pytest.raises(Lost, match="no primary any more"):
        conn.execute("insert into heartbeat values ('x', now())")
    assert conn.closed


@pytest.mark.parametrize(("set_to", "used"), _COMMITS)
def test_a_role_that_does_not_wait_for_the_disk_is_overruled(
    servers: Pair, set_to: str, used: str
) -> None:
    with psycopg.connect(servers.first.dsn(), autocommit=True) as conn:
        conn.execute(f"alter role openpoort set synchronous_commit = {set_to}")
        try:
            with connect(servers.dsn) as ours:
                assert ours.execute("show synchronous_commit").fetchone() == (used,)
        finally:
            conn.execute("alter role openpoort reset synchronous_commit")


def test_a_commit_whose_wait_was_cut_short_is_not_believed(servers: Pair) -> None:
    """psycopg by itself reports success: PostgreSQL gives a warning only."""
    with psycopg.connect(servers.first.dsn(), autocommit=True) as plain:
        naive = frozen_while(
            servers, lambda: plain.execute("insert into heartbeat values ('plain', now())")
        )
    assert isinstance(naive, psycopg.Cursor)
    conn = connect(servers.dsn)
    result = frozen_while(
        servers, lambda: conn.execute("insert into heartbeat values ('ours', now())")
    )
    assert isinstance(result, Unreplicated)
    assert conn.closed
    # Both stand on the primary: that is what makes it dangerous.
    names = on_primary(servers, "select node from heartbeat where node in ('plain', 'ours')")
    assert sorted(names) == [("ours",), ("plain",)]


def test_a_message_whose_commit_was_cut_short_is_not_acknowledged(servers: Pair) -> None:
    gate = Gate(servers.dsn)
    try:
        gate.send(message_id="urn:before")  # makes the partitions
        result = frozen_while(servers, lambda: gate.send(message_id="urn:cut"))
        assert isinstance(result, Away)
        # The sender repeats, and gets the kenmerk of what was taken in the first time.
        kenmerk = gate.send(message_id="urn:cut")
        assert gate.count("message") == 2
        assert gate.send(message_id="urn:cut") == kenmerk
    finally:
        gate.close()


def test_a_repeat_is_not_acknowledged_by_what_was_cut_short_before(servers: Pair) -> None:
    """It changes nothing, and yet its answer is a commit: of the answer kept, of a row locked."""
    gate = Gate(servers.dsn)
    try:
        kenmerk = gate.send(message_id="urn:verdict")
        gate.channel.verdict = None  # the agency speaks later, by zetStatus
        gate.work()
        answer = Answered(UUID(kenmerk), START, b"\0" * 32, b"signed")
        batcher = gate.store.batcher("answers", gate.store.take_in)
        for _ in range(2):
            asked = frozen_while(servers, lambda: gate.set_status(kenmerk, "500"))
            assert isinstance(asked, Away)
            kept = frozen_while(servers, lambda: asyncio.run(batcher.done(answer)))
            assert isinstance(kept, Away)
        gate.set_status(kenmerk, "500")
        assert gate.codes(kenmerk)[-1] == "500"
        batcher.close()
    finally:
        gate.close()


def test_a_silent_server_is_given_up_and_nothing_stays_behind(servers: Pair) -> None:
    """A standby that is away holds up commits; each one given up must not keep a backend."""
    standby.freeze(servers.second)
    try:
        conn = connect(servers.dsn, silence=1.0)
        begin = time.monotonic()
        with pytest.raises(Lost, match="said nothing for 1 s"):
            conn.execute("insert into heartbeat values ('silent', now())")
        assert time.monotonic() - begin >= 1.0
        assert conn.closed
        waiting = "select pid from pg_stat_activity where wait_event = 'SyncRep'"
        end = time.monotonic() + 30
        while on_primary(servers, waiting):
            assert time.monotonic() < end, "a backend still waits"
            time.sleep(0.05)
        assert "does not take a commit" in ready_state(servers.dsn)["database"]
    finally:
        standby.thaw(servers.second)
    assert ready_state(servers.dsn) == {"database": "ok", "journal": "ok"}


def test_a_lease_whose_commit_was_not_heard_of_does_not_wait_for_its_term(servers: Pair) -> None:
    """It stands in the name of a worker that lives and never sent anything: five minutes."""
    gate = Gate(servers.dsn)
    stop = threading.Event()
    try:
        kenmerk = gate.send(message_id="urn:leased")
        standby.freeze(servers.second)
        worker = threading.Thread(target=gate.engine.run, args=[stop])
        worker.start()
        leased = "select 1 from job where fence is not null"
        end = time.monotonic() + 60
        while not on_primary(servers, leased):
            assert time.monotonic() < end
            cut_short(servers)
        standby.thaw(servers.second)
        assert gate.channel.tried == []
        while gate.codes(kenmerk)[-1] != "500":
            assert time.monotonic() < end, "not delivered"
            time.sleep(0.05)
        assert [b.kenmerk for _, _, b in gate.channel.got].count(kenmerk) == 1
    finally:
        standby.thaw(servers.second)
        stop.set()
        worker.join()
        gate.close()


def test_who_waits_for_notifications_notices_a_frozen_server(servers: Pair) -> None:
    from openpoort.store import queue

    conn = connect(servers.dsn, silence=0.5)
    queue.listen(conn)
    assert not queue.heard(conn, 0.1)
    with connect(servers.dsn) as other:
        queue.wake(other)
    assert queue.heard(conn, 5.0)
    standby.freeze(servers.first)
    try:
        with pytest.raises(Lost):
            queue.heard(conn, 0.1)
    finally:
        standby.thaw(servers.first)


def test_after_the_promotion_the_old_primary_is_not_written(servers: Pair) -> None:
    gate = Gate(servers.dsn, connect=lambda dsn: connect(dsn, silence=1.0))
    try:
        before = gate.send(message_id="urn:safe")
        standby.freeze(servers.first)
        standby.promote(servers.second)
        with pytest.raises(Away):
            gate.send(message_id="urn:struck")
        after = gate.send(message_id="urn:struck")
        # Workers go on where they were: what was taken in before is delivered now.
        gate.work()
        assert gate.codes(before)[-1] == gate.codes(after)[-1] == "500"
        standby.thaw(servers.first)
        # It takes writes, and stands first in the DSN.
        with connect(servers.dsn) as conn:
            assert conn.info.port == servers.second.port
        with pytest.raises(Lost, match="an old primary, on timeline 1; 2 has begun"):
            connect(servers.first.dsn())
        assert standby.holds(servers.first, [before, after]) == [before]
        # A process that starts now has seen neither: it asks both.
        primary._best.clear()
        primary._newest.clear()
        with connect(servers.dsn) as conn:
            assert conn.info.port == servers.second.port
    finally:
        gate.close()


def promoted_by_itself(server: Embedded) -> None:
    """As one that believes it leads: it starts as a standby of nobody, and begins a timeline."""
    server.stop()
    (server.data / "standby.signal").touch()
    server.user.give(server.data / "standby.signal")
    server.extra.pop("primary_conninfo", None)
    server.start()
    standby.promote(server)


def numbers(servers: Pair) -> list[int]:
    """The timeline that each server writes."""
    found = []
    for server in (servers.first, servers.second):
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            line = lineage.of(conn)
            assert line is not None
            found.append(line.timeline)
    return found


def test_a_second_primary_of_the_same_number_is_not_written(servers: Pair) -> None:
    """What an old failover manager makes of a primary that was cut off: it promotes itself onto
    the number that its successor has."""
    gate = Gate(servers.dsn, connect=lambda dsn: connect(dsn, silence=1.0))
    try:
        gate.send()
        promoted_by_itself(servers.first)
        assert numbers(servers) == [2, 2], "the numbers do not tell them apart"
        with pytest.raises(Lost, match=r"another primary, on timeline 2, begun from 1 at "):
            connect(servers.first.dsn())
        primary._best.clear()  # as after a silence: both are asked, the usurper first
        with connect(servers.dsn) as conn:
            assert conn.info.port == servers.second.port
        primary._best.clear()
        told = [gate.send() for _ in range(3)]
        assert sorted(standby.holds(servers.second, told)) == sorted(told)
        assert standby.holds(servers.first, told) == []
        # A process that starts now cannot know which: nothing is better than the wrong one.
        primary._best.clear()
        primary._newest.clear()
        with pytest.raises(Lost, match=r"two primaries: .* Stop the one whose writes"):
            connect(servers.dsn)
    finally:
        gate.close()


def test_a_higher_number_on_the_other_line_is_not_written_and_on_ours_it_is(
    servers: Pair,
) -> None:
    primary._best.clear()
    primary._newest.clear()
    with connect(servers.second.dsn()):
        pass
    promoted_by_itself(servers.first)
    assert numbers(servers) == [3, 2]
    with pytest.raises(Lost, match=r"another primary, on timeline 3, begun from 2 at "):
        connect(servers.first.dsn())
    promoted_by_itself(servers.second)
    with connect(servers.dsn) as conn:
        assert conn.info.port == servers.second.port


def test_without_the_right_to_read_history_the_number_counts(servers: Pair) -> None:
    with psycopg.connect(servers.second.dsn(), autocommit=True) as conn:
        conn.execute("create role humble login password 'humble' in role pg_monitor")
        conn.execute("grant all on schema public to humble")
        allowed = "grant execute on function pg_read_file(text, bigint, bigint, boolean) to humble"
        port = servers.second.port
        dsn = f"host=127.0.0.1 port={port} user=humble password=humble dbname=openpoort"
        with connect(dsn) as ours:
            line = lineage.of(ours)
            assert line is not None
            assert (line.timeline, line.left) == (3, None)
        conn.execute(allowed)
        with connect(dsn) as ours:
            line = lineage.of(ours)
            assert line is not None
            assert line.left is not None
            assert [number for number, _ in line.left] == [1, 2]


def test_killed_under_load_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    outcome = one_round(tmp_path, Plan("kill", messages=60, seed=SEED, detect=0.3, patience=90.0))
    assert outcome.broken == ()
    assert outcome.lost == 0
    assert outcome.acknowledged == 60
    assert outcome.out >= 0.3


def test_the_same_look_finds_what_an_asynchronous_standby_lost(tmp_path: Path) -> None:
    """Or all the others would prove nothing. On a pair of its own: a promotion is for good."""
    first = Embedded(tmp_path / "first", free_port())
    second = Embedded(tmp_path / "second", free_port())
    try:
        first.start()
        migrate(first.dsn())
        standby.follow(first, second)
        gate = Gate(first.dsn())
        kept = gate.send(message_id="urn:kept")
        standby.caught_up(first)
        standby.hold_back(first)
        lost = [gate.send(message_id=f"urn:{n}") for n in range(3)]
        gate.close()
        standby.kill(first)
        standby.promote(second)
        assert set(consistency.histories(second.dsn(), [kept, *lost])) == {kept}
    finally:
        first.stop()
        second.stop()


def test_a_week_that_the_new_server_does_not_have_is_made_there(dsn: str) -> None:
    """A primary lost a partition with its last commits: its name must not be believed."""
    gate = Gate(dsn)
    try:
        gate.send()
        with psycopg.connect(dsn, autocommit=True) as conn:
            rows = conn.execute(
                "select inhrelid::regclass::text from pg_inherits"
                " where inhparent = 'message'::regclass"
            ).fetchall()
            for (part,) in rows:
                conn.execute(f"drop table {part}")
            conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        try:
            assert gate.send()
        except Away:  # the end of the connections had not been heard of yet
            assert gate.send()
        assert gate.count("message") == 1
    finally:
        gate.close()


def test_drill_leaves_a_record_that_counts_as_one_drill_done(tmp_path: Path) -> None:
    words = ("--only", "kill", "--messages", "40", "--record", tmp_path, "--json")
    done = openpoort("failover-drill", *words)
    assert done.returncode == 0, done.stderr
    record = json.loads(proofs.failover_drill(tmp_path).read_text(encoding="utf-8"))
    assert (record["holds"], record["acknowledged"]) == (True, 40)
    found = {p.name: p for p in proofs.of_home(Settings(home=tmp_path), datetime.now(UTC))}
    assert found["drills_done"].value == "1"
    assert found["drills_done"].source == "drills: failover drill"
