"""The documentation page on flows, drawn from the tables that the engine runs on.

`python -m openpoort.process.flow.drawing docs/explanation` makes it; a test holds it current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path

from openpoort.domain.kind import Kind, Step, StepKind
from openpoort.domain.process import (
    TRANSITIONS,
    Event,
    State,
    Tell,
    Transition,
    statuses,
)
from openpoort.domain.status import OMSCHRIJVING
from openpoort.process.flow import behaviours
from openpoort.process.flow.kinds import load

ENDS = (Event.NOT_AUTHORISED, Event.INVALID, Event.UNDELIVERABLE, Event.APPROVED, Event.DISAPPROVED)
"""Events at a step after which nothing follows."""


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
    for told in statuses(Event.ATTEMPTED, step.kind):
        yield escape(f"{told.code} to {', '.join(step.agencies)}"), False
    ends = [told.code for told in _ends(step.kind) if told.code != step.ok]
    if ends:
        yield f"{' or '.join(ends)}: the end", True
    if behaviours.quiet(kind, step):
        yield "tried again; then parked, and nothing is told", False
        return
    for told in statuses(Event.FAILED, step.kind):
        yield f"{told.code}: tried again", False
    for told in statuses(Event.GAVE_UP, step.kind):
        yield f"{_said(told)}: parked", False


def drawings(kinds: Iterable[Kind]) -> dict[str, str]:
    """File below `docs/explanation` -> its content."""
    found = {f"flow/{kind.berichtsoort}.svg": svg(kind) for kind in kinds}
    return found | {"flow/states.svg": states_svg()}


_AT = {
    State.RUNNING: (20, 20), State.PARKED: (20, 220), State.WAITING: (300, 120),
    State.DELIVERED: (580, 20), State.REJECTED: (580, 120), State.CANCELLED: (580, 220),
}  # fmt: skip
"""Where the box of a state stands."""


def leads() -> dict[tuple[State, State], list[str]]:
    """(from, to) -> events. What leaves a state as it is stands in the table alone."""
    found: dict[tuple[State, State], list[str]] = {}
    for state, row in TRANSITIONS.items():
        for event, transition in row.items():
            if transition.to is not None and transition.to is not state:
                found.setdefault((state, transition.to), []).append(event)
    return found


def states_svg() -> str:
    """The states and what leads from one to another, by number; the page says the events."""
    wide, high, parts = 110, 40, []
    for number, (start, to) in enumerate(leads(), 1):
        (ax, ay), (bx, by) = _AT[start], _AT[to]
        side = 14 if bx < ax or (bx == ax and by < ay) else -14  # there and back are two lines
        x, y = ax + wide / 2 + side, ay + high / 2 + side / 2
        to_x, to_y = bx + wide / 2 + side, by + high / 2 + side / 2
        parts.append(f'<path class="way" d="M{x:g} {y:g}L{to_x:g} {to_y:g}"/>')
        cx, cy = round(x + (to_x - x) * 0.42), round(y + (to_y - y) * 0.42)
        parts.append(f'<circle cx="{cx}" cy="{cy}" r="10" fill="#fff" stroke="#345"/>')
        parts.append(f'<text x="{cx}" y="{cy + 4}" text-anchor="middle">{number}</text>')
    for state, (x, y) in _AT.items():
        parts.append(f'<rect class="box" x="{x}" y="{y}" width="{wide}" height="{high}" rx="5"/>')
        parts.append(f'<text x="{x + wide // 2}" y="{y + 25}" text-anchor="middle">{state}</text>')
    head = '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="710" height="280">'
    return "\n".join([head, "<title>States of a process</title>", _STYLE, *parts, "</svg>"]) + "\n"


def _ends(kind: StepKind) -> list[Tell]:
    return [told for event in ENDS for told in statuses(event, kind)]


def _said(told: Tell) -> str:
    return told.code + (f" with {told.foutcode}" if told.foutcode else "")


def page(kinds: Iterable[Kind]) -> str:
    """The documentation page: states, the table of transitions, that of steps, the statuses, then
    a diagram per kind."""
    rows = [
        "# How a message flows",
        "",
        "Made from the tables in `domain/process.py` and `process/flow/behaviours.py` and from the "
        "kind files by `python -m openpoort.process.flow.drawing docs/explanation`; a test holds it"
        " current. Why these states, and which races the rows are about, stands beside the table.",
        "",
        "## The states of a process",
        "",
        "![States of a process](flow/states.svg)",
        "",
        *(
            f"{number}. {start} to {to}: {', '.join(events)}"
            for number, ((start, to), events) in enumerate(leads().items(), 1)
        ),
        "",
        "What is not in this table cannot happen: an agency is told so by a fault, an operator by "
        "the command, a worker by its log, and nothing changes. While a message is delivered again "
        "nothing is told to its sender.",
        "",
        "| In | What happens | Leads to | Status | Told unless | What follows |",
        "|---|---|---|---|---|---|",
        *_transitions(),
        "",
        "## What the steps do",
        "",
        "| Step | Does | Starts with | Ends with | For the moment | Out of tries |",
        "|---|---|---|---|---|---|",
    ]
    for kind_of_step, does in behaviours.DOES.items():
        cells = (
            f"`{kind_of_step}`", does, _codes(statuses(Event.ATTEMPTED, kind_of_step)),
            _codes(_ends(kind_of_step)), _codes(statuses(Event.FAILED, kind_of_step)),
            "".join(f"{_said(t)}, then parked" for t in statuses(Event.GAVE_UP, kind_of_step)),
        )  # fmt: skip
        rows.append("| " + " | ".join(cells) + " |")
    rows += ["", "| Status | Text |", "|---|---|"]
    rows += [f"| {code} | {text} |" for code, text in OMSCHRIJVING.items()]
    for kind in sorted(kinds, key=lambda k: k.berichtsoort):
        picture = f"![The steps of {kind.berichtsoort}](flow/{kind.berichtsoort}.svg)"
        rows += ["", f"## {kind.berichtsoort}", "", kind.title, "", picture]
    return "\n".join(rows) + "\n"


def _transitions() -> Iterable[str]:
    for state, row in TRANSITIONS.items():
        for event, transition in row.items():
            to = transition.to or "as before the redelivery"
            cells = (state, event, to, _told(transition), transition.unless, transition.next)
            yield "| " + " | ".join(cells) + " |"


def _told(transition: Transition) -> str:
    if transition.own:
        return "`ok` of the step"
    return ", ".join(dict.fromkeys(_said(told) for told in transition.tells))


def _codes(told: Iterable[Tell]) -> str:
    return ", ".join(t.code for t in told)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "flow").mkdir(exist_ok=True)
    known = list(load().values())
    for name, content in {"flow.md": page(known), **drawings(known)}.items():
        (folder / name).write_text(content, encoding="utf-8")
