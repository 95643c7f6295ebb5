"""Message kinds (berichtsoorten) as data: what may be sent, which steps follow, who receives.

A kind is a TOML file; `process/flow/kinds.py` loads it. The flow is a table of steps; the engine
walks it, the docs draw it. A new kind is a new file, never a release.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class StepKind(StrEnum):
    """What the engine can do with a message; Digipoort's functions as Logius lists them."""

    AUTHORISE = "authorise"  # ask the AuSP: 200 or 210, 220, 230
    CHECK = "check"  # run named checks: 301 or 311, 321
    SPLIT = "split"  # a batch becomes processes of its own
    DELIVER = "deliver"  # 405, then 400 or 410, 420
    DETACH = "detach"  # attachments go apart from the content
    RETURN = "return"  # put in the mailbox of the receiver (Ophaalservice)
    REPORT = "report"  # wait for the agency's own verdict: 500 or 510
    REOFFER = "reoffer"
    ARCHIVE = "archive"


class Attachments(StrEnum):
    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of a flow: `name` is unique in the kind; `next` of the last row is None by place.

    `ok` is the status that stands when the step is done (None: no status). `checks` names the
    checks of a CHECK step; `agencies` the receivers of a DELIVER step, in order.
    """

    name: str
    kind: StepKind
    ok: str | None = None
    checks: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """One berichtsoort. `start` are the statuses set at accepting, in order.

    `direction`: `aanleveren` (company to agency), `retour` (agency to company, with or without
    an earlier kenmerk). `retry_for` is how long a delivery is tried before 420 gets AFS600.
    `repeat` is `message-id` (default) or `aanleverkenmerk` (see repeats in docs).
    `retention` maps payload, status and journal to days kept.
    """

    berichtsoort: str
    title: str
    direction: str
    identity_types: tuple[str, ...]
    rollen: tuple[str, ...]
    steps: tuple[Step, ...]
    start: tuple[str, ...] = ("105", "100", "110")
    ontvanger: str | None = None  # name of the agency shown as identiteitOntvanger
    mime_types: tuple[str, ...] = ("application/xml", "text/xml")
    extensions: tuple[str, ...] = (".xbrl", ".xml")
    attachments: Attachments = Attachments.NONE
    max_bytes: int = 20 * 1024 * 1024
    entrypoints: tuple[str, ...] = ()
    schema: str | None = None
    constateringen: bool = False  # findings go along to the agency
    repeat: str = "message-id"
    retry_for: timedelta = timedelta(hours=72)
    retention: dict[str, int] = field(default_factory=dict)
    sample: str | None = None

    def step(self, name: str) -> Step:
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(f"kind {self.berichtsoort} has no step {name}")

    def after(self, name: str) -> Step | None:
        """The step that follows `name`; None after the last."""
        names = [s.name for s in self.steps]
        place = names.index(name) + 1
        return self.steps[place] if place < len(names) else None
