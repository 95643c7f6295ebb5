"""What is new to whom: marks of reading belong to one requester, one message and one way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from openpoort.store.messages import changes, mailbox
from openpoort.store.messages.changes import Mail
from openpoort.store.messages.mailbox import LIST, MESSAGE, Letter, Wanted
from openpoort.store.store import Store
from tests.store.rows import NOW, accept

Connection = psycopg.Connection[Any]
OWNER, READER, THIRD = "00000099001000044000", "00000099002000055000", "00000099003000066000"
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def store(room: str) -> Iterator[Store]:
    made = Store(room)
    yield made
    made.close()


@pytest.fixture
def a(store: Store) -> Iterator[Connection]:
    with store.connect() as one:
        one.execute("truncate mailbox, seen")
        yield one


@pytest.fixture
def b(store: Store) -> Iterator[Connection]:
    with store.connect() as one:
        yield one


def letter(store: Store, conn: Connection, owner: str = OWNER, belang: str = "B", n: int = 0) -> (
    Letter
):  # fmt: skip
    """A message that lies in the mailbox since `n` microseconds after NOW."""
    item = accept()
    store.take_in(conn, [item])
    kenmerk, day, at = item.message.kenmerk, item.message.day, NOW + n * MOMENT
    with conn.transaction():
        process = changes.lock(conn, [(kenmerk, day)])[kenmerk]
        process.mailbox.append(Mail(uuid4(), owner, belang, "Omzetbelasting", at))
        changes.apply(conn, [process])
        shown = process.mailbox[0].shown
    return Letter(day, kenmerk, shown, owner, belang, "Omzetbelasting", at)


def own(conn: Connection, requester: str = OWNER, new: str | None = LIST, **more: Any) -> Any:
    with conn.transaction():
        return mailbox.own(conn, Wanted(requester, new=new, **more))


def others(conn: Connection, requester: str = READER, new: str | None = LIST, **more: Any) -> Any:
    with conn.transaction():
        return mailbox.others(conn, Wanted(requester, new=new, **more), ["B", "C"])


@pytest.mark.parametrize(("had", "other"), [(LIST, MESSAGE), (MESSAGE, LIST)])
def test_what_its_owner_had_one_way_is_not_new_that_way_only(
    store: Store, a: Connection, b: Connection, had: str, other: str
) -> None:
    first, second = letter(store, a), letter(store, a, n=1)
    with a.transaction():
        mailbox.mark(a, OWNER, [first], had)
    assert own(b, new=had) == [second]
    assert own(b, new=other) == own(b, new=None) == [first, second]
    assert others(b, new=had) == others(b, new=other) == [first, second], "a reader has its own"
    both = [first, second]
    assert mailbox.unseen(b, OWNER, both, had) == [second]
    assert mailbox.unseen(b, OWNER, both, other) == both
    assert mailbox.unseen(b, READER, both, had) == both


@pytest.mark.parametrize(("had", "other"), [(LIST, MESSAGE), (MESSAGE, LIST)])
def test_what_one_reader_had_stays_new_to_its_owner_and_to_other_readers(
    store: Store, a: Connection, b: Connection, had: str, other: str
) -> None:
    first, second = letter(store, a), letter(store, a, n=1)
    for _ in range(2):
        with a.transaction():
            mailbox.mark(a, READER, [first], had)
    assert others(b, new=had) == [second]
    assert others(b, new=other) == others(b, new=None) == [first, second]
    assert others(b, THIRD, new=had) == own(b, new=had) == [first, second]
    assert mailbox.unseen(b, READER, [first, second], had) == [second]
    assert mailbox.unseen(b, READER, [first, second], other) == [first, second]
    assert mailbox.unseen(b, THIRD, [first, second], had) == [first, second]


def test_nobody_marks_what_is_not_committed(store: Store, a: Connection, b: Connection) -> None:
    mine = letter(store, a)
    with a.transaction(force_rollback=True):
        mailbox.mark(a, OWNER, [mine], LIST)
        assert own(b) == [mine]
    assert own(b) == [mine]


def test_a_letter_is_its_owners_and_of_those_it_is_about(store: Store, a: Connection) -> None:
    mine, theirs = letter(store, a), letter(store, a, READER, "C", 1)
    nobodys = letter(store, a, "", "D", 2)
    assert own(a) == [mine]
    assert own(a, READER) == [theirs]
    assert others(a) == [mine], "what is its own is not somebody else's"
    assert others(a, OWNER) == [theirs]
    with a.transaction():
        found = mailbox.others(a, Wanted(THIRD), ["D"])
        assert mailbox.others(a, Wanted(THIRD), []) == []
    assert found == [nobodys]


def test_a_mark_of_another_letter_of_the_same_owner_is_not_touched(
    store: Store, a: Connection
) -> None:
    mine, theirs = letter(store, a), letter(store, a, READER, "C")
    with a.transaction():
        mailbox.mark(a, OWNER, [mine, theirs], MESSAGE)
    assert own(a, READER, MESSAGE) == [theirs], "what is another's is marked for the reader"
    assert others(a, OWNER, MESSAGE) == []


def test_a_question_has_its_bounds(store: Store, a: Connection) -> None:
    first, second, third = (letter(store, a, n=n) for n in range(3))
    assert own(a, since=NOW + MOMENT) == [second, third]
    assert own(a, until=NOW + MOMENT) == [first]
    assert own(a, limit=2) == [first, second]
    assert own(a, kind="Aangifte_LH") == []
    assert own(a, kind="Omzetbelasting", belang="B") == [first, second, third]
    assert own(a, belang="C") == []
    assert others(a, since=NOW + MOMENT, until=NOW + 2 * MOMENT) == [second]
    assert others(a, belang="C") == others(a, kind="Aangifte_LH") == []


def test_where_a_list_is_full_only_what_may_be_had_counts(store: Store, a: Connection) -> None:
    hidden = letter(store, a)
    a.execute("update mailbox set berichtsoort = 'Aangifte_LH' where kenmerk = %s",
              [hidden.kenmerk])  # fmt: skip
    mine = letter(store, a, n=1)
    with a.transaction():
        asked = Wanted(READER, new=LIST, limit=1)
        assert mailbox.others(a, asked, ["B"], lambda _: {"Omzetbelasting"}) == [mine]
        assert mailbox.others(a, asked, ["B"], lambda _: ()) == []
        assert mailbox.others(a, asked, ["B"]) == [replace(hidden, berichtsoort="Aangifte_LH")]


def test_a_kenmerk_leads_to_its_own_letters(store: Store, a: Connection) -> None:
    mine, other = letter(store, a), letter(store, a, n=1)
    assert mailbox.about(a, mine.kenmerk) == [mine]
    assert mailbox.about(a, uuid4()) == []
    a.execute("update register set about = %s where kenmerk = %s", [mine.kenmerk, other.kenmerk])
    assert mailbox.about(a, mine.kenmerk) == [mine, other]
    assert mailbox.about(a, other.kenmerk) == []
