"""Whether something between us and the server takes the session apart.

A turn, a lease and a notification belong to a session. A pooler in transaction mode (PgBouncer's
pool_mode = transaction) gives each transaction another server: locks then stand on a session that
somebody else uses, and nobody is woken. Session mode is fine.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import psycopg

from openpoort.store.postgres.primary import Link, connect

WHAT = (
    "a connection pooler in transaction mode stands between openpoort and PostgreSQL, and sessions"
    " get lost in it: use pool_mode = session, or the address of the server itself"
)
_TRIES = 4
_SECONDS = 3.0


def takes_apart(conn: Link, dsn: str) -> bool:
    """Asked over a connection that is idle; it may be closed afterwards. Raises OperationalError.

    The server's own number for the session is what it told us when we connected, unless a pooler
    answered in its place. Then others take a server each and hold it: if ours moves to another
    one meanwhile, or must wait for one, it was not ours.
    """
    before = _server(conn)
    if before == conn.info.backend_pid:
        return False
    with ExitStack() as held:
        for _ in range(_TRIES):
            try:
                other = held.enter_context(connect(dsn, silence=_SECONDS))
                held.enter_context(other.transaction(force_rollback=True))
                _server(other)
            except psycopg.Error:
                return True  # statement mode knows no transactions; a full pool lets nobody in
            try:
                if _server(conn) != before:
                    return True
            except psycopg.OperationalError:
                return True
    return False


def _server(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute("select pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])
