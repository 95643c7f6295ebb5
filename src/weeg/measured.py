"""The measured names that weeg knows: one list, from which `check`, the page and the docs are made.

`python -m weeg.measured` prints the table of docs/weeg/measurements.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from weeg.document import Entry, Words, parse
from weeg.figure import canonical

FILE = "measured.yaml"


@dataclass(frozen=True, slots=True)
class Name:
    """`criterion` is empty where none is fed by it; `by` is the command that publishes it and
    `since` the day from which it does, both empty while nothing does."""

    name: str
    unit: str
    criterion: str
    about: Words
    by: str
    since: str


@cache
def names() -> tuple[Name, ...]:
    """In the order of the criteria."""
    data = resources.files("weeg").joinpath(FILE).read_bytes()
    return tuple(_name(key, value) for key, _, value in parse(data, FILE).mapping())


def unpublished(wanted: Iterable[str]) -> tuple[str, ...]:
    """Those of `wanted` that are on the list and that nothing publishes yet."""
    silent = {known.name for known in names() if not known.by}
    return tuple(name for name in wanted if name in silent)


def table() -> str:
    rows = [
        f"| `{n.name}` | {n.unit} | {n.criterion or '–'} | {n.about.en} "
        f"| {f'`{n.by}`' if n.by else '**nothing yet**'} | {n.since or '–'} |"
        for n in names()
    ]
    head = (
        "| Name | Unit | Criterion | What it is | Published by | Since |\n|---|---|---|---|---|---|"
    )
    return "\n".join([head, *rows])


def _name(key: str, entry: Entry) -> Name:
    fields = entry.fields(("unit", "nl", "en"), ("criterion", "by", "since"))

    def text(name: str) -> str:
        return fields[name].text() if name in fields else ""

    about = Words(fields["nl"].text(), fields["en"].text())
    return Name(key, canonical(text("unit")), text("criterion"), about, text("by"), text("since"))


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
