"""A backup of a HOME with its embedded database, and a HOME again from it.

FOLDER/data is a base backup, FOLDER/home the rest of HOME. The database goes first: a document
outside it is written before the row that names it, so files copied later hold all that rows name.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg

from openpoort.app.database import embedded
from openpoort.settings import Settings
from openpoort.store.postgres import backups
from openpoort.store.postgres.embedded import Embedded, ServerFailed

_LEFT_OUT = {"postgres", "run"}


class NotRestorable(Exception):
    """Why nothing was done."""


def back_up(settings: Settings, target: Path) -> float:
    """Into `target`, which is new; the gateway may run. Seconds the database took.

    Raises NotRestorable, ServerFailed, psycopg.Error, OSError.
    """
    own = embedded(settings)
    if own is None:
        raise NotRestorable("database.url names another PostgreSQL: back it up with its own tools")
    _new(target)
    dsn = own.start()
    try:
        fresh = own.data.with_name("backup")
        shutil.rmtree(fresh, ignore_errors=True)
        seconds = backups.back_up(dsn, own.user, fresh, backups.password_of(dsn))
    finally:
        own.stop()
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.move(fresh, target / "data")
    shutil.copy(own.folder / "pgpass", target / "pgpass")
    shutil.copytree(settings.home, target / "home", ignore=_beside(settings.home))
    return seconds


def restore(backup: Path, home: Path) -> int:
    """Make `home`, which is new, from `backup`, and see its server take a write; the number of
    messages in it. Raises NotRestorable, ServerFailed, psycopg.Error, OSError."""
    if not (backup / "data" / "PG_VERSION").exists() or not (backup / "home").is_dir():
        raise NotRestorable(f"{backup} is no backup: `openpoort backup` makes one")
    _new(home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(backup / "home", home, dirs_exist_ok=True)
    own = Embedded(home / "postgres")
    own.folder.mkdir(mode=0o700)
    own.user.prepare(own.folder)
    shutil.copytree(backup / "data", own.data)
    for path in (own.data, *own.data.rglob("*")):
        own.user.give(path)
    own.data.chmod(0o700)
    shutil.copy(backup / "pgpass", own.folder / "pgpass")
    dsn = own.start()
    try:
        with psycopg.connect(dsn, autocommit=True) as conn:
            backups.ready(conn)
            return backups.messages(conn)
    finally:
        own.stop()


def _new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotRestorable(f"{folder} is not empty; choose a folder that is")


def _beside(home: Path) -> Callable[[str, list[str]], set[str]]:
    """The database and what belongs to running processes stay out."""
    return lambda folder, names: _LEFT_OUT & set(names) if Path(folder) == home else set()


__all__ = ["NotRestorable", "ServerFailed", "back_up", "restore"]
