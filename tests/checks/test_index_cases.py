"""The compiled index against the clauses of the standards, and against the processor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from openpoort.checks.defaults import UNKNOWN
from openpoort.checks.routes import INDEX
from openpoort.checks.suite import Suite, open_suite
from openpoort.checks.verdict import Xbrl
from openpoort.domain.finding import Finding, rejects
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.ports import Filing
from openpoort_lab.cases.cases import DEPARTS, Case, cases
from openpoort_lab.cases.run import install, write_made

CASES = {case.name: case for case in cases()}
Verdicts = dict[str, tuple[str, tuple[Finding, ...], tuple[Finding, ...]]]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verdicts]:
    """By case: who judged, what was found, and what the processor finds."""
    suite = open_suite(install(tmp_path_factory.mktemp("cases")), index=True)
    processor = Xbrl(suite.registry, suite.pool)
    with ThreadPoolExecutor(2) as threads:
        found = threads.map(lambda case: _judge(suite, processor, case), CASES.values())
        yield dict(zip(CASES, found, strict=True))
    suite.close()


def _judge(
    suite: Suite, processor: Xbrl, case: Case
) -> tuple[str, tuple[Finding, ...], tuple[Finding, ...]]:
    document = Document("application/xml", f"{case.name}.xbrl", case.content)
    filing = Filing(UNKNOWN, Identiteit("", ""), document)
    found = suite.checks["xbrl"].check(filing)
    route = suite.routes.take() or "processor: refused before"
    return route, found, processor.check(filing) if route == INDEX else found


def test_cases_have_names_and_clauses_of_their_own() -> None:
    assert len(CASES) == len(list(cases())) > 250
    assert len({c.content for c in CASES.values()}) == len(CASES)
    assert len({c.clause for c in CASES.values()}) > 40
    assert DEPARTS.keys() <= CASES.keys()


def test_each_case_gets_the_verdict_of_its_clause(verdicts: Verdicts) -> None:
    wrong = {n: found for n, (_, found, _) in verdicts.items() if rejects(found) == CASES[n].valid}
    assert wrong.keys() == DEPARTS.keys()


def test_the_index_says_word_for_word_what_the_processor_says(verdicts: Verdicts) -> None:
    for name, (_, found, reference) in verdicts.items():
        assert Counter(map(str, found)) == Counter(map(str, reference)), name


def test_the_index_decides_most_cases_and_says_why_not_the_others(verdicts: Verdicts) -> None:
    routes = Counter(route for route, _, _ in verdicts.values())
    assert routes[INDEX] > 170
    assert sum(bool(f) for route, f, _ in verdicts.values() if route == INDEX) > 80
    assert {r for r in routes if not r.startswith("processor: ")} == {INDEX}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("value-backtracking", "pattern"),
        ("footnote", "element"),
        ("tuple-choice", "element"),
        ("formula-repeated", "formula: repeated fact"),
        ("formula-wrong-value", "formula over a wrong fact"),
        ("schema-location", "attribute"),
        ("zone", "date"),
        ("id-twice", "id"),
    ],
)
def test_what_is_not_understood_goes_to_the_processor(
    name: str, reason: str, verdicts: Verdicts
) -> None:
    assert verdicts[name][0] == f"processor: {reason}"


def test_made_up_instances_of_every_entry_point_are_judged_alike(
    demo_home: Path, tmp_path: Path
) -> None:
    suite = open_suite(demo_home, index=True)
    processor = Xbrl(suite.registry, suite.pool)
    try:
        paths = write_made(suite.registry, 3, 5, tmp_path)
        assert len(paths) == 15
        for path in paths:
            verdict = _judge(suite, processor, Case(path.stem, "", False, path.read_bytes()))
            route, found, reference = verdict
            assert Counter(map(str, found)) == Counter(map(str, reference)), path.name
            assert len(found) > 3, route
    finally:
        suite.close()
