"""The database of a HOME: by URL, or the embedded one, joined for as long as it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from openpoort.settings import Settings
from openpoort.store.postgres import pooler
from openpoort.store.postgres.embedded import Embedded, ServerFailed
from openpoort.store.postgres.migrate import Phase, migrate
from openpoort.store.postgres.primary import connect

_OLDEST = 15_00_00


def embedded(settings: Settings) -> Embedded | None:
    """The server under HOME; None when `database.url` names another."""
    return None if settings.database.url else Embedded(settings.home / "postgres")


def reach(url: str) -> str:
    """The DSN of the primary among the hosts of `url`: a PostgreSQL 15 or newer that can be
    written to. For something short; what runs on keeps `url`. Raises ServerFailed."""
    try:
        with connect(url) as conn:
            if conn.info.server_version < _OLDEST:
                raise ServerFailed("database.url: PostgreSQL 15 or newer is needed")
            place = conn.place
            if pooler.takes_apart(conn, url):
                raise ServerFailed(f"database.url: {pooler.WHAT}")
            return place
    except psycopg.Error as wrong:
        # Never the URL itself: it may hold a password.
        raise ServerFailed(f"database.url cannot be used: {wrong}") from None


@contextmanager
def server(settings: Settings) -> Iterator[str]:
    """The DSN of a running server. Starts the embedded one when none runs and stops it again,
    unless somebody else joined it meanwhile (then the last one to leave does).

    Raises ServerFailed.
    """
    own = embedded(settings)
    if own is None:
        yield reach(settings.database.url)
        return
    dsn = own.start()
    try:
        yield dsn
    finally:
        own.stop()


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """As `server`, with the schema in place (what may run beside an older version)."""
    with server(settings) as dsn:
        migrate(dsn, Phase.BEFORE)
        yield dsn
