"""The documentation page on flows, drawn from the tables that the engine runs on.

`python -m openpoort.process.drawing > docs/explanation/flow.md` makes it; a test holds it current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

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
from openpoort.process import flow
from openpoort.process.kinds import load

ENDS = (Event.NOT_AUTHORISED, Event.INVALID, Event.UNDELIVERABLE, Event.APPROVED, Event.DISAPPROVED)
"""Events at a step after which nothing follows."""


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
    for told in statuses(Event.ATTEMPTED, step.kind):
        yield f"{step.name} --> {step.name}: {told.code} to {', '.join(step.agencies)}"
    for told in _ends(step.kind):
        if told.code != step.ok:
            yield f"{step.name} --> [*]: {told.code}"
    for told in statuses(Event.FAILED, step.kind):
        quiet = flow.quiet(kind, step)
        yield f"{step.name} --> {step.name}: " + ("" if quiet else f"{told.code}, ") + "tried again"
    for told in statuses(Event.GAVE_UP, step.kind):
        quiet = flow.quiet(kind, step)
        yield f"{step.name} --> parked: {'nothing is told' if quiet else _said(told)}"


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
        "Made from the tables in `domain/process.py` and `process/flow.py` and from the kind files "
        "by `python -m openpoort.process.drawing`; a test holds it current. Why these states, and "
        "which races the rows are about, stands beside the table.",
        "",
        "## The states of a process",
        "",
        "```mermaid",
        _states().rstrip(),
        "```",
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
    for kind_of_step, does in flow.DOES.items():
        cells = (
            f"`{kind_of_step}`", does, _codes(statuses(Event.ATTEMPTED, kind_of_step)),
            _codes(_ends(kind_of_step)), _codes(statuses(Event.FAILED, kind_of_step)),
            "".join(f"{_said(t)}, then parked" for t in statuses(Event.GAVE_UP, kind_of_step)),
        )  # fmt: skip
        rows.append("| " + " | ".join(cells) + " |")
    rows += ["", "| Status | Text |", "|---|---|"]
    rows += [f"| {code} | {text} |" for code, text in OMSCHRIJVING.items()]
    for kind in sorted(kinds, key=lambda k: k.berichtsoort):
        rows += ["", f"## {kind.berichtsoort}", "", kind.title, "", "```mermaid"]
        rows += [mermaid(kind).rstrip(), "```"]
    return "\n".join(rows) + "\n"


def _states() -> str:
    """The states and what leads from one to another; what leaves a state as it is stands in the
    table alone."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.RUNNING}: accepted"]
    for state, row in TRANSITIONS.items():
        leads: dict[State, list[str]] = {}
        for event, transition in row.items():
            if transition.to not in (state, None):
                leads.setdefault(transition.to or state, []).append(event)
        lines += [f"    {state} --> {to}: {', '.join(events)}" for to, events in leads.items()]
    lines += [f"    {state} --> [*]" for state in State if not _goes_on(state)]
    return "\n".join(lines) + "\n"


def _goes_on(state: State) -> bool:
    return any(event is not Event.REDELIVER for event in TRANSITIONS[state])


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
    sys.stdout.write(page(load().values()))
