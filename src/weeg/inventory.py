"""The code that exists, part by part: `inventory.csv`, with what is kept and what is rebuilt.

The share of lines kept can fill criterion 7: `{inventory: kept}` in `feeds.yaml`. A rebuilt part
needs a reason; a part that is kept needs a licence and somebody who says that it may be reused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from weeg.figure import Range, exactly, number
from weeg.problem import Place, refuse
from weeg.table import named

FILE = "inventory.csv"
COLUMNS = ("part", "lines", "rating", "verdict", "why", "licence", "who")
_DUTCH = {"onderdeel": "part", "regels": "lines", "oordeel": "rating", "keuze": "verdict",
          "waarom": "why", "licentie": "licence", "wie": "who"}  # fmt: skip
_VERDICTS = {"keep": "keep", "houden": "keep", "rebuild": "rebuild", "herbouwen": "rebuild",
             "": ""}  # fmt: skip
_MOST_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Part:
    """`verdict` is keep, rebuild, or empty while nobody decided; `who` says it may be reused."""

    part: str
    lines: int
    rating: str
    verdict: str
    why: str
    licence: str
    who: str
    place: Place

    def missing(self) -> Iterator[str]:
        needed = ["part", "rating", "verdict", "why"]
        needed += ["licence", "who"] if self.verdict == "keep" else []
        return (name for name in needed if not getattr(self, name))


def read(data: bytes) -> tuple[Part, ...]:
    found = []
    for row, cells in named(data, FILE, COLUMNS, _DUTCH, _MOST_ROWS):
        text, at = cells["lines"]
        lines = number(text, at)
        if lines != lines.to_integral_value() or not 0 <= lines <= 10**9:
            raise refuse("yaml.integer", at, value=text, least=0, most=10**9)
        word, at = cells["verdict"]
        verdict = _VERDICTS.get(word.lower())
        if verdict is None:
            raise refuse("yaml.choice", at, value=word, words="keep, rebuild")
        part, rating, why, licence, who = (
            cells[name][0] for name in ("part", "rating", "why", "licence", "who")
        )
        found.append(Part(part, int(lines), rating, verdict, why, licence, who, row.place))
    return tuple(found)


def kept(parts: tuple[Part, ...], cell: Place) -> Range:
    """Share of lines kept, in per cent; lines that nobody decided about count as not kept."""
    whole = sum(part.lines for part in parts)
    if not whole:
        raise refuse("inventory.none", cell)
    lines = sum(part.lines for part in parts if part.verdict == "keep")
    return exactly(Decimal(round(Fraction(lines, whole) * 10_000)) / 100)
