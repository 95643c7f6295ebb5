"""How fast an agency may be offered messages of one kind, and when it counts as down for them.

Two judgements. An answer, whatever it says, is about the message that was sent: the agency is
there. Silence (nobody listens, no handshake, nothing within the time) is about the agency, once
several messages in a row met it. Each kind has a lane of its own at an agency, so that one whose
part of the agency hangs holds up no other; the places at the agency are shared out between them.
One value per lane and worker; pure, time is an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

DOWN_AFTER = 3
"""Different messages in a row that met silence, after which the agency counts as down."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=5)
BEHIND = timedelta(seconds=10)
"""How much later than the others those go that met the silence of an agency that is back."""
_REMEMBERED = 50


@dataclass(slots=True, eq=False)
class Lane:
    """`cap` is the most at once over all workers; `window` what this worker allows itself now: it
    starts, and comes back after an outage, with one at a time, so that nobody is met by a storm.

    `again`: of messages that the agency answered with something else than a yes or a no.
    `silent`: those that met silence since the last answer. `proven`: this worker got an answer
    before. `served`: when it last got a place, in the order of its side.
    """

    cap: int
    window: int = 1
    out: int = 0
    again: bool = False
    failures: int = 0
    closed_until: datetime | None = None
    proven: bool = False
    silent: dict[UUID, None] = field(default_factory=dict)
    served: int = 0

    def room(self, now: datetime, back: int = 0) -> int:
        """How many more may go out, when `back` of those that are out have come back."""
        if self.closed(now):
            return 0
        return max(0, min(self.window, self.cap) - self.out + back)

    def closed(self, now: datetime) -> bool:
        """Down, and the time for the next probe has not come."""
        return self.closed_until is not None and now < self.closed_until

    @property
    def down(self) -> bool:
        return self.failures >= DOWN_AFTER

    def answered(self) -> bool:
        """An answer came; true when the lane was down before. True for the first one as well:
        a worker that died may have seen it down, and what it put off waits for nobody else."""
        was_down = self.down or not self.proven
        self.proven = True
        self.failures = 0
        self.silent.clear()
        self.closed_until = None
        self.window = min(self.cap, self.window + 1)
        return was_down

    def met_silence(self, kenmerk: UUID, now: datetime, at_least: timedelta = FIRST_PAUSE) -> None:
        """This message got no answer, or was told to come back after `at_least`. One message that
        fails time after time says nothing new."""
        new = kenmerk not in self.silent
        self.silent[kenmerk] = None
        if len(self.silent) > _REMEMBERED:
            del self.silent[next(iter(self.silent))]
        if self.closed(now):
            return  # it was under way with the one that closed the lane
        self.window = max(1, self.window // 2)
        if new or self.down:
            self.failures += 1
        if self.down:
            self.window = 1
            pause = FIRST_PAUSE * (1 << min(self.failures - DOWN_AFTER, 8))
            self.closed_until = now + min(max(pause, at_least), LONGEST_PAUSE)

    def try_now(self) -> None:
        """Another kind got through after an outage: the next probe need not wait."""
        self.closed_until = None


def shared(
    cap: int,
    lanes: Collection[Lane],
    waiting: Collection[Lane],
    now: datetime,
    *,
    back: Sequence[Lane] = (),
    several: bool = True,
) -> dict[Lane, int]:
    """How the free places of an agency go to those of its `lanes` that have something to send.

    One by one to the lane that has fewest, and among equals to the one that was served longest
    ago. While `several` kinds may come, one never takes the last place in eight: a slow kind holds
    up the others no longer than until it gives one back. What was answered before and failed takes
    a quarter at most. `back` names the lane of each message that has come back and still counts.
    """
    has = {lane: lane.out for lane in lanes}
    for lane in back:
        has[lane] -= 1
    free = cap - sum(has.values())
    most = cap - max(1, cap // 8) if several and cap > 1 else cap
    again = max(1, cap // 4) - sum(count for lane, count in has.items() if lane.again)
    given = dict.fromkeys(waiting, 0)
    room = {x: min(x.room(now, x.out - has[x]), most - has[x]) for x in waiting}
    while free > 0:
        able = [x for x in waiting if room[x] > given[x] and not (x.again and again <= 0)]
        if not able:
            break
        lane = min(able, key=lambda x: (has[x] + given[x], x.served))
        # Nobody else to compare with: all at once.
        step = min(room[lane], free) if len(waiting) == 1 and not lane.again else 1
        given[lane] += step
        free -= step
        again -= step if lane.again else 0
    return {lane: count for lane, count in given.items() if count}
