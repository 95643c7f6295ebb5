"""What every kind of test may ask for: a real PostgreSQL, the shared data."""

from __future__ import annotations

import itertools
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest

from openpoort import telemetry
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.migrate import migrate
from tests import canary

SHARED = Path(__file__).resolve().parents[2] / "shared"
_count = itertools.count()
# No test fails for being slow; in CI the same examples are drawn each time.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "house")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with facts and captured messages that stands beside the clone."""
    if not SHARED.is_dir():
        pytest.skip("the folder `shared` with captured data does not stand beside this clone")
    return SHARED


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """One embedded server for the session, with a migrated template database. TEST_POSTGRES names
    the folder of one that runs already, for who runs the same tests many times (`make mutate`)."""
    folder = os.environ.get("TEST_POSTGRES") or tmp_path_factory.mktemp("pg") / "postgres"
    server = Embedded(Path(folder))
    migrate(server.start())
    yield server
    server.stop()


@pytest.fixture
def dsn(postgres: Embedded) -> Iterator[str]:
    """An own, empty, migrated database for one test."""
    name = f"test_{os.getpid()}_{next(_count)}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template openpoort")
    yield postgres.dsn(name)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture(autouse=True)
def _security_log_of_one_test() -> Iterator[None]:
    """A command run in this process sends events to its HOME; the next test has another."""
    yield
    telemetry.security_log(None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A passed test during which a BSN, a private key or a marked payload was printed or logged
    has failed after all: the canary sings over the whole suite."""
    report = yield
    if report.passed:
        found = [leak for _, text in report.sections for leak in canary.leaks(text)]
        if found:
            report.outcome = "failed"
            report.longrepr = f"captured output holds what may never be logged: {found}"
    return report
