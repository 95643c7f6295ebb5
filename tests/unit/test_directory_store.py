"""The directory in a real database: round trip, difference, journal, version."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import psycopg

from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.party import Directory, Mandate, Party, Window
from openpoort.domain.partydiff import compare
from openpoort.sandbox.directory import starting
from openpoort.store.directory import directory

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_what_is_applied_is_loaded(dsn: str) -> None:
    start = starting()
    with psycopg.connect(dsn) as conn:
        diff = directory.apply(conn, start, "beheerder", NOW)
        assert len(diff.changes) == (
            len(start.parties) + len(start.agreements) + len(start.mandates) + len(start.agencies)
        )
        assert not compare(directory.load(conn), start)
        assert directory.version(conn) == 1


def test_applying_the_same_again_changes_nothing(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        directory.apply(conn, starting(), "beheerder", NOW)
        assert not directory.apply(conn, starting(), "beheerder", NOW)
        assert directory.version(conn) == 1
        assert conn.execute("select count(*) from directory_version").fetchone() == (1,)


def test_difference_is_applied_row_by_row(dsn: str) -> None:
    start = starting()
    changed = replace(start.parties[0], fault_status=200, tls_oins=frozenset({Oin("0" * 20)}))
    window = Window(NOW, None)
    after = replace(
        start,
        parties=(changed, *start.parties[1:]),
        mandates=(*start.mandates[1:], replace(start.mandates[0], window=window)),
        agencies=start.agencies[:-1],
    )
    with psycopg.connect(dsn) as conn:
        directory.apply(conn, start, "beheerder", NOW)
        lines = directory.apply(conn, after, "beheerder", NOW).lines()
        assert [line[0] for line in lines] == ["~", "-", "+", "-"]
        assert "fault_status 500 -> 200" in lines[0]
        assert not compare(directory.load(conn), after)
        assert directory.version(conn) == 2


def test_every_change_is_journalled_without_personal_numbers(dsn: str) -> None:
    bsn = Identiteit("123456782", "BSN")
    party = Party(Oin("00000099001000044000"), "Acht B.V.", (bsn,))
    mandate = Mandate(bsn, party.oin, frozenset({"*"}))
    with psycopg.connect(dsn) as conn:
        directory.apply(conn, Directory((party,), (), (mandate,)), "anna", NOW)
        rows = [bytes(r[0]) for r in conn.execute("select entry from journal order by id")]
    entries = [json.loads(r) for r in rows]
    assert [e["kind"] for e in entries] == ["party.added", "mandate.added"]
    assert {e["actor"] for e in entries} == {"anna"}
    assert not any(b"123456782" in r for r in rows)


def test_rollback_takes_change_version_and_journal_along(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        directory.apply(conn, starting(), "beheerder", NOW)
        conn.rollback()
        assert directory.version(conn) == 0
        assert directory.load(conn) == Directory()
        assert conn.execute("select count(*) from journal").fetchone() == (0,)
