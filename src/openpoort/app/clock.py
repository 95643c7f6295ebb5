"""The clock that all processes of one `serve` share."""

from __future__ import annotations

import time

from openpoort.process.flow.clock import Clock
from openpoort.settings import Settings


class Shifted:
    """The machine's time moved by a fixed number of seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return time.time() + self.seconds


def clock(settings: Settings) -> Clock:
    """Real time, unless `[clock]` says otherwise. Make it once and hand it to the children."""
    start, factor = settings.clock.start, settings.clock.factor
    if start is None:
        return Clock(factor)
    wall = Shifted(start.timestamp() - time.time())
    return Clock(factor, wall(), wall)
