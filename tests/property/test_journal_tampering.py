"""Whatever is changed in the journal's tables by who owns the database, the audit names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpoort.domain.journal import JournalEntry
from openpoort.store.journal import journal, sequencer
from openpoort.store.journal.audit import Report, audit
from openpoort.store.postgres.embedded import Embedded

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KENMERKEN = [f"3f0c2ab4-16b5-4c3c-9d3e-00000000000{n}" for n in range(5)]
SIZE = 37
CHANGE = {
    "bytea": "set_byte({c}, {n} % length({c}), get_byte({c}, {n} % length({c})) # 1)",
    "bigint": "{c} + {n} + 1",
    "smallint": "({c} + {n} % 5 + 1)::smallint",
    "timestamp with time zone": "{c} + ({n} + 1) * interval '1 microsecond'",
    "text": "overlay({c} placing (case substr({c}, {n} % length({c}) + 1, 1) when 'x' then 'y' "
    "else 'x' end) from {n} % length({c}) + 1)",
    "uuid": "coalesce(uuid(translate({c}::text, '0123', '1230')), uuid('{k}'))",
    "xid8": "(({c}::text)::bigint + {n} + 1)::text::xid8",
}
TABLES = ("journal", "journal_leaf", "journal_node", "journal_checkpoint")

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def journalled(postgres: Embedded) -> Iterator[Connection]:
    """A database with 37 entries in the tree and checkpoints at 11, 32 and 37."""
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute("create database tampering template openpoort")
    with psycopg.connect(postgres.dsn("tampering")) as conn:
        for number in range(SIZE):
            kenmerk = KENMERKEN[number % 6] if number % 6 < 5 else None
            at = AT + timedelta(seconds=number)
            journal.add(conn, [JournalEntry("step", at, "gateway", kenmerk, {"n": number})])
            conn.commit()
            if number + 1 in (11, 32, 37):
                sequencer.step(conn)
                sequencer.sign(conn, KEY, "openpoort.example", at)
        yield conn
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute("drop database tampering")


@contextmanager
def tampering(conn: Connection) -> Iterator[Connection]:
    """A transaction of somebody who may do everything, rolled back at the end."""
    conn.execute("set local session_replication_role = replica")
    conn.execute("alter table journal alter id drop identity")
    for table in ("journal_leaf", "journal_node", "journal_checkpoint"):
        conn.execute(f"alter table {table} drop constraint {table}_pkey")
    try:
        yield conn
    finally:
        conn.rollback()


def judged(conn: Connection, copies: tuple[str, ...] = ()) -> Report:
    return audit(conn, KEY.public_key(), copies)


def named(conn: Connection, copies: tuple[str, ...] = ()) -> set[str]:
    return {problem.what for problem in judged(conn, copies).problems}


def columns(conn: Connection, table: str) -> list[tuple[str, str]]:
    return conn.execute(
        "select column_name, data_type from information_schema.columns "
        "where table_name = %s order by ordinal_position", (table,),
    ).fetchall()  # fmt: skip


def rows(conn: Connection, table: str) -> list[tuple[str, str]]:
    """(table of the partition, ctid) of every row."""
    return conn.execute(
        f"select tableoid::regclass::text, ctid::text from {table} order by ctid"
    ).fetchall()


def test_an_untouched_journal_has_no_problems(journalled: Connection) -> None:
    report = judged(journalled)
    journalled.rollback()
    assert report == Report(SIZE, SIZE, 0, 3, 0, ())


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_column_of_any_row_is_detected(
    journalled: Connection, data: st.DataObject
) -> None:
    with tampering(journalled) as conn:
        table = data.draw(st.sampled_from(TABLES))
        column, kind = data.draw(st.sampled_from(columns(conn, table)))
        part, ctid = data.draw(st.sampled_from(rows(conn, table)))
        change = CHANGE[kind].format(c=column, n=data.draw(st.integers(0, 400)), k=KENMERKEN[0])
        done = conn.execute(f"update {part} set {column} = {change} where ctid = '{ctid}'")
        assert done.rowcount == 1
        assert judged(conn).problems


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_deleted_row_is_detected(journalled: Connection, data: st.DataObject) -> None:
    with tampering(journalled) as conn:
        table = data.draw(st.sampled_from(TABLES))
        part, ctid = data.draw(st.sampled_from(rows(conn, table)))
        notes = conn.execute("select note from journal_checkpoint").fetchall()
        conn.execute(f"delete from {part} where ctid = '{ctid}'")
        assert named(conn, tuple(note for (note,) in notes))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_two_rows_that_changed_places_are_detected(
    journalled: Connection, data: st.DataObject
) -> None:
    with tampering(journalled) as conn:
        one = data.draw(st.integers(0, SIZE - 1))
        two = data.draw(st.integers(0, SIZE - 1).filter(lambda n: n != one))
        ids = conn.execute(
            "select id, xid, at from journal_leaf where leaf in (%s, %s)", (one, two)
        ).fetchall()
        (a, xa, _), (b, xb, _) = ids
        conn.execute(
            "update journal set id = case id when %s then %s else %s end, "
            "xid = case id when %s then %s::xid8 else %s::xid8 end where id in (%s, %s)",
            (a, b, a, a, xb, xa, a, b),
        )
        assert named(conn) == {"row-changed"}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, SIZE - 1), st.booleans())
def test_an_inserted_row_is_detected(journalled: Connection, leaf: int, same_id: bool) -> None:
    with tampering(journalled) as conn:
        new = "j.id" if same_id else "-1"
        conn.execute(
            f"insert into journal (id, xid, at, entry) select {new}, j.xid, j.at, 'forged' "
            "from journal j join journal_leaf l using (xid, id) where l.leaf = %s", (leaf,),
        )  # fmt: skip
        assert "row-inserted" in named(conn)


def test_a_changed_row_is_named_alone(journalled: Connection) -> None:
    with tampering(journalled) as conn:
        conn.execute("update journal set entry = entry || ' ' where id = 20")
        problems = judged(conn).problems
    assert [p.what for p in problems] == ["row-changed"]
    assert problems[0].where.startswith("leaf 19, row 20 of transaction ")


def test_a_change_carried_through_the_whole_tree_meets_the_signed_root(
    journalled: Connection,
) -> None:
    with tampering(journalled) as conn:
        conn.execute("update journal set entry = entry || ' ' where id = 20")
        reseal(conn)
        report = judged(conn)
    assert [p.what for p in report.problems] == ["checkpoint-mismatch"] * 2
    assert report.problems[0].text == "entries 11 to 31 are not those that were signed"
    assert report.covered == 11


def test_a_rewritten_end_without_its_checkpoints_is_caught_by_a_copy(
    journalled: Connection,
) -> None:
    with tampering(journalled) as conn:
        (note,) = conn.execute("select note from journal_checkpoint where size = 37").fetchone()
        conn.execute("delete from journal where id > 32")
        conn.execute("delete from journal_leaf where leaf >= 32")
        conn.execute("delete from journal_node where (number + 1) << level::int > 32")
        conn.execute("delete from journal_checkpoint where size > 32")
        conn.execute("update journal_state set size = 32, (after_xid, after_id) = "
                     "(select xid, id from journal_leaf where leaf = 31)")  # fmt: skip
        assert named(conn) == set()
        assert named(conn, (note,)) == {"checkpoint-removed", "checkpoint-mismatch"}


def test_a_checkpoint_of_another_key_is_named(journalled: Connection) -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    report = audit(journalled, other)
    journalled.rollback()
    assert {p.what for p in report.problems} == {"checkpoint-changed"}
    assert report.covered == 0


@pytest.mark.parametrize(
    "change",
    [
        "size = size - 1",
        "size = size + 1",
        "(after_xid, after_id) = (select xid, id from journal_leaf where leaf = 30)",
        "after_xid = '0'",
    ],
)
def test_a_moved_position_is_detected(journalled: Connection, change: str) -> None:
    with tampering(journalled) as conn:
        conn.execute(f"update journal_state set {change}")
        assert named(conn) == {"state-changed"}


def reseal(conn: Connection) -> None:
    """Make leaves and nodes anew from the rows, as a careful forger would."""
    conn.execute("update journal_leaf l set hash = sha256('\\x00'::bytea || j.entry) "
                 "from journal j where j.id = l.id")  # fmt: skip
    for level in range(1, 7):
        below = "journal_leaf" if level == 1 else "journal_node"
        key = "leaf" if level == 1 else "number"
        where = "" if level == 1 else f"and l.level = {level - 1} and r.level = {level - 1}"
        conn.execute(
            f"update journal_node n set hash = sha256('\\x01'::bytea || l.hash || r.hash) "
            f"from {below} l, {below} r where n.level = {level} "
            f"and l.{key} = 2 * n.number and r.{key} = 2 * n.number + 1 {where}"
        )
