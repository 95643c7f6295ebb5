"""`openpoort measures`: published in the form that weeg reads, and only what was measured."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openpoort.cli import main
from openpoort.client.conformance import Outcome, Report
from openpoort.client.conformance import Result as Case
from tests.weeg_folders import change, example, weeg
from weeg import measured
from weeg.measures import read


def _measures(*words: object) -> Result:
    return CliRunner().invoke(main, ["measures", *map(str, words)], catch_exceptions=False)


@pytest.fixture
def conformance(tmp_path: Path) -> Path:
    at = datetime(2026, 11, 19, 12, tzinfo=UTC)
    cases = [
        Case("WUS-1", "one", Outcome.PASSED),
        Case("WUS-2", "two", Outcome.FAILED, "seen"),
        Case("WUS-3", "three", Outcome.PASSED),
        Case("WUS-4", "four", Outcome.SKIPPED),
    ]
    file = tmp_path / "conformance.json"
    report = Report("https://localhost:8443", at, cases)
    file.write_text(json.dumps(report.as_dict()), encoding="utf-8")
    return file


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    file = tmp_path / "bench.json"
    result = {"scenario": "aanleveren", "messages": 3000, "cpu_ms_per_message": 7.2}
    file.write_text("running...\n" + json.dumps(result) + "\n", encoding="utf-8")
    return file


def test_what_is_published_can_be_read_by_weeg(conformance: Path, bench: Path) -> None:
    said = _measures("--conformance", conformance, "--bench", bench, "--cpu-hour", "0.05", "--json")
    assert said.exit_code == 0
    found = read(said.stdout.splitlines()[-1].encode(), "measures/openpoort.json")
    assert {"dependencies", "conformance_passed", "cpu_cost_per_message"} <= set(found)
    assert str(found["conformance_passed"].value.mode) == "66.67"
    assert found["conformance_passed"].time == datetime(2026, 11, 19, 12, tzinfo=UTC)
    # 7.2 ms is 1/500,000 of an hour, at five cents
    assert str(found["cpu_cost_per_message"].value.mode) == "1.00E-7"
    assert int(found["dependencies"].value.mode) >= 18


def test_nothing_is_published_that_was_not_measured() -> None:
    said = _measures("--json")
    published = json.loads(said.stdout.splitlines()[-1])
    asked = {"conformance_passed", "cpu_cost_per_message"}  # only with a file
    running = {n.name for n in measured.names() if n.by == "openpoort measures HOME"}
    assert not {m["name"] for m in published["measures"]} & (asked | running)


@pytest.mark.parametrize(
    "words",
    [
        ("--bench", "x.json"),
        ("--cpu-hour", "1"),
        ("--conformance", "nowhere.json"),
        ("--bench", "nowhere.json", "--cpu-hour", "1"),
        ("--bench", "nowhere.json", "--cpu-hour", "NaN"),
    ],
)
def test_what_cannot_be_read_is_refused(words: tuple[str, ...]) -> None:
    refused = _measures(*words)
    assert refused.exit_code == 2
    assert refused.stdout == ""


def test_report_without_judged_clauses_gives_no_number(tmp_path: Path) -> None:
    file = tmp_path / "empty.json"
    file.write_text('{"clauses": {}, "url": "x", "at": "2026-11-19"}', encoding="utf-8")
    refused = _measures("--conformance", file)
    assert refused.exit_code == 2
    assert "no clause was judged" in refused.stderr


def test_a_criterion_follows_what_the_gateway_measured(conformance: Path, tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    out = tmp_path / "out.txt"
    out.write_text(_measures("--conformance", conformance, "--json").stdout, encoding="utf-8")
    published = json.loads(out.read_text().splitlines()[-1])
    published["measures"] = [m for m in published["measures"] if m["name"] != "dependencies"]
    out.write_text(json.dumps(published), encoding="utf-8")
    assert weeg("feed", folder, out).exit_code == 0
    change(folder, "feeds.yaml", "measures/proefopstelling.json", "measures/openpoort.json")
    change(folder, "feeds.yaml", "measure: frameworks_passed", "measure: conformance_passed")
    outcome = json.loads(weeg("run", folder, "--json").stdout)
    cell = outcome["options"][1]["scores"]["8"]
    assert (cell["mode"], cell["state"]) == ("66.67", "fresh")
    assert cell["measure"]["source"].endswith("2 of 3 clauses passed")


def test_every_name_printed_stands_in_the_list_with_its_unit_and_publisher(
    conformance: Path, bench: Path
) -> None:
    result = _measures(
        "--conformance", conformance, "--bench", bench, "--cpu-hour", "0.05", "--json"
    )
    printed = {m["name"]: m["unit"] for m in json.loads(result.stdout.splitlines()[-1])["measures"]}
    known = {n.name: n for n in measured.names()}
    assert {name: known[name].unit for name in printed} == printed
    without_home = {n.name for n in known.values() if n.by and not n.by.endswith("HOME")}
    assert set(printed) == without_home
