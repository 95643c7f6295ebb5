"""What comes of a step that waits for somebody else: an agency, a slow check, the AuSP.

Before it goes out, while its agency is down, and when the answer is there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from openpoort.domain.fault import Fout
from openpoort.domain.finding import Finding
from openpoort.domain.kind import Step, StepKind
from openpoort.domain.message import AfleverBevestiging, Bericht, Constatering, Document
from openpoort.domain.process import AGENCY_EVENTS, AgencyStatus, Event, State
from openpoort.process.flow import behaviours, steps, switches, texts
from openpoort.process.flow.context import Work
from openpoort.process.flow.transitions import happen
from openpoort.process.ports import (
    AgencyBusy,
    AgencySilent,
    CheckUnavailable,
    DeliveryFailed,
    DeliveryRefused,
    Verdict,
)
from openpoort.store.messages.changes import Delivery
from openpoort.store.messages.rows import JobRow
from openpoort.store.payloads.payloads import PayloadUnavailable, Stored

_FORESEEN = (DeliveryRefused, DeliveryFailed, CheckUnavailable, PayloadUnavailable)
HELD_FOR = timedelta(minutes=15)
"""How long a message waits, told that its agency is down, unless the agency comes back."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the outside said: `answer`, or the `error` that stood in its way."""

    job: JobRow
    answer: AfleverBevestiging | Sequence[Finding] | Verdict | None = None
    error: Exception | None = None


def begin(work: Work, job: JobRow) -> None:
    """Before a message goes out: the attempt in the journal, and 405 the first time."""
    p, step = work.process, work.kind.step(job.step)
    _begun(work, step)
    kind = "delivery.attempted" if job.agency else "step.attempted"
    p.note(kind, work.now, {"step": step.name, "agency": job.agency, "attempt": job.attempts})


def _begun(work: Work, step: Step) -> None:
    """405 once per step; not for a step that says nothing when it is done either."""
    p = work.process
    first = step.ok is not None and p.carried.attempted_step != step.name
    happen(p, Event.ATTEMPTED, work.now, step.kind, tell=first)
    if first and step.kind in behaviours.DELIVERING and p.carried.redelivery_of is None:
        p.carried.attempted_step = step.name


def held(work: Work, job: JobRow, now: datetime) -> None:
    """Its agency is down, or there is nobody to ask: the sender is told once, and it waits, or it
    has waited long enough. A step that is ours to do by now goes where it belongs."""
    p, step = work.process, work.kind.step(job.step)
    right = work.house.lane(step)
    if right is not None and right != job.lane:
        p.jobs.append(dataclasses.replace(job, lane=right, fence=None))
        return
    first = job.first_at or now
    end = first + work.kind.retry_for
    if now >= end:
        steps.give_up(work, job, f"gave up after {job.attempts} attempts: nobody could be asked")
        return
    _begun(work, step)
    if not p.episode:
        p.note("delivery.held", now, {"step": step.name, "agency": job.agency})
    steps.trouble(work, step)
    later = min(now + HELD_FOR, end)
    p.jobs.append(dataclasses.replace(job, due_at=later, first_at=first, fence=None))


def settle(work: Work, result: Result) -> None:
    """Write the result into the process: statuses, and the next job."""
    step = work.kind.step(result.job.step)
    if result.error is not None and not isinstance(result.error, _FORESEEN):
        steps.broken(work, result.job, result.error)
    elif step.kind is StepKind.CHECK:
        _checked(work, step, result)
    elif step.kind is StepKind.AUTHORISE:
        _authorised(work, step, result)
    else:
        _delivered(work, step, result)


def _checked(work: Work, step: Step, result: Result) -> None:
    if result.error is not None:
        steps.failed(work, result.job, str(result.error))
        return
    assert isinstance(result.answer, list | tuple)
    if steps.judged(work, step, result.answer):
        go_on(work, step)


def _authorised(work: Work, step: Step, result: Result) -> None:
    verdict = result.answer
    if result.error is not None or verdict is Verdict.UNAVAILABLE:
        steps.failed(work, result.job, str(result.error or "the AuSP could not say"))
    elif verdict is Verdict.GRANTED:
        go_on(work, step)
    else:
        assert isinstance(verdict, Verdict)
        happen(work.process, Event.NOT_AUTHORISED, work.now, step.kind, code=verdict.value)


def _delivered(work: Work, step: Step, result: Result) -> None:
    p, job, error = work.process, result.job, result.error
    assert job.agency is not None
    if isinstance(error, DeliveryRefused):
        p.go(Event.AGENCY_REFUSED)
        p.note("delivery.refused", work.now, {"agency": job.agency, "foutcode": error.foutcode})
        p.carried.refusal = p.carried.refusal or Fout(error.foutcode, error.text)
        _one_less(work, step)
    elif isinstance(error, switches.OutOfTries):
        steps.failed_for_good(work, job, str(error))
    elif isinstance(error, PayloadUnavailable):
        steps.failed(work, job, str(error))
    elif error is not None:
        # Silence is the agency's: it waits with the others. An answer is this message's: its next
        # tries stand in nobody's way.
        again = not isinstance(error, AgencySilent)
        lane = behaviours.agency_lane(job.agency, work.kind.berichtsoort, again=again)
        pause = error.pause if isinstance(error, AgencyBusy) else timedelta(0)
        steps.failed(work, dataclasses.replace(job, lane=lane), str(error), pause)
    else:
        assert isinstance(result.answer, AfleverBevestiging)
        _taken(work, job, result.answer)
        _one_less(work, step)


