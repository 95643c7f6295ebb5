"""Reading a CSV file as spreadsheets write it: semicolons, commas or tabs, any usual encoding.

Bounded: a file of more than a mebibyte or more rows than asked for is refused while reading.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from weeg.problem import Place, refuse

MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    place: Place
    cells: tuple[str, ...]

    def at(self, column: int, label: str = "") -> Place:
        return Place(self.place.file, self.place.row, column + 1, label)


@dataclass(frozen=True, slots=True)
class Table:
    header: Row
    rows: tuple[Row, ...]


def contents(path: Path, name: str) -> bytes:
    """The bytes of an input file, at most a mebibyte."""
    if not path.is_file():
        raise refuse("file.missing", Place(name))
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise refuse("file.large", Place(name), most=MOST_BYTES)
    return data


def text(data: bytes, name: str) -> str:
    """UTF-8 with or without mark, UTF-16 with mark, or else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        decoded = data.decode("utf-16", errors="replace")
    else:
        try:
            decoded = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            decoded = data.decode("cp1252", errors="replace")
    for row, line in enumerate(decoded.split("\n"), 1):
        if any(ord(c) < 32 and c not in "\t\r" for c in line):
            raise refuse("file.control", Place(name, row))
    return decoded


def parse(data: bytes, name: str, most_rows: int, spare: int = 0) -> Table:
    """Header and rows; empty rows are skipped, short rows filled, long rows refused.

    `spare` rows may stand beside the `most_rows` that count, such as a row with units.
    """
    decoded = text(data, name)
    offset = 0
    if decoded.lower().startswith("sep="):
        decoded, offset = decoded.partition("\n")[2], 1
    delimiter = _delimiter(decoded)
    reader = csv.reader(io.StringIO(decoded, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    last = offset
    try:
        for cells in reader:
            place, last = Place(name, last + 1), reader.line_num + offset
            if not any(cell.strip() for cell in cells):
                continue
            rows.append(Row(place, tuple(cell.strip() for cell in cells)))
            if len(rows) > 1 + most_rows + spare:
                raise refuse("table.rows", place, most=most_rows)
    except csv.Error as error:
        raise refuse("table.quotes", Place(name, reader.line_num + offset), detail=error) from None
    if not rows:
        raise refuse("table.empty", Place(name))
    header = _trimmed(rows[0])
    return Table(header, tuple(_fitted(row, header, delimiter) for row in rows[1:]))


def named(
    data: bytes, name: str, needed: tuple[str, ...], dutch: Mapping[str, str], most_rows: int
) -> Iterator[tuple[Row, dict[str, tuple[str, Place]]]]:
    """Each row with its cells by column name; Dutch headers count as their English ones."""
    sheet = parse(data, name, most_rows)
    names = [dutch.get(cell.lower(), cell.lower()) for cell in sheet.header.cells]
    for column in needed:
        if column not in names:
            raise refuse("table.column", sheet.header.place, name=column, header=";".join(needed))
    for row in sheet.rows:
        cells = zip(names, row.cells, strict=True)
        yield row, {n: (cell, row.at(i, n)) for i, (n, cell) in enumerate(cells)}


def _delimiter(decoded: str) -> str:
    first = next((line for line in decoded.splitlines() if line.strip()), "")
    return max(";\t,", key=lambda mark: (first.count(mark), mark == ";"))


def _trimmed(row: Row) -> Row:
    cells = list(row.cells)
    while cells and not cells[-1]:
        cells.pop()
    return Row(row.place, tuple(cells))


def _fitted(row: Row, header: Row, delimiter: str) -> Row:
    width = len(header.cells)
    if any(row.cells[width:]):
        code = "table.commas" if delimiter == "," else "table.wide"
        raise refuse(code, row.at(width), found=len(row.cells), expected=width)
    cells = (*row.cells, *[""] * width)[:width]
    return Row(row.place, cells)
