"""`weeg check`: what can be weighed but should be answered, and what should be known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.weeg_folders import TODAY, cells, change, example
from weeg.checks import findings
from weeg.folder import load
from weeg.problem import Severity


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return example(tmp_path / "d")


def _found(folder: Path, severity: Severity = Severity.WARNING) -> list[str]:
    return [
        f"{p.code} {p.values.get('cell', p.values.get('id', ''))}".strip()
        for p in findings(load(folder))
        if p.severity is severity
    ]


def _drop(folder: Path, start: str) -> None:
    path = folder / "sources.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(start)]
    assert len(kept) < len(lines)
    path.write_text("".join(kept), encoding="utf-8")


def test_example_has_a_source_for_every_number(folder: Path) -> None:
    assert _found(folder) == []


def test_typed_scores_without_source_are_named_and_living_ones_are_not(folder: Path) -> None:
    _drop(folder, "*/*;")
    named = _found(folder)
    assert "source.none herbouw/2" in named
    assert "source.none hergebruik/2" in named
    # 1, 7, 9 and 13 have rows of their own; 10 to 12 come from costs; 8, 15, 16 are measured
    assert {n.split("/")[1] for n in named if " hergebruik/" in n} == {
        "2", "3", "4", "5", "6", "14", "17",
    }  # fmt: skip


def test_fallback_needs_a_source_of_its_own(folder: Path) -> None:
    _drop(folder, "*/*;")
    _drop(folder, "hergebruik/16;")
    change(folder, "measures/proefopstelling.json", "2026-10-06", "2026-01-06")
    assert "source.none hergebruik/16" in _found(folder)


def test_cost_lines_volume_and_weights_without_source_are_named(folder: Path) -> None:
    for start in ("costs/*/*;", "costs/volume;", "costs/*/unlawful;", "weights/*;"):
        _drop(folder, start)
    named = _found(folder)
    assert "source.none costs/herbouw/bouw" in named
    assert "source.none costs/herbouw/unlawful/uitwisseling" in named
    assert "source.none costs/herbouw/unlawful/infrastructuur" not in named  # has a row of its own
    assert "source.none costs/herbouw/double_running" not in named
    assert "source.none costs/volume" in named
    assert "source.none weights/logius" in named
    assert len([n for n in named if n.startswith("source.none costs/behouden/")]) == 5


def test_most_precise_source_counts(folder: Path) -> None:
    with (folder / "sources.csv").open("a", encoding="utf-8") as out:
        out.write("herbouw/1;precies;2026-11-01;wij;hoog;\n")
    decision = load(folder)
    source = decision.sources.of("herbouw/1")
    other = decision.sources.of("pakket/1")
    assert source is not None
    assert (source.source, source.confidence) == ("precies", "high")
    assert other is not None
    assert other.cell == "*/1"


def test_source_after_the_day_weighed_on_is_named(folder: Path) -> None:
    with (folder / "sources.csv").open("a", encoding="utf-8") as out:
        out.write("herbouw/1;later;2026-11-21;wij;hoog;\n")
    assert load(folder).as_of == TODAY
    assert _found(folder) == ["source.future"]


def test_option_without_costs_is_named(folder: Path) -> None:
    text = (folder / "costs.yaml").read_text(encoding="utf-8")
    (folder / "costs.yaml").write_text(text.split("  pakket:\n")[0], encoding="utf-8")
    cells(folder, {"pakket": {10: "1", 11: "1", 12: "0,1"}})
    assert _found(folder) == ["money.option pakket"]


def test_vetoes_and_overlaps_are_notes(folder: Path) -> None:
    assert _found(folder, Severity.NOTE) == ["veto.near 1", *["overlap"] * 4]
    cells(folder, {"herbouw": {1: "39"}})
    assert _found(folder, Severity.NOTE)[0] == "veto.passed 1"
    assert _found(folder) == []


def test_all_options_vetoed_is_a_warning(folder: Path) -> None:
    cells(folder, {o: {1: "39"} for o in ("behouden", "hergebruik", "herbouw", "pakket")})
    assert _found(folder) == ["veto.all"]


def test_warnings_stand_before_notes(folder: Path) -> None:
    _drop(folder, "weights/*;")
    order = [p.severity for p in findings(load(folder))]
    assert order == sorted(order, reverse=True)
    assert order[0] is Severity.WARNING
