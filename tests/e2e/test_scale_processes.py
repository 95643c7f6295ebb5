"""Doors and workers as separate `serve`s on one PostgreSQL, and two versions side by side."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

import openpoort
from openpoort.app.home import create
from openpoort.domain.message import Document
from openpoort.store.postgres.migrate import waiting
from openpoort_lab.bench.gateway import BENCH_KIND
from openpoort_lab.bench.prepare import content
from openpoort_lab.chaos.verdict import HISTORY, whole
from tests.e2e.gateway import Gateway, free_port, until, vat_return
from tests.e2e.gateway import openpoort as command

NEXT = {
    "m9001_made_by": """
revision = "9001"
down_revision = "{newest}"
def upgrade():
    from alembic import op
    op.execute("alter table message add column made_by text default 'version N'")
""",
    "m9002_made_by_always": """
revision = "9002"
down_revision = "9001"
phase = "after"
def upgrade():
    from alembic import op
    op.execute("alter table message alter column made_by set not null")
""",
}


@dataclass
class Machines:
    """Homes of one gateway on several machines: the same files, one database."""

    folder: Path
    dsn: str
    agency_port: int
    stack: ExitStack
    made: list[Path]

    def home(self) -> Path:
        """One more machine."""
        home = self.folder / f"machine-{len(self.made) + 1}"
        if self.made:
            names = shutil.ignore_patterns("run", "postgres", "agency", "*.log")
            shutil.copytree(self.made[0], home, ignore=names)
        else:
            create(home)
            (home / "kinds" / "Bench.toml").write_text(BENCH_KIND)
            with (home / "openpoort.toml").open("a") as file:
                file.write(f'\n[database]\nurl = "{self.dsn}"\n')
        self.made.append(home)
        return home

    def serve(self, *words: str, **environment: str) -> Gateway:
        gateway = Gateway(self.home(), environment, words, self.agency_port)
        self.stack.callback(lambda: gateway.stop() if gateway.process else None)
        return gateway.start()


@pytest.fixture
def machines(tmp_path: Path, dsn: str) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(tmp_path, dsn, free_port(), stack, [])


@contextmanager
def sender(gateway: Gateway) -> Iterator[Sender]:
    with gateway.client() as client:
        yield Sender(client)


class Sender:
    """Hands in messages of kind Bench; each number is one message, wherever it is sent."""

    def __init__(self, client: object) -> None:
        self._client = client

    def send(self, number: int) -> str:
        draw = random.Random(number)
        document = Document("application/xml", "Bench.xml", content(2000, draw))
        message = vat_return(b"", berichtsoort="Bench", inhoud=document)
        done = self._client.aanleveren(message, f"urn:uuid:{number:032x}")  # type: ignore[attr-defined]  # a Client
        return str(done.kenmerk)


def _ended(dsn: str, kenmerken: set[str]) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "select count(*) from process where state = 'delivered' and kenmerk = any(%s::uuid[])",
            [list(kenmerken)],
        ).fetchone()
    return row == (len(kenmerken),)


def test_repeats_are_exact_over_doors_and_each_message_arrives_once(machines: Machines) -> None:
    here = machines.serve("--port", "0", "--only", "door")
    there = machines.serve("--port", "0", "--only", "door")
    machines.serve("--only", "worker")
    with sender(here) as one, sender(there) as two, ThreadPoolExecutor(4) as threads:
        pairs = [(threads.submit(one.send, n), threads.submit(two.send, n)) for n in range(1, 31)]
        kenmerken = [(a.result(), b.result()) for a, b in pairs]
        assert all(a == b for a, b in kenmerken)
        once = {a for a, _ in kenmerken}
        assert len(once) == 30
        until(lambda: _ended(machines.dsn, once), 90)
        # Long after, through the other door: still the same message.
        assert two.send(1) == kenmerken[0][0]
    with there.client() as client:
        codes = [s.statuscode for s in client.statussen(kenmerken[0][0])]
    assert tuple(codes) == HISTORY
    assert whole(machines.dsn, machines.made[2], sorted(once)) == []


def _next_version(folder: Path) -> Path:
    """The program itself with two revisions more; PYTHONPATH for it."""
    source = Path(openpoort.__file__).parent
    shutil.copytree(source, folder / "openpoort", ignore=shutil.ignore_patterns("__pycache__"))
    versions = folder / "openpoort" / "store" / "migrations" / "versions"
    newest = max(f.name[1:5] for f in versions.glob("m*.py"))
    for name, text in NEXT.items():
        (versions / f"{name}.py").write_text(text.format(newest=newest))
    return folder


def test_two_versions_side_by_side_and_nothing_lost(machines: Machines, tmp_path: Path) -> None:
    path = str(_next_version(tmp_path / "next"))
    old = machines.serve("--port", "0")
    taken: set[str] = set()
    environment = {**os.environ, "PYTHONPATH": path}
    with sender(old) as one:
        taken |= {one.send(n) for n in range(1, 6)}
        done = command("db", "migrate", old.home, "--before", "--json", env=environment)
        assert '"applied": ["9001"], "waiting": ["9002"]' in done.stdout, done.stderr
        # Version N on the schema of N+1, also after a restart of its processes.
        taken |= {one.send(n) for n in range(6, 11)}
        until(lambda: _ended(machines.dsn, taken), 90)
        new = machines.serve("--port", "0", PYTHONPATH=path, OPENPOORT_AGENCY_DEMO="false")
        with sender(new) as two:
            assert two.send(1) == one.send(1)
            taken |= {one.send(n) for n in range(11, 16)} | {two.send(n) for n in range(16, 21)}
            until(lambda: _ended(machines.dsn, taken), 90)
    assert waiting(machines.dsn, Path(path) / "openpoort/store/migrations") == ["9002"]
    assert whole(machines.dsn, old.home, sorted(taken)) == []
    assert old.stop() == 0
    done = command("db", "migrate", new.home, "--after", "--json", env=environment)
    assert '"applied": ["9002"], "waiting": []' in done.stdout, done.stderr
    with sender(new) as two:
        last = {two.send(n) for n in range(21, 24)}
        assert two.send(1) in taken
    with psycopg.connect(machines.dsn) as conn:
        row = conn.execute("select count(*), count(made_by) from message").fetchone()
    assert row == (23, 23)
    assert len(taken | last) == 23
