"""The letter that openpoort carries out, sentence by sentence: docs/letter.md and rows of README.

`python -m openpoort_lab.figures.letter` (`make docs`) writes them from docs/letter.toml, and with
them the other pages that are made from data: the frameworks and the measured names. Nothing in
them is typed by hand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from openpoort.process.flow import drawing, kinds
from openpoort_lab.figures import proofs
from weeg import measured
from weeg import model as criteria
from weeg.document import parse
from weeg.model import Model

ROOT = Path.cwd()
STATES = ("works", "partly", "planned", "not for a program")
SPLIT = " […] "
_DUTCH = {"works": "werkt", "partly": "deels", "planned": "gepland"}

_HEAD = """\
# The letter, and where each sentence runs

openpoort exists because of one public text: the letter of the state secretary of the Interior to
parliament on programme SAMEN (dated 29 June 2020 by its publication), with an annex of 17
criteria. Below stands every sentence of it that names a system, a quality, a risk, an actor, a
phase, a date or a figure, in Dutch, beside what a program can carry of it.

| state | means |
|---|---|
| works | the command does it, and a test of every change runs it, or a smaller run of it |
| partly | what is said works, and what is said to be missing does not |
| planned | nothing does it yet |
| not for a program | people's work |

{count}

Made by `make docs` from `docs/letter.toml`; tests hold it against the text of the letter, the
commands and the tests.
"""
_ANNEX = """
## The annex: criterion against measurement

The names are those of the annex, word for word. How they are weighed: [weeg](weeg/method.md); the
measured names: [the measurement form](weeg/measurements.md).

| criterion | unit | measured | published by |
|---|---|---|---|
"""
_POINTS = """
The BIT advice itself is not at hand. Its five points are reconstructed from the letter:

| point | read from | shown by |
|---|---|---|
"""
_CONTROLS = """
What criterion 16 counts: a control is proven when it is there and a record shows it.

| control | shown by |
|---|---|
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence. `within` quotes a part of another row; `short` and `en` stand in README."""

    part: str
    nl: str
    can: str
    state: str
    command: str = ""
    test: str = ""
    short: str = ""
    en: str = ""
    within: bool = False

    @property
    def pieces(self) -> list[str]:
        return self.nl.split(SPLIT)


@dataclass(frozen=True, slots=True)
class Aside:
    """Pieces of the letter that say nothing of a system, and why."""

    nl: list[str]
    reason: str


@dataclass(frozen=True, slots=True)
class Letter:
    rows: tuple[Row, ...]
    asides: tuple[Aside, ...] = field(default_factory=tuple)


def read(text: str) -> Letter:
    """TypeError for a key that is not known or missing."""
    data = tomllib.loads(text)
    rows = tuple(Row(**row) for row in data["row"])
    for row in rows:
        if row.state not in STATES:
            raise ValueError(f"{row.state} is no state: {row.nl}")
    return Letter(rows, tuple(Aside(**aside) for aside in data["aside"]))


def model() -> Model:
    file = resources.files("weeg").joinpath("templates", "shared", "model.yaml")
    return criteria.read(parse(file.read_bytes(), criteria.FILE))


def page(letter: Letter) -> str:
    """docs/letter.md."""
    order = {part: None for row in letter.rows for part in [row.part]}
    lines = [_HEAD.format(count=_count(letter))]
    for part in order:
        lines.append(f"\n## {part}\n\n| sentence | what a program can carry | state | command |"
                     " test |\n|---|---|---|---|---|\n")  # fmt: skip
        lines += [_line(row) for row in letter.rows if row.part == part]
    return "".join(lines) + "".join(_annex(model()))


def _count(letter: Letter) -> str:
    states = [row.state for row in letter.rows]
    told = ", ".join(f"{states.count(state)} {state}" for state in STATES)
    return f"Of {len(states)} rows: {told}."


def _line(row: Row) -> str:
    command, test = (f"`{text}`" if text else "–" for text in (row.command, row.test))
    return f"| {row.nl} | {row.can} | **{row.state}** | {command} | {test} |\n"


def _annex(found: Model) -> Iterator[str]:
    known = {n.name: n for n in measured.names()}
    yield _ANNEX
    for c in found.criteria:
        by = "<br>".join(f"`{known[m].by}`" if known[m].by else "nothing yet" for m in c.measures)
        names = "<br>".join(f"`{m}`" for m in c.measures)
        yield f"| {c.id}. {c.name.nl} | {c.unit} | {names} | {by} |\n"
    yield _POINTS
    for p in found.criterion("17").parts:
        yield f"| {p.words.en} | {p.sentence} | `{p.proof}` |\n"
    yield _CONTROLS
    for p in found.criterion("16").parts:
        yield f"| {p.words.en} | {f'`{p.proof}`' if p.proof else 'nothing yet'} |\n"


def front(letter: Letter) -> str:
    """The main rows, for README."""
    rows = [
        f"| {row.short} | {row.en} | {_DUTCH[row.state]} / {row.state} |"
        f" {f'`{row.command}`' if row.command else ''} |"
        for row in letter.rows
        if row.short
    ]
    head = "| de brief | the letter | staat / state | command |\n|---|---|---|---|"
    return "\n".join([head, *rows])


def put(text: str, mark: str, table: str) -> str:
    """`text` with `table` between `<!-- mark -->` and `<!-- /mark -->`."""
    start, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    return pattern.sub(lambda _: f"{start}\n{table}\n{end}", text)


def pages(root: Path) -> dict[Path, str]:
    """Every page that is made from data -> what it should hold."""
    letter = read((root / "docs" / "letter.toml").read_text("utf-8"))
    frameworks = (root / "docs" / "conformance" / "frameworks.toml").read_text("utf-8")
    readme, names = root / "README.md", root / "docs" / "weeg" / "measurements.md"
    return {
        root / "docs" / "letter.md": page(letter),
        root / "docs" / "conformance" / "frameworks.md": proofs.frameworks_page(frameworks),
        root / "docs" / "explanation" / "flow.md": drawing.page(kinds.load().values()),
        readme: put(readme.read_text("utf-8"), "letter", front(letter)),
        names: put(names.read_text("utf-8"), "names", measured.table()),
    }


if __name__ == "__main__":
    for file, text in pages(ROOT).items():
        file.write_text(text, encoding="utf-8")
