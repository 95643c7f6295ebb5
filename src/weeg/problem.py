"""What can be wrong with an input, and where: file, row and column, and what to change.

A problem carries a code; its sentences stand in `texts.yaml` in both languages. An `error` cannot
be weighed (exit code 2), a `warning` can but should be answered (exit code 1 of `weeg check`),
a `note` is a thing to know while reading the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from weeg.texts import Language, say


class Severity(IntEnum):
    NOTE = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in an input file; rows and columns count from 1, 0 means the whole file or row."""

    file: str
    row: int = 0
    column: int = 0
    label: str = ""

    def show(self, language: Language) -> str:
        parts = [self.file]
        if self.row:
            parts.append(f"{say('place.row', language)} {self.row}")
        if self.column:
            parts.append(f"{say('place.column', language)} {self.column}")
        shown = ", ".join(parts)
        return f"{shown} ({self.label})" if self.label else shown

    @property
    def short(self) -> str:
        """`costs.yaml:41`, the form editors can jump to."""
        return f"{self.file}:{self.row}" if self.row else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    place: Place
    values: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = Severity.ERROR

    def show(self, language: Language) -> str:
        """One line: where, what, and what to change."""
        sentence = say(f"problem.{self.code}", language, **self.values)
        where = self.place.show(language) if self.place.file else ""
        return f"{where}: {sentence}" if where else sentence


class BadInput(Exception):
    """The folder cannot be weighed; carries every problem found, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(p.show("en") for p in self.problems[:3]))


def refuse(code: str, place: Place, /, **values: object) -> BadInput:
    """The exception for one error: `raise refuse("cell.empty", place, ...)`."""
    return BadInput([Problem(code, place, clean(values))])


def clean(values: Mapping[str, object]) -> dict[str, str]:
    """Values as they may be shown: control characters out, long ones cut."""
    return {name: printable(str(value)) for name, value in values.items()}


def printable(text: str, most: int = 200) -> str:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
