"""The house as a picture, made from its imports: floors, rooms, who asks whom.

`python -m openpoort_lab.figures.rooms` writes docs/explanation/rooms.svg and rooms.md; a test holds
them current. Floors are those of the import contract in pyproject.toml.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

_WIDTH, _HIGH, _GAP, _BOX = 900, 64, 34, 150
_NOT = {
    "domain": "anything outside itself", "wire": "sockets, clock, files, threads, database",
    "trust": "sockets, clock, files, threads, database", "telemetry": "what a message says",
    "keys": "the database, messages", "store": "what a message means, HTTP",
    "process": "SQL, HTTP, XML of the wire", "inbound": "SQL, what a step does",
    "outbound": "SQL, what a step does", "checks": "SQL, HTTP", "client": "SQL, the process",
    "evidence": "HTTP", "operate": "HTTP, how a gateway is wired",
    "sandbox": "how a gateway is wired", "app": "how a command is written",
    "cli": "SQL, and anything that a room below does", "records": "every other room",
}  # fmt: skip


def floors(root: Path) -> list[list[str]]:
    """Names of rooms, highest floor first."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    return [line.replace("|", " ").replace(":", " ").split() for line in layers]


def room(file: Path, source: Path) -> str:
    return file.relative_to(source).parts[0].removesuffix(".py")


def imports(source: Path) -> dict[str, set[str]]:
    """Room -> rooms that a file of it names in an import."""
    found: dict[str, set[str]] = {}
    for file in sorted(source.rglob("*.py")):
        mine = room(file, source)
        for name in _imported(ast.parse(file.read_text("utf-8"))):
            other = name.split(".")[1] if name.count(".") else ""
            if other and other != mine:
                found.setdefault(mine, set()).add(other)
    return found


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("openpoort"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole.startswith("openpoort."):
                    yield whole


def sentences(source: Path, names: list[str]) -> dict[str, str]:
    """Room -> the first sentence of its docstring."""
    found = {}
    for name in names:
        file = source / name / "__init__.py"
        file = file if file.exists() else source / f"{name}.py"
        text = (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").split("\n\n")[0]
        found[name] = " ".join(text.split())
    return found


def lines(source: Path, name: str) -> int:
    files = (source / name).rglob("*.py") if (source / name).is_dir() else [source / f"{name}.py"]
    return sum(file.read_text("utf-8").count("\n") for file in files)


def picture(rows: list[list[str]], asks: Mapping[str, set[str]], size: Mapping[str, int]) -> str:
    """SVG: a box for each room, a line from each to those it asks."""
    place = {}
    for level, row in enumerate(rows):
        for number, name in enumerate(row):
            x = _WIDTH / 2 + (number - (len(row) - 1) / 2) * (_BOX + 40)
            place[name] = (x, 20 + level * (_HIGH + _GAP))
    high = 20 + len(rows) * (_HIGH + _GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {high}" '
             'font-family="sans-serif" role="img"><title>Floors and rooms</title>']  # fmt: skip
    for mine in sorted(asks):
        for other in sorted(asks[mine]):
            if mine in place and other in place:
                (x, y), (to, below) = place[mine], place[other]
                bend = abs(below - y) / 3 + 10
                parts.append(
                    f'<path d="M{x:.0f} {y + _HIGH} C{x:.0f} {y + _HIGH + bend:.0f} '
                    f'{to:.0f} {below - bend:.0f} {to:.0f} {below:.0f}" '
                    'fill="none" stroke="#8899aa" stroke-opacity="0.5"/>'
                )
    for name, (x, y) in place.items():
        parts.append(
            f'<g transform="translate({x - _BOX / 2:.0f} {y:.0f})"><rect width="{_BOX}" '
            f'height="{_HIGH}" rx="6" fill="#eef3f8" stroke="#234"/>'
            f'<text x="{_BOX / 2:.0f}" y="28" text-anchor="middle" font-weight="bold" '
            f'fill="#123">{escape(name)}</text><text x="{_BOX / 2:.0f}" y="48" '
            f'text-anchor="middle" font-size="12" fill="#345">{size[name]:,} lines</text></g>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def pages(root: Path) -> dict[str, str]:
    """File name -> what stands in it."""
    source = root / "src" / "openpoort"
    rows = floors(root)
    names = [name for row in rows for name in row]
    said, size = (
        sentences(source, names),
        {name: lines(source, name) // 100 * 100 for name in names},
    )
    table = [
        "# Floors and rooms", "",
        "A room imports from floors below it only; rooms beside each other do not know each other,",
        "but for `operate` and `sandbox`. Held by the import contracts in `pyproject.toml`; drawn",
        "from the imports by `make docs`. Lines are rounded down to hundreds.", "",
        "![Floors and rooms](rooms.svg)", "",
        "| room | what it holds | what it may not know |", "|---|---|---|",
    ]  # fmt: skip
    table += [f"| `{name}` | {said[name]} | {_NOT[name]} |" for name in names]
    return {
        "rooms.svg": picture(rows, imports(source), size),
        "rooms.md": "\n".join(table) + "\n",
    }


if __name__ == "__main__":
    here = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for file, text in pages(here).items():
        (here / "docs" / "explanation" / file).write_text(text, encoding="utf-8")
