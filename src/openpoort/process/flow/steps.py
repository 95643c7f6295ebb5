"""The steps themselves: what each does to a process, as far as no waiting is involved.

Everything here works on a process that is locked for the transaction and only adds to it; the
store writes it all at once. So a step happens whole or not at all, and its statuses, its result
and the next job cannot disagree.
"""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from openpoort.domain.event import REFUSED
from openpoort.domain.event import Event as SecurityEvent
from openpoort.domain.fault import Fout, unquoted
from openpoort.domain.finding import Finding, rejects
from openpoort.domain.kind import Step, StepKind
from openpoort.domain.process import AGENCY_EVENTS, AgencyStatus, Event, Next, NotPossible
from openpoort.process.flow import behaviours, retry, scan, split
from openpoort.process.flow.context import Work, belang
from openpoort.process.flow.transitions import happen
from openpoort.process.ports import CheckUnavailable, Filing
from openpoort.store.messages.changes import Mail, Parking, Process
from openpoort.store.messages.rows import JobRow
from openpoort.store.payloads.payloads import PayloadMissing, PayloadUnavailable
from openpoort.telemetry import emit, logger, scrub

_log = logger("process")


def enter(work: Work, step: Step | None) -> None:
    """Start `step`, or end the process after the last one."""
    p = work.process
    if step is None:
        happen(p, Event.COMPLETED, work.now)
    elif step.kind in behaviours.DELIVERING:
        _deliver(work, step)
    elif step.kind is StepKind.REPORT:
        p.go(Event.AWAITED)
        take_kept(p, work.now)
    else:
        p.go(Event.QUEUED)
        lane = work.house.lane(step) or behaviours.LOCAL
        p.jobs.append(JobRow(p.day, p.kenmerk, step.name, lane, work.now))


def _deliver(work: Work, step: Step) -> None:
    p = work.process
    if step.options.get("part") == "bijlagen" and len(work.message.documents) < 2:
        p.note("step.done", work.now, {"step": step.name, "result": "no attachments"})
        enter(work, work.kind.after(step.name))
        return
    p.go(Event.QUEUED)
    p.open = len(step.agencies)
    due = work.now + timedelta(hours=float(step.options.get("after_hours", "0")))
    generation = next(i for i, s in enumerate(work.kind.steps) if s.name == step.name)
    for agency in step.agencies:
        lane = behaviours.agency_lane(agency, work.kind.berichtsoort)
        p.jobs.append(JobRow(p.day, p.kenmerk, step.name, lane, due, agency, generation))


def take_kept(p: Process, now: datetime) -> None:
    """The process waits for its agency, whose status may have come before."""
    kept, p.carried.kept_agency_status = p.carried.kept_agency_status, None
    if kept is not None:
        agency_says(p, kept, now)


def agency_says(p: Process, status: AgencyStatus, now: datetime) -> None:
    """A status that an agency set: told, or kept until it is awaited. What it handed over when it
    took the message in is its receipt, and stands in the details of 500 when the status has none.

    Raises NotPossible for a process that has ended."""
    details, event = status.details, AGENCY_EVENTS[status.code]
    if event is Event.APPROVED and details is None:
        details = p.carried.receipt
    row = happen(
        p, event, now, StepKind.REPORT, code=status.code, fout=status.fout, details=details
    )
    if row.next is Next.KEEP:
        p.carried.kept_agency_status = status
    elif event is Event.APPROVED:
        p.carried.receipt = None


