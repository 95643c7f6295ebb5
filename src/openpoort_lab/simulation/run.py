"""Many worlds, one for each seed, in as many processes as there are cores.

A world is small and complete, so that the one that breaks a law can be played again alone: the
same seed and number of messages give the same steps, whatever ran beside it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

from openpoort_lab.simulation.world import Ended, World, uncollected

EACH = 1000
"""Messages in one world."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`broken` says which law broke, with the last steps before it in `trace`; empty when all
    held. `cpu`: seconds of processor time."""

    seed: int
    messages: int
    ended: Ended | None
    broken: str
    trace: tuple[str, ...]
    cpu: float

    @property
    def replay(self) -> str:
        """The command that plays this world again."""
        return f"openpoort simulate --replay {self.seed} --messages {self.messages}"


def one(seed: int, messages: int, *, traced: bool = True) -> Outcome:
    """Play the world of `seed` to its end, or to the first broken law."""
    begin = time.process_time()
    with uncollected():
        world = World(seed, messages, traced=traced)
        ended, broken = None, ""
        try:
            ended = world.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
            broken = f"{type(error).__name__}: {error}"
        trace = tuple(f"{at:14.6f} s  {who:18} {what}" for at, who, what in world.scheduler.trace)
        world.end()
        del world
        gc.collect()
    return Outcome(seed, messages, ended, broken, trace, time.process_time() - begin)


def judged(seed: int, messages: int) -> Outcome:
    """As `one`, but the trace, which takes time, is made by playing a broken world again."""
    outcome = one(seed, messages, traced=False)
    if outcome.ended is not None:
        return outcome
    again = one(seed, messages)
    broken = outcome.broken
    if again.broken != broken:
        broken += f" (played again: {again.broken or 'every law held'})"
    return replace(again, ended=None, broken=broken, cpu=outcome.cpu + again.cpu)


def many(seed: int, messages: int, processes: int, each: int = EACH) -> Iterator[Outcome]:
    """Worlds from `seed` on, until `messages` messages; in the order of their seeds."""
    sizes = [each] * (messages // each) + ([messages % each] if messages % each else [])
    seeds = range(seed, seed + len(sizes))
    if processes == 1 or len(sizes) == 1:
        yield from map(judged, seeds, sizes)
        return
    spawn = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn, initializer=_begin) as pool:
        yield from pool.map(judged, seeds, sizes)


def _begin() -> None:
    """What this process has by now it keeps: no collection needs to look at it again."""
    gc.collect()
    gc.freeze()
