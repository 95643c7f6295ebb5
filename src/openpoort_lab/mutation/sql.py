"""Mistakes in SQL text: conditions, comparisons, bounds, locks and order.

A condition that is dropped becomes `(condition or true)`, so that its parameters stay in place: a
statement that no longer fits its parameters would fail everywhere and tell nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LOOKS_LIKE_SQL = re.compile(
    r"\b(select|update|delete\s+from|insert\s+into|where|order\s+by|and|on\s+conflict)\b"
)


@dataclass(frozen=True, slots=True)
class Change:
    """`text[start:end]` becomes `new`; `what` says which kind of mistake that is."""

    what: str
    start: int
    end: int
    new: str


_OPENS = re.compile(r"\b(where|and|or|on|when|filter \(where)\b(?!\s+conflict)")
_ENDS = re.compile(
    r"\b(and|or|where|order\s+by|group\s+by|limit|for\s+update|returning|union|then|join|on|set"
    r"|from|having|as|left\s+join)\b|\\n\\n"
)
_TURNED = (
    ("is not distinct from", "is distinct from"), ("is not null", "is null"),
    ("is null", "is not null"), ("not exists", "exists"), ("<> all", "= any"),
    ("= any", "<> all"), ("not in", "in"), ("<=", "<"), (">=", ">"), ("<>", "="), ("<", "<="),
    (">", ">="), ("=", "<>"),
)  # fmt: skip
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_CLOCK = re.compile(r"\s*clock_timestamp\(\)")
"""Against a running clock only the opposite differs: nothing is equal to it."""
_COMPARISON = re.compile(
    "|".join(rf"(?<!-){re.escape(old)}(?!>)" if old in "<>" else re.escape(old)
             for old, _ in _TURNED)
)  # fmt: skip
_NUMBER = re.compile(r"(?<=[-+<>=] )\d+\b")
_LOCK = re.compile(r"\s+for (?:no key )?update(?: of \w+)?((?:\s+skip locked)|(?:\s+nowait))?")
_ORDER = re.compile(r"\border by [\w., ]+?(?=\s*(?:\blimit\b|\bfor update\b|\)|\"|$|\n|\bdesc))")
_PAIRS = ((r"\bgreatest\(", "least("), (r"\bleast\(", "greatest("), (r"\bmax\(", "min("),
          (r"\bpg_try_advisory_xact_lock\(", "pg_try_advisory_xact_lock_shared("))  # fmt: skip


def changes(text: str) -> Iterator[Change]:
    """Every mistake that can be made in the SQL of `text`, a string as it stands in the source."""
    if not LOOKS_LIKE_SQL.search(text):
        return
    for opening in _OPENS.finditer(text):
        start, end = _condition(text, opening.end())
        if not text[start:end].strip():
            continue
        never = "and false" if opening[1] == "or" else "or true"
        yield Change("condition dropped", start, end, f"({text[start:end]} {never})")
        yield from _compared(text, start, end)
    for found in re.finditer(r"\blimit (?!greatest)", text):
        yield Change("bound off by one", found.end(), found.end(), "1 + ")
    for found in re.finditer(r"\bleast\(([^,()]+),", text):
        yield Change("bound off by one", found.start(1), found.start(1), "1 + ")
    for found in re.finditer(r"(?<=, )(%s|%\(\w+\)s) - \(", text):
        yield Change("bound off by one", found.start(), found.start(), "1 + ")
    for found in _LOCK.finditer(text):
        yield Change("lock gone", found.start(), found.end(), "")
        if found[1]:
            yield Change(f"{found[1].strip()} gone", found.start(1), found.end(1), "")
    for found in _ORDER.finditer(text):
        yield Change("order gone", found.start(), found.end(), "")
    for old, new in _PAIRS:
        for found in re.finditer(old, text):
            yield Change("function turned", found.start(), found.end(), new)
    for found in re.finditer(r"\bdistinct\s+(?!from|on)", text):
        yield Change("distinct gone", found.start(), found.end(), "")


def _condition(text: str, start: int) -> tuple[int, int]:
    """Where the condition that begins at `start` ends: at a word or bracket of its own depth."""
    while start < len(text) and text[start].isspace():
        start += 1
    depth, at = 0, start
    while at < len(text):
        letter = text[at]
        if letter == "(":
            depth += 1
        elif letter == ")":
            if depth == 0:
                break
            depth -= 1
        elif letter == '"' or (depth == 0 and _ended(text, at)):
            break
        at += 1
    while at > start and text[at - 1].isspace():
        at -= 1
    return start, at


def _ended(text: str, at: int) -> bool:
    """Whether a word that ends a condition stands at `at`; the `from` of `is not distinct from`
    does not."""
    if text[at] == ";":
        return True
    before = text[:at]
    return (
        _ENDS.match(text, at) is not None
        and not (before[-1:].isalnum() or before[-1:] == "_")
        and not before.rstrip().endswith("distinct")
    )


def _compared(text: str, start: int, end: int) -> Iterator[Change]:
    """Comparisons turned and numbers off by one in one condition; what stands in brackets is a
    condition of its own."""
    turned = dict(_TURNED)
    depth = 0
    at = start
    while at < end:
        if text[at] in "()":
            depth += 1 if text[at] == "(" else -1
        elif depth == 0:
            if found := _COMPARISON.match(text, at, end):
                opposite = _OPPOSITE.get(found[0]) if _CLOCK.match(text, found.end()) else None
                yield Change("comparison turned", at, found.end(), opposite or turned[found[0]])
                at = found.end()
                continue
            if found := _NUMBER.match(text, at, end):
                new = str(int(found[0]) + 1)
                yield Change("number off by one", at, found.end(), new)
        at += 1
