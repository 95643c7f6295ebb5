"""What can hit a gateway: a kill at a numbered point in the code, or one at a moment drawn.

Every kill is SIGKILL on a pid that this run started itself: of a child by its pid file, of the
supervisor by its own process, of PostgreSQL by the pid file of the data directory of this run.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from openpoort.process.flow.crashpoints import POINTS

ITSELF = "itself"
_AT_AGENCY = ("7", "8", "9")


@dataclass(frozen=True, slots=True)
class Strike:
    """`victim` dies: when somebody passes `point` for the `times`-th time since the arming, or
    (without a point) `after` seconds into the load."""

    victim: str
    point: str | None = None
    times: int = 1
    after: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.point}: {self.victim}" if self.point else f"some moment: {self.victim}"


def strikes(seed: int) -> list[Strike]:
    """Every point with every victim that can die there, and every role at some moment; in an
    order drawn from `seed`."""
    draw = random.Random(seed)  # noqa: S311 - an order, not a secret
    found = []
    for point, place in POINTS.items():
        victims = [ITSELF, "PostgreSQL", "everything"]
        if place.startswith(_AT_AGENCY) and not point.endswith("-receipt"):
            victims.append("agency")  # at its own two points it is the one that passes
        found += [Strike(victim, point, draw.randint(1, 3)) for victim in victims]
    for role in ("door", "worker", "agency", "PostgreSQL", "everything"):
        found.append(Strike(role, after=draw.uniform(0.05, 0.8)))
    draw.shuffle(found)
    return found