def _taken(work: Work, job: JobRow, answer: AfleverBevestiging) -> None:
    """The agency has it. A verdict in the same answer counts as one set by zetStatus."""
    p = work.process
    p.go(Event.AGENCY_TOOK)
    assert job.agency is not None
    receipt = receipt_digest(answer)
    if answer.raw is not None:
        p.payloads.append(Stored(receipt, len(answer.raw), body=answer.raw))
    identity = texts.message_id(p.kenmerk, job.agency, job.generation)
    p.deliveries.append(
        Delivery(job.agency, job.generation, identity, job.attempts, work.now, receipt)
    )
    proof = {"receipt": receipt.hex(), "attempt": job.attempts, "message_id": identity,
             "generation": job.generation, "kept": answer.raw is not None}  # fmt: skip
    p.note("delivery.delivered", work.now, {"agency": job.agency, **proof})
    carried = p.carried
    reports = any(s.kind is StepKind.REPORT for s in work.kind.steps)
    if not reports or carried.redelivery_of is not None:
        return
    if carried.receipt is None:
        carried.receipt = answer.statusdetails
    kept = carried.kept_agency_status
    code = answer.statuscode
    if code is not None and code in AGENCY_EVENTS and not (kept is not None and kept.ends):
        status = AgencyStatus(code, answer.fout, answer.statusdetails)
        carried.last_agency_status = status
        steps.agency_says(p, status, work.now)


def receipt_digest(answer: AfleverBevestiging) -> bytes:
    """Digest of what the agency answered: of its bytes where the channel keeps them, else field
    by field."""
    if answer.raw is not None:
        return hashlib.sha256(answer.raw).digest()
    fields = {k: v if isinstance(v, str | None) else str(v)
              for k, v in dataclasses.asdict(answer).items() if k != "raw"}  # fmt: skip
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).digest()


def _one_less(work: Work, step: Step) -> None:
    """One agency of the step is done; the last one decides how the message goes on."""
    p = work.process
    p.open -= 1
    if p.open > 0:
        return
    refused, p.carried.refusal = p.carried.refusal, None
    if p.carried.redelivery_of is not None:
        as_it_was(work)
    elif refused is None:
        go_on(work, step)
    else:
        happen(p, Event.UNDELIVERABLE, work.now, step.kind, fout=refused)


def as_it_was(work: Work) -> None:
    """An operator had it delivered once more; to its sender the message stays what it was. One
    that waited for its agency may have got its status meanwhile."""
    p = work.process
    p.go(Event.RESTORED)
    if p.state is State.WAITING:
        steps.take_kept(p, work.now)


def go_on(work: Work, step: Step) -> None:
    """`step` went well: the steps that follow at once are done in the same transaction."""
    steps.done(work, step)
    following = work.kind.after(step.name)
    if following is not None and not work.apart and _instant(following):
        p = work.process
        job = JobRow(p.day, p.kenmerk, following.name, behaviours.LOCAL, work.now)
        steps.run(work, job)
        return
    steps.enter(work, following)


def _instant(step: Step) -> bool:
    """Local steps that read no content."""
    return step.kind in {StepKind.DETACH, StepKind.RETURN, StepKind.ARCHIVE}


def bericht(work: Work, step: Step) -> Bericht:
    """What the agency gets. May block on large documents; raises PayloadMissing and
    PayloadUnavailable."""
    m, documents = work.message, list(work.documents())
    inhoud, bijlagen = _part(step, documents, work.process.carried.detached)
    found = work.process.carried.findings if work.kind.constateringen else ()
    return Bericht(
        kenmerk=str(m.about or m.kenmerk), berichtsoort=m.berichtsoort,
        berichtkenmerk=m.berichtkenmerk, tijdstempel_aangeleverd=m.accepted_at,
        belanghebbende=m.belanghebbende, rol_belanghebbende=m.rol_belanghebbende,
        inhoud=inhoud, bijlagen=bijlagen, aanleverkenmerk=m.aanleverkenmerk,
        aanleveraar=m.sender, ontvanger=m.ontvanger, rol_ontvanger=m.rol_ontvanger,
        constateringen=tuple(Constatering(code, text) for code, text in found),
    )  # fmt: skip


def _part(
    step: Step, documents: list[Document], apart: bool
) -> tuple[Document, tuple[Document, ...]]:
    part = step.options.get("part") if apart else None
    if part == "inhoud":
        return documents[0], ()
    if part == "bijlagen":
        return documents[1], tuple(documents[2:])
    return documents[0], tuple(documents[1:])
