"""Whether a commit is a walk through the table of transitions.

One transaction may carry out several rows (a step is done, the next one begins, a status that was
kept is taken), so states before and after alone say little. With the statuses that were set
between them they say much: a walk must spell exactly those.
"""

from __future__ import annotations

from functools import lru_cache

from openpoort.domain.kind import Kind, StepKind
from openpoort.domain.process import AT_WORK, TRANSITIONS, Event, State

Place = tuple[State, State | None]
"""The state, and the one that a redelivery will bring back."""


@lru_cache(maxsize=4096)
def leads(before: Place, codes: tuple[str, ...], after: Place, kind: Walks) -> bool:
    """Whether some walk from `before` to `after` sets `codes`, in this order."""
    places = _silently({before}, kind)
    for code in codes:
        places = _silently({to for place in places for to in _told(place, code, kind)}, kind)
    return after in places


Walks = tuple[frozenset[str], Event]
"""What a kind says of its walks: the statuses it names for its steps, and the event that it never
has: a kind that awaits its agency's status does not end without it, another does not await one."""


def of(kind: Kind) -> Walks:
    awaits = any(step.kind is StepKind.REPORT for step in kind.steps)
    own = frozenset(step.ok for step in kind.steps if step.ok and step.kind is not StepKind.REPORT)
    return own, Event.COMPLETED if awaits else Event.AWAITED


def _silently(places: set[Place], kind: Walks) -> set[Place]:
    """What can be reached without telling anything."""
    found, fresh = set(places), set(places)
    while fresh:
        fresh = {to for place in fresh for to in _told(place, None, kind)} - found
        found |= fresh
    return found


def _told(place: Place, code: str | None, kind: Walks) -> set[Place]:
    """Where one row leads that sets `code`; None: one that sets nothing."""
    (state, back), (own, never) = place, kind
    found: set[Place] = set()
    for event, row in TRANSITIONS[state].items():
        codes = own if row.own else {told.code for told in row.tells}
        if back is not None:
            fits = code is None and (row.to is None or row.to in AT_WORK)
        elif code is None:
            fits = not row.tells or bool(row.unless)
        else:
            fits = code in codes
        if not fits or event is never:
            continue
        if row.to is not None:
            found.add((row.to, state if row.remembers else back))
        elif back is not None:
            found.add((back, None))
    return found
