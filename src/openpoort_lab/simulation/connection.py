"""The part of a psycopg connection that the store uses, on the simulated database.

Every statement and every commit takes simulated time, in which others go on. Connections break
where the world says so: before a commit, after it, or while nobody looks; the server may notice
at once or later, holding its locks until then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from openpoort_lab.simulation import questions, statements
from openpoort_lab.simulation.database import Blocked, Change, Database, Transaction
from openpoort_lab.simulation.host import Host
from openpoort_lab.simulation.scheduler import Died

assert questions  # its statements are known from here on


class Unknown(Exception):
    """A statement without a counterpart in `statements.py` or `questions.py`."""


class Cursor:
    """The answer to one statement."""

    def __init__(self, answer: Sequence[tuple[Any, ...]] | int) -> None:
        self._rows: Sequence[tuple[Any, ...]]
        if isinstance(answer, int):
            self._rows, self.rowcount = (), answer
        else:
            self._rows, self.rowcount = answer, len(answer)
        self._next = 0

    def fetchone(self) -> tuple[Any, ...] | None:
        self._next += 1
        return self._rows[self._next - 1] if self._next <= len(self._rows) else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows[self._next :])

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())


class Troubles:
    """What goes wrong with connections, in shares of one; all zero is a quiet network. `down`
    is until when the server lets nobody in."""

    def __init__(self) -> None:
        self.before_commit = self.after_commit = self.at_statement = 0.0
        self.noticed_late = 0.0
        self.down = 0.0


class Connection:
    """Also the session on the side of the server. One task at a time uses it."""

    number = 0

    def __init__(self, database: Database, host: Host, troubles: Troubles) -> None:
        self._db, self._host, self._troubles = database, host, troubles
        self._scheduler = host.scheduler
        if self._scheduler.now < troubles.down:
            self._scheduler.pause(0.01)
            raise psycopg.OperationalError("the database system is starting up")
        self.closed = self.broken = False
        self.lock_timeout = 0.0
        self._ended = self._lost = False
        self._transaction: Transaction | None = None
        self._marks: list[int] = []
        self._pipelined = False
        self._heard = False
        self._listening: Any = None
        host.sessions[self] = None

    # --- the surface of psycopg ------------------------------------------------------------

    def execute(
        self, text: Any, parameters: Any = None, *, binary: bool | None = None,
        prepare: bool | None = None,
    ) -> Cursor:  # fmt: skip
        known = statements.KNOWN.get(text)
        if known is None:
            raise Unknown(f"the simulation does not know this statement: {text}")
        if not self._pipelined:
            self._travel(self._troubles.at_statement)
        if self._transaction is not None:
            return Cursor(self._do(self._transaction, text, *known, parameters))
        transaction = self._transaction = Transaction(self._db, self)
        try:
            answer = self._do(transaction, text, *known, parameters)
            writes = bool(transaction.undo)
            self._commit(transaction)
        except BaseException:
            transaction.rollback()
            raise
        finally:
            self._transaction = None
        if writes:
            self._maybe_lose(self._troubles.after_commit)
        return Cursor(answer)

    def transaction(self) -> _Block:
        return _Block(self)

    def pipeline(self) -> _Pipeline:
        return _Pipeline(self)

    def notifies(self, timeout: float, stop_after: int) -> Iterator[object]:
        """As far as `queue.heard` goes: one notification or none."""
        self._check()
        if self._listening is None:
            self._listening = self._host.machine.event()
        if not self._heard:
            self._listening.wait(timeout)
        self._listening.clear()
        self._check()
        heard, self._heard = self._heard, False
        return iter([object()] if heard else [])

    def close(self) -> None:
        self.closed = True
        if not self._lost:
            self.cut()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def info(self) -> Connection:
        return self

    @property
    def transaction_status(self) -> TransactionStatus:
        if self._ended:
            return TransactionStatus.UNKNOWN
        return TransactionStatus.IDLE if self._transaction is None else TransactionStatus.INTRANS

    # --- the side of the server ------------------------------------------------------------

    def cut(self) -> None:
        """The server ends the session: what was not committed is undone."""
        if self._ended:
            return
        self._ended = True
        self._host.sessions.pop(self, None)
        if self._transaction is not None:
            self._transaction.rollback()
        self._db.unlock(self)
        self._db.listeners.pop(self, None)
        if self._listening is not None:
            self._listening.set()

    def notified(self) -> None:
        self._heard = True
        if self._listening is not None:
            self._listening.set()

    # ---------------------------------------------------------------------------------------

    def _check(self) -> None:
        if not self._host.alive:
            raise Died
        if self._ended or self.closed:
            self.closed = self.broken = True
            raise psycopg.OperationalError("the connection is lost")

    def _travel(self, share_lost: float) -> None:
        """To the server and back; on the way the connection may break."""
        self._check()
        scheduler = self._scheduler
        scheduler.pause(0.0002 + 0.0008 * scheduler.draw.random() ** 4)
        self._check()
        if share_lost:
            self._maybe_lose(share_lost)

    def _maybe_lose(self, share: float) -> None:
        if share and self._scheduler.draw.random() < share:
            self._lose()

    def _lose(self) -> None:
        self.closed = self.broken = self._lost = True
        self._scheduler.note("loses its connection")
        draw = self._scheduler.draw
        if draw.random() < self._troubles.noticed_late:
            self._scheduler.at(self._scheduler.now + 20.0 * draw.random(), self.cut)
        else:
            self.cut()
        raise psycopg.OperationalError("the connection is lost")

    # What the server is told; a twin run tells a real one too (`twin.py`).

    def answer(self, transaction: Transaction, text: str, name: str, handler: Any, p: Any) -> Any:
        return handler(transaction, p)

    def say(self, command: str) -> None:
        """begin, commit, rollback, or the same with a savepoint."""

    def _do(self, transaction: Transaction, text: str, name: str, handler: Any, p: Any) -> Any:
        while True:
            try:
                answer = self.answer(transaction, text, name, handler, p)
            except Blocked as blocked:
                self._wait_for(transaction, blocked.holder, name)
            except statements.Held as held:
                self._wait_for_turn(held.key)
            else:
                count = answer if isinstance(answer, int) else len(answer)
                self._scheduler.note(name, count)
                return answer

    def _wait_for(self, transaction: Transaction, holder: Transaction, name: str) -> None:
        seen: Transaction | None = holder
        while seen is not None:
            if seen is transaction:
                self._scheduler.note(f"{name} deadlocks")
                raise psycopg.errors.DeadlockDetected("deadlock detected")
            seen = seen.needs
        task = self._scheduler.current
        assert task is not None
        self._scheduler.note(f"{name} waits")
        transaction.needs = holder
        holder.waiters.append(lambda: self._scheduler.wake(task, self._scheduler.draw.random()
                                                           * 1e-4))  # fmt: skip
        self._scheduler.wait(None)
        transaction.needs = None
        self._check()

    def _wait_for_turn(self, key: tuple[str, int]) -> None:
        scheduler, task = self._scheduler, self._scheduler.current
        assert task is not None
        over = scheduler.now + self.lock_timeout
        self._db.waiting_for_advisory.setdefault(key, []).append(lambda: scheduler.wake(task))
        scheduler.wait(over if self.lock_timeout else None)
        self._check()
        if self.lock_timeout and scheduler.now >= over:
            raise psycopg.errors.LockNotAvailable("canceling statement due to lock timeout")

    def _commit(self, transaction: Transaction) -> None:
        changes = transaction.commit()
        if changes:
            self._scheduler.note("commits", len(changes))
            self._tell(changes)
        if transaction.notified:
            for session in list(self._db.listeners):
                session.notified()

    def _tell(self, changes: list[Change]) -> None:
        try:
            for call in self._db.committed:
                call(changes, self)
        except Exception as error:  # the code above us may swallow it; the run may not
            self._scheduler.fail(error)
            raise

    def begin(self) -> None:
        self._check()
        if self._transaction is None:
            self._transaction = Transaction(self._db, self)
            self.say("begin")
        else:
            self._marks.append(len(self._transaction.undo))
            self.say(f"savepoint s{len(self._marks)}")

    def end(self, error: BaseException | None) -> None:
        transaction = self._transaction
        if self._marks:
            mark = self._marks.pop()
            if error is not None and transaction is not None and not self._ended:
                transaction.back_to(mark)
                self.say(f"rollback to savepoint s{len(self._marks) + 1}")
            return
        if self._ended or transaction is None:
            self._transaction = None
            if error is None:
                self._check()
        elif error is not None:
            if not self._lost:  # else the server has yet to notice
                self._transaction = None
                transaction.rollback()
                self.say("rollback")
        else:
            self._travel(self._troubles.before_commit)
            self._transaction = None
            self.say("commit")
            self._commit(transaction)
            self._maybe_lose(self._troubles.after_commit)


class _Block:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.begin()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._connection.end(error)


class _Pipeline:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection._pipelined = True

    def __exit__(self, *_: object) -> None:
        self._connection._pipelined = False
