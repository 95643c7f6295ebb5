"""The clock of the house: real time, or time that runs faster so that 72 hours pass in a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


def _wall() -> float:
    return time.time()


@dataclass(frozen=True, slots=True)
class Clock:
    """`factor` simulated seconds pass per real second, counted from when the clock was made.

    With factor 1 this is the machine's clock, so that all processes agree. With another factor
    every process must be given the same `epoch` (seconds since 1970, real time).
    """

    factor: float = 1.0
    epoch: float = field(default_factory=_wall)
    wall: Callable[[], float] = _wall

    def now(self) -> datetime:
        """Aware, UTC."""
        real = self.wall()
        if self.factor == 1.0:
            return datetime.fromtimestamp(real, UTC)
        return datetime.fromtimestamp(self.epoch, UTC) + timedelta(
            seconds=(real - self.epoch) * self.factor
        )

    def real_seconds(self, simulated: timedelta) -> float:
        """How long to wait in real time until `simulated` has passed."""
        return max(0.0, simulated.total_seconds() / self.factor)
