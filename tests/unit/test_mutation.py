"""Mutants are made of the rules that matter, tried in a copy, and judged by what tests say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openpoort_lab.mutation import sql
from openpoort_lab.mutation.__main__ import chosen
from openpoort_lab.mutation.mutants import Mutant, mutants
from openpoort_lab.mutation.targets import TESTS
from openpoort_lab.mutation.trial import ROOT, trials


def made(text: str) -> set[tuple[str, str]]:
    return {(c.what, text[: c.start] + c.new + text[c.end :]) for c in sql.changes(text)}


def test_every_mistake_in_a_statement_once() -> None:
    begin, locked = '"update job set x = 1 where', "order by id limit %s for update skip locked"
    ordered = "order by id limit %s for update skip locked"
    text = f'{begin} lane = %s and n < 7 {ordered}"'
    assert made(text) == {
        ("condition dropped", f'{begin} (lane = %s or true) and n < 7 {locked}"'),
        ("comparison turned", f'{begin} lane <> %s and n < 7 {locked}"'),
        ("condition dropped", f'{begin} lane = %s and (n < 7 or true) {locked}"'),
        ("comparison turned", f'{begin} lane = %s and n <= 7 {locked}"'),
        ("number off by one", f'{begin} lane = %s and n < 8 {locked}"'),
        ("bound off by one", text.replace("limit %s", "limit 1 + %s")),
        ("lock gone", text.replace(" for update skip locked", "")),
        ("skip locked gone", text.replace(" skip locked", "")),
        ("order gone", text.replace("order by id", "")),
    }


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ('"... where a or b = 1"', '"... where a or (b = 1 and false)"'),
        ('"... where a is not distinct from b"', '"... where a is distinct from b"'),
        ('"... where until < clock_timestamp()"', '"... where until >= clock_timestamp()"'),
        ('"... and id <> all(%s)"', '"... and id = any(%s)"'),
        ('"... and not exists (select 1)"', '"... and exists (select 1)"'),
        ('"select from a for update nowait"', '"select from a for update"'),
        ('"update limit least(%s, %s - (1))"', '"update limit least(%s, 1 + %s - (1))"'),
    ],
)
def test_what_is_dropped_or_turned_keeps_its_parameters(text: str, changed: str) -> None:
    assert changed in {new for _, new in made(text)}


def test_prose_is_left_alone() -> None:
    assert made('"""Nobody waits for a lease to run out."""') == set()
    source = 'def f():\n    """Where a is b and c = d."""\n'
    assert list(mutants("f.py", source)) == []


def test_the_mistakes_that_no_test_noticed_are_among_them() -> None:
    source = (ROOT / "src/openpoort/store/queue.py").read_text()
    found = [m.diff for m in mutants("openpoort/store/queue.py", source)]
    for mistake in ("(j.fence is not distinct from w.fence or true)", "least(%s, 1 + %s - ("):
        assert sum(mistake in diff for diff in found) == 1, mistake


def test_every_module_and_test_of_the_table_is_there() -> None:
    for module, tests in TESTS.items():
        assert (ROOT / f"src/openpoort/{module}.py").is_file(), module
        assert [t for t in tests if not (ROOT / t).is_file()] == []


def test_a_sample_follows_from_its_seed() -> None:
    first = [m for _, m in chosen(["trust/verdict"], "", 5, 7)]
    assert first == [m for _, m in chosen(["trust/verdict"], "", 5, 7)]
    assert first != [m for _, m in chosen(["trust/verdict"], "", 5, 8)]
    assert len(first) == 5
    assert {m.path for m in first} <= {
        "openpoort/trust/verdict.py", "openpoort/trust/verdicts.py",
    }  # fmt: skip


def test_a_slice_is_tried_in_a_copy_and_what_no_test_looks_at_survives(tmp_path: Path) -> None:
    looks = ("tests/unit/test_party_rules.py",)
    blind = ("tests/unit/test_party_rules.py::test_a_directory_that_contradicts_itself_is_none",)
    path = "openpoort/domain/party.py"
    before = (ROOT / "src" / path).read_text()
    rule = "if len(holders) > 1 and not mandate.delegate:"
    after = before.replace(rule, "if False:")
    assert after != before
    dropped = Mutant(path, before[: before.index(rule)].count("\n") + 1, "rule gone", after, "")
    judged = list(trials([(dropped, looks), (dropped, blind)], tmp_path, 1, 120))
    assert [j.killed for j in judged] == [True, False]
    assert judged[0].first.startswith("tests/unit/test_party_rules.py::")
    assert (ROOT / "src/openpoort/domain/party.py").read_text() == before


def test_the_command_says_which_modules_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "openpoort_lab.mutation", "--only", "nothing"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "store/queue" in done.stderr
