"""From a forecast to machines, and filled tables whose hot statements go by index."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from openpoort.cli import main
from openpoort.operate.forecast import Forecast, size
from openpoort_lab.bench.fill import fill, plans


def test_the_arithmetic_by_hand() -> None:
    f = Forecast(
        year=360e6, peak_day=0.01, peak_hour=0.1, queries=2, accept_ms=5, status_ms=2,
        process_ms=10, database_ms=3, busy=0.5, cores=2, spare=1, kept_days=365.25, stored_kb=10,
    )  # fmt: skip
    found = size(f)
    assert found.peak_rate == pytest.approx(100)
    assert (found.queries_rate, found.signatures) == pytest.approx((200, 400))
    assert found.door_cores == pytest.approx((100 * 5 + 200 * 2) / 1000 / 0.5)
    assert found.worker_cores == pytest.approx(2)
    assert (found.door_nodes, found.worker_nodes) == (2, 2)
    assert found.disk_tb == pytest.approx(3.6)
    assert found.clusters == 1


def test_ten_times_as_much_needs_more_of_everything_and_names_what_breaks() -> None:
    once, ten = size(Forecast()), size(dataclasses.replace(Forecast(), year=2e9))
    assert ten.peak_rate == pytest.approx(10 * once.peak_rate)
    assert ten.clusters > once.clusters == 1
    assert ten.limits[0] == ("disk of one PostgreSQL", pytest.approx(10 * once.limits[0][1]))


def test_measured_costs_come_from_a_bench_and_options_win(tmp_path: Path) -> None:
    file = tmp_path / "accept.json"
    file.write_text('words\n{"scenario": "accept", "cpu_ms_per_message": 7.5}\n')
    said = CliRunner().invoke(main, ["scale", "--bench", str(file), "--cores", "4", "--json"])
    found = json.loads(said.stdout.splitlines()[-1])
    assert found["forecast"]["accept_ms"] == 7.5
    assert found["forecast"]["cores"] == 4
    both = CliRunner().invoke(main, ["scale", "--bench", str(file), "--accept-ms", "2", "--json"])
    assert json.loads(both.stdout.splitlines()[-1])["forecast"]["accept_ms"] == 2


def test_the_whole_process_is_not_counted_twice(tmp_path: Path) -> None:
    files = []
    for scenario, ms in (("accept", 2.0), ("process", 9.5)):
        files.append(tmp_path / scenario)
        files[-1].write_text(json.dumps({"scenario": scenario, "cpu_ms_per_message": ms}))
    words = [w for file in files for w in ("--bench", str(file))]
    said = CliRunner().invoke(main, ["scale", *words, "--json"])
    assert json.loads(said.stdout.splitlines()[-1])["forecast"]["process_ms"] == 7.5


def test_tables_of_the_page_are_what_the_commands_print() -> None:
    text = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    found = re.findall(r"```\nopenpoort (scale[^\n]*)\n```\n\n((?:\|[^\n]*\n)+)", text)
    assert len(found) == 2
    for command, table in found:
        said = CliRunner().invoke(main, command.split())
        assert said.stdout == table, f"{command} prints\n{said.stdout}"


@pytest.mark.parametrize(
    "words",
    [("--year", "-1"), ("--year", "nan"), ("--busy", "1.5"), ("--bench", "nowhere.json")],
)
def test_impossible_numbers_are_refused(words: tuple[str, ...]) -> None:
    refused = CliRunner().invoke(main, ["scale", *words])
    assert refused.exit_code == 2
    assert refused.stdout == ""


def test_filled_tables_are_read_by_index(dsn: str) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    fill(dsn, 20_000, at, block=15_000, owner="00000099000000000000")
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "select (select count(*) from register), (select count(*) from status),"
            " (select count(distinct day) from process),"
            " (select count(*) from register where sender = '00000099000000000000')"
        ).fetchone()
    assert row == (20_000, 60_000, 56, 400)
    # An empty table of jobs may be scanned, rightly.
    assert {table for plan in plans(dsn) for table in plan.scanned} <= {"job"}
