"""The reading side: statuses and return messages, for whoever may see them.

A kenmerk of somebody else gets the same answer, after the same look-up, as one that does not
exist. What is "new" is kept per requester; its polls go one after the other, and items stop being
new only when the peer's TCP has acknowledged the answer (settled points, "Nieuwe").
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakValueDictionary

from openpoort.domain.fault import Fault
from openpoort.domain.message import Antwoord, Operatie, Vraag
from openpoort.domain.party import Directory
from openpoort.process.flow import switches, texts
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.context import House, kenmerk_of
from openpoort.process.reading import answers, mailbox, unread
from openpoort.process.reading.rights import Rights
from openpoort.process.reading.unread import Turn
from openpoort.store.messages import reading
from openpoort.store.messages.reading import Known
from openpoort.store.messages.rows import StatusRow
from openpoort.store.postgres import partitions
from openpoort.store.postgres.aborted import until_done
from openpoort.store.postgres.group_commit import GATHER_READING, Busy
from openpoort.store.postgres.pool import Connection
from openpoort.store.store import Store
from openpoort.trust.sender import VerifiedMessage
from openpoort.wire.wus.koppelvlak import Item

__all__ = ["Busy", "Reader", "Reading"]


@dataclass(frozen=True, slots=True)
class _History:
    known: Known
    statuses: Sequence[StatusRow]


class Reading:
    """An answer on its way. For the "nieuwe" operations the requester's turn is held until
    `delivered` or `release`; for the others only what was fetched is journalled."""

    def __init__(
        self,
        antwoord: Antwoord,
        turn: Turn | None = None,
        threads: ThreadPoolExecutor | None = None,
        row: asyncio.Lock | None = None,
    ) -> None:
        self.antwoord = antwoord
        self._turn = turn
        self._threads = threads
        self._row = row

    async def delivered(self) -> None:
        """The peer has the whole answer: what was new no longer is."""
        if self._turn is not None:
            await self._end(self._turn.delivered)

    async def release(self) -> None:
        """The answer did not get through: everything stays new."""
        if self._turn is not None:
            await self._end(self._turn.release)

    async def _end(self, how: Callable[[], None]) -> None:
        self._turn = None
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, how)
        finally:
            if self._row is not None:
                self._row.release()


class _Look:
    """A look-up in a thread, for somebody who may hang up before it is done."""

    def __init__(self, ask: Callable[[], tuple[Antwoord, Turn | None]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._turn: Turn | None = None
        self._abandoned = False

    def __call__(self) -> tuple[Antwoord, Turn | None]:
        antwoord, turn = until_done(self._ask)
        with self._lock:
            self._turn = turn
            late = self._abandoned
        if late and turn is not None:
            turn.release()
        return antwoord, turn

    def abandon(self) -> Turn | None:
        """Nobody waits any more; the turn to give up, when it was taken already."""
        with self._lock:
            self._abandoned = True
            return self._turn


class Reader:
    """Answers the eleven reading operations. `threads` bounds how many are looked up at once."""

    def __init__(
        self,
        store: Store,
        house: House,
        directory: Callable[[], Directory],
        clock: Clock,
        *,
        switches: bool = False,
        threads: int = 4,
    ) -> None:
        self._store, self._house, self._directory = store, house, directory
        self._clock, self._switches = clock, switches
        self._threads = store.machine.pool(threads, thread_name_prefix="read")
        # Apart: what ends a turn must never wait behind those who wait for one.
        self._enders = store.machine.pool(2, thread_name_prefix="read-end")
        self._rows: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._histories = store.batcher("statuses", _look_up, gather=GATHER_READING)

    def close(self) -> None:
        self._histories.close()
        self._threads.shutdown()
        self._enders.shutdown()

    async def vraag(
        self, who: VerifiedMessage, vraag: Vraag, room: int = answers.LARGEST
    ) -> Reading:
        """`room`: octets for the items of an answer that is cut.

        Raises Fault for an unknown kenmerk and, in the same words, for somebody else's."""
        now = self._clock.now()
        rights = Rights(who.sender.oin, self._directory(), now)
        if vraag.operatie is Operatie.STATUSSEN_PROCES:
            return Reading(await self._statuses(rights, vraag))
        loop = asyncio.get_running_loop()
        row = await self._stand_in_row(rights.oin.value) if vraag.operatie.nieuwe else None
        look = _Look(lambda: self._ask(rights, vraag, room))
        try:
            antwoord, turn = await loop.run_in_executor(self._threads, look)
        except BaseException:
            # The thread may still be looking: a turn it takes must not stay taken.
            taken = look.abandon()
            if taken is not None:
                self._enders.submit(taken.release)
            if row is not None:
                row.release()
            raise
        return Reading(antwoord, turn, self._enders, row)

    async def _stand_in_row(self, requester: str) -> asyncio.Lock:
        """Polls of one requester at this door wait here, where waiting takes no thread; those
        at other doors wait in the database. Raises Busy."""
        row = self._rows.get(requester)
        if row is None:
            row = self._rows[requester] = asyncio.Lock()
        try:
            async with asyncio.timeout(_PATIENCE):
                await row.acquire()
        except TimeoutError:
            raise Busy(_PATIENCE) from None
        return row

    async def _statuses(self, rights: Rights, vraag: Vraag) -> Antwoord:
        """The hot one: questions that come together are looked up together."""
        kenmerk = kenmerk_of(vraag.kenmerk)
        history = await self._histories.done(kenmerk)
        if history is None or not rights.process(history.known):
            raise Fault(texts.NO_SUCH_KENMERK)
        if self._switches:
            wait = switches.at_status(switches.of(history.known.switch))
            if wait:
                await asyncio.sleep(wait.total_seconds())
        items = tuple(
            answers.status(history.known, row)
            for row in history.statuses
            if answers.within(vraag, row.at)
        )
        return Antwoord(vraag.operatie, items)

    def _ask(self, rights: Rights, vraag: Vraag, room: int) -> tuple[Antwoord, Turn | None]:
        """In a thread. Everything but the hot one."""
        if vraag.operatie.nieuwe:
            turn = Turn.take(self._store, rights.oin.value, self._clock)
            turn.room = room
            try:
                items = self._new(turn, rights, vraag)
            except BaseException:
                turn.release()
                raise
            return Antwoord(vraag.operatie, items), turn
        with self._store.pool.lend() as conn:
            match vraag.operatie:
                case Operatie.BERICHTSOORTEN:
                    return Antwoord(vraag.operatie, self._kinds(conn, rights, vraag)), None
                case Operatie.PROCESSEN:
                    return Antwoord(vraag.operatie, unread.processes(conn, rights, vraag)), None
        turn = Turn(self._store, rights.oin.value, self._clock)
        with self._store.pool.lend() as conn:
            items = mailbox.fetch(conn, self._store, turn, rights, vraag)
        return Antwoord(vraag.operatie, items), turn

    def _new(self, turn: Turn, rights: Rights, vraag: Vraag) -> tuple[Item, ...]:
        conn = turn.connection
        match vraag.operatie:
            case Operatie.NIEUWE_STATUSSEN_PROCES:
                known = reading.known(conn, [kenmerk_of(vraag.kenmerk)])
                mine = [k for k in known.values() if rights.process(k)]
                if not mine:
                    raise Fault(texts.NO_SUCH_KENMERK)
                wait = switches.at_status(switches.of(mine[0].switch)) if self._switches else None
                if wait:
                    time.sleep(wait.total_seconds())
                return unread.of_processes(conn, turn, mine, vraag)
            case Operatie.NIEUWE_STATUSSEN:
                return unread.statuses(conn, turn, rights, vraag)
        return mailbox.fetch(conn, self._store, turn, rights, vraag)

    def _kinds(self, conn: Connection, rights: Rights, vraag: Vraag) -> tuple[str, ...]:
        belang = rights.belang(vraag)
        asked = [(k, rights.every(k, vraag)) for k in sorted(self._house.kinds)]
        found = reading.kinds(conn, belang, rights.oin.value, asked)
        return tuple(k for k, _ in asked if k in found)


def _look_up(conn: Connection, kenmerken: Sequence[UUID]) -> list[_History | None]:
    """The same look-ups for every kenmerk, known or not."""
    known = reading.known(conn, set(kenmerken))
    places = [(k, known[k].day if k in known else partitions.present()) for k in set(kenmerken)]
    found = reading.statuses(conn, places)
    return [_History(known[k], found[k]) if k in known else None for k in kenmerken]


_PATIENCE = 10  # seconds that a poll waits for the one before it
