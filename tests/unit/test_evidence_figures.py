"""The figures about evidence: measured on a small journal, drawn, tabled."""

from __future__ import annotations

from pathlib import Path

from openpoort_lab.figures import evidence_figures


def test_proofs_grow_with_the_logarithm_and_are_drawn(tmp_path: Path) -> None:
    said: list[str] = []
    rows = evidence_figures.measure([1600, 200], said.append)
    assert [row.entries for row in rows] == [200, 1600]
    assert [row.hashes for row in rows] == [8, 11]
    assert rows[1].proof_bytes < 2 * rows[0].proof_bytes
    assert len(said) == 2
    assert "| 1,600 | 11 |" in evidence_figures.table(rows)
    evidence_figures.plot(rows, tmp_path / "figures")
    assert (tmp_path / "figures.svg").read_text().startswith("<?xml")
    assert (tmp_path / "figures.png").stat().st_size > 1000
