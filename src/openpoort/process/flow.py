"""What each kind of step does, as one table: where it runs, which statuses it may set.

The engine looks its lane up here and the docs draw their diagrams from it, so that the picture
of a kind's flow cannot differ from what happens. Statuses: settled points, Statuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from openpoort.domain.kind import Kind, Step, StepKind
from openpoort.domain.status import OMSCHRIJVING

LOCAL = "local"
"""Lane of steps that need nothing from outside: done in the transaction that claims them."""
CHECK = "check"
"""Lane of checks that take long (worker processes): leased."""
AUTHORITY = "authority"
"""Lane of questions to the AuSP: leased."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`begins` is set when the step starts, `ends` are the codes after which nothing follows,
    `trouble` is set once when it fails for the moment and, with a code, when tries run out."""

    does: str
    begins: str | None = None
    ends: tuple[str, ...] = ()
    trouble: str | None = None
    out_of_tries: str | None = None
    waits: bool = False


BEHAVIOUR = {
    StepKind.AUTHORISE: Behaviour(
        "ask whether the sender may act for the interested party",
        ends=("210", "220"), trouble="230", out_of_tries="AUS400",
    ),
    StepKind.CHECK: Behaviour(
        "run the named checks on the content", ends=("311",), trouble="321", out_of_tries="VAS400",
    ),
    StepKind.CONVERT: Behaviour("replace the content by a converted one"),
    StepKind.SPLIT: Behaviour("make a process of its own of every part of a batch"),
    StepKind.DELIVER: Behaviour(
        "deliver to the named agencies", begins="405", ends=("410",), trouble="420",
        out_of_tries="AFS600",
    ),
    StepKind.DETACH: Behaviour("let later deliveries carry content and attachments apart"),
    StepKind.RETURN: Behaviour("put the message in the mailbox of its receiver"),
    StepKind.REPORT: Behaviour(
        "wait for the agency's own verdict", ends=("500", "510", "710"), waits=True,
    ),
    StepKind.REOFFER: Behaviour(
        "deliver once more, as a new delivery", begins="405", ends=("410",), trouble="420",
        out_of_tries="AFS600",
    ),
    StepKind.ARCHIVE: Behaviour("record what is kept, by digest, in the journal"),
}  # fmt: skip

DELIVERING = frozenset({StepKind.DELIVER, StepKind.REOFFER})


def lane(step: Step, *, slow: frozenset[str], ask: bool) -> str | None:
    """Where a step runs. None for a step that makes its own jobs (delivery) or waits (report).

    `slow` names the checks that must not hold a transaction; `ask` says there is an AuSP.
    """
    if step.kind in DELIVERING or BEHAVIOUR[step.kind].waits:
        return None
    if step.kind is StepKind.CHECK and slow.intersection(step.checks):
        return CHECK
    if step.kind is StepKind.AUTHORISE and ask:
        return AUTHORITY
    return LOCAL


def agency_lane(agency: str) -> str:
    return f"agency:{agency}"


def mermaid(kind: Kind) -> str:
    """The state diagram of a kind: the statuses its sender may see, in a flow of steps."""
    lines = ["stateDiagram-v2", f"    [*] --> aanleveren: {', '.join(kind.start)}"]
    names = ["aanleveren", *(step.name for step in kind.steps)]
    before = "100"
    for place, step in enumerate(kind.steps):
        lines.append(f"    {names[place]} --> {step.name}" + (f": {before}" if place else ""))
        lines += [f"    {line}" for line in _branches(step)]
        before = step.ok or "done"
    last = kind.steps[-1] if kind.steps else None
    lines.append(f"    {names[-1]} --> [*]: {last.ok or 'done' if last else 'done'}")
    return "\n".join(lines) + "\n"


def _branches(step: Step) -> Iterable[str]:
    behaviour = BEHAVIOUR[step.kind]
    if behaviour.begins:
        yield f"{step.name} --> {step.name}: {behaviour.begins} to {', '.join(step.agencies)}"
    for code in behaviour.ends:
        if code != step.ok:
            yield f"{step.name} --> [*]: {code}"
    if behaviour.trouble:
        yield f"{step.name} --> {step.name}: {behaviour.trouble}, tried again"
        yield f"{step.name} --> parked: {behaviour.trouble} with {behaviour.out_of_tries}"


def page(kinds: Iterable[Kind]) -> str:
    """The documentation page: the table of steps, then a diagram per kind."""
    rows = [
        "# How a message flows",
        "",
        "Made from the table in `process/flow.py` and the kind files by "
        "`python -m openpoort.process.flow`; a test holds it current.",
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
    import sys

    from openpoort.process.kinds import load

    sys.stdout.write(page(load().values()))
