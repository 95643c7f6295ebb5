"""Patterns, numbers and tests of assertions: what is run here, and what is not."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpoort.checks.index.expressions import compile_test
from openpoort.checks.index.patterns import bound
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.index.values import Type, Wrong


@pytest.mark.parametrize(
    ("pattern", "ways"),
    [
        (r"(\-)?\d{1,10}", 20),
        (r"[0-9]{12}", 1),
        (r"(\d|\d{2}|\d{3})[.]\d{2}", 3),
        (r"([0-9,A-Z]){1,12}", 12),
        (r"[^@]+@[^@]+", 1_000_000),
        (r"(M|E)\d{9}", 2),
    ],
)
def test_a_pattern_of_a_published_taxonomy_has_a_bound(pattern: str, ways: int) -> None:
    found = bound(pattern)
    assert found is not None
    assert found(1000) == ways


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|ab)*c",
        "(a*)*",
        "((a?)+)+",
        "(?:a)",
        r"\p{L}+",
        r"\i\c*",
        "[a-z-[aeiou]]",
        "[a--b]",
        "a{2",
        "^a$",
        "(a",
        "a)",
        "*a",
        "(+",
        "a**",
        "a{3,2}",
        "a{99999999999}",
        r"a\b",
    ],
)
def test_a_pattern_that_may_run_away_or_reads_otherwise_is_not_run_here(pattern: str) -> None:
    assert bound(pattern) is None
    with pytest.raises(Undecided):
        Type("string", {"pattern": pattern}).judge("a")


@given(st.text("a+*?()|{}12,[]^$\\.", max_size=12), st.text("ab", max_size=30))
def test_any_pattern_has_a_bound_or_is_left_alone(pattern: str, value: str) -> None:
    """What has a bound is run to its end, unless it is no pattern at all."""
    found = bound(pattern)
    if found is not None and found(len(value)) < 10_000:
        with contextlib.suppress(Wrong, Undecided):
            Type("string", {"pattern": pattern}).judge(value)


def test_a_long_text_under_a_wide_pattern_is_left_to_the_processor() -> None:
    kind = Type("string", {"pattern": "[^@]+@[^@]+"})
    kind.judge("naam@voorbeeld.example")
    with pytest.raises(Undecided):
        kind.judge("a" * 1000)


NAMES = frozenset(("a", "b", "c"))


@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        ("$a = $b + $c", True),
        ("$a ne $b", True),
        ("$a - $b - $c = 0", True),
        ("$a = $b - $c", False),
        ("$b * 2 + $c = $a + $b", True),
        ("-$a lt 0 and $b gt 0", True),
        ("$a lt 0 or $b gt 0 and $c lt 0", False),
        ("abs($b - $a) le 2.50", False),
        ("($a + $b) * $c > 7.5", True),
        ("abs($b - $a * 0.21) le 2 + abs($a) * 0.01", True),
    ],
)
def test_tests_of_assertions_are_read_as_xpath_reads_them(test: str, outcome: bool) -> None:
    values = {"a": Decimal("4"), "b": Decimal("1"), "c": 3}
    assert compile_test(test, NAMES)(values) is outcome


@pytest.mark.parametrize(
    "test",
    [
        "$a",
        "$a + $b",
        "$a = $d",
        "$a div $b = 1",
        "$a = 1e3",
        "sum($a) = 1",
        "if ($a) then true() else false()",
        "$a = 'x'",
        "$a = ($b, $c)",
        "$a = $b = $c",
        "$a-$b = 0",
        "not($a = $b)",
        "$a and $b",
        "($a = $b",
        "",
        ". eq 1",
    ],
)
def test_a_test_that_is_more_than_that_is_not_compiled(test: str) -> None:
    with pytest.raises(Undecided):
        compile_test(test, NAMES)
