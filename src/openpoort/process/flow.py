"""What each kind of step does, as one table: where it runs, which statuses it may set.

The engine looks its lane up here and the docs draw their diagrams from it, so that the picture
of a kind's flow cannot differ from what happens. Statuses: settled points, Statuses.
"""

from __future__ import annotations

from dataclasses import dataclass

from openpoort.domain.kind import Kind, Step, StepKind

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
    StepKind.CONVERT: Behaviour(
        "replace the content by a converted one", trouble="321", out_of_tries="VAS400",
    ),
    StepKind.SPLIT: Behaviour(
        "make a process of its own of every part of a batch",
        ends=("311",), trouble="321", out_of_tries="VAS400",
    ),
    StepKind.DELIVER: Behaviour(
        "deliver to the named agencies", begins="405", ends=("410",), trouble="420",
        out_of_tries="AFS600",
    ),
    StepKind.DETACH: Behaviour(
        "let later deliveries carry content and attachments apart",
        trouble="420", out_of_tries="AFS400",
    ),
    StepKind.RETURN: Behaviour(
        "put the message in the mailbox of its receiver", trouble="420", out_of_tries="AFS400",
    ),
    StepKind.REPORT: Behaviour(
        "wait for the agency's own verdict", ends=("500", "510", "710"), waits=True,
    ),
    StepKind.REOFFER: Behaviour(
        "deliver once more, as a new delivery", begins="405", ends=("410",), trouble="420",
        out_of_tries="AFS600",
    ),
    StepKind.ARCHIVE: Behaviour(
        "record what is kept, by digest, in the journal", trouble="420", out_of_tries="AFS400",
    ),
}  # fmt: skip

DELIVERING = frozenset({StepKind.DELIVER, StepKind.REOFFER})


_OURS = frozenset({StepKind.DETACH, StepKind.RETURN, StepKind.ARCHIVE})


def quiet(kind: Kind, step: Step) -> bool:
    """Whether trouble with `step` is ours alone: the sender was told of its delivery before it."""
    before = kind.steps[: kind.steps.index(step)]
    return step.kind in _OURS and any(s.ok == "400" for s in before)


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


def agency_lane(agency: str, berichtsoort: str, *, again: bool = False) -> str:
    """Lane of the messages of one kind for one agency. `again`: of those that it answered before
    with something else than a yes or a no."""
    return f"{'again' if again else 'agency'}:{agency}:{berichtsoort}"


def is_again(lane: str) -> bool:
    return lane.startswith("again:")
