"""What is new to a requester: its turn, statuses not had before, processes page by page."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

from openpoort.domain.fault import Fault
from openpoort.domain.journal import JournalEntry
from openpoort.domain.message import Proces, Vraag
from openpoort.domain.status import Status
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.crashpoints import crash_point
from openpoort.process.reading import answers
from openpoort.process.reading.rights import Rights
from openpoort.store.journal import journal
from openpoort.store.messages import closed_weeks, mailbox, reading
from openpoort.store.messages.mailbox import Letter
from openpoort.store.messages.reading import About, Known
from openpoort.store.postgres.aborted import until_done
from openpoort.store.postgres.group_commit import Busy
from openpoort.store.postgres.pool import Connection
from openpoort.store.store import Store

_PAGE = 25
"""Processes looked up at once: one answer has room for some seventy statuses."""
_MOST = 50_000
"""Processes in one list; beyond it the requester must ask more narrowly."""


class Turn:
    """The right of one requester to be told what is new, from look-up until the peer has
    the answer.

    Holds a connection with an advisory lock: when this process dies the turn is given up and
    everything stays new. Made without `take` it holds nothing and only journals what was fetched.
    """

    def __init__(self, store: Store, requester: str, clock: Clock) -> None:
        self._store, self.requester, self._clock = store, requester, clock
        self._conn: Connection | None = None
        self._ended = threading.Lock()
        self.statuses: list[tuple[date, UUID, int]] = []
        self.letters: list[Letter] = []
        self.fetched: list[Letter] = []
        self.what = mailbox.LIST
        self.room = answers.LARGEST

    @classmethod
    def take(cls, store: Store, requester: str, clock: Clock) -> Turn:
        """Wait for the turn. Raises Busy when the one before takes too long."""
        turn = cls(store, requester, clock)
        conn = store.pool.take()
        try:
            if not reading.turn(conn, requester):
                raise Busy(10)
        except BaseException:
            store.pool.give(conn)
            raise
        turn._conn = conn
        return turn

    @property
    def connection(self) -> Connection:
        assert self._conn is not None
        return self._conn

    def delivered(self) -> None:
        """Mark what was handed over, write it in the journal, give up the turn."""
        crash_point("before-seen")
        try:
            if self._conn is not None:
                self._write(self._conn)
            elif self.fetched:
                with self._store.pool.lend() as conn:
                    self._write(conn)
        finally:
            self.release()

    def _write(self, conn: Connection) -> None:
        at = self._clock.now()
        entries = [
            JournalEntry("message.fetched", at, self.requester, str(x.kenmerk),
                         {"shown": str(x.shown)})
            for x in self.fetched
        ]  # fmt: skip

        def mark() -> None:
            with conn.transaction():
                reading.mark(conn, self.requester, self.statuses)
                mailbox.mark(conn, self.requester, self.letters, self.what)
                journal.add(conn, entries)

        # It has been told: left unmarked by an aborted transaction it would be told again.
        until_done(mark)

    def release(self) -> None:
        with self._ended:
            conn, self._conn = self._conn, None
        if conn is None:
            return
        try:
            reading.end_turn(conn, self.requester)
        except Exception:
            conn.close()  # the lock goes with the connection
            raise
        finally:
            self._store.pool.give(conn)


def of_processes(
    conn: Connection, turn: Turn, known: Sequence[Known], vraag: Vraag
) -> tuple[Status, ...]:
    """New statuses of these processes that fit one answer."""
    return _told(turn, _fresh(conn, turn.requester, known, vraag))


def statuses(conn: Connection, turn: Turn, rights: Rights, vraag: Vraag) -> tuple[Status, ...]:
    """New statuses of all processes of a kind about a party, process by process."""
    belang, kind = rights.belang(vraag), vraag.berichtsoort or ""
    whose = (True, False) if rights.every(kind, vraag) else (True,)

    def pages() -> Iterator[Fresh]:
        for own in whose:
            about = About(turn.requester, belang, kind, own)
            span = reading.span(conn, about)
            days: set[date] = set()
            page = reading.unread(conn, about, span, [], _PAGE)
            while page:
                days.update(row[1] for row in page)
                known = reading.known(conn, [row[0] for row in page])
                yield from _fresh(conn, turn.requester, [known[row[0]] for row in page], vraag)
                if len(page) < _PAGE:
                    break
                page = reading.unread(conn, about, span, page, _PAGE)
            # An answer that is cut does not come here: then this is not all there is.
            closed_weeks.learn(conn, span, {about.key(): days})

    return _told(turn, pages())


Fresh = tuple[tuple[Status, tuple[date, UUID, int]], int]


def _fresh(
    conn: Connection, requester: str, known: Sequence[Known], vraag: Vraag
) -> Iterator[Fresh]:
    """New statuses with their place and size, oldest first within a process."""
    places = [(k.kenmerk, k.day) for k in known]
    rows = reading.statuses(conn, places)
    had = reading.seen(conn, requester, places)
    for k in known:
        before = had.get(k.kenmerk, set())
        for row in rows[k.kenmerk]:
            if row.seq not in before and answers.within(vraag, row.at):
                status = answers.status(k, row)
                size = answers.size(vraag.operatie, status)
                yield (status, (k.day, k.kenmerk, row.seq)), size


def _told(turn: Turn, fresh: Iterator[Fresh]) -> tuple[Status, ...]:
    told = list(answers.fitting(fresh, turn.room))
    turn.statuses = [place for _, place in told]
    crash_point("after-read")
    return tuple(status for status, _ in told)


def processes(conn: Connection, rights: Rights, vraag: Vraag) -> tuple[Proces, ...]:
    """Processes of a kind about a party, oldest first. Fault when there are too many to list."""
    belang, kind = rights.belang(vraag), vraag.berichtsoort or ""
    every = rights.every(kind, vraag)
    found = reading.processes(conn, belang, kind, rights.oin.value, every, _MOST + 1)
    if len(found) > _MOST:
        raise Fault(f"Er zijn meer dan {_MOST} processen; vraag statussen per kenmerk op.")
    return tuple(
        Proces(str(k.kenmerk), k.berichtsoort, k.belanghebbende, k.ontvanger) for k in found
    )
