"""External advice, and what was done with it: `advice.csv`, one row per point.

A cell may be empty while the work goes on; `weeg check` then says what is missing. Only a word that
cannot be understood is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from weeg.problem import Place, refuse
from weeg.table import named

FILE = "advice.csv"
COLUMNS = ("who", "what", "followed", "why", "where")
FOLLOWED = {"yes": "yes", "ja": "yes", "partly": "partly", "deels": "partly", "no": "no",
            "nee": "no", "": ""}  # fmt: skip
_DUTCH = {"wie": "who", "wat": "what", "gevolgd": "followed", "waarom": "why", "waar": "where"}
_MOST_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Advice:
    """One point; `followed` is yes, partly, no, or empty; `where` it shows in the decision."""

    who: str
    what: str
    followed: str
    why: str
    where: str
    place: Place

    def missing(self) -> Iterator[str]:
        return (name for name in COLUMNS if not getattr(self, name))


def read(data: bytes) -> tuple[Advice, ...]:
    found = []
    for row, cells in named(data, FILE, COLUMNS, _DUTCH, _MOST_ROWS):
        word, at = cells["followed"]
        followed = FOLLOWED.get(word.lower())
        if followed is None:
            raise refuse("yaml.choice", at, value=word, words="yes, partly, no")
        who, what, why, where = (cells[name][0] for name in ("who", "what", "why", "where"))
        found.append(Advice(who, what, followed, why, where, row.place))
    return tuple(found)
