"""The 41 filing rules: FR-NL, FG-NL, FR-KVK, BR-KVK, each a small function in a table.

The codes are those of the SBR Filing Rules; where their text was not to be had, the behaviour of
the reference processor decides (docs: checks). FG rules warn; FR-KVK and BR-KVK apply to entry
points of KvK.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from openpoort.checks.document import line_of
from openpoort.checks.filing import file, frame, guidelines, kvk, markup
from openpoort.checks.filing.rule import File, FileRule, Hit, Rule
from openpoort.checks.instance import Instance
from openpoort.domain.finding import Finding

FILE_RULES: tuple[FileRule, ...] = file.RULES
RULES: tuple[Rule, ...] = (*frame.RULES, *markup.RULES, *guidelines.RULES, *kvk.RULES)
CODES = tuple(sorted({r.code for r in FILE_RULES} | {r.code for r in RULES}))
_MOST = 50
"""Different findings per rule that are shown; a thousand help nobody."""


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
    """Equal sentences are one, at the place of the first."""
    first: dict[str, Hit] = {}
    counts: Counter[str] = Counter()
    for hit in hits:
        if hit.text in first or len(first) < _MOST:
            first.setdefault(hit.text, hit)
            counts[hit.text] += 1
    for text, hit in first.items():
        line, path, context = hit.line, None, None
        if hit.element is not None and instance is not None:
            line, path = line_of(hit.element), instance.path(hit.element)
            context = hit.element.get("contextRef")
        yield Finding(
            rule.code, rule.severity, text, "filing", line, path, None, context, counts[text]
        )
