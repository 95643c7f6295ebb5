"""The documentation page on flows, drawn from the tables that the engine runs on.

`python -m openpoort.process.drawing > docs/explanation/flow.md` makes it; a test holds it current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from openpoort.domain.kind import Kind, Step
from openpoort.domain.status import OMSCHRIJVING
from openpoort.process import flow
from openpoort.process.flow import BEHAVIOUR
from openpoort.process.kinds import load


def mermaid(kind: Kind) -> str:
    """The state diagram of a kind: the statuses its sender may see, in a flow of steps."""
    lines = ["stateDiagram-v2", f"    [*] --> aanleveren: {', '.join(kind.start)}"]
    names = ["aanleveren", *(step.name for step in kind.steps)]
    before = "100"
    for place, step in enumerate(kind.steps):
        lines.append(f"    {names[place]} --> {step.name}" + (f": {before}" if place else ""))
        lines += [f"    {line}" for line in _branches(kind, step)]
        before = step.ok or "done"
    last = kind.steps[-1] if kind.steps else None
    lines.append(f"    {names[-1]} --> [*]: {last.ok or 'done' if last else 'done'}")
    return "\n".join(lines) + "\n"


def _branches(kind: Kind, step: Step) -> Iterable[str]:
    behaviour = BEHAVIOUR[step.kind]
    if behaviour.begins:
        yield f"{step.name} --> {step.name}: {behaviour.begins} to {', '.join(step.agencies)}"
    for code in behaviour.ends:
        if code != step.ok:
            yield f"{step.name} --> [*]: {code}"
    if behaviour.trouble and flow.quiet(kind, step):
        yield f"{step.name} --> {step.name}: tried again"
        yield f"{step.name} --> parked: nothing is told"
    elif behaviour.trouble:
        yield f"{step.name} --> {step.name}: {behaviour.trouble}, tried again"
        yield f"{step.name} --> parked: {behaviour.trouble} with {behaviour.out_of_tries}"


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
        rows += ["", f"## {kind.berichtsoort}", "", kind.title, "", "```mermaid"]
        rows += [mermaid(kind).rstrip(), "```"]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(load().values()))
