"""The process of one message: its states, what it carries, and the one table of what may happen.

The engine and the acts of an operator carry out rows of `TRANSITIONS` (`process/transitions`),
the invariants of the simulation check every commit against it, and `docs/explanation/flow.md` is
drawn from it. What stands here is data: no clock, no store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from openpoort.domain.fault import Fout
from openpoort.domain.kind import StepKind

# Why these states
# ----------------
# A process is in the state that says who must act next, for that is what everybody asks of it: a
# worker whether it has something to do, an operator whether the message is on the list, the
# balance of a day whether it has ended, retention whether it may go.
#
#   running     a worker must act: at least one job is on the queue
#   waiting     the agency must act (zetStatus): no job, nothing on the operator's list
#   parked      an operator must act: at least one job stands on the list
#   delivered, rejected, cancelled: nobody; they differ in what the sender was told
#
# Which *step* a message is at is no state. It stands in the jobs, for a delivery to two agencies
# is two jobs at one step, each with attempts and times of its own. That makes `parked` a state
# with work: when the tries of one agency have run out, the other may still be delivered to. So
# what may happen in `running` by the job of one agency may happen in `parked` as well, and leaves
# it parked. A step cannot end there: it ends when no job of it is open, and a job on the list is.
#
# Redelivery is no state either, though something has ended by then. It runs and can be parked as
# any delivery, so each of those states would stand here twice. `redelivery_of` keeps the state
# that the message has to its sender, nothing is told meanwhile, and RESTORED brings it back: no
# other row ends it.
#
# Crash points
# ------------
# A row of the table is one transaction with the status it sets, the job it makes or ends and its
# lines in the journal. There is no state between two states, and a crash leaves the one before.
# What a crash can cut off is the agency's side, which no transaction of ours covers: it has the
# message, and we died before we wrote so. The process is then still `running` with its job, and
# the next attempt carries the same MessageID.
#
# Races
# -----
# Whatever happens to a process happens under the lock of its row, so events have an order. These
# orders surprise, and each has its row here:
# - The agency sets its status before we have written that it has the message (it is fast, or we
#   died in between). APPROVED, DISAPPROVED and DELAYED are known in `running` and `parked`: they
#   are kept, and taken when the report step is reached. The first that ends the process counts.
# - It does so while an operator has the message delivered again: kept too, taken by RESTORED.
# - An operator cancels while the agency answers: CANCEL is refused while an attempt is out; when
#   the answer was first, the state has changed and CANCEL is not known in it.
# - A worker comes with a result after its lease has run out: its fence does not fit, and the
#   result never gets here (store/queue).
#
# An event that a state does not know is a fault of whoever brings it, and changes nothing: an
# agency gets it as a fault, an operator as an answer, a worker in its log.


class State(StrEnum):
    """Who must act next. The values are those of `process.state` in the database."""

    RUNNING = "running"
    WAITING = "waiting"
    PARKED = "parked"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


ENDED = frozenset({State.DELIVERED, State.REJECTED, State.CANCELLED})
"""Nobody must act any more."""
AT_WORK = frozenset({State.RUNNING, State.PARKED})
"""In which a job may be on the queue."""


class Event(StrEnum):
    """What can happen to a process; the value is its name in the documentation."""

    # Work on a step.
    QUEUED = "a step begins"
    ATTEMPTED = "a message goes out"
    FAILED = "an attempt fails"
    GAVE_UP = "tries have run out"
    BROKE = "a mistake of ours does not pass"
    AGENCY_TOOK = "an agency takes it"
    AGENCY_REFUSED = "an agency refuses it"
    # The end of a step.
    SUCCEEDED = "a step succeeds"
    NOT_AUTHORISED = "the sender may not"
    INVALID = "the content is rejected"
    UNDELIVERABLE = "all have answered, one refused"
    AWAITED = "the agency's status is awaited"
    COMPLETED = "no step is left"
    RESTORED = "a redelivery is over"
    # What the agency says by zetStatus, or with its answer.
    APPROVED = "the agency approves"
    DISAPPROVED = "the agency disapproves"
    DELAYED = "the agency is in trouble"
    # What an operator does.
    RELEASE = "released by an operator"
    REDELIVER = "delivered again by an operator"
    CANCEL = "cancelled by an operator"


class Next(StrEnum):
    """What follows in the same transaction."""

    NOTHING = ""
    QUEUE = "a job for each agency of the step, or one"
    RETRY = "the job waits for its next try"
    LIST = "the job goes to the operator's list"
    COUNT = "the last agency of the step decides"
    STEP = "the next step"
    KEEP = "kept until the agency's status is awaited"
    TAKE_KEPT = "a status that was kept is taken"
    CLOSE = "the journal tells the end"


@dataclass(frozen=True, slots=True)
class Tell:
    """A status for the sender at steps of these kinds. `foutcode`: where it is the house's own;
    else, when there is one, it comes with the event."""

    code: str
    steps: tuple[StepKind, ...]
    foutcode: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. `to`: the new state; None brings back the one of before the redelivery. `tells`:
    the statuses, one of which is set; `unless` says when none is, and `own` that the kind itself
    names it (`ok` of the step). `remembers`: the old state is what RESTORED brings back."""

    to: State | None
    tells: tuple[Tell, ...] = ()
    next: Next = Next.NOTHING
    unless: str = ""
    own: bool = False
    remembers: bool = False

    def tell(self, step: StepKind | None, code: str | None = None) -> Tell | None:
        """The status for a step of this kind: `code`, where there is a choice. None where nothing
        is told. Raises ValueError for a code that this row does not have."""
        for told in self.tells:
            if (step is None or step in told.steps) and code in (None, told.code):
                return told
        if code is not None:
            raise ValueError(f"status {code} is not one of this event at {step}")
        return None


