"""Making a decision folder: an empty one to fill in, or the worked, invented example."""

from __future__ import annotations

import datetime as dt
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from weeg import measures
from weeg.model import identifier
from weeg.problem import Place, refuse
from weeg.table import contents

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


def feed(folder: Path, file: Path, name: str) -> int:
    """Copy a measurement file into `measures/` once it can be read; gives the number of measures.

    Standard output of a command may hold other lines: the last line that is an object counts.
    """
    identifier(name, Place(str(file)))
    data = contents(file, file.name)
    lines = [line for line in data.splitlines() if line.strip().startswith(b"{")]
    if lines and lines[-1].rstrip().endswith(b"}"):
        data = lines[-1] + b"\n"
    found = measures.read(data, file.name)
    if not (folder / "decision.yaml").is_file():
        raise refuse("file.missing", Place("decision.yaml"))
    target = folder / "measures" / f"{name}.json"
    try:
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)
    except OSError as error:
        raise refuse("folder.write", Place(str(target)), detail=error.strerror) from None
    return len(found)
