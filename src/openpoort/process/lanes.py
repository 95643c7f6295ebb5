"""How fast an agency may be offered messages: a window that opens with every success and closes
when the agency is down. One value per agency and worker; pure, time is an argument.

A worker starts, and comes back after an outage, with one message at a time; so neither a restart
with 100,000 waiting messages nor an agency that just got up is met by a storm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

DOWN_AFTER = 3
"""Failures in a row, without a success between, after which the agency counts as down."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(slots=True)
class Lane:
    """`cap` is the most at once over all workers; `window` what this worker allows itself now.
    `proven`: this worker got through before."""

    cap: int
    window: int = 1
    out: int = 0
    failures: int = 0
    closed_until: datetime | None = None
    proven: bool = False

    def room(self, now: datetime, back: int = 0) -> int:
        """How many more may go out, when `back` of those that are out have come back."""
        if self.closed(now):
            return 0
        return max(0, min(self.window, self.cap) - self.out + back)

    def closed(self, now: datetime) -> bool:
        """Down, and the time for the next probe has not come."""
        return self.closed_until is not None and now < self.closed_until

    @property
    def full(self) -> bool:
        """As many are out as may be."""
        return self.out >= min(self.window, self.cap)

    @property
    def down(self) -> bool:
        return self.failures >= DOWN_AFTER

    def success(self) -> bool:
        """One got through; true when the lane was down before. True for the first one as well:
        a worker that died may have seen it down, and what it put off waits for nobody else."""
        was_down = self.down or not self.proven
        self.proven = True
        self.failures = 0
        self.closed_until = None
        self.window = min(self.cap, self.window + 1)
        return was_down

    def failure(self, now: datetime) -> None:
        """One did not get through, for a reason that may pass."""
        if self.closed(now):
            return  # it was under way with the one that closed the lane, and says nothing new
        self.failures += 1
        self.window = max(1, self.window // 2)
        if self.down:
            self.window = 1
            pause = min(FIRST_PAUSE * (1 << min(self.failures - DOWN_AFTER, 8)), LONGEST_PAUSE)
            self.closed_until = now + pause
