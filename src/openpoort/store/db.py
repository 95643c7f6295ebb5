"""Connections and migrations."""

from __future__ import annotations

from pathlib import Path

import alembic.command
import alembic.config
from psycopg.conninfo import conninfo_to_dict


def sqlalchemy_url(dsn: str) -> str:
    """The same DSN for SQLAlchemy (Alembic), which wants a URL with the rest in its query."""
    from sqlalchemy.engine import URL

    parts = {k: str(v) for k, v in conninfo_to_dict(dsn).items() if v is not None}
    database = parts.pop("dbname", None)
    return URL.create("postgresql+psycopg", database=database, query=parts).render_as_string(
        hide_password=False
    )


def migrate(dsn: str, to: str = "head") -> None:
    """Bring the schema to revision `to`."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", sqlalchemy_url(dsn).replace("%", "%%"))
    alembic.command.upgrade(config, to)
