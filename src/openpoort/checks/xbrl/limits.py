"""Values that the pool and its holders exchange; importing this does not load the processor."""

from __future__ import annotations

from dataclasses import dataclass, field

SHOWN = 400
"""Characters of an argument of a message that are kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one filing may cost: MiB above the taxonomy, seconds of CPU and of time.

    CPU and memory are properties of the filing: reaching them is a finding. Time is not: a
    machine may be busy, so reaching it is a failure of the checker (321, tried again).
    """

    memory_mib: int = 1024
    cpu_seconds: int = 60
    seconds: int = 180
    documents: int = 2000
    files: int = 256


@dataclass(slots=True)
class Message:
    """One message of the reference processor: `level` is error, warning or info. `places` are
    pointers to what it is about in the instance (`places.py`)."""

    code: str
    level: str
    text: str
    line: int | None = None
    args: dict[str, str] = field(default_factory=dict)
    places: tuple[str, ...] = ()
