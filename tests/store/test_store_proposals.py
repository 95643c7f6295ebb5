"""Who may decide on a proposal, and on what: four eyes, one version, one decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from openpoort.domain.partydiff import compare
from openpoort.sandbox.directory import starting
from openpoort.store.directory import directory, proposals
from openpoort.store.directory.directory import Stale
from openpoort.store.directory.proposals import NotAllowed

Connection = psycopg.Connection[Any]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
START = starting()
LESS = replace(START, mandates=START.mandates[1:])
OTHER = replace(START, mandates=START.mandates[:-1])


@pytest.fixture
def a(room: str) -> Iterator[Connection]:
    with psycopg.connect(room, autocommit=True) as one:
        one.execute("truncate directory_proposal")
        with one.transaction():
            directory.apply(one, START, "anna", NOW)
        yield one


@pytest.fixture
def b(room: str) -> Iterator[Connection]:
    with psycopg.connect(room, autocommit=True) as one:
        one.execute("set lock_timeout = '100ms'")
        yield one


def proposed(conn: Connection, new: Any = LESS, by: str = "anna") -> int:
    with conn.transaction():
        number, diff = proposals.propose(conn, new, by, NOW)
    assert number is not None
    assert diff
    return number


def decided(conn: Connection, number: int) -> tuple[Any, ...] | None:
    return conn.execute(
        "select decision, decided_by, decided_at from directory_proposal where id = %s", [number]
    ).fetchone()


@pytest.mark.parametrize("name", ["anna", "Anna", " anna "])
def test_nobody_approves_what_is_their_own(a: Connection, name: str) -> None:
    number = proposed(a)
    with pytest.raises(NotAllowed, match="somebody else must approve"), a.transaction():
        proposals.approve(a, number, name, LATER)
    assert decided(a, number) == (None, None, None)
    assert not compare(directory.load(a), START)


def test_another_approves_once_and_it_is_applied(a: Connection, b: Connection) -> None:
    number, before = proposed(a), directory.version(a)
    with b.transaction():
        proposal, diff = proposals.approve(b, number, "bea", LATER)
    assert (proposal.id, proposal.proposed_by, len(diff.changes)) == (number, "anna", 1)
    assert decided(a, number) == ("approved", "bea", LATER)
    assert directory.version(a) == before + 1
    assert not compare(directory.load(a), LESS)
    for decide in (proposals.approve, proposals.reject):
        with pytest.raises(NotAllowed, match="no open proposal"), a.transaction():
            decide(a, number, "bea", LATER)


def test_what_was_made_on_an_older_version_is_approved_by_nobody(
    a: Connection, b: Connection
) -> None:
    first, second = proposed(a), proposed(a, OTHER)
    with a.transaction():
        proposals.approve(a, first, "bea", LATER)
    with pytest.raises(NotAllowed, match="the directory changed since"), b.transaction():
        proposals.approve(b, second, "bea", LATER)
    assert not compare(directory.load(a), LESS)
    with b.transaction():
        proposals.reject(b, second, "anna", LATER)
    assert decided(a, second) == ("rejected", "anna", LATER)


def test_what_another_is_deciding_is_waited_for(a: Connection, b: Connection) -> None:
    number = proposed(a)
    with a.transaction():
        proposals.approve(a, number, "bea", LATER)
        with pytest.raises(psycopg.errors.LockNotAvailable), b.transaction():
            proposals.reject(b, number, "cor", LATER)
    with pytest.raises(NotAllowed, match="no open proposal"), b.transaction():
        proposals.reject(b, number, "cor", LATER)
    assert decided(a, number) == ("approved", "bea", LATER)


def test_a_directory_that_is_being_changed_is_waited_for(a: Connection, b: Connection) -> None:
    number = proposed(a)
    with a.transaction():
        directory.apply(a, OTHER, "dirk", NOW)
        with pytest.raises(psycopg.errors.LockNotAvailable), b.transaction():
            proposals.approve(b, number, "bea", LATER)
    with pytest.raises(NotAllowed, match="the directory changed since"), b.transaction():
        proposals.approve(b, number, "bea", LATER)


def test_what_was_changed_after_it_was_proposed_is_approved_by_nobody(a: Connection) -> None:
    number, other = proposed(a), proposed(a, OTHER)
    a.execute(
        "update directory_proposal set directory ="
        " (select directory from directory_proposal where id = %s) where id = %s", [other, number],
    )  # fmt: skip
    with pytest.raises(NotAllowed, match="its digest differs"), a.transaction():
        proposals.approve(a, number, "bea", LATER)


def test_open_ones_are_shown_oldest_first_and_without_the_decided(a: Connection) -> None:
    first, second, third = proposed(a), proposed(a, OTHER), proposed(a, LESS, "cor")
    with a.transaction():
        proposals.reject(a, second, "bea", LATER)
    shown = proposals.open_ones(a)
    assert [(p.id, p.proposed_by) for p in shown] == [(first, "anna"), (third, "cor")]
    assert not compare(shown[0].content, LESS)


def test_nothing_new_is_no_proposal(a: Connection) -> None:
    number, diff = proposals.propose(a, START, "anna", NOW)
    assert (number, len(diff.changes)) == (None, 0)
    assert proposals.open_ones(a) == ()


def test_a_change_made_on_another_version_is_refused(a: Connection) -> None:
    now = directory.version(a)
    for stale in (now - 1, now + 1):
        with pytest.raises(Stale, match=f"which is at {now}"), a.transaction():
            directory.apply(a, LESS, "bea", LATER, base=stale)
        with pytest.raises(Stale), a.transaction():
            proposals.propose(a, LESS, "bea", LATER, stale)
    with a.transaction():
        assert directory.apply(a, LESS, "bea", LATER, base=now)
