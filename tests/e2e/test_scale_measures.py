"""What the running gateway says a message costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from openpoort.app.home import create
from openpoort.domain.kind import Kind
from openpoort.operate.costs import Prices, costs
from openpoort.store.messages.costs import Wrote
from tests.e2e.gateway import Gateway, openpoort, until
from tests.e2e.test_serve import hand_in, last_status
from weeg.measured import names
from weeg.measures import read


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    create(tmp_path / "home")
    with (tmp_path / "home" / "openpoort.toml").open("a") as file:
        file.write("\n[prices]\ncpu_hour = 0.05\ngb_written = 0.01\ngb_month = 0.10\n")
    made = Gateway(tmp_path / "home").start()
    yield made
    made.stop()


def _costs(home: Path) -> list[dict[str, object]]:
    said = json.loads(openpoort("measures", home, "--json").stdout.splitlines()[-1])
    found: list[dict[str, object]] = said.get("costs", [])
    return found


def test_running_gateway_says_what_a_message_costs(own: Gateway) -> None:
    kenmerken = [hand_in(own) for _ in range(3)]
    for kenmerk in kenmerken:
        until(lambda kenmerk=kenmerk: last_status(own, kenmerk) == "400")

    def counted() -> dict[str, object] | None:
        rows = _costs(own.home)
        return rows[0] if rows and float(str(rows[0]["cpu_seconds"])) > 0 else None

    row = until(counted)
    sample = (own.home / "samples" / "eFactuur.xml").stat().st_size
    assert (row["berichtsoort"], row["messages"]) == ("eFactuur", 3)
    assert row["agency"] in {"DEMODIENST", "DEMOREGISTER"}
    assert row["bytes_written"] > sample
    # Each byte is kept at least as long as the class that goes first.
    assert row["gb_days"] >= row["bytes_written"] * 90 / 1e9
    assert row["database_seconds"] > 0
    assert row["euro"] > (row["cpu_seconds"] + row["database_seconds"]) / 3600 * 0.05
    said = openpoort("measures", own.home, "--json").stdout.splitlines()[-1]
    published = read(said.encode(), "measures/openpoort.json")
    assert {"cost_per_message", "cpu_ms_per_message", "deployable_parts"} <= set(published)
    told = {n.name: n.unit for n in names() if n.by == "openpoort measures HOME"}
    # Nothing was drilled here, and PostgreSQL's time is known.
    drilled = {"restore_drill_rto", "restore_drill_rpo", "cost_per_message_without_database"}
    assert {n: m.unit for n, m in published.items() if n in told} == {
        n: unit for n, unit in told.items() if n not in drilled
    }
    assert "eFactuur" in openpoort("measures", own.home).stdout


def test_progress_shows_the_month_with_a_running_gateway_and_after_it(own: Gateway) -> None:
    for kenmerk in [hand_in(own) for _ in range(2)]:
        until(lambda kenmerk=kenmerk: last_status(own, kenmerk) == "400")

    def rows() -> list[dict[str, object]]:
        said = openpoort("progress", own.home, "--json")
        assert said.returncode == 0, said.stderr
        months = json.loads(said.stdout.splitlines()[-1])["months"]
        found: list[dict[str, object]] = months["rows"]
        return found

    running = until(lambda: next((r for r in rows() if r["messages"] == 2), None))
    own.stop()
    try:
        (stopped,) = rows()
    finally:
        own.start()  # for whoever stops it
    assert (running["berichtsoort"], stopped["messages"]) == ("eFactuur", 2)
    assert stopped["bytes"] >= running["bytes"] > 0
    assert running["database_seconds"] > 0
    assert running["euro_per_message"] > 0


def test_home_where_nothing_runs_is_exit_code_2(tmp_path: Path) -> None:
    create(tmp_path / "home")
    said = openpoort("measures", tmp_path / "home")
    assert said.returncode == 2
    assert "no gateway has run" in said.stderr


def test_time_is_shared_by_messages_and_statuses() -> None:
    kind = Kind(
        "Kort", "", "aanleveren", (), (), (), retention={"payload": 10, "status": 20, "journal": 30}
    )
    found = [Wrote("Kort", 10, 30, 1000, 100, 10), Wrote("Lang", 30, 270, 3000, 300, 30)]
    spent = {"door": 4.0, "worker": 6.0}
    whole = costs(found, {"Kort": kind}, spent | {"database": 3.0}, Prices(3600.0, 0.0, 0.0))
    assert [r.database_seconds for r in whole] == pytest.approx([0.03, 0.09])
    assert whole[0].euro == pytest.approx(0.16 + 0.03)
    rows = costs(found, {"Kort": kind}, spent, Prices(3600.0, 0.0, 0.0))
    assert [r.database_seconds for r in rows] == [None, None]
    assert [r.cpu_seconds for r in rows] == pytest.approx([0.1 + 0.06, 0.1 + 0.18])
    assert rows[0].euro == pytest.approx(0.16)
    assert rows[0].gb_days == pytest.approx((100 * 10 + 10 * 20 + 1 * 30) / 1e9)
    assert rows[1].agency == "unknown"
    none = costs(found, {}, {}, Prices())
    assert [r.euro for r in none] == [None, None]
