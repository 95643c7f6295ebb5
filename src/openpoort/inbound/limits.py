"""Who may ask how much: a rate per sender, a guard against retry storms, a fair share of work.

Pure bookkeeping; time is an argument in seconds of any clock that does not step back. The door
asks before it reads a body, so that a sender over its rate costs next to nothing.

Each sender has a bucket of `burst` tokens that fills at `rate` a second. Empty: the sender is
told to stay away until a tenth of the bucket is back. Who keeps calling meanwhile, more often
than a whole burst, is in a storm: the next time away is twice as long, and at its end too there is
a tenth of the bucket, so that a storm never comes back as a burst. Who waits as told starts afresh.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum

LONGEST_WAIT = 60.0


class Why(StrEnum):
    RATE = "rate"
    STORM = "storm"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Wait:
    """Come back after `seconds` (whole, at least 1): the value of Retry-After. `again` when the
    sender was told already: a storm must not fill the log."""

    seconds: int
    why: Why
    again: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` requests on average, `burst` at once."""

    per_second: float = 50.0
    burst: int = 200


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    away_until: float = 0.0
    away: float = 0.0
    turned_away: int = 0


@dataclass(slots=True)
class Limits:
    """The buckets of all senders; at most `size`, the longest unused one makes room. `default`
    None: no limit for who has no rate of its own."""

    default: Rate | None = field(default_factory=Rate)
    size: int = 100_000
    _buckets: dict[Hashable, _Bucket] = field(default_factory=dict)

    def ask(self, sender: Hashable, at: float, rate: Rate | None = None) -> Wait | None:
        """None: go ahead. `sender` is an OIN or the digest of a certificate."""
        rule = rate or self.default
        if rule is None:
            return None
        told = self.away(sender, at, rate)
        if told is not None:
            return told
        bucket = self._buckets.pop(sender, None) or _Bucket(float(rule.burst), at)
        self._buckets[sender] = bucket  # at the end: lately used
        if len(self._buckets) > self.size:
            del self._buckets[next(iter(self._buckets))]
        filled = bucket.tokens + max(0.0, at - bucket.at) * rule.per_second
        bucket.tokens, bucket.at = min(float(rule.burst), filled), at
        if bucket.tokens >= 1.0:
            bucket.tokens -= 1.0
            return None
        return self._send_away(bucket, at, rule)

    def away(self, sender: Hashable, at: float, rate: Rate | None = None) -> Wait | None:
        """The wait of a sender that was told already and calls again; takes no token."""
        bucket, rule = self._buckets.get(sender), rate or self.default
        if bucket is None or rule is None or at >= bucket.away_until:
            return None
        bucket.turned_away += 1
        storm = bucket.turned_away > rule.burst
        return _wait(bucket.away_until - at, Why.STORM if storm else Why.RATE, again=True)

    def _send_away(self, bucket: _Bucket, at: float, rule: Rate) -> Wait:
        storm = bucket.turned_away > rule.burst
        base = max(1.0, rule.burst / 10) / rule.per_second
        bucket.away = min(LONGEST_WAIT, bucket.away * 2 if storm else base)
        bucket.away_until = at + bucket.away
        bucket.at = max(at, bucket.away_until - base)  # from here it fills again
        bucket.turned_away = 0
        return _wait(bucket.away, Why.STORM if storm else Why.RATE)


@dataclass(slots=True)
class Shares:
    """Work under way per sender. While there is room everybody may take it; when `places` are
    filled, only senders below their equal share may begin more, up to `places` + `spare`."""

    places: int = 256
    spare: int = 64
    _busy: dict[Hashable, int] = field(default_factory=dict)
    _total: int = 0

    def begin(self, sender: Hashable) -> Wait | None:
        """None: begun, and `end` must follow."""
        mine = self._busy.get(sender, 0)
        if self._total >= self.places:
            others = len(self._busy) + (0 if sender in self._busy else 1)
            share = max(1, self.places // others)
            if mine >= share or self._total >= self.places + self.spare:
                return Wait(1, Why.SHARE)
        self._busy[sender] = mine + 1
        self._total += 1
        return None

    def end(self, sender: Hashable) -> None:
        left = self._busy[sender] - 1
        self._total -= 1
        if left:
            self._busy[sender] = left
        else:
            del self._busy[sender]


def _wait(seconds: float, why: Why, *, again: bool = False) -> Wait:
    return Wait(max(1, math.ceil(seconds)), why, again)
