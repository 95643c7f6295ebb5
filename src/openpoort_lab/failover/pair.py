"""Two PostgreSQL servers on loopback, one streaming to the other, and a gateway home on both."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from openpoort.store.postgres import standby
from openpoort.store.postgres.embedded import Embedded
from openpoort_lab.bench.gateway import BENCH_KIND, free_port


@dataclass(frozen=True, slots=True)
class Pair:
    """`first` is the primary at the start, `second` its standby; `dsn` names both."""

    first: Embedded
    second: Embedded
    home: Path
    dsn: str


@contextlib.contextmanager
def pair(folder: Path, line: Callable[[int], int] | None = None) -> Iterator[Pair]:
    """Made in `folder`, stopped at the end whatever became of them. Raises ServerFailed.

    `line` makes of the primary's port the one at which the standby is to find it.
    """
    first = Embedded(folder / "first", free_port())
    second = Embedded(folder / "second", free_port())
    try:
        first.start()
        standby.follow(first, second, line(first.port) if line else None)
        dsn = (
            f"host=127.0.0.1,127.0.0.1 port={first.port},{second.port} user=openpoort"
            f" dbname=openpoort passfile={first.folder / 'pgpass'}"
        )
        yield Pair(first, second, _home(folder / "home", dsn), dsn)
    finally:
        for server in (first, second):
            standby.thaw(server)
            server.stop()


def _home(home: Path, dsn: str) -> Path:
    """A home like that of a measurement, on this database."""
    words = [sys.executable, "-m", "openpoort", "init", str(home)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    (home / "kinds" / "Bench.toml").write_text(BENCH_KIND)
    with (home / "openpoort.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[database]\nurl = "{dsn}"\n')
    return home
