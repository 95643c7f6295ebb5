"""What a gateway needs once, before the first process starts."""

from __future__ import annotations

from datetime import UTC, datetime

from openpoort.app.home import DIRECTORY
from openpoort.domain import partyfile
from openpoort.settings import Settings
from openpoort.store import directory
from openpoort.store.link import connect
from openpoort.telemetry import logger

_log = logger("app.starting")


def apply_directory(settings: Settings, dsn: str) -> None:
    """Apply HOME/directory.toml when nothing was ever applied; later changes go through
    `openpoort party apply`, also one that removes everybody. Raises BadDirectory."""
    file = settings.home / DIRECTORY
    if not file.exists():
        return
    with connect(dsn) as conn, conn.transaction():
        if directory.version(conn):
            return
        new = partyfile.read(file.read_text(encoding="utf-8"))
        directory.apply(conn, new, "serve", datetime.now(UTC))
        _log.info("directory applied", parties=len(new.parties), agencies=len(new.agencies))
