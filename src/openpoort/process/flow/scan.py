"""Where a malware scan stands in the flows: a rule over kinds, decided by one setting."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from openpoort.domain.kind import Kind, StepKind
from openpoort.process.flow.kinds import KindError

NAME = "malware"


def scanned(kinds: Mapping[str, Kind], *, on: bool) -> Mapping[str, Kind]:
    """With the scan on, the first check step of every kind begins with it, unless the kind says
    itself where it stands. A kind without a check step is left as it is.

    Raises KindError for a kind that asks for the scan while it is off: to carry on unscanned
    would be silent.
    """
    if on:
        return {name: _with(kind) for name, kind in kinds.items()}
    for kind in kinds.values():
        for step in kind.steps:
            if NAME in step.checks:
                what = "asks for malware; set `socket` under [malware] in openpoort.toml"
                raise KindError(Path(f"{kind.berichtsoort}.toml"), f"step {step.name}", what)
    return kinds


def _with(kind: Kind) -> Kind:
    """First, because nothing else should read what the scanner has not."""
    if any(NAME in step.checks for step in kind.steps):
        return kind
    steps = list(kind.steps)
    for place, step in enumerate(steps):
        if step.kind is StepKind.CHECK:
            steps[place] = dataclasses.replace(step, checks=(NAME, *step.checks))
            break
    return dataclasses.replace(kind, steps=tuple(steps))
