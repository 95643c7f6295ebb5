"""The documentation page on flows, drawn from the tables that the engine runs on.

`python -m openpoort.process.drawing docs/explanation` makes it; a test holds it current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path

from openpoort.domain.kind import Kind, Step
from openpoort.domain.status import OMSCHRIJVING
from openpoort.process import flow
from openpoort.process.flow import BEHAVIOUR
from openpoort.process.kinds import load

WIDE, HIGH, GAP = 200, 34, 26
"""Of a box, and between two of them, in pixels."""
_STYLE = (
    "<style>text{font:13px sans-serif;fill:#222}.box{fill:#eef3fa;stroke:#345}"
    ".end{fill:#a00}.way{stroke:#345;fill:none}</style>"
    '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto"><path d="M0 0L8 4L0 8z" fill="#345"/></marker></defs>'
)


def svg(kind: Kind) -> str:
    """The way of a kind: a box a step, the status that leads on below it, what else can happen
    beside it. It stands alone: no script, no font, nothing from outside."""
    boxes: list[tuple[str, str, list[tuple[str, bool]]]] = [
        ("aanleveren", ", ".join(kind.start), [])
    ]
    boxes += [(s.name, s.ok or "done", list(_branches(kind, s))) for s in kind.steps]
    parts, y = [], 20
    for number, (name, leads_on, beside) in enumerate(boxes):
        parts.append(f'<rect class="box" x="20" y="{y}" width="{WIDE}" height="{HIGH}" rx="5"/>')
        parts.append(f'<text x="32" y="{y + 22}">{escape(name)}</text>')
        for line, (words, ends) in enumerate(beside):
            way = ' class="end"' if ends else ""
            parts.append(f'<text{way} x="{WIDE + 40}" y="{y + 14 + line * 17}">{words}</text>')
        below = y + max(HIGH, len(beside) * 17)
        parts.append(
            f'<path class="way" marker-end="url(#to)" d="M40 {y + HIGH}V{below + GAP - 2}"/>'
            f'<text x="48" y="{below + GAP - 8}">{escape(leads_on)}</text>'
        )
        y = below + GAP
        if number == len(boxes) - 1:
            parts.append(f'<circle cx="40" cy="{y + 6}" r="6" fill="#345"/>')
    size = f'width="640" height="{y + 30}" viewBox="0 0 640 {y + 30}"'
    title = f"<title>{escape(kind.berichtsoort)}</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>'
    return "\n".join([head, title, _STYLE, *parts, "</svg>"]) + "\n"


def _branches(kind: Kind, step: Step) -> Iterable[tuple[str, bool]]:
    """What can happen beside going on, in words; true for an end."""
    behaviour = BEHAVIOUR[step.kind]
    if behaviour.begins:
        yield escape(f"{behaviour.begins} to {', '.join(step.agencies)}"), False
    ends = [code for code in behaviour.ends if code != step.ok]
    if ends:
        yield f"{' or '.join(ends)}: the end", True
    if behaviour.trouble and flow.quiet(kind, step):
        yield "tried again; then parked, and nothing is told", False
    elif behaviour.trouble:
        yield f"{behaviour.trouble}: tried again", False
        yield f"{behaviour.trouble} with {behaviour.out_of_tries}: parked", False


def drawings(kinds: Iterable[Kind]) -> dict[str, str]:
    """File below `docs/explanation` -> its content."""
    return {f"flow/{kind.berichtsoort}.svg": svg(kind) for kind in kinds}


def page(kinds: Iterable[Kind]) -> str:
    """The documentation page: the table of steps, then a diagram per kind."""
    rows = [
        "# How a message flows",
        "",
        "Made from the table in `process/flow.py` and the kind files by "
        "`python -m openpoort.process.drawing`; a test holds it current.",
        "",
        "| Step | Does | Starts with | Ends with | For the moment | Out of tries |",
        "|---|---|---|---|---|---|",
    ]
    for kind_of_step, b in BEHAVIOUR.items():
        cells = (
            f"`{kind_of_step}`", b.does, b.begins or "", ", ".join(b.ends), b.trouble or "",
            f"{b.trouble} with {b.out_of_tries}, then parked" if b.out_of_tries else "",
        )  # fmt: skip
        rows.append("| " + " | ".join(cells) + " |")
    rows += ["", "| Status | Text |", "|---|---|"]
    rows += [f"| {code} | {text} |" for code, text in OMSCHRIJVING.items()]
    for kind in sorted(kinds, key=lambda k: k.berichtsoort):
        picture = f"![The steps of {kind.berichtsoort}](flow/{kind.berichtsoort}.svg)"
        rows += ["", f"## {kind.berichtsoort}", "", kind.title, "", picture]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "flow").mkdir(exist_ok=True)
    known = list(load().values())
    for name, content in {"flow.md": page(known), **drawings(known)}.items():
        (folder / name).write_text(content, encoding="utf-8")
