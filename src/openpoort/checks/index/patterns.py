r"""What a pattern facet may cost, before it is run (XML Schema Part 2, appendix F).

A pattern is matched by backtracking, so one like `(a+)+b` can cost more steps than there is time.
Here a pattern is read once and given a bound: the number of ways in which it can be laid over a
text of length n. Patterns with a repeat inside a repeat, or with syntax that is not plainly the
same in XML Schema and Python, have no bound and are not run here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

Bound = Callable[[int], int]
"""Length of the text -> number of ways."""

_TOKEN = re.compile(
    r"(?P<atom>\[\^?(?:\\[\\\[\]\-.^dD/]|[^\\\[\]^])+\]|\\[dD.\-\\/+*?()\[\]{}|^]|[^\\\[\](){}|*+?^$])"
    r"|(?P<open>\((?!\?))|(?P<close>\))|(?P<bar>\|)"
    r"|(?P<repeat>[*+?]|\{\d+(?:,\d*)?\})"
)
_SET = re.compile(r"--|&&|~~|\|\|")
"""Set operators: some engines read them in a class, XML Schema does not."""
_UNBOUNDED = 1 << 30


def bound(pattern: str) -> Bound | None:
    """None when this pattern is not to be run here."""
    try:
        tokens = list(_tokens(pattern))
    except ValueError:
        return None
    found, rest = _choice(tokens, 0)
    return found if rest == len(tokens) else None


def _tokens(pattern: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while place < len(pattern):
        match = _TOKEN.match(pattern, place)
        if match is None or match.lastgroup is None or _SET.search(match.group()):
            raise ValueError(pattern)
        tokens.append((match.lastgroup, match.group()))
        place = match.end()
    return tokens


def _choice(tokens: list[tuple[str, str]], place: int) -> tuple[Bound | None, int]:
    """Alternatives up to the end or a closing bracket: their ways add up."""
    ways: list[Bound] = []
    while True:
        way, place = _sequence(tokens, place)
        if way is None:
            return None, place
        ways.append(way)
        if place == len(tokens) or tokens[place][0] != "bar":
            return (lambda n: sum(w(n) for w in ways)), place
        place += 1


def _sequence(tokens: list[tuple[str, str]], place: int) -> tuple[Bound | None, int]:
    """Parts after each other: their ways multiply."""
    ways: list[Bound] = []
    while place < len(tokens) and tokens[place][0] in {"atom", "open"}:
        inner: Bound | None = None
        if tokens[place][0] == "open":
            inner, place = _choice(tokens, place + 1)
            if inner is None or place == len(tokens) or tokens[place][0] != "close":
                return None, place
        place += 1
        low = high = 1
        if place < len(tokens) and tokens[place][0] == "repeat":
            low, high = _times(tokens[place][1])
            place += 1
        way = _repeated(inner, low, high)
        if way is None:
            return None, place
        ways.append(way)
    return (lambda n: _product(w(n) for w in ways)), place


def _repeated(inner: Bound | None, low: int, high: int) -> Bound | None:
    """A repeated group is taken only when it is one way wide, however long the text."""
    if not low <= high <= _UNBOUNDED:
        return None
    if inner is None or (high > 1 and inner(_UNBOUNDED) == 1):
        return lambda n: max(1, min(high, n) - low + 1)
    if high == 1:
        return lambda n: inner(n) + (1 - low)
    return None


def _times(repeat: str) -> tuple[int, int]:
    if repeat in {"*", "+", "?"}:
        return (0 if repeat in "*?" else 1), (1 if repeat == "?" else _UNBOUNDED)
    low, comma, high = repeat[1:-1].partition(",")
    return int(low), int(high or _UNBOUNDED) if comma else int(low)


def _product(numbers: Iterable[int]) -> int:
    total = 1
    for number in numbers:
        total *= number
    return total
