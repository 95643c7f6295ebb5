"""Making a decision folder: an empty one to fill in, or the worked, invented example."""

from __future__ import annotations

import datetime as dt
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from weeg.problem import Place, refuse

_ATTRIBUTES = (
    "# The input hash is over bytes: keep line ends the same on every machine.\n* text eol=lf\n"
)


def make(folder: Path, *, example: bool, today: dt.date) -> None:
    """Refuses a folder that already holds a decision; other files in it are left alone."""
    if (folder / "decision.yaml").exists() or (folder.exists() and not folder.is_dir()):
        raise refuse("folder.exists", Place(str(folder)))
    templates = resources.files("weeg").joinpath("templates")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("shared", "example" if example else "start"):
            _copy(templates.joinpath(part), folder, today)
        attributes = folder / ".gitattributes"
        if not attributes.exists():
            attributes.write_text(_ATTRIBUTES, encoding="utf-8", newline="\n")
    except OSError as error:
        raise refuse("folder.write", Place(str(folder)), detail=error.strerror) from None


def _copy(source: Traversable, target: Path, today: dt.date) -> None:
    for entry in sorted(source.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            (target / entry.name).mkdir(exist_ok=True)
            _copy(entry, target / entry.name, today)
        else:
            text = entry.read_text(encoding="utf-8").replace("{today}", today.isoformat())
            (target / entry.name).write_text(text, encoding="utf-8", newline="\n")
