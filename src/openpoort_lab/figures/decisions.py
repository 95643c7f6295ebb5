"""The index of decision records: `python -m openpoort_lab.figures.decisions` writes it anew.

A record's first line is its title, and its number is the name of its file.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "docs" / "decisions"
INDEX = "index.md"
_HEAD = """\
# Decisions

One page each: context, options with numbers, choice, and what would change our mind. This list is
made from the records (`python -m openpoort_lab.figures.decisions`).

| number | decision |
|---|---|
"""


def index(folder: Path = FOLDER) -> str:
    """The page, from the records in `folder`."""
    rows = []
    for file in sorted(folder.glob("[0-9]*.md")):
        with file.open(encoding="utf-8") as lines:
            title = re.sub(r"^#\s*\d+[.:]?\s*", "", lines.readline()).strip()
        rows.append(f"| {int(file.name[:4])} | [{title}]({file.name}) |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    (FOLDER / INDEX).write_text(index(), encoding="utf-8")
