"""A message is taken in once, whoever brings it and how often: keys claimed between two doors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from openpoort.store.messages.rows import Accepted, Reused
from openpoort.store.store import Store
from tests.store.rows import NOW, accept

Connection = psycopg.Connection[Any]
TABLES = ("register", "message", "process", "status", "job", "journal")


@pytest.fixture
def store(room: str) -> Iterator[Store]:
    made = Store(room)
    made.ready_for({NOW.date()})
    yield made
    made.close()


@pytest.fixture
def a(store: Store) -> Iterator[Connection]:
    with store.connect() as one:
        yield one


@pytest.fixture
def b(store: Store) -> Iterator[Connection]:
    with store.connect() as one:
        yield one


def rows(conn: Connection) -> dict[str, int]:
    return {
        table: int((conn.execute(f"select count(*) from {table}").fetchone() or (0,))[0])
        for table in TABLES
    }


def accepted(result: Any) -> Accepted:
    assert isinstance(result, Accepted)
    return result


def test_a_repeat_with_the_same_values_is_the_earlier_one_and_leaves_nothing(
    store: Store, a: Connection, b: Connection
) -> None:
    key = uuid4()
    first = accept(key)
    assert not accepted(store.take_in(a, [first])[0]).repeated
    before = rows(a)
    again = accepted(store.take_in(b, [accept(key, at=NOW + timedelta(seconds=9))])[0])
    assert again == Accepted(first.message.kenmerk, first.message.kenmerk, NOW.date(), NOW, True)
    assert rows(a) == before


def test_a_key_with_other_values_is_refused_and_leaves_nothing(
    store: Store, a: Connection, b: Connection
) -> None:
    key = uuid4()
    store.take_in(a, [accept(key)])
    before = rows(a)
    assert isinstance(store.take_in(b, [accept(key, b"other")])[0], Reused)
    assert rows(a) == before


def test_in_one_batch_the_new_are_taken_in_and_the_repeats_are_not(
    store: Store, a: Connection
) -> None:
    key = uuid4()
    first = accept(key)
    store.take_in(a, [first])
    before = rows(a)
    new, own = accept(uuid4()), accept()
    results = [accepted(r) for r in store.take_in(a, [accept(key), new, own])]
    assert [r.repeated for r in results] == [True, False, False]
    assert [r.kenmerk for r in results] == [
        first.message.kenmerk, new.message.kenmerk, own.message.kenmerk,
    ]  # fmt: skip
    assert rows(a) == {table: count + 2 for table, count in before.items()}


def test_the_same_key_twice_in_one_batch_is_one_message(store: Store, a: Connection) -> None:
    key, before = uuid4(), rows(a)
    results = [accepted(r) for r in store.take_in(a, [accept(key), accept(key)])]
    assert sorted(r.repeated for r in results) == [False, True]
    assert len({r.kenmerk for r in results}) == 1
    assert rows(a) == {table: count + 1 for table, count in before.items()}


def test_what_another_door_is_taking_in_is_waited_for(
    store: Store, a: Connection, b: Connection
) -> None:
    key = uuid4()
    first = accept(key)
    got: list[Any] = []
    other = threading.Thread(target=lambda: got.extend(store.take_in(b, [accept(key)])))
    with a.transaction():
        store.take_in(a, [first])
        other.start()
        other.join(0.2)
        assert other.is_alive()
    other.join()
    assert accepted(got[0]).kenmerk == first.message.kenmerk
    assert accepted(got[0]).repeated


def test_what_another_door_gave_up_is_taken_in_by_this_one(
    store: Store, a: Connection, b: Connection
) -> None:
    key = uuid4()
    with a.transaction(force_rollback=True):
        store.take_in(a, [accept(key)])
    assert not accepted(store.take_in(b, [accept(key)])[0]).repeated


def test_the_same_content_under_another_message_id_is_the_earlier_message(
    store: Store, a: Connection, b: Connection
) -> None:
    content = uuid4()
    first = accept(uuid4(), content_key=content)
    assert not accepted(store.take_in(a, [first])[0]).repeated
    key = uuid4()
    second = accepted(store.take_in(b, [accept(key, content_key=content)])[0])
    assert (second.kenmerk, second.repeated) == (first.message.kenmerk, True)
    other = store.take_in(a, [accept(key, b"other", content_key=uuid4())])[0]
    assert isinstance(other, Reused), "its own MessageID is used up as well"


def test_content_of_a_refused_message_is_nobodys(
    store: Store, a: Connection, b: Connection
) -> None:
    key, content = uuid4(), uuid4()
    store.take_in(a, [accept(key)])
    assert isinstance(store.take_in(a, [accept(key, b"other", content_key=content)])[0], Reused)
    new = accept(uuid4(), content_key=content)
    assert accepted(store.take_in(b, [new])[0]) == Accepted(
        new.message.kenmerk, new.message.kenmerk, NOW.date(), NOW, False
    )


def test_who_listens_is_woken_once_by_what_is_new_and_not_by_a_repeat(
    store: Store, a: Connection, b: Connection
) -> None:
    b.execute("listen openpoort_work")
    key = uuid4()
    store.take_in(a, [accept(key), accept(uuid4())])
    assert len(list(b.notifies(timeout=5, stop_after=1))) == 1
    store.take_in(a, [accept(key)])
    assert list(b.notifies(timeout=0.1)) == []


def test_work_stands_on_the_queue_as_it_was_given(store: Store, a: Connection) -> None:
    item = accept()
    store.take_in(a, [item])
    kenmerk: UUID = item.message.kenmerk
    assert a.execute(
        "select day, step, lane, agency, generation, due_at, attempts, first_at, fence"
        " from job where kenmerk = %s", [kenmerk],
    ).fetchall() == [(NOW.date(), "check", "local", None, 0, NOW, 0, None, None)]  # fmt: skip
    assert a.execute(
        "select state, seq, open, last_at from process where kenmerk = %s", [kenmerk]
    ).fetchone() == ("running", 1, 1, NOW)
