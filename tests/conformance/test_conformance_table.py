"""The page with clauses is what the tests say."""

from __future__ import annotations

from tests.conformance.table import TABLE, clauses, marked, render


def test_table_is_up_to_date() -> None:
    assert TABLE.read_text("utf-8") == render(), "run: python -m tests.conformance.table"


def test_every_marker_names_a_known_clause() -> None:
    assert set(marked()) <= set(clauses())
