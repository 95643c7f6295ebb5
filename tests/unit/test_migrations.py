"""Migrations in two halves, on a chain of revisions made for the purpose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.migrate import FOLDER, Phase, migrate, waiting

REVISION = """
from alembic import op
revision = "{name}"
down_revision = {before}
phase = "{phase}"
def upgrade():
    op.execute("create table t_{name} (n int)")
"""


def chain(folder: Path, *phases: str) -> Path:
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    (folder / "env.py").write_text((FOLDER / "env.py").read_text())
    (folder / "script.py.mako").write_text("")
    before = None
    for number, phase in enumerate(phases, 1):
        name = f"r{number}"
        text = REVISION.format(name=name, before=repr(before), phase=phase)
        (folder / "versions" / f"{name}.py").write_text(text)
        before = name
    return folder


@pytest.fixture
def empty(postgres: Embedded) -> Iterator[str]:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute("drop database if exists migrating with (force)")
        conn.execute("create database migrating")
    yield postgres.dsn("migrating")
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute("drop database migrating with (force)")


def test_new_database_gets_everything(empty: str, tmp_path: Path) -> None:
    folder = chain(tmp_path, "before", "after", "before")
    assert migrate(empty, Phase.BEFORE, folder) == ["r1", "r2", "r3"]
    assert waiting(empty, folder) == []


def test_before_stops_in_front_of_what_the_old_version_needs(empty: str, tmp_path: Path) -> None:
    migrate(empty, Phase.ALL, chain(tmp_path, "before"))
    folder = chain(tmp_path, "before", "before", "after")
    assert migrate(empty, Phase.AFTER, folder) == []
    assert migrate(empty, Phase.BEFORE, folder) == ["r2"]
    assert waiting(empty, folder) == ["r3"]
    assert migrate(empty, Phase.BEFORE, folder) == []
    assert migrate(empty, Phase.AFTER, folder) == ["r3"]
    assert waiting(empty, folder) == []


def test_old_version_leaves_a_newer_schema_alone(empty: str, tmp_path: Path) -> None:
    migrate(empty, Phase.ALL, chain(tmp_path / "new", "before", "before"))
    assert migrate(empty, Phase.ALL, chain(tmp_path / "old", "before")) == []


def test_our_own_chain_is_one_line_and_ends_where_the_tests_work(dsn: str) -> None:
    assert waiting(dsn) == []
    assert migrate(dsn) == []
