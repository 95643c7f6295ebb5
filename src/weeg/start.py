"""Making a decision folder: an empty one to fill in, or the worked, invented example."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
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
    """Refuses a folder that holds one of the files already; others in it are left alone."""
    templates = resources.files("weeg").joinpath("templates")
    texts = {".gitattributes": _ATTRIBUTES}
    for part in ("shared", "example" if example else "start"):
        texts |= dict(_texts(templates.joinpath(part), ""))
    if folder.exists() and not folder.is_dir():
        raise refuse("folder.exists", Place(str(folder)))
    if (folder / ".gitattributes").exists():
        del texts[".gitattributes"]
    for name in texts:
        if (folder / name).exists():
            raise refuse("folder.exists", Place(str(folder / name)))
    try:
        for name, text in texts.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            whole = text.replace("{today}", today.isoformat())
            target.write_text(whole, encoding="utf-8", newline="\n")
    except OSError as error:
        raise refuse("folder.write", Place(str(folder)), detail=error.strerror) from None


def _texts(source: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(source.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _texts(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_text(encoding="utf-8")


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
