"""What each kind of step does, and where it runs. Its statuses: `domain/process`."""

from __future__ import annotations

from collections.abc import Mapping

from openpoort.domain.kind import Kind, Step, StepKind

LOCAL = "local"
"""Lane of steps that need nothing from outside: done in the transaction that claims them."""
CHECK = "check"
"""Lane of checks that take long (worker processes): leased."""
AUTHORITY = "authority"
"""Lane of questions to the AuSP: leased."""


DOES: Mapping[StepKind, str] = {
    StepKind.AUTHORISE: "ask whether the sender may act for the interested party",
    StepKind.CHECK: "run the named checks on the content",
    StepKind.SPLIT: "make a process of its own of every part of a batch",
    StepKind.DELIVER: "deliver to the named agencies",
    StepKind.DETACH: "let later deliveries carry content and attachments apart",
    StepKind.RETURN: "put the message in the mailbox of its receiver",
    StepKind.REPORT: "wait for the agency's own status",
    StepKind.REOFFER: "deliver once more, as a new delivery",
    StepKind.ARCHIVE: "record what is kept, by digest, in the journal",
}
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
    if step.kind in DELIVERING or step.kind is StepKind.REPORT:
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
