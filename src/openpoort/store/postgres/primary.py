"""A connection to the primary that notices when there is none any more.

Four things that a plain connection does not do. It gives up on a server that says nothing: one
that is frozen or cut off keeps its TCP connections, and no keepalive helps against the first. It
takes only a primary, by `target_session_attrs` and by the history of its timeline, so that one
that comes back after another was promoted is not written to. It treats "read-only" as a lost
connection. And it does not believe a commit whose wait for the synchronous standby was cut short:
PostgreSQL then reports success with a warning (SyncRepWaitForLSN in its syncrep.c), and that
message would be on one server only. The caller is told that the connection is lost; who repeats
is told the truth.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Generator, Iterator
from typing import Any, Self, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import Diagnostic

from openpoort.store.postgres import lineage
from openpoort.store.postgres.lineage import Lineage

_Result = TypeVar("_Result")

DEFAULTS = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "target_session_attrs": "read-write",
}
"""What a DSN gets that does not say it itself. `tcp_user_timeout` (milliseconds) is also how long
a server may be silent in the middle of a statement, for the kernel cannot tell that."""

_SYNC_WAIT = "SyncRepWaitForLSN"
_INTERVAL = 0.1
_CANCEL = 2.0
SETUP = """
select set_config('jit', 'off', false), set_config('random_page_cost', '1.1', false),
    set_config('client_min_messages', 'warning', false),
    set_config('tcp_keepalives_idle', '10', false),
    set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false),
    case when current_setting('synchronous_commit') in ('off', 'local')
        then set_config('synchronous_commit', 'on', false) end
"""
"""Every statement is short and goes by index: compiling plans costs more than it saves, and a
solid-state disk reads a page anywhere for the price of the next. Warnings must reach us. The
keepalives are the server's own, so that it drops the locks of a machine of ours that vanished.
A role or database that commits without flushing is not for acknowledged messages."""

_newest: dict[int, Lineage] = {}
"""Cluster -> the newest line of its history that this process has written to."""
_best: dict[str, int] = {}
"""DSN -> the place of the host that was the primary last: it is asked first, and if it is still
one, alone. Forgotten when a server fell silent, and by a child after a fork: then all are asked."""
os.register_at_fork(after_in_child=_best.clear)
_silences = 0
"""How often a server fell silent under a connection of this process."""


class Lost(psycopg.OperationalError):
    """The connection is closed; whether the statement was done is not known."""


class Unreplicated(Lost):
    """Committed on the primary only. Nobody may be told that it is safe."""

    def __init__(self) -> None:
        super().__init__("committed, but no synchronous standby confirmed it")


class Link(psycopg.Connection[Any]):
    """`silence` is how many seconds the server may say nothing inside a statement; 0: no end.
    `place` is the DSN of this one host."""

    silence: float = 0.0
    place: str = ""
    _alone = False
    _made_at = 0

    def wait(
        self, gen: PQGen[_Result], interval: float = _INTERVAL, timeout: float | None = None
    ) -> _Result:
        """As psycopg's, through which every statement and commit goes."""
        bounded = self.silence and timeout is None
        try:
            found = super().wait(_heard(gen, self.silence) if bounded else gen, interval, timeout)
        except errors.ReadOnlySqlTransaction as wrong:
            self.close()
            raise Lost(f"no primary any more: {wrong}") from wrong
        except Lost:
            self._give_up()
            raise
        if self._alone:
            self.close()
            raise Unreplicated
        return found

    def _give_up(self) -> None:
        """Close, and let the server stop too: a backend that waits for a standby does not notice
        that we left, and a new one each time would use up all its connections. What it wrote is
        then visible on the primary alone, but nothing is told or sent without a later commit of
        our own, and the log is replicated in order."""
        global _silences  # noqa: PLW0603  # of the process, as what it stands for
        _silences += 1
        with contextlib.suppress(psycopg.Error):
            self.cancel_safe(timeout=_CANCEL)
        self.close()
        _best.clear()

    def ended(self) -> bool:
        """Whether the server hung up while this connection lay idle, or fell silent under another
        one made no later. A system call where all is well."""
        if self._made_at != _silences:
            return True
        heard = select.poll()
        heard.register(self.pgconn.socket, select.POLLIN)
        try:
            while heard.poll(0):  # a farewell first, then the end; or just a notice
                self.pgconn.consume_input()
                while self.pgconn.notifies():
                    pass
        except psycopg.OperationalError:
            return True
        return False

    def _notice(self, said: Diagnostic) -> None:
        """By the name of PostgreSQL's function: the text is translated, its code is general."""
        if said.source_function == _SYNC_WAIT:
            self._alone = True

    @classmethod
    def to(cls, conninfo: str, silence: float | None) -> tuple[Self, Lineage | None]:
        """A connection made ready, and which line of history it writes (None: a standby)."""
        given = conninfo_to_dict(conninfo)
        conn = cls.connect(conninfo, autocommit=True)
        conn.silence = int(str(given["tcp_user_timeout"])) / 1000 if silence is None else silence
        conn.place = conninfo
        conn._made_at = _silences
        conn.add_notice_handler(conn._notice)
        try:
            conn.execute(SETUP)
            return conn, lineage.of(conn)
        except BaseException:
            conn.close()
            raise


