"""Tables in memory with what the gateway relies on in PostgreSQL: transactions and row locks.

A row has the value that is committed and, while a transaction holds it, the value that this one
sees. Others go on seeing the committed one (READ COMMITTED), skip the row, or wait for the end of
its holder. Savepoints undo; numbers of identity columns are not given back; a circle of waiting
transactions is a deadlock. Which statement means what stands in `statements.py`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import psycopg

from openpoort_lab.simulation import rows
from openpoort_lab.simulation.numbers import Number

Change = tuple[str, Any, Any]
"""Table, the committed value before, the one after (None: not there)."""


class Row:
    """`value` is committed; `new` is what `holder`, if any, has made of it."""

    __slots__ = ("holder", "key", "new", "table", "value")

    def __init__(self, table: Table, key: Hashable) -> None:
        self.table, self.key = table, key
        self.value: Any = None
        self.new: Any = None
        self.holder: Transaction | None = None


class Table:
    """Rows by primary key; `by` names a column to find rows by beside it. `ordered`: it keeps
    more indexes, and hears of every row that is committed and not only of those that go."""

    ordered = False

    def __init__(self, name: str, key: Callable[[Any], Hashable], by: int | None = None) -> None:
        self.name, self.key, self._by = name, key, by
        self.rows: dict[Hashable, Row] = {}
        self._found: dict[Any, dict[Hashable, Row]] = {}

    def row(self, key: Hashable) -> Row:
        """The place of a row, made when there is none."""
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row(self, key)
        return row

    def place(self, value: Any) -> Row:
        """The place of a new row, findable from now on (its writer may look for it)."""
        key = self.key(value)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row(self, key)
        if self._by is not None:
            found = self._found.get(value[self._by])
            if found is None:
                found = self._found[value[self._by]] = {}
            found[key] = row
        return row

    def of(self, value: Any) -> Iterable[Row]:
        """Rows whose column `by` has this value, oldest first."""
        return self._found.get(value, {}).values()

    def committed(self, row: Row, old: Any, new: Any) -> None:
        """A row got another committed value, or none; only called when this matters here."""
        if new is None:
            del self.rows[row.key]
            if self._by is not None:
                gone = old if old is not None else row.new
                places = [self._found[gone[self._by]]] if gone is not None else self._found.values()
                for found in places:
                    found.pop(row.key, None)

    def forget(self) -> None:
        self.rows.clear()
        self._found.clear()

    def values(self) -> Iterator[Any]:
        return (row.value for row in self.rows.values() if row.value is not None)


class Jobs(Table):
    """With the indexes of the queue: by lane in the order of their time, and those leased."""

    ordered = True

    def __init__(self) -> None:
        super().__init__("job", attrgetter("id"), by=2)
        self.lanes: dict[str, list[tuple[datetime, int]]] = {}
        self.leased: dict[int, Row] = {}

    def committed(self, row: Row, old: Any, new: Any) -> None:
        super().committed(row, old, new)
        if old is not None:
            lane = self.lanes[old.lane]
            del lane[bisect_left(lane, (old.due_at, old.id))]
            self.leased.pop(old.id, None)
        if new is not None:
            insort(self.lanes.setdefault(new.lane, []), (new.due_at, new.id))
            if new.fence is not None:
                self.leased[new.id] = row


class Blocked(Exception):
    """A lock is needed that `holder` has."""

    def __init__(self, holder: Transaction) -> None:
        self.holder = holder


class Database:
    """`now` is the clock of the server, which is always right; `committed` hears of every commit
    with its changes, before anything else can happen."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.register = Table("register", attrgetter("kenmerk"), by=4)
        self.repeat = Table("repeat", attrgetter("key"))
        self.certificate = Table("certificate", attrgetter("digest"))
        self.message = Table("message", attrgetter("kenmerk", "day"))
        self.process = Table("process", attrgetter("kenmerk", "day"), by=4)
        self.status = Table("status", attrgetter("kenmerk", "seq", "day"), by=1)
        self.request = Table("request", attrgetter("kenmerk", "day"))
        self.answer = Table("answer", lambda r: self.number("answer"), by=1)
        self.payload = Table("payload", attrgetter("digest", "day"))
        self.delivery = Table(
            "delivery", attrgetter("kenmerk", "agency", "generation", "day"), by=1
        )
        self.mailbox = Table("mailbox", attrgetter("kenmerk", "day"), by=1)
        self.seen = Table("seen", attrgetter("kenmerk", "requester", "what", "day"))
        self.job = Jobs()
        self.parked = Table("parked", attrgetter("id"), by=2)
        self.journal = Table("journal", attrgetter("id"))
        self._uuids: dict[str, Number] = {}
        self.advisory: dict[tuple[str, int], tuple[Any, bool]] = {}
        self.waiting_for_advisory: dict[tuple[str, int], list[Callable[[], None]]] = {}
        self.listeners: dict[Any, None] = {}
        self.committed: list[Callable[[list[Change], Any], None]] = []
        self._numbers: dict[str, int] = {}

    @property
    def tables(self) -> list[Table]:
        return [t for t in vars(self).values() if isinstance(t, Table)]

    def forget(self) -> None:
        """Let go of all rows, which name each other, without a search for what nobody names."""
        for table in self.tables:
            table.forget()
        self._uuids.clear()

    def uuid(self, text: str) -> Number:
        """One value for one text: making it, and comparing it with another, takes long."""
        known = self._uuids.get(text)
        if known is None:
            known = self._uuids[text] = Number(text)
        return known

    def clock(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def number(self, table: str) -> int:
        """The next of an identity column; never given twice, whatever is rolled back."""
        self._numbers[table] = number = self._numbers.get(table, 0) + 1
        return number

    def known(self, kenmerk: UUID) -> rows.Register | None:
        """The register as committed."""
        row = self.register.rows.get(kenmerk)
        return row.value if row is not None else None

    def unlock(self, session: Any, of_transaction: bool | None = None) -> None:
        """Give back advisory locks: all of a session, or those of its transaction."""
        if not self.advisory:
            return
        for key, (holder, passing) in list(self.advisory.items()):
            if holder is session and of_transaction in (None, passing):
                del self.advisory[key]
                for call in self.waiting_for_advisory.pop(key, []):
                    call()


class Transaction:
    """What one session does until it commits or rolls back. `needs` is whom it waits for."""

    def __init__(self, database: Database, session: Any) -> None:
        self.database, self.session = database, session
        self.undo: list[tuple[Row, Any, Transaction | None]] = []
        self.notified = False
        self.needs: Transaction | None = None
        self.waiters: list[Callable[[], None]] = []

    def see(self, row: Row) -> Any:
        """The row as this transaction sees it; None when it does not."""
        return row.new if row.holder is self else row.value

    def free(self, row: Row) -> bool:
        """Whether the row can be locked without waiting."""
        return row.holder is None or row.holder is self

    def lock(self, row: Row) -> Any:
        """Lock a row; its value. Raises Blocked."""
        if row.holder is self:
            return row.new
        if row.holder is not None:
            raise Blocked(row.holder)
        self._hold(row, row.value)
        return row.value

    def write(self, row: Row, value: Any) -> None:
        """Give a row, which can be locked, another value; None deletes it. Raises Blocked."""
        if row.holder is not None and row.holder is not self:
            raise Blocked(row.holder)
        self._hold(row, value)

    def insert(self, table: Table, value: Any) -> None:
        """Raises UniqueViolation, or Blocked by who is inserting the same."""
        row = table.place(value)
        holder = row.holder
        if holder is not None and holder is not self:
            raise Blocked(holder)
        if (row.value if holder is None else row.new) is not None:
            raise psycopg.errors.UniqueViolation(f"{table.name}: {row.key}")
        self.undo.append((row, row.new, holder))
        row.holder, row.new = self, value

    def _hold(self, row: Row, value: Any) -> None:
        self.undo.append((row, row.new, row.holder))
        row.holder, row.new = self, value

    def back_to(self, mark: int) -> None:
        """Undo everything after `mark`, a length of `undo`."""
        while len(self.undo) > mark:
            row, new, holder = self.undo.pop()
            if holder is None and row.value is None:
                row.table.committed(row, None, None)
            row.new, row.holder = new, holder
        self._let_go()

    def rollback(self) -> None:
        self.back_to(0)
        self.database.unlock(self.session, of_transaction=True)

    def commit(self) -> list[Change]:
        """Make everything visible at once; what changed, row by row."""
        changes: list[Change] = []
        for row, _, _ in self.undo:
            if row.holder is not self:
                continue  # came by already: a row may be written more than once
            table, old, new = row.table, row.value, row.new
            row.holder = None
            if old is not new:
                row.value = new
                if new is None or table.ordered:
                    table.committed(row, old, new)
                changes.append((table.name, old, new))
            elif old is None:
                table.committed(row, None, None)
            row.new = None
        self.undo.clear()
        self.database.unlock(self.session, of_transaction=True)
        self._let_go()
        return changes

    def _let_go(self) -> None:
        waiters, self.waiters = self.waiters, []
        for call in waiters:
            call()
