"""Places in the tree: order, watermark, one at a time, restore, checkpoints."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openpoort import telemetry
from openpoort.domain import checkpoint, merkle
from openpoort.domain.journal import JournalEntry
from openpoort.store.journal import journal, sequencer, tree
from openpoort.store.journal.audit import audit
from openpoort.store.journal.sequencer import Connection, JournalBroken, Placed
from openpoort.store.postgres import partitions
from openpoort.store.sequencing import Sequencer

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KENMERK = "3f0c2ab4-16b5-4c3c-9d3e-0123456789ab"


def entry(number: int, kenmerk: str | None = None) -> JournalEntry:
    return JournalEntry("message.step", AT + timedelta(seconds=number), "gateway", kenmerk)


def append(conn: Connection, *numbers: int) -> None:
    with conn.transaction():
        journal.add(conn, [entry(n) for n in numbers])


def placed(conn: Connection) -> list[bytes]:
    rows = conn.execute("select hash from journal_leaf order by leaf").fetchall()
    return [row[0] for row in rows]


def leaves(*numbers: int) -> list[bytes]:
    return [merkle.leaf_hash(entry(n).canonical()) for n in numbers]


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True) as one:
        yield one


@pytest.fixture
def other(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn) as one:
        yield one


def test_entries_get_consecutive_places_and_the_root_of_the_tree(conn: Connection) -> None:
    append(conn, *range(7))
    append(conn, *range(7, 13))
    assert sequencer.step(conn) == Placed(13, 13, False)
    assert placed(conn) == leaves(*range(13))
    grown = merkle.Tree(0, [])
    list(grown.append(leaves(*range(13))))
    assert tree.root(conn, 13) == grown.root


def test_batches_continue_where_the_last_one_ended(conn: Connection) -> None:
    append(conn, *range(7))
    steps = [sequencer.step(conn, 3) for _ in range(4)]
    assert steps == [
        Placed(3, 3, True),
        Placed(3, 6, True),
        Placed(1, 7, False),
        Placed(0, 7, False),
    ]
    assert placed(conn) == leaves(*range(7))


def test_later_commit_of_an_earlier_transaction_is_not_skipped(
    conn: Connection, other: Connection
) -> None:
    journal.add(other, [entry(1)])
    append(conn, 2)
    assert sequencer.step(conn) == Placed(0, 0, False)
    other.commit()
    assert sequencer.step(conn) == Placed(2, 2, False)
    assert placed(conn) == leaves(1, 2)


def test_rolled_back_entries_leave_no_gap(conn: Connection, other: Connection) -> None:
    journal.add(other, [entry(1)])
    append(conn, 2)
    other.rollback()
    append(conn, 3)
    assert sequencer.step(conn) == Placed(2, 2, False)
    assert placed(conn) == leaves(2, 3)


def test_a_reader_does_not_hold_the_journal_up(conn: Connection, other: Connection) -> None:
    other.execute("set transaction isolation level repeatable read")
    other.execute("select count(*) from journal")
    append(conn, 1)
    assert sequencer.step(conn) == Placed(1, 1, False)


def test_one_sequencer_at_a_time(conn: Connection, other: Connection) -> None:
    append(conn, 1)
    other.execute("select pg_advisory_xact_lock(%s)", (sequencer.LOCK,))
    assert sequencer.step(conn) is None
    other.rollback()
    assert sequencer.step(conn) == Placed(1, 1, False)


def test_many_writers_and_two_sequencers_place_every_entry_once(dsn: str) -> None:
    def write(first: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as mine:
            for number in range(first, first + 40, 2):
                append(mine, number, number + 1)

    def place() -> None:
        with psycopg.connect(dsn, autocommit=True) as mine:
            while not done.is_set():
                sequencer.step(mine, 7)

    done = threading.Event()
    writers = [threading.Thread(target=write, args=(1000 * n,)) for n in range(4)]
    placers = [threading.Thread(target=place) for _ in range(2)]
    for thread in writers + placers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in placers:
        thread.join()
    with psycopg.connect(dsn, autocommit=True) as conn:
        while (last := sequencer.step(conn)) is None or last.count:
            pass
        expected = leaves(*(1000 * n + k for n in range(4) for k in range(40)))
        assert sorted(placed(conn)) == sorted(expected)
        order = conn.execute("select array_agg(leaf order by leaf) from journal_leaf").fetchone()
        assert order == (list(range(160)),)


def test_entries_of_a_message_are_found_by_kenmerk(conn: Connection) -> None:
    with conn.transaction():
        journal.add(conn, [entry(0), entry(1, KENMERK), entry(2, "not a kenmerk")])
    sequencer.step(conn)
    rows = conn.execute("select leaf from journal_leaf where kenmerk = %s", (KENMERK,)).fetchall()
    assert rows == [(1,)]


def test_after_a_restore_into_another_cluster_counting_goes_on(conn: Connection) -> None:
    append(conn, 1, 2)
    sequencer.step(conn)
    append(conn, 3)
    # As a restored dump looks: numbers of another cluster, far beyond those handed out here.
    for table in ("journal", "journal_leaf"):
        conn.execute(f"alter table {table} disable trigger append_only")
        conn.execute(f"update {table} set xid = (xid::text::bigint + 1000000000)::text::xid8")
    conn.execute("update journal_state set cluster = 1, after_xid = '1000000999'")
    append(conn, 4)
    assert sequencer.step(conn) == Placed(2, 4, False)
    append(conn, 5)
    assert sequencer.step(conn) == Placed(1, 5, False)
    assert placed(conn) == leaves(1, 2, 3, 4, 5)


def test_checkpoint_is_signed_over_the_root_once_per_size(conn: Connection) -> None:
    append(conn, 1, 2, 3)
    sequencer.step(conn)
    signed = sequencer.sign(conn, KEY, "openpoort.example", AT)
    assert signed is not None
    point, note = signed
    assert point == checkpoint.open_checkpoint(note, KEY.public_key())
    assert (point.size, point.root) == (3, tree.root(conn, 3))
    assert sequencer.sign(conn, KEY, "openpoort.example", AT) is None


def test_no_signature_over_a_tree_that_does_not_extend_the_last_one(conn: Connection) -> None:
    append(conn, 1, 2, 3)
    sequencer.step(conn)
    sequencer.sign(conn, KEY, "openpoort.example", AT)
    conn.execute("alter table journal_leaf disable trigger append_only")
    conn.execute("update journal_leaf set hash = sha256('other') where leaf = 2")
    append(conn, 4)
    sequencer.step(conn)
    with pytest.raises(JournalBroken, match="does not extend the checkpoint of 3"):
        sequencer.sign(conn, KEY, "openpoort.example", AT)


def test_no_signature_after_a_checkpoint_of_another_key(conn: Connection) -> None:
    append(conn, 1)
    sequencer.step(conn)
    sequencer.sign(conn, Ed25519PrivateKey.from_private_bytes(bytes(32)), "o", AT)
    append(conn, 2)
    sequencer.step(conn)
    with pytest.raises(JournalBroken, match="another key"):
        sequencer.sign(conn, KEY, "o", AT)


def test_a_copy_that_cannot_be_written_stops_nothing(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    every, poll = timedelta(0), timedelta(milliseconds=20)
    runner = Sequencer(dsn, KEY, "o", poll, every, tmp_path / "no folder" / "copy")
    stop = threading.Event()
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    try:
        for size in (1, 2):
            append(conn, size)
            end = time.monotonic() + 30
            while conn.execute("select max(size) from journal_checkpoint").fetchone() != (size,):
                assert time.monotonic() < end, f"no checkpoint of size {size}"
                stop.wait(0.02)
    finally:
        stop.set()
        thread.join()


def test_running_sequencer_settles_the_weeks_that_are_old(dsn: str, conn: Connection) -> None:
    partitions.ensure(conn, date(2026, 9, 7), 5)
    runner = Sequencer(dsn, KEY, "o", now=lambda: datetime(2026, 10, 16, tzinfo=UTC))
    stop = threading.Event()
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    try:
        end = time.monotonic() + 30
        while partitions.settled(conn) != date(2026, 9, 28):
            assert time.monotonic() < end, "nothing was settled"
            stop.wait(0.02)
    finally:
        stop.set()
        thread.join()


def test_running_sequencer_places_signs_and_survives_a_lost_connection(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    copy = tmp_path / "checkpoints.txt"
    runner = Sequencer(dsn, KEY, "o", timedelta(milliseconds=20), timedelta(0), copy)
    stop = threading.Event()
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()

    def await_size(size: int) -> None:
        end = time.monotonic() + 30
        while conn.execute("select max(size) from journal_checkpoint").fetchone() != (size,):
            assert time.monotonic() < end, f"no checkpoint of size {size}"
            stop.wait(0.02)

    try:
        append(conn, 1, 2)
        await_size(2)
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'openpoort sequencer' and datname = current_database()"
        )
        append(conn, 3)
        await_size(3)
    finally:
        stop.set()
        thread.join()
    notes = conn.execute("select note from journal_checkpoint order by size").fetchall()
    assert copy.read_text() == "".join(f"{note}\n" for (note,) in notes)


def moved(conn: Connection) -> None:
    """As after a move by replication: another cluster, with all rows and no sequences."""
    conn.execute("update journal_state set cluster = cluster + 1")
    conn.execute("select setval(pg_get_serial_sequence('journal', 'id'), 1, false)")


def unplaced(conn: Connection) -> int:
    (count,) = conn.execute(
        "select count(*) from journal j where not exists"
        " (select from journal_leaf l where l.xid = j.xid and l.id = j.id)"
    ).fetchone() or (None,)
    assert isinstance(count, int)
    return count


def test_ids_that_are_given_out_again_get_a_place_and_are_told_of(conn: Connection) -> None:
    append(conn, *range(5))
    sequencer.step(conn)
    moved(conn)
    append(conn, 10, 11, 12)  # ids 1 to 3 once more
    assert sequencer.step(conn) == Placed(3, 8, False, again=3)
    assert placed(conn) == leaves(*range(5), 10, 11, 12)
    append(conn, 13)
    assert sequencer.step(conn) == Placed(1, 9, False)
    ids = [row[0] for row in conn.execute("select id from journal order by xid, id")]
    assert max(ids) == 6, "they go on above the highest"
    with conn.transaction():
        assert audit(conn, KEY.public_key()).problems == ()


def test_a_sequence_that_was_set_back_in_the_same_cluster_is_found_at_once(
    conn: Connection,
) -> None:
    append(conn, *range(5))
    conn.execute("update journal_state set cluster = cluster + 1")
    sequencer.step(conn)
    conn.execute("select setval(pg_get_serial_sequence('journal', 'id'), 1, false)")
    append(conn, 10, 11)
    assert sequencer.step(conn) == Placed(2, 7, False, again=2)
    append(conn, 12)
    assert sequencer.step(conn) == Placed(1, 8, False)
    assert unplaced(conn) == 0


def test_the_sequencer_raises_an_alarm_for_ids_given_out_again(
    dsn: str, tmp_path: Path, conn: Connection
) -> None:
    append(conn, *range(5))
    sequencer.step(conn)
    moved(conn)
    append(conn, 10)
    telemetry.security_log(tmp_path / "security.log")
    stop = threading.Event()
    runner = threading.Thread(target=Sequencer(dsn, KEY, "test").run, args=[stop])
    runner.start()
    end = time.monotonic() + 60
    while unplaced(conn) and time.monotonic() < end:
        time.sleep(0.02)
    stop.set()
    runner.join()
    events = [json.loads(x) for x in (tmp_path / "security.log").read_text().splitlines()]
    found = [e for e in events if "journal.renumbered" in json.dumps(e)]
    assert len(found) == 1
    assert '"entries": 1' in json.dumps(found[0])
