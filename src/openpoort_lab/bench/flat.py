"""Whether cost grows with what is in the tables.

Each size has a gateway and a PostgreSQL of its own, all up at the same time. Rounds go round the
sizes, so that a busy moment of the machine hits all of them alike. Status queries ask for messages
drawn from the whole table, not for those that were just handed in. All files are read once before,
so that no disk is measured.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from openpoort.sandbox.pki import OINS
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.migrate import migrate
from openpoort_lab.bench import scenarios
from openpoort_lab.bench.fill import Plan as Statement
from openpoort_lab.bench.fill import fill, plans
from openpoort_lab.bench.gateway import BENCH_KIND, Gateway, own
from openpoort_lab.bench.measure import Plan
from openpoort_lab.bench.report import Result

Say = Callable[[str], None]
_WARM = 200
"""Messages and questions before the first round."""
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Level:
    """What was measured with `rows` messages in the tables: medians over the rounds; CPU of door
    and database together. `bytes` is the size of the database before the first round."""

    rows: int
    bytes: int
    accept_rate: float
    accept_cpu_ms: float
    status_rate: float
    status_cpu_ms: float
    status_ratio_to_limit: float
    plans: tuple[Statement, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Flat:
    """`*_spread`: the smallest level's figure and the worst one's, as a ratio; 1.2 is 20 %."""

    levels: tuple[Level, ...]
    lost: int
    failed: int

    @property
    def good(self) -> bool:
        return self.lost == 0 and self.failed == 0

    def spread(self, name: str) -> float:
        values = [getattr(level, name) for level in self.levels]
        return round(max(values) / min(values), 3) if min(values) else 0.0

    def as_json(self) -> str:
        names = ("accept_rate", "accept_cpu_ms", "status_rate", "status_cpu_ms")
        found = {
            "scenario": "flat", "levels": [asdict(level) for level in self.levels],
            "spread": {name: self.spread(name) for name in names},
            "lost": self.lost, "failed": self.failed,
        }  # fmt: skip
        return json.dumps(found, sort_keys=True)


def prepare(home: Path, rows: int, say: Say) -> int:
    """A HOME whose tables hold `rows` messages; the size of its database in bytes. One that an
    earlier run filled is used as it is."""
    mark = home / "filled"
    if mark.exists():
        return int(mark.read_text())
    subprocess.run(
        [sys.executable, "-m", "openpoort", "init", str(home)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    (home / "kinds" / "Bench.toml").write_text(BENCH_KIND)
    server = Embedded(home / "postgres")
    dsn = server.start()
    try:
        migrate(dsn)
        fill(
            dsn, rows, datetime.now(UTC), owner=OINS["bedrijf"],
            told=lambda done: say(f"{done:,} of {rows:,} messages in the tables"),
        )  # fmt: skip
        with psycopg.connect(dsn) as conn:
            row = conn.execute("select pg_database_size(current_database())").fetchone()
            assert row is not None
        mark.write_text(str(row[0]))
        return int(row[0])
    finally:
        server.stop()


def flat(folder: Path, sizes: Sequence[int], plan: Plan, say: Say) -> Flat:
    """Fill a gateway for each size in `folder`, then measure them in turn."""
    homes = [folder / f"with-{rows}" for rows in sizes]
    sized = [prepare(home, rows, say) for home, rows in zip(homes, sizes, strict=True)]
    one = replace(plan, rounds=1)
    seen: list[list[tuple[Result, Result]]] = [[] for _ in sizes]
    with contextlib.ExitStack() as stack:
        gateways = [stack.enter_context(own(home, "--only", "door")) for home in homes]
        known = [_known(gateway, plan.messages * plan.rounds) for gateway in gateways]
        for gateway, asked in zip(gateways, known, strict=True):  # connections, caches, plans
            say("reading the tables once")
            _read_once(gateway.home)
            scenarios.accept(gateway, replace(one, messages=_WARM))
            scenarios.status(gateway, replace(one, messages=_WARM), asked[-_WARM:])
        for number in range(plan.rounds):
            for place, gateway in enumerate(gateways):
                say(f"round {number + 1} of {plan.rounds}, {sizes[place]:,} messages")
                accepted, _, _ = scenarios.accept(gateway, one)
                start = number * plan.messages % len(known[place])
                asked = [*known[place][start:], *known[place][:start]]
                status, _ = scenarios.status(gateway, one, asked)
                seen[place].append((accepted, status))
        found = [tuple(plans(Embedded(home / "postgres").dsn())) for home in homes]
    every = [result for pairs in seen for pair in pairs for result in pair]
    return Flat(
        tuple(
            _level(rows, size, pairs, statements)
            for rows, size, pairs, statements in zip(sizes, sized, seen, found, strict=True)
        ),
        sum(r.lost for r in every),
        sum(r.failed for r in every),
    )


def _read_once(home: Path) -> None:
    """The tables as a server has them that runs for a while: in memory, as far as they fit. Else
    the first to ask would measure the disk."""
    for file in sorted((Embedded(home / "postgres").data / "base").rglob("*")):
        if file.is_file():
            with file.open("rb") as octets:
                while octets.read(_PIECE):
                    pass


def _known(gateway: Gateway, count: int) -> list[str]:
    """Kenmerken of the company's filled messages, drawn from all of them."""
    with psycopg.connect(Embedded(gateway.home / "postgres").dsn()) as conn:
        rows = conn.execute(
            "select kenmerk::text from register where sender = %s"
            " order by sha256(kenmerk::text::bytea) limit %s",
            [OINS["bedrijf"], count],
        ).fetchall()
    return [row[0] for row in rows]


def _level(
    rows: int, size: int, pairs: Sequence[tuple[Result, Result]], statements: tuple[Statement, ...]
) -> Level:
    def cpu(result: Result) -> float:
        return result.cpu_ms_per_message + float(result.notes.get("database_cpu_ms", 0.0))

    accepts, statuses = [a for a, _ in pairs], [s for _, s in pairs]
    return Level(
        rows,
        size,
        round(statistics.median(r.rate for r in accepts), 1),
        round(statistics.median(cpu(r) for r in accepts), 3),
        round(statistics.median(r.rate for r in statuses), 1),
        round(statistics.median(cpu(r) for r in statuses), 3),
        round(statistics.median(r.ratio_to_limit for r in statuses), 4),
        statements,
    )