_CHECKING = (StepKind.CHECK, StepKind.SPLIT)
_DELIVERING = (StepKind.DELIVER, StepKind.REOFFER)
_OURS = (StepKind.DETACH, StepKind.RETURN, StepKind.ARCHIVE)
_ANY = tuple(StepKind)

_TROUBLE = (
    Tell("230", (StepKind.AUTHORISE,)), Tell("321", _CHECKING), Tell("420", _DELIVERING + _OURS),
)  # fmt: skip
_NOT_JUDGED = (
    Tell("230", (StepKind.AUTHORISE,), "AUS400"), Tell("321", _CHECKING, "VAS400"),
    Tell("420", _OURS, "AFS400"),
)  # fmt: skip
_GAVE_UP = (*_NOT_JUDGED, Tell("420", _DELIVERING, "AFS600"))
_BROKE = (*_NOT_JUDGED, Tell("420", _DELIVERING, "AFS400"))
_APPROVED = (Tell("500", (StepKind.REPORT,)),)
_DISAPPROVED = (Tell("510", (StepKind.REPORT,)), Tell("710", (StepKind.REPORT,)))
_DELAYED = (Tell("720", (StepKind.REPORT,)),)
_QUIET = "ours alone, after the delivery was told"


def _working(state: State) -> dict[Event, Transition]:
    """What the job of one agency, or its status, may do while other jobs are open or parked."""
    return {
        Event.ATTEMPTED: Transition(
            state, (Tell("405", _DELIVERING),), unless="told before, or a step without a status"
        ),
        Event.FAILED: Transition(
            state, _TROUBLE, Next.RETRY, f"told since a step last succeeded; {_QUIET}"
        ),
        Event.GAVE_UP: Transition(State.PARKED, _GAVE_UP, Next.LIST, _QUIET),
        Event.BROKE: Transition(State.PARKED, _BROKE, Next.LIST, _QUIET),
        Event.AGENCY_TOOK: Transition(state, next=Next.COUNT),
        Event.AGENCY_REFUSED: Transition(state, next=Next.COUNT),
        Event.APPROVED: Transition(state, next=Next.KEEP),
        Event.DISAPPROVED: Transition(state, next=Next.KEEP),
        Event.DELAYED: Transition(state, next=Next.KEEP),
        Event.RESTORED: Transition(None, next=Next.TAKE_KEPT),
        Event.CANCEL: _CANCEL,
    }


_CANCEL = Transition(State.CANCELLED, (Tell("410", _ANY, "ANN100"),), Next.CLOSE)
_REDELIVER = Transition(State.RUNNING, next=Next.QUEUE, remembers=True)

TRANSITIONS: Mapping[State, Mapping[Event, Transition]] = {
    State.RUNNING: _working(State.RUNNING) | {
        Event.QUEUED: Transition(State.RUNNING, next=Next.QUEUE),
        Event.SUCCEEDED: Transition(
            State.RUNNING, next=Next.STEP, own=True, unless="the step has none"
        ),
        Event.NOT_AUTHORISED: Transition(
            State.REJECTED,
            (Tell("210", (StepKind.AUTHORISE,), "AUS210"),
             Tell("220", (StepKind.AUTHORISE,), "AUS220")), Next.CLOSE,
        ),
        Event.INVALID: Transition(
            State.REJECTED, (Tell("311", _CHECKING),), Next.CLOSE
        ),
        Event.UNDELIVERABLE: Transition(
            State.REJECTED, (Tell("410", _DELIVERING),), Next.CLOSE
        ),
        Event.AWAITED: Transition(State.WAITING, next=Next.TAKE_KEPT),
        Event.COMPLETED: Transition(State.DELIVERED, next=Next.CLOSE),
    },
    State.WAITING: {
        Event.APPROVED: Transition(State.DELIVERED, _APPROVED, Next.CLOSE),
        Event.DISAPPROVED: Transition(State.REJECTED, _DISAPPROVED, Next.CLOSE),
        Event.DELAYED: Transition(State.WAITING, _DELAYED),
        Event.REDELIVER: _REDELIVER,
        Event.CANCEL: _CANCEL,
    },
    State.PARKED: _working(State.PARKED) | {
        Event.RELEASE: Transition(State.RUNNING, next=Next.QUEUE),
        Event.REDELIVER: Transition(State.RUNNING, next=Next.QUEUE),
    },
    State.DELIVERED: {Event.REDELIVER: _REDELIVER},
    State.REJECTED: {Event.REDELIVER: _REDELIVER},
    State.CANCELLED: {},
}  # fmt: skip
"""State x event -> state, statuses, what follows. What is not here cannot happen."""

