"""The directory as this process knows it: loaded whole, looked at again every second."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import psycopg

from openpoort.domain.party import Directory
from openpoort.store import directory
from openpoort.telemetry import logger

_log = logger("app.snapshot")
_SECONDS = 1.0
Connection = psycopg.Connection[Any]


class Snapshot:
    """`now()` is the newest directory; `changed` is told of each new one and `follow` gets the
    connection at every look, both from our thread.

    While the database is away the last one known stays in force.
    """

    def __init__(
        self,
        dsn: str,
        changed: Callable[[Directory], None] = lambda _: None,
        follow: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self._dsn = dsn
        self._changed = changed
        self._look = follow
        self._stop = threading.Event()
        with psycopg.connect(dsn, autocommit=True) as conn:
            self._version, self._directory = _load(conn)
            changed(self._directory)
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
            with contextlib.suppress(psycopg.Error):
                self._follow()
            self._stop.wait(_SECONDS)

    def _follow(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as conn:
            while not self._stop.wait(_SECONDS):
                self._look(conn)
                if directory.version(conn) != self._version:
                    self._version, self._directory = _load(conn)
                    self._changed(self._directory)
                    _log.info("directory changed", version=self._version)


def _load(conn: Connection) -> tuple[int, Directory]:
    """Version and content of one moment."""
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read")
        return directory.version(conn), directory.load(conn)
