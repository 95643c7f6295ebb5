"""A database for all tests of a file: most of these tests need a table or two, emptied first."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

from openpoort.store.postgres.embedded import Embedded


@pytest.fixture(scope="module")
def room(postgres: Embedded, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database; each test of the file finds what those before it left."""
    name = f"{request.module.__name__.rpartition('.')[2]}_{os.getpid()}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template openpoort")
    yield postgres.dsn(name)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)")
