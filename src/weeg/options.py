"""The options and what they score: `options.csv`, one row per option, one column per criterion.

A cell holds a value, a bandwidth `low|mode|high`, or `@name`: the feed of that name in
`feeds.yaml`. An optional row `unit` (or `eenheid`) under the header is compared with the model.
"""

from __future__ import annotations

from dataclasses import dataclass

from weeg.figure import Range, canonical, spread
from weeg.model import Criterion, Model, identifier, unique
from weeg.problem import BadInput, Place, Problem, clean, refuse
from weeg.table import Row, Table, parse

FILE = "options.csv"
MOST_OPTIONS = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """One typed cell: a range, or the name of the feed that gives it."""

    place: Place
    typed: Range | None
    feed: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Option id -> criterion id -> cell; options in the order of the file."""

    cells: dict[str, dict[str, Cell]]
    places: dict[str, Place]


def read(data: bytes, model: Model) -> Sheet:
    """BadInput with every wrong cell, not only the first."""
    sheet = parse(data, FILE, MOST_OPTIONS, spare=1)
    columns = _columns(sheet, model)
    problems: list[Problem] = []
    cells: dict[str, dict[str, Cell]] = {}
    places: dict[str, Place] = {}
    ids: list[tuple[str, Place]] = []
    for row in sheet.rows:
        if row.cells[0].lower() in ("unit", "units", "eenheid", "eenheden"):
            problems += _units(row, columns)
            continue
        try:
            name = identifier(row.cells[0], row.at(0, "option"))
            ids.append((name, row.at(0)))
            cells[name] = _scores(row, columns)
            places[name] = row.at(0)
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    unique(ids, "options.double")
    if not cells:
        raise refuse("options.none", Place(FILE))
    if len(cells) > MOST_OPTIONS:
        raise refuse("table.rows", Place(FILE), most=MOST_OPTIONS)
    return Sheet(cells, places)


def _columns(sheet: Table, model: Model) -> list[tuple[int, Criterion]]:
    header = sheet.header
    known = {c.id: c for c in model.criteria}
    problems = []
    columns = []
    seen: dict[str, int] = {}
    for index, name in enumerate(header.cells[1:], 1):
        at = header.at(index)
        if name not in known:
            problems.append(Problem("options.column", at, clean({"id": name})))
        elif name in seen:
            values = clean({"id": name, "first": seen[name] + 1})
            problems.append(Problem("options.column_double", at, values))
        else:
            seen[name] = index
            columns.append((index, known[name]))
    for criterion in model.criteria:
        if criterion.id not in seen:
            values = clean({"id": criterion.id})
            problems.append(Problem("options.column_missing", header.place, values))
    if problems:
        raise BadInput(problems)
    return columns


def _units(row: Row, columns: list[tuple[int, Criterion]]) -> list[Problem]:
    return [
        Problem(
            "unit.header",
            row.at(index, criterion.id),
            clean({"found": row.cells[index], "expected": criterion.unit}),
        )
        for index, criterion in columns
        if row.cells[index] and canonical(row.cells[index]) != criterion.unit
    ]


def _scores(row: Row, columns: list[tuple[int, Criterion]]) -> dict[str, Cell]:
    scores: dict[str, Cell] = {}
    problems: list[Problem] = []
    for index, criterion in columns:
        try:
            scores[criterion.id] = _cell(row.cells[index], row.at(index, criterion.id), criterion)
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    return scores


def _cell(text: str, place: Place, criterion: Criterion) -> Cell:
    if not text:
        raise refuse("options.empty", place, id=criterion.id)
    if text.startswith("@") and "(" not in text:
        return Cell(place, None, identifier(text[1:], place))
    value = spread(text, place, criterion.unit)
    for part in (value.low, value.mode, value.high):
        if not criterion.covers(part):
            raise refuse("options.outside", place, value=text, worst=criterion.worst.value,
                         best=criterion.best.value, unit=criterion.unit)  # fmt: skip
    return Cell(place, value, "")
