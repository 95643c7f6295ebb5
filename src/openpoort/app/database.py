"""The database of a HOME: by URL, or the embedded one, joined for as long as it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from openpoort.settings import Settings
from openpoort.store.db import migrate
from openpoort.store.embedded import Embedded


def embedded(settings: Settings) -> Embedded | None:
    """The server under HOME; None when `database.url` names another."""
    return None if settings.database.url else Embedded(settings.home / "postgres")


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The DSN of a migrated database. Starts the embedded server when none runs and stops it
    again, unless somebody else joined it meanwhile (then the last one to leave does).

    Raises ServerFailed.
    """
    server = embedded(settings)
    if server is None:
        migrate(settings.database.url)
        yield settings.database.url
        return
    dsn = server.start()
    try:
        migrate(dsn)
        yield dsn
    finally:
        server.stop()
