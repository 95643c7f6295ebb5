"""A seeded slice of the agreement with the reference processor; the long run is a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from openpoort.checks.index import shelf
from openpoort.checks.routes import INDEX
from openpoort.checks.suite import open_suite
from openpoort.sandbox.samples import samples
from openpoort_lab.cases.agreement import compare
from openpoort_lab.cases.mutants import mutants
from openpoort_lab.cli.agreement import agreement


def test_mutants_are_the_same_for_the_same_seed() -> None:
    content = samples()["ICP"]
    first = [m.content for m in mutants(content, 50, seed=3)]
    assert first == [m.content for m in mutants(content, 50, seed=3)]
    assert first != [m.content for m in mutants(content, 50, seed=4)]
    assert len(set(first)) == 50
    families = {m.name.split("-")[0] for m in mutants(content, 50, seed=3)}
    assert families == {"value", "context", "unit", "dimension", "structure", "encoding"}


def test_instance_that_is_not_well_formed_has_mutants_too() -> None:
    broken = samples()["ICP"].replace(b"</xbrli:xbrl>", b"</xbrli:xbr>")
    made = list(mutants(broken, 20, seed=3))
    assert len({m.content for m in made}) == len(made) > 5
    assert {m.name.split("-")[0] for m in made} <= {"encoding", "structure"}


def test_slice_of_mutants_agrees_or_says_why(demo_home: Path, tmp_path: Path) -> None:
    """With the index on: what it decides is also judged by our processor path, word for word."""
    files = []
    for kind in ("Omzetbelasting", "ICP", "Jaarrekening"):
        for mutant in mutants(samples()[kind], 50, seed=11):
            files.append(tmp_path / f"{kind}--{mutant.name}.xbrl")
            files[-1].write_bytes(mutant.content)
    suite = open_suite(demo_home, index=True)
    try:
        report = compare(suite, files, quick=True)
    finally:
        suite.close()
    assert [(c.name, c.reference, c.own) for c in report.open] == []
    assert sum(not c.reference.valid for c in report.comparisons) > 60
    assert report.routes[INDEX] > 40
    assert sum(bool(c.own.codes) for c in report.comparisons if c.own.route == INDEX) > 15
    for c in report.comparisons:
        assert c.reference.valid == c.own.valid or c.reason.startswith(
            ("strict", "configured", "entry point")
        )


def test_drawn_filings_are_counted_and_those_that_differ_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that finds nothing wrong differs wherever there is something to find."""
    monkeypatch.setattr(shelf, "judge", lambda *_: [])
    told = CliRunner().invoke(
        agreement,
        ["--drawn", "1", "--each", "12", "--keep", str(tmp_path), "--home", str(tmp_path)],
    )
    assert told.exit_code == 1, told.output
    assert "12 filings of 1 drawn taxonomies." in told.output
    kept = sorted(path.name for path in tmp_path.glob("*.xbrl"))
    assert kept
    assert all(f"| {name.removesuffix('.xbrl')} |" in told.output for name in kept)
    assert (tmp_path / "1.0.zip").read_bytes()[:2] == b"PK"
