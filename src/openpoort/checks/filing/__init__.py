"""The 41 filing rules: FR-NL, FG-NL, FR-KVK, BR-KVK, each a small function in a table.

The codes are those of the SBR Filing Rules; where their text was not to be had, the behaviour of
the reference processor decides (docs: checks). FG rules warn; FR-KVK and BR-KVK apply to entry
points of KvK.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from openpoort.checks.document import line_of
from openpoort.checks.filing import file, frame, guidelines, kvk, markup
from openpoort.checks.filing.rule import File, FileRule, Hit, Rule
from openpoort.checks.instance import Instance
from openpoort.domain.finding import Finding

FILE_RULES: tuple[FileRule, ...] = file.RULES
RULES: tuple[Rule, ...] = (*frame.RULES, *markup.RULES, *guidelines.RULES, *kvk.RULES)
CODES = tuple(sorted({r.code for r in FILE_RULES} | {r.code for r in RULES}))
_MOST = 50
"""Findings per rule that are shown; a thousand the same help nobody."""


def judge_file(name: str, data: bytes, *, applies_kvk: bool) -> Iterator[Finding]:
    """The rules that need no tree, so that they speak even when there is none."""
    subject = File(name, data)
    for rule in FILE_RULES:
        if applies_kvk or not rule.kvk:
            yield from _findings(rule, rule.find(subject), None)


def judge_instance(instance: Instance, *, applies_kvk: bool) -> Iterator[Finding]:
    for rule in RULES:
        if applies_kvk or not rule.kvk:
            yield from _findings(rule, rule.find(instance), instance)


def _findings(
    rule: Rule | FileRule, hits: Iterable[Hit], instance: Instance | None
) -> Iterator[Finding]:
    for hit in islice(hits, _MOST):
        line, path = hit.line, None
        if hit.element is not None and instance is not None:
            line, path = line_of(hit.element), instance.path(hit.element)
        yield Finding(rule.code, rule.severity, hit.text, "filing", line, path)