class Broke(Exception):
    """A mistake of ours stopped `step`; the cause is attached."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.name)
        self.step = step


BROKEN_TRIES = 6
"""After which a person must look: half an hour after the first."""


def run(work: Work, job: JobRow) -> None:
    """Do the local step of `job` and those that follow at once, then start the next one.

    Raises Broke; what was added to the process by then must be forgotten.
    """
    step: Step | None = work.kind.step(job.step)
    assert step is not None
    while step is not None and work.house.lane(step) == behaviours.LOCAL:
        try:
            goes_on = _LOCAL[step.kind](work, step)
        except (CheckUnavailable, PayloadUnavailable) as error:
            tried = job.step == step.name
            failed(work, dataclasses.replace(
                job, step=step.name, attempts=(job.attempts if tried else 0) + 1,
                first_at=(job.first_at if tried else None) or work.now,
            ), str(error))  # fmt: skip
            return
        except Exception as error:
            raise Broke(step) from error
        if not goes_on:
            return
        done(work, step)
        step = work.kind.after(step.name)
    enter(work, step)


def done(work: Work, step: Step) -> None:
    """`step` went well."""
    p = work.process
    p.go(Event.SUCCEEDED)
    p.episode, p.carried.broken_tries = False, 0
    if step.ok is not None:
        p.add(step.ok, work.now)
    p.note("step.done", work.now, {"step": step.name, "kind": step.kind.value})


def failed(work: Work, job: JobRow, why: str, pause: timedelta = timedelta(0)) -> None:
    """`job` (its attempt counted) could not be done now: later again, not before `pause` has
    passed, or no more.

    The sender hears of it once per episode, and gets a code only when tries have run out: a
    client stops looking at the first code (settled points, Statuses).
    """
    p = work.process
    trouble(work, work.kind.step(job.step))
    about = {"step": job.step, "attempt": job.attempts, "agency": job.agency, "reason": _told(why)}
    p.note("step.failed", work.now, about)
    salt = f"{p.kenmerk}/{job.agency}"
    first = job.first_at or work.now
    when = retry.next(work.now, first, job.attempts, work.kind.retry_for, salt=salt)
    if isinstance(when, datetime):
        when = max(when, min(work.now + pause, first + work.kind.retry_for))
        p.jobs.append(dataclasses.replace(job, due_at=when, first_at=first, fence=None))
        return
    give_up(work, job, f"gave up after {job.attempts} attempts: {why}")


def failed_for_good(work: Work, job: JobRow, why: str) -> None:
    """As `failed`, with no further try."""
    trouble(work, work.kind.step(job.step))
    give_up(work, job, f"gave up after {job.attempts} attempts: {why}")


def broken(work: Work, job: JobRow, error: Exception) -> None:
    """A mistake of ours, or of the machine, stopped `job`: a line for the log, trouble for the
    sender, and a few more tries, for what the machine lacked may be there again."""
    p, step, cause = work.process, work.kind.step(job.step), error
    if isinstance(error, Broke) and isinstance(error.__cause__, Exception):
        step, cause = error.step, error.__cause__
    why = f"internal error: {told(cause)}"
    tries = p.carried.broken_tries + 1
    _log.error("step_broke", kenmerk=str(p.kenmerk), step=step.name, attempt=tries, fault=why)
    about = {"step": step.name, "attempt": tries, "agency": job.agency, "reason": why}
    p.note("step.failed", work.now, about)
    if isinstance(cause, PayloadMissing):  # no try brings it back
        give_up(work, job, str(cause), step)
        return
    trouble(work, step)
    if tries < BROKEN_TRIES:
        p.carried.broken_tries = tries
        when = retry.next(work.now, work.now, tries, timedelta(days=1), salt=str(p.kenmerk))
        assert isinstance(when, datetime)
        p.jobs.append(dataclasses.replace(job, due_at=when, fence=None))
        return
    p.carried.broken_tries = 0
    give_up(work, job, why, step)


def told(error: BaseException) -> str:
    """What kind of fault, and where in our code; never its words, which may quote a message."""
    if isinstance(error, NotPossible):
        return f"{type(error).__name__}: {error}"
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if "openpoort" in frame.filename:
            place = f" in {frame.filename.rpartition('openpoort/')[2]}:{frame.lineno}"
    return f"{type(error).__name__}{place}"


def trouble(work: Work, step: Step) -> None:
    """Tell the sender, once per episode."""
    p = work.process
    tell = not p.episode and _concerns(work, step)
    happen(p, Event.FAILED, work.now, step.kind, tell=tell)
    p.episode |= tell


def give_up(work: Work, job: JobRow, why: str, at: Step | None = None) -> None:
    """Tries have run out: the final code for the sender, the job parked for a person. `at`: the
    step that a mistake of ours stopped, which is not the agency's fault."""
    step = at or work.kind.step(job.step)
    event = Event.BROKE if at else Event.GAVE_UP
    happen(work.process, event, work.now, step.kind, tell=_concerns(work, step))
    put_on_list(work.process, job, work.now, why)


