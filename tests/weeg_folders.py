"""Decision folders for tests of weeg: the example, changed here and there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from weeg.cli import main
from weeg.start import make

TODAY = dt.date(2026, 11, 20)


def example(folder: Path) -> Path:
    make(folder, example=True, today=TODAY)
    return folder


def change(folder: Path, file: str, old: str, new: str) -> None:
    """Replace one text that must be there."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def quick(folder: Path) -> Path:
    """The example with few draws, for tests that look at none of them."""
    example(folder)
    change(folder, "decision.yaml", "draws: 100000", "draws: 1000")
    return folder


def cells(folder: Path, rows: Mapping[str, Mapping[int, str]]) -> None:
    """Write cells of options.csv: option -> column index -> text."""
    path = folder / "options.csv"
    lines = [line.split(";") for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        for column, text in rows.get(line[0], {}).items():
            line[column] = text
    path.write_text("".join(";".join(line) + "\n" for line in lines), encoding="utf-8")


def weeg(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
