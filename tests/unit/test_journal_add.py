"""Appending to the journal in the caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from openpoort.domain.journal import JournalEntry
from openpoort.store.journal import journal

AT = datetime(2026, 11, 30, 23, 59, 59, 123456, tzinfo=UTC)


def entry(number: int, kenmerk: str | None = None) -> JournalEntry:
    return JournalEntry("message.accepted", AT, "00000099001000044000", kenmerk, {"n": number})


def test_entries_are_stored_in_the_order_given(dsn: str) -> None:
    entries = [entry(n) for n in range(500)]
    with psycopg.connect(dsn) as conn:
        journal.add(conn, entries)
        rows = conn.execute("select at, entry from journal order by xid, id").fetchall()
    assert rows == [(AT, e.canonical()) for e in entries]


def test_entries_disappear_with_the_transaction_they_tell_of(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        journal.add(conn, [entry(1)])
        conn.rollback()
        assert conn.execute("select count(*) from journal").fetchone() == (0,)


def test_no_entries_is_no_statement(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        journal.add(conn, [])
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


@pytest.mark.parametrize("sql", ["update journal set id = default", "delete from journal"])
def test_journal_refuses_changes_by_mistake(dsn: str, sql: str) -> None:
    with psycopg.connect(dsn) as conn:
        journal.add(conn, [entry(1)])
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            conn.execute(sql)
