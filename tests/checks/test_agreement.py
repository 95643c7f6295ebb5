"""A seeded slice of the agreement with the reference processor; the long run is a command."""

from __future__ import annotations

from pathlib import Path

from openpoort.checks.suite import Suite
from openpoort.devkit.agreement import compare
from openpoort.devkit.mutants import mutants
from openpoort.devkit.samples import samples


def test_mutants_are_the_same_for_the_same_seed() -> None:
    content = samples()["ICP"]
    first = [m.content for m in mutants(content, 50, seed=3)]
    assert first == [m.content for m in mutants(content, 50, seed=3)]
    assert first != [m.content for m in mutants(content, 50, seed=4)]
    assert len(set(first)) == 50
    families = {m.name.split("-")[0] for m in mutants(content, 50, seed=3)}
    assert families == {"value", "context", "unit", "dimension", "structure", "encoding"}


def test_slice_of_mutants_agrees_or_says_why(suite: Suite, tmp_path: Path) -> None:
    files = []
    for kind in ("Omzetbelasting", "ICP", "Jaarrekening"):
        for mutant in mutants(samples()[kind], 50, seed=11):
            files.append(tmp_path / f"{kind}--{mutant.name}.xbrl")
            files[-1].write_bytes(mutant.content)
    report = compare(suite, files, quick=True)
    assert [(c.name, c.reference, c.own) for c in report.open] == []
    assert sum(not c.reference.valid for c in report.comparisons) > 60
    for c in report.comparisons:
        assert c.reference.valid == c.own.valid or c.reason.startswith(
            ("strict", "configured", "entry point")
        )