def _heard(gen: PQGen[_Result], seconds: float) -> Generator[Any, Any, _Result]:
    """`gen`, given up when nothing comes for `seconds`. Raises Lost."""
    end = time.monotonic() + seconds
    try:
        state = next(gen)
        while True:
            ready = yield state
            if ready:
                end = time.monotonic() + seconds
            elif time.monotonic() > end:
                raise Lost(f"the database said nothing for {seconds:g} s")
            state = gen.send(ready)
    except StopIteration as done:
        result: _Result = done.value
        return result


def usable(conn: psycopg.Connection[Any]) -> bool:
    """Whether a connection that lay idle may be used. Where this is not asked, the first request
    after an outage fails on a connection that ended long before it came."""
    return not conn.closed and not (isinstance(conn, Link) and conn.ended())


def connect(dsn: str, *, silence: float | None = None) -> Link:
    """An autocommit connection to the primary among the hosts of `dsn`; a transaction is always
    a `with conn.transaction()`.

    Of several primaries the one on the highest timeline, if it goes on with what this process
    wrote before. Raises psycopg.OperationalError, also for two of one number that parted.
    """
    places = _places(dsn)
    asked_before = dsn in _best
    problems: list[psycopg.OperationalError] = []
    found: list[tuple[Link, Lineage | None, int]] = []
    for number in _order(len(places), _best.get(dsn, 0)):
        try:
            conn, line = Link.to(places[number], silence)
            _own(conn, line)
        except psycopg.OperationalError as wrong:
            problems.append(wrong)
            continue
        found.append((conn, line, number))
        if asked_before:
            break
    if not found:
        if len(problems) == 1:
            raise problems[0]
        raise Lost("no primary: " + "; ".join(str(p).strip() for p in problems))
    conn, line, number = chosen = max(found, key=lambda one: one[1].timeline if one[1] else 0)
    rivals = [one for one in found if one is not chosen]
    for rival, *_ in rivals:
        rival.close()
    for rival, theirs, _ in rivals:
        if line and theirs and line.timeline == theirs.timeline and not line.follows(theirs):
            conn.close()
            raise Lost(f"two primaries: {_where(conn)} on {line}, {_where(rival)} on {theirs}."
                       " Stop the one whose writes are to be thrown away")  # fmt: skip
    _best[dsn] = number
    if line is not None:
        _newest[line.cluster] = line
    return conn


def _own(conn: Link, line: Lineage | None) -> None:
    """Raises Lost for a line of history that does not go on with the one we know."""
    known = _newest.get(line.cluster) if line is not None else None
    if line is None or known is None or line.follows(known):
        return
    conn.close()
    if line.timeline < known.timeline:
        what = f"an old primary, on timeline {line.timeline}; {known.timeline} has begun"
    else:
        what = f"another primary, on {line}; we wrote to {known}"
    raise Lost(f"{_where(conn)}: {what}. Stop it, and let it join again as a standby")


def _where(conn: Link) -> str:
    """Host and port, also of a connection that is closed."""
    given = conninfo_to_dict(conn.place)
    return f"{given.get('host')} port {given.get('port')}"


def _order(count: int, first: int) -> Iterator[int]:
    return iter([first, *(n for n in range(count) if n != first)])


def _places(dsn: str) -> list[str]:
    """A DSN for each host of `dsn`, with our defaults."""
    given = {**DEFAULTS, **{k: str(v) for k, v in conninfo_to_dict(dsn).items()}}
    lists = {k: given[k].split(",") for k in ("host", "hostaddr", "port") if k in given}
    count = max((len(one) for one in lists.values()), default=1)
    for name, one in lists.items():
        if len(one) not in {1, count}:
            raise Lost(f"database.url: {len(one)} values for {name}, {count} hosts")
    found = []
    for number in range(count):
        given |= {name: values[number % len(values)] for name, values in lists.items()}
        found.append(make_conninfo("", **given))
    return found
