"""What happened to a message and what it waits for, told from what the gateway keeps.

The journal says what was tried and why it failed, the statuses what its sender was told. Words of
others (an agency's, a filing's) are told without what they quote and without personal numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openpoort.domain.fault import Fault, Refusal, unquoted
from openpoort.domain.kind import StepKind
from openpoort.domain.process import ENDED, Event, statuses
from openpoort.process.flow import behaviours
from openpoort.store.messages.parked import Parked
from openpoort.store.messages.rows import JobRow, StatusRow
from openpoort.telemetry import scrub
from openpoort.wire.wus import bevindingen
from openpoort.wire.xml import parser

_SAID = {
    "message.accepted": "taken in",
    "message.answered": "answered to its sender",
    "step.attempted": "step {step}: attempt {attempt}",
    "step.done": "step {step} done",
    "step.failed": "attempt {attempt} of {step} failed",
    "delivery.attempted": "attempt {attempt} of {step} to {agency}",
    "delivery.delivered": "{agency} took it in at attempt {attempt}",
    "delivery.refused": "{agency} refused it",
    "delivery.held": "kept back: {agency} does not answer",
    "message.parked": "waits for a person from now on",
    "message.closed": "ended: {state}",
    "message.returned": "put in the mailbox of its receiver",
    "message.fetched": "fetched by its receiver",
    "status.received": "the agency set {code}",
    "work.released": "released by {by}",
    "work.redelivered": "delivered once more by {by}",
    "work.cancelled": "cancelled by {by}",
    "hold.set": "put on legal hold by {by}",
    "hold.lifted": "legal hold lifted by {by}",
}
"""Kinds of journal entries in words; others are told by their kind."""
_TOLD = ("step", "agency", "attempt", "reason", "code", "foutcode", "codes", "state", "result")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `more` are plain values for JSON: step, agency, attempt, reason,
    code, foutcode, fout, details, findings."""

    at: datetime
    what: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waits:
    """What a message waits for: `who` is an agency, a worker, a person. `attempt` is the number
    of the next one and `due_at` its time, where there is one."""

    who: str
    why: str
    step: str | None = None
    attempt: int | None = None
    due_at: datetime | None = None


def moments(entries: Iterable[bytes], statuses: Sequence[StatusRow]) -> tuple[Moment, ...]:
    """In order. A status whose entry is gone (retention) is told all the same."""
    left = {s.seq: s for s in statuses}
    told: list[Moment] = []
    for entry in map(json.loads, entries):
        at, data = datetime.fromisoformat(entry["at"]), entry["data"]
        if entry["kind"] != "status.set":
            told.append(_moment(entry["kind"], at, data, entry["actor"]))
        # One entry tells of the message and of its first statuses.
        set_here = [data.get("seq"), *(one[0] for one in data.get("statuses", ()))]
        told += [_status(left.pop(seq)) for seq in set_here if seq in left]
    if left:
        told = sorted([*told, *map(_status, left.values())], key=lambda m: m.at)
    return tuple(told)


def _moment(kind: str, at: datetime, data: Mapping[str, object], actor: str) -> Moment:
    more = {name: data[name] for name in _TOLD if data.get(name) is not None}
    if kind.startswith(("work.", "hold.")):
        more["by"] = actor
    words = _SAID.get(kind, kind)
    try:
        return Moment(at, words.format(**more), more)
    except KeyError:  # of another version, which said less
        return Moment(at, kind, more)


def _status(status: StatusRow) -> Moment:
    more: dict[str, object] = {"code": status.code}
    fout = status.fout
    if fout is not None:
        more["foutcode"] = fout.foutcode
        findings = _findings(fout.foutbeschrijving) if fout.foutcode == "VAS500" else []
        more |= {"findings": findings} if findings else {"fout": _plain(fout.foutbeschrijving)}
    if status.details is not None:
        more["details"] = _plain(status.details)[:500]
    return Moment(status.at, f"status {status.code}", more)


def _findings(text: str) -> list[dict[str, str]]:
    """Those of a 311, as `bevindingen.to_xml` wrote them; none when it is something else."""
    try:
        root = parser.parse(text.encode())
    except (Fault, Refusal):
        return []
    return [
        {"code": m.get("code", ""), "level": m.get("level", ""), "message": _plain(m.text or "")}
        | ({"line": line} if (line := m.get("regel")) else {})
        for m in root.iter(f"{{{bevindingen.NAMESPACE}}}msg")
    ]


def waits(
    state: str, jobs: Sequence[JobRow], parked: Sequence[Parked], agencies: Sequence[str]
) -> tuple[Waits, ...]:
    """Who is next. `agencies` have the message."""
    found = [
        Waits(j.agency or _side(j.lane), _why(j), j.step, j.attempts + 1, j.due_at) for j in jobs
    ]
    found += [Waits("a person", _plain(p.job.reason), p.job.step) for p in parked]
    if state == "waiting" and not found:
        ends = (Event.APPROVED, Event.DISAPPROVED)
        codes = ", ".join(t.code for e in ends for t in statuses(e, StepKind.REPORT))
        found.append(Waits(", ".join(agencies) or "the agency", f"its verdict: {codes}"))
    if not found and state not in ENDED:
        found.append(Waits("a worker", "the result of an attempt that is under way"))
    return tuple(found)


def _side(lane: str) -> str:
    return "the AuSP" if lane == behaviours.AUTHORITY else "a worker"


def _why(job: JobRow) -> str:
    if job.fence is not None:
        return "an attempt is under way"
    return "to try again" if job.attempts else "its turn"


def _plain(text: str) -> str:
    return str(scrub(unquoted(text)))
