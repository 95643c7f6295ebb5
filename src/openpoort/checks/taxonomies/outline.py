"""What the cheap checks need to know of an entry point, without the reference processor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Concept:
    """`kind` is monetary, numeric, date, formatted, enum, text or tuple.

    `presented` means: stands in the presentation tree of the entry point.
    """

    kind: str
    presented: bool
    abstract: bool = False
    period: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """Concepts by Clark name, and the prefixes a taxonomy uses for each namespace."""

    entry: str
    concepts: Mapping[str, Concept]
    prefixes: Mapping[str, tuple[str, ...]]

    def dumps(self) -> str:
        return json.dumps(
            {
                "entry": self.entry,
                "concepts": {
                    name: [c.kind, int(c.presented), int(c.abstract), c.period]
                    for name, c in sorted(self.concepts.items())
                },
                "prefixes": {ns: list(p) for ns, p in sorted(self.prefixes.items())},
            }
        )

    @classmethod
    def loads(cls, text: str) -> Outline:
        raw = json.loads(text)
        return cls(
            raw["entry"],
            {n: Concept(k, bool(p), bool(a), t) for n, (k, p, a, t) in raw["concepts"].items()},
            {ns: tuple(p) for ns, p in raw["prefixes"].items()},
        )
