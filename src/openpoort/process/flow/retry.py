"""When to try again, and when to stop: pure arithmetic on time, no clock and no chance.

The wait doubles from one minute to an hour. The spread is a fixed function of `salt`, so that
many messages that failed together do not come back together, and a run can be repeated exactly.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST = timedelta(minutes=1)
LONGEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No more attempts: `since` is when the first one was made."""

    since: datetime


def next(
    now: datetime,
    first_attempt: datetime,
    attempts: int,
    retry_for: timedelta,
    *,
    salt: str = "",
) -> datetime | GiveUp:
    """The time of the next attempt after `attempts` (1 or more) failed ones.

    Always later than `now` and never after `first_attempt + retry_for`: the last attempt stands
    at that end exactly. A clock that jumped back does not lengthen the period.
    """
    end = first_attempt + retry_for
    if now >= end:
        return GiveUp(first_attempt)
    doublings = min(max(attempts, 1) - 1, 16)
    wait = min(FIRST * (1 << doublings), LONGEST)
    return min(now + wait * _spread(salt, attempts), end)


def _spread(salt: str, attempts: int) -> float:
    """A factor from 0.8 up to 1.2."""
    digest = hashlib.sha256(f"{salt}/{attempts}".encode()).digest()
    return 0.8 + 0.4 * int.from_bytes(digest[:4], "big") / 2**32