AGENCY_EVENTS: Mapping[str, Event] = {
    told.code: event
    for event in (Event.APPROVED, Event.DISAPPROVED, Event.DELAYED)
    for told in TRANSITIONS[State.WAITING][event].tells
}
"""What each status that an agency may set does."""


class NotPossible(Exception):
    """The table does not know `event` in `state`. Nothing has changed."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event}: not possible for a message that is {state}")
        self.state, self.event = state, event


def transition(state: State, event: Event) -> Transition:
    """The row. Raises NotPossible."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise NotPossible(state, event) from None


def statuses(event: Event, step: StepKind) -> tuple[Tell, ...]:
    """What the sender may be told by `event` at a step of this kind, in whatever state."""
    found = {
        told: None
        for row in TRANSITIONS.values() if event in row
        for told in row[event].tells if step in told.steps
    }  # fmt: skip
    return tuple(found)


@dataclass(frozen=True, slots=True)
class AgencyStatus:
    """A status as an agency set it: code, foutType, statusdetails."""

    code: str
    fout: Fout | None = None
    details: str | None = None

    @property
    def ends(self) -> bool:
        """Whether no other may follow it."""
        return AGENCY_EVENTS[self.code] is not Event.DELAYED

    @classmethod
    def of(cls, stored: list[Any]) -> AgencyStatus:
        code, foutcode, text, details = stored
        return cls(code, None if foutcode is None else Fout(foutcode, text or ""), details)

    def json(self) -> list[str | None]:
        fout = self.fout
        return [self.code, fout.foutcode if fout else None,
                fout.foutbeschrijving if fout else None, self.details]  # fmt: skip


@dataclass(slots=True)
class Carried:
    """What a process carries from one step to the next, beside its row: `process.data`.

    `attempted_step`: the step whose 405 was told. `redelivery_of`: the state that the message has
    to its sender while it is delivered again. `refusal`: of the first agency that refused, while
    others are open. `kept_agency_status`: set before it was awaited; `last_agency_status`: the
    last one, so that a repeat changes nothing. `receipt`: the details with which an agency took
    it. `detached`: content and attachments go apart. `findings`: (code, text) for the agency.
    `owner`: OIN whose mailbox it goes to. `broken_tries`: how often in a row a mistake of ours
    stopped it. `others`: keys of a version that is newer.
    """

    attempted_step: str | None = None
    redelivery_of: State | None = None
    refusal: Fout | None = None
    kept_agency_status: AgencyStatus | None = None
    last_agency_status: AgencyStatus | None = None
    receipt: str | None = None
    detached: bool = False
    findings: tuple[tuple[str, str], ...] = ()
    owner: str | None = None
    broken_tries: int = 0
    others: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Carried:
        """From the JSON of the row. Raises ValueError, TypeError for what is not one."""
        carried = cls()
        if stored:
            others = {}
            for key, value in stored.items():
                if key in _READ:
                    name, read = _READ[key]
                    setattr(carried, name, read(value))
                else:
                    others[key] = value
            carried.others = others
        return carried

    def json(self) -> dict[str, Any]:
        """Empty when nothing is carried. The keys are those of the first version: for as long as
        a rolling upgrade takes, an older one reads what this one writes (decision 43)."""
        made = dict(self.others)
        for key, name, write in _WRITTEN:
            if (value := getattr(self, name)) not in _NOTHING:
                made[key] = write(value) if write else value
        return made


_NOTHING: tuple[Any, ...] = (None, False, ())  # and 0, which equals False


def _same(value: Any) -> Any:
    return value


_STORED: Mapping[str, tuple[str, Any, Any]] = {
    "begun": ("attempted_step", _same, None),
    "again": ("redelivery_of", State, str),
    "refused": ("refusal", lambda v: Fout(*v), lambda f: [f.foutcode, f.foutbeschrijving]),
    "verdict": ("kept_agency_status", AgencyStatus.of, AgencyStatus.json),
    "said": ("last_agency_status", AgencyStatus.of, AgencyStatus.json),
    "receipt": ("receipt", _same, None),
    "apart": ("detached", bool, None),
    "constateringen": (
        "findings", lambda v: tuple((code, text) for code, text in v),
        lambda v: [[code, text] for code, text in v],
    ),
    "owner": ("owner", _same, None),
    "broke": ("broken_tries", int, None),
}  # fmt: skip
"""Key in the row -> field, and how it is read and written."""
_READ = {key: (name, read) for key, (name, read, _) in _STORED.items()}
_WRITTEN = tuple((key, name, write) for key, (name, _, write) in _STORED.items())