def _concerns(work: Work, step: Step) -> bool:
    """Whether the sender is told of trouble with `step`: not of a delivery that an operator
    repeats, nor of what we do for ourselves when it has been told of its delivery."""
    return work.process.carried.redelivery_of is None and not behaviours.quiet(work.kind, step)


def strand(p: Process, job: JobRow, now: datetime, why: str) -> None:
    """The kind or the step of `job` is not installed any more: told, and parked."""
    happen(p, Event.BROKE, now, StepKind.DELIVER if job.agency else StepKind.CHECK)
    put_on_list(p, job, now, why)


def put_on_list(p: Process, job: JobRow, now: datetime, reason: str) -> None:
    """This job waits for a person."""
    p.parked.append(
        Parking(job.step, job.lane, job.agency, job.generation, job.attempts, now, reason[:500])
    )
    p.note("message.parked", now, {"step": job.step, "agency": job.agency, "reason": _told(reason)})


def judged(work: Work, step: Step, findings: Sequence[Finding]) -> bool:
    """What checks found: true when the message goes on; otherwise it got its 311."""
    p = work.process
    if rejects(tuple(findings)):
        p.note("step.done", work.now, {"step": step.name, "kind": step.kind.value,
                                       "codes": sorted({f.code for f in findings})})  # fmt: skip
        fout = Fout("VAS500", work.house.render(findings))
        happen(p, Event.INVALID, work.now, step.kind, fout=fout)
        _alarm(work, findings)
        return False
    if work.kind.constateringen and findings:
        p.carried.findings += tuple((f.code[:20], f.message) for f in findings)
    return True


def _alarm(work: Work, findings: Sequence[Finding]) -> None:
    """Malware is for the operator too: a sender may be compromised."""
    for finding in findings:
        if finding.source == scan.NAME:
            details: dict[str, str | int] = {"reason": finding.message}
            kenmerk, sender = str(work.process.kenmerk), work.message.sender
            about = (kenmerk, REFUSED, "local", sender, work.now, details)
            emit(SecurityEvent("content.malware", *about))


def look(work: Work, step: Step) -> list[Finding]:
    """Run the checks of a step, in order; the first that rejects is the last. May block.

    Raises CheckUnavailable, PayloadUnavailable.
    """
    inhoud, *bijlagen = work.documents()
    m = work.message
    filing = Filing(
        work.kind, m.belanghebbende, inhoud, tuple(bijlagen), m.accepted_at, m.aanleverkenmerk
    )
    found: list[Finding] = []
    for name in step.checks:
        check = work.house.checks.get(name)
        if check is None:
            raise CheckUnavailable(f"check {name} is not installed")
        found += check.check(filing)
        if rejects(tuple(found)):
            break
    return found


def _authorise(work: Work, step: Step) -> bool:
    return True  # without an AuSP: what the directory says was judged at the door


def _check(work: Work, step: Step) -> bool:
    return judged(work, step, look(work, step))


def _split(work: Work, step: Step) -> bool:
    wrong = split.split(work, step)
    return not wrong or judged(work, step, wrong)


def _detach(work: Work, step: Step) -> bool:
    work.process.carried.detached = True
    return True


def _return(work: Work, step: Step) -> bool:
    m, p = work.message, work.process
    owner = p.carried.owner or ""
    mail = Mail(m.about or m.kenmerk, owner, belang(m.belanghebbende), m.berichtsoort, work.now)
    p.mailbox.append(mail)
    p.note("message.returned", work.now, {"owner": owner, "shown": str(mail.shown)})
    return True


def _archive(work: Work, step: Step) -> bool:
    digests = [d.digest.hex() for d in work.message.documents]
    data: dict[str, object] = {"documents": digests, "class": step.options.get("class", "journal")}
    work.process.note("message.archived", work.now, data)
    return True


_LOCAL: Mapping[StepKind, Callable[[Work, Step], bool]] = {
    StepKind.AUTHORISE: _authorise,
    StepKind.CHECK: _check,
    StepKind.SPLIT: _split,
    StepKind.DETACH: _detach,
    StepKind.RETURN: _return,
    StepKind.ARCHIVE: _archive,
}


def _told(why: str) -> str:
    """A reason for the journal, which holds no personal number and quotes nobody."""
    return str(scrub(unquoted(why)))[:200]
