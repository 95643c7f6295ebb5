"""What goes wrong, and when: drawn from the seed, over as soon as the world says so."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

HOUR, DAY = 3600.0, 86400.0


@dataclass(slots=True)
class Trouble:
    """What goes wrong between a sender and a door, in shares of one."""

    answer_lost: float = 0.0
    sent_again: float = 0.0


class Weather:
    """`severity` 0: nothing goes wrong. Each storm has faults of its own, chosen by the seed."""

    def __init__(self, world: Any, severity: float) -> None:
        self._world, self.severity = world, severity
        draw = world.scheduler.draw
        every = [self._kill, self._point, self._freeze, self._clock, self._database, self._agency,
                 self._moods, self._checkers, self._operator]  # fmt: skip
        self._faults = [fault for fault in every if draw.random() < 0.6] if severity else []
        self.over = not severity
        if severity:
            self._network(draw)
        world.scheduler.spawn("weather", self._blow)

    def calm(self) -> None:
        """Nothing goes wrong from here on, and what was broken is mended."""
        world = self._world
        self.over = True
        t = world.troubles
        t.before_commit = t.after_commit = t.at_statement = t.noticed_late = t.down = 0.0
        world.trouble.answer_lost = world.trouble.sent_again = 0.0
        world.points.clear()
        for shelf in world.agencies.shelves.values():
            m = shelf.mood
            m.down_until = m.slow = m.half = m.lost = m.refuses = 0.0
        world.agencies.mended = True
        world.mend()

    def _network(self, draw: Random) -> None:
        t, s = self._world.troubles, self.severity
        t.before_commit, t.after_commit, t.at_statement = (
            draw.choice((0.0, 0.003, 0.02)) * s for _ in range(3)
        )
        t.noticed_late = draw.choice((0.0, 0.5))
        self._world.trouble.answer_lost = draw.choice((0.0, 0.02, 0.1)) * s
        self._world.trouble.sent_again = draw.choice((0.0, 0.1))

    def _blow(self) -> None:
        scheduler = self._world.scheduler
        while not self.over and self._faults:
            scheduler.pause(scheduler.draw.expovariate(self.severity / 4.0))
            if not self.over:
                scheduler.draw.choice(self._faults)()

    def _kill(self) -> None:
        world = self._world
        hosts = world.hosts() if world.scheduler.draw.random() < 0.9 else []
        chosen = [world.scheduler.draw.choice(hosts)] if hosts else world.hosts()
        for host in chosen:
            world.scheduler.at(world.scheduler.now, host.die)

    def _point(self) -> None:
        """Somebody dies at the next few passings of one of the numbered points."""
        draw = self._world.scheduler.draw
        self._world.points[draw.choice(self._world.point_names)] = draw.randint(1, 5)

    def _freeze(self) -> None:
        """A host stands still, longer than a lease now and then."""
        world, draw = self._world, self._world.scheduler.draw
        hosts = world.hosts()
        if hosts:
            draw.choice(hosts).frozen_until = world.scheduler.now + draw.choice((0.5, 30.0, 900.0))
            world.scheduler.note("a host freezes")

    def _clock(self) -> None:
        draw, hosts = self._world.scheduler.draw, self._world.hosts()
        if hosts:
            draw.choice(hosts).skew = draw.choice((-2 * HOUR, -1.0, 0.0, 1.0, 30.0))
            self._world.scheduler.note("a clock jumps")

    def _database(self) -> None:
        """The server restarts: every session ends."""
        world = self._world
        world.scheduler.note("the database restarts")
        world.troubles.down = world.scheduler.now + world.scheduler.draw.choice((0.1, 5.0))
        for host in world.hosts():
            for session in list(host.sessions):
                session.cut()

    def _agency(self) -> None:
        """Down: for a moment, hours, or longer than it is tried."""
        draw = self._world.scheduler.draw
        shelf = draw.choice(list(self._world.agencies.shelves.values()))
        long = draw.choices((10.0, 600.0, 5 * HOUR, 4 * DAY), (6, 3, 2, 1))[0]
        shelf.mood.down_until = self._world.scheduler.now + long
        self._world.scheduler.note(f"an agency is down for {long:.0f} s")

    def _moods(self) -> None:
        draw = self._world.scheduler.draw
        mood = draw.choice(list(self._world.agencies.shelves.values())).mood
        mood.slow, mood.half, mood.lost = (draw.choice((0.0, 0.02, 0.3)) for _ in range(3))
        mood.refuses = draw.choice((0.0, 0.02, 0.2))

    def _checkers(self) -> None:
        draw = self._world.scheduler.draw
        self._world.break_checkers(draw.choice((0.0, 0.05, 0.5)))

    def _operator(self) -> None:
        self._world.operate()
