"""The table of transitions: what it promises of each state, and what a process carries."""

from __future__ import annotations

from itertools import product

import pytest

from openpoort.domain.fault import Fout
from openpoort.domain.kind import StepKind
from openpoort.domain.process import (
    AGENCY_EVENTS,
    AT_WORK,
    ENDED,
    TRANSITIONS,
    AgencyStatus,
    Carried,
    Event,
    Next,
    NotPossible,
    State,
    statuses,
    transition,
)
from openpoort.domain.status import FINAL, OMSCHRIJVING
from openpoort.process.flow.texts import FOUTEN

ROWS = [(state, event, row) for state, known in TRANSITIONS.items() for event, row in known.items()]


def test_nothing_leaves_an_end_but_a_redelivery() -> None:
    assert {(state, event) for state, event, _ in ROWS if state in ENDED} == {
        (State.DELIVERED, Event.REDELIVER), (State.REJECTED, Event.REDELIVER),
    }  # fmt: skip


def test_every_end_is_told_to_the_journal_and_nothing_else_is() -> None:
    assert {(s, e) for s, e, row in ROWS if row.to in ENDED} == {
        (s, e) for s, e, row in ROWS if row.next is Next.CLOSE
    }


def test_a_rejection_always_has_a_status_and_it_is_final() -> None:
    for state, event, row in ROWS:
        if row.to in (State.REJECTED, State.CANCELLED):
            assert row.tells, (state, event)
            assert not row.unless
            assert {told.code for told in row.tells} <= FINAL


def test_a_final_status_stands_only_where_something_ends() -> None:
    told = {t.code for _, _, row in ROWS if row.to not in ENDED for t in row.tells}
    assert told.isdisjoint(FINAL)


def test_every_status_and_every_foutcode_has_its_text() -> None:
    told = [t for _, _, row in ROWS for t in row.tells]
    assert {t.code for t in told} <= set(OMSCHRIJVING)
    assert {t.foutcode for t in told if t.foutcode} <= set(FOUTEN)


def test_a_step_that_fails_has_one_status_for_each_way() -> None:
    for kind, event in product(StepKind, (Event.FAILED, Event.GAVE_UP, Event.BROKE)):
        assert len(statuses(event, kind)) == (0 if kind is StepKind.REPORT else 1), (kind, event)


def test_who_has_a_job_may_fail_and_nobody_else() -> None:
    assert {s for s, e, _ in ROWS if e is Event.FAILED} == AT_WORK


def test_an_agency_may_set_these_and_only_one_leaves_the_process_open() -> None:
    assert list(AGENCY_EVENTS) == ["500", "510", "710", "720"]
    assert [c for c in AGENCY_EVENTS if not AgencyStatus(c).ends] == ["720"]


def test_what_the_table_does_not_know_is_an_error() -> None:
    unknown = [(s, e) for s, e in product(State, Event) if e not in TRANSITIONS[s]]
    assert len(unknown) == len(State) * len(Event) - len(ROWS)
    for state, event in unknown:
        with pytest.raises(NotPossible, match=f"{event}: not possible .* {state}"):
            transition(state, event)


def test_a_status_that_an_event_does_not_have_is_an_error() -> None:
    row = transition(State.RUNNING, Event.NOT_AUTHORISED)
    assert row.tell(StepKind.AUTHORISE, "220") is not None
    with pytest.raises(ValueError, match="230"):
        row.tell(StepKind.AUTHORISE, "230")


EVERYTHING = Carried(
    attempted_step="afleveren", redelivery_of=State.WAITING, refusal=Fout("AFO100", "nee"),
    kept_agency_status=AgencyStatus("510", Fout("X1", "fout"), "meer"),
    last_agency_status=AgencyStatus("720"), receipt="<r/>", detached=True,
    findings=(("W1", "let op"),), owner="", broken_tries=2, others={"new": [1]},
)  # fmt: skip
STORED = {
    "begun": "afleveren", "again": "waiting", "refused": ["AFO100", "nee"],
    "verdict": ["510", "X1", "fout", "meer"], "said": ["720", None, None, None],
    "receipt": "<r/>", "apart": True,
    "constateringen": [["W1", "let op"]], "owner": "", "broke": 2, "new": [1],
}  # fmt: skip


def test_what_is_carried_is_stored_under_the_keys_of_the_first_version() -> None:
    assert EVERYTHING.json() == STORED
    assert Carried.of(STORED) == EVERYTHING


def test_nothing_carried_is_nothing_stored() -> None:
    assert Carried.of({}).json() == {}


def test_a_state_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="asleep"):
        Carried.of({"again": "asleep"})
