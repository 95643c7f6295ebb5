"""Carries out a row of the table of transitions on a process that is locked.

The only place that changes the state of a process, and the only one that sets a status at its
end. What follows beside it (jobs, the operator's list) is made by who knows the job.
"""

from __future__ import annotations

from datetime import datetime

from openpoort.domain.fault import Fout
from openpoort.domain.kind import StepKind
from openpoort.domain.process import Event, Next, Transition
from openpoort.process.flow import texts
from openpoort.store.messages.changes import Process


def happen(
    p: Process,
    event: Event,
    at: datetime,
    step: StepKind | None = None,
    *,
    code: str | None = None,
    fout: Fout | None = None,
    details: str | None = None,
    tell: bool = True,
) -> Transition:
    """The new state, the status for the sender and the last line of the journal.

    `code` where the table leaves a choice; `fout` and `details` stand with the status. Nothing is
    told where `tell` is False, nor while the message is delivered again: to its sender it has the
    state of before. Raises NotPossible, with nothing changed.
    """
    row = p.go(event)
    if tell and row.tells and p.carried.redelivery_of is None:
        told = row.tell(step, code)
        if told is not None:
            if fout is None and told.foutcode is not None:
                fout = Fout(told.foutcode, texts.FOUTEN[told.foutcode])
            p.add(told.code, at, fout, details)
    if row.next is Next.CLOSE:
        p.note("message.closed", at, {"state": p.state.value})
    return row
