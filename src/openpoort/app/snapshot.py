"""The directory as this process knows it: loaded whole, looked at again every second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from openpoort.domain.party import Directory
from openpoort.store.directory import directory
from openpoort.store.postgres.primary import connect
from openpoort.telemetry import logger

_log = logger("app.snapshot")
_SECONDS = 1.0
Connection = psycopg.Connection[Any]


class Snapshot:
    """`now()` is the newest directory; `changed` is told of each new one and `follow` gets the
    connection at every look, both from our thread. `names` fills placeholders in endpoints.

    While the database is away, or holds what cannot be read, the last one known stays in force.
    """

    def __init__(
        self,
        dsn: str,
        changed: Callable[[Directory], None] = lambda _: None,
        follow: Callable[[Connection], None] = lambda _: None,
        names: Mapping[str, object] | None = None,
    ) -> None:
        self._dsn = dsn
        self._changed = changed
        self._look = follow
        self._names = names or {}
        self._stop = threading.Event()
        with connect(dsn) as conn:
            self._take(conn)
            follow(conn)
        self._thread = threading.Thread(target=self._run, name="directory", daemon=True)
        self._thread.start()

    def now(self) -> Directory:
        return self._directory

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except psycopg.Error:
                pass  # the database is away; its own alarms say so
            except ValueError as bad:
                _log.error("directory or evidence cannot be read", problem=str(bad))
            self._stop.wait(_SECONDS)

    def _follow(self) -> None:
        with connect(self._dsn) as conn:
            while not self._stop.wait(_SECONDS):
                self._look(conn)
                if directory.version(conn) != self._version:
                    self._take(conn)
                    _log.info("directory changed", version=self._version)

    def _take(self, conn: Connection) -> None:
        """Version and content of one moment."""
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read")
            self._version, found = directory.version(conn), directory.load(conn)
        self._directory = found.filled(self._names)
        self._changed(self._directory)
