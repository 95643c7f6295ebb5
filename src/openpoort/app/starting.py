"""What a gateway needs once, before the first process starts."""

from __future__ import annotations

from datetime import UTC, datetime

from openpoort.app.home import DIRECTORY
from openpoort.app.journal import seal
from openpoort.domain import partyfile
from openpoort.domain.party import Directory
from openpoort.domain.seal import Seal, unsealed
from openpoort.keys.checkpoint import BadKey
from openpoort.settings import Settings
from openpoort.store.directory import directory
from openpoort.store.postgres.primary import connect
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
        directory.apply(conn, new, "serve", datetime.now(UTC), seal=_seal(settings))
        _log.info("directory applied", parties=len(new.parties), agencies=len(new.agencies))


def _seal(settings: Settings) -> Seal:
    """With the checkpoint key; a gateway without one is told so by its workers."""
    try:
        return seal(settings)
    except (BadKey, OSError) as wrong:
        _log.warning("directory not sealed", why=str(wrong))
        return unsealed


def known_directory(settings: Settings, dsn: str) -> Directory:
    """What the database knows; before the first `serve`, what HOME/directory.toml will tell it.
    Raises BadDirectory."""
    file = settings.home / DIRECTORY
    with connect(dsn) as conn:
        known = directory.load(conn)
    if known.parties or known.agencies or not file.exists():
        return known
    return partyfile.read(file.read_text(encoding="utf-8"))
