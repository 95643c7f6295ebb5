"""Migrations, in two halves so that versions N and N+1 can work side by side.

A revision that only adds is `before`: run it first, the old version does not mind. One that takes
away what the old version still uses says `phase = "after"`: run it when no old process is left.
A new database gets everything at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from openpoort.store.postgres import primary

if TYPE_CHECKING:  # Alembic takes half a second to import, and mostly there is nothing to do
    import alembic.config
    from alembic.script import Script

FOLDER = Path(__file__).parents[1] / "migrations"
_LOCK = 0x6F70_6D69_6772  # "opmigr": one process migrates, the others wait and find it done


class Phase(StrEnum):
    """Which half: `BEFORE` the processes are replaced, `AFTER`, or `ALL` of it."""

    BEFORE = "before"
    AFTER = "after"
    ALL = "all"


def sqlalchemy_url(dsn: str) -> str:
    """The same DSN for SQLAlchemy (Alembic), which wants a URL with the rest in its query."""
    from sqlalchemy.engine import URL

    parts = {k: str(v) for k, v in conninfo_to_dict(dsn).items() if v is not None}
    database = parts.pop("dbname", None)
    return URL.create("postgresql+psycopg", database=database, query=parts).render_as_string(
        hide_password=False
    )


def migrate(dsn: str, phase: Phase = Phase.ALL, folder: Path = FOLDER) -> list[str]:
    """Bring the schema up to date; the revisions applied, in order.

    `BEFORE` stops in front of the first revision that must wait, `AFTER` applies from there. A
    database without tables gets all of it whatever the phase.
    """
    with primary.connect(dsn, silence=0) as conn:
        conn.execute("select pg_advisory_lock(%s)", (_LOCK,))
        current = _current(conn)
        if current == _newest(folder):
            return []
        pending = _pending(folder, current)
        if current is not None:
            pending = _half(pending, phase)
        if pending:
            import alembic.command

            config = _config(folder)
            config.set_main_option("sqlalchemy.url", sqlalchemy_url(conn.place).replace("%", "%%"))
            alembic.command.upgrade(config, pending[-1].revision)
    return [script.revision for script in pending]


def waiting(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Revisions that are not applied yet, in order."""
    with primary.connect(dsn) as conn:
        current = _current(conn)
        if current == _newest(folder):
            return []
        return [script.revision for script in _pending(folder, current)]


def _newest(folder: Path) -> str | None:
    """The revision that no other builds on, read from the files; None if that is not one."""
    text = "\n".join(file.read_text() for file in (folder / "versions").glob("*.py"))
    made = set(re.findall(r'^revision = "(\w+)"', text, re.MULTILINE))
    used = set(re.findall(r"""^down_revision = ["'](\w+)["']""", text, re.MULTILINE))
    left = made - used
    return left.pop() if len(left) == 1 else None


def _config(folder: Path) -> alembic.config.Config:
    import alembic.config

    config = alembic.config.Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def _current(conn: psycopg.Connection[tuple[object, ...]]) -> str | None:
    row = conn.execute("select to_regclass('alembic_version')").fetchone()
    if row is None or row[0] is None:
        return None
    found = conn.execute("select version_num from alembic_version").fetchone()
    return str(found[0]) if found else None


def _pending(folder: Path, current: str | None) -> list[Script]:
    """After `current`, oldest first. A revision we do not know is a newer version's: nothing."""
    from alembic.script import ScriptDirectory

    scripts = list(ScriptDirectory.from_config(_config(folder)).walk_revisions())
    scripts.reverse()
    if current is None:
        return scripts
    names = [script.revision for script in scripts]
    return scripts[names.index(current) + 1 :] if current in names else []


def _half(pending: Sequence[Script], phase: Phase) -> list[Script]:
    after = [getattr(script.module, "phase", Phase.BEFORE) == Phase.AFTER for script in pending]
    first = after.index(True) if True in after else len(pending)
    if phase is Phase.BEFORE:
        return list(pending[:first])
    if phase is Phase.AFTER and first != 0:
        return []  # what must come before was not run yet: say so through `waiting`
    return list(pending)
