"""Where each number comes from: `sources.csv` with cell, source, date, who and confidence.

A cell is `option/criterion` for a score, `costs/option/line` for money, `weights/stakeholder`
for weights; `*` stands for all. A number that no row covers is reported as without source.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
from dataclasses import dataclass

from weeg.problem import Place, refuse
from weeg.table import Row, parse

FILE = "sources.csv"
_HEADER = ("cell", "source", "date", "who", "confidence")
_DUTCH = {"cel": "cell", "bron": "source", "datum": "date", "wie": "who", "zekerheid": "confidence",
          "toelichting": "note"}  # fmt: skip
_CONFIDENCE = {"high": "high", "hoog": "high", "medium": "medium", "midden": "medium",
               "low": "low", "laag": "low"}  # fmt: skip
_MOST_ROWS = 20_000
_ROOMS = ("costs", "weights")


@dataclass(frozen=True, slots=True)
class Source:
    cell: str
    source: str
    date: dt.date
    who: str
    confidence: str
    note: str
    place: Place


@dataclass(frozen=True, slots=True)
class Sources:
    rows: tuple[Source, ...]

    def of(self, cell: str) -> Source | None:
        """The most precise row that covers a cell: the one with the fewest stars, the last wins."""
        fitting = [row for row in self.rows if _covers(row.cell, cell)]
        return min(reversed(fitting), key=lambda row: row.cell.count("*"), default=None)

    def of_contract(self, option: str, name: str) -> Source | None:
        """A row of the contract itself, or else one for all unlawful contracts of the option."""
        every = f"costs/{option}/unlawful"
        return (self.of(f"{every}/{name}") if name else None) or self.of(every)


def contract_cell(option: str, name: str) -> str:
    return f"costs/{option}/unlawful" + (f"/{name}" if name else "")


def _covers(pattern: str, cell: str) -> bool:
    """Part by part: a star stops at the slash, and a star for options is no star for money."""
    wanted, parts = pattern.split("/"), cell.split("/")
    if len(wanted) != len(parts) or (parts[0] in _ROOMS and wanted[0] != parts[0]):
        return False
    return all(fnmatch.fnmatchcase(part, w) for part, w in zip(parts, wanted, strict=True))


def read(data: bytes) -> Sources:
    sheet = parse(data, FILE, _MOST_ROWS)
    names = [_DUTCH.get(cell.lower(), cell.lower()) for cell in sheet.header.cells]
    for needed in _HEADER:
        if needed not in names:
            raise refuse("sources.column", sheet.header.place, name=needed)
    return Sources(tuple(_source(row, names) for row in sheet.rows))


def _source(row: Row, names: list[str]) -> Source:
    cells = dict(zip(names, row.cells, strict=False))
    for name in _HEADER:
        if not cells[name]:
            raise refuse("sources.empty", row.at(names.index(name), name), name=name)
    at = row.at(names.index("date"), "date")
    try:
        day = dt.date.fromisoformat(cells["date"])
    except ValueError:
        raise refuse("yaml.date", at, value=cells["date"]) from None
    confidence = _CONFIDENCE.get(cells["confidence"].lower())
    if confidence is None:
        at = row.at(names.index("confidence"), "confidence")
        raise refuse("yaml.choice", at, value=cells["confidence"], words="high, medium, low")
    return Source(cells["cell"], cells["source"], day, cells["who"], confidence,
                  cells.get("note", ""), row.place)  # fmt: skip
