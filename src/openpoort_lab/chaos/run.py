"""Rounds of chaos: load, a strike in the middle of it, recovery, verdict.

All rounds are against one gateway, so that later ones also judge what earlier ones left. A round
ends when every acknowledged message has ended, or when nothing ends any more: then the closing
balance decides whether what is left is waiting, as it may, or stuck.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import uvloop

from openpoort.process.flow.crashpoints import kill
from openpoort.store.messages import consistency
from openpoort_lab.bench import prepare
from openpoort_lab.bench.prepare import Order
from openpoort_lab.chaos.sender import Company, Unanswered
from openpoort_lab.chaos.siege import OWN, Siege, patiently, siege
from openpoort_lab.chaos.strikes import ITSELF, Strike
from openpoort_lab.chaos.verdict import fair, stuck, whole

_SIZE = 4000
_CALM = 80.0  # seconds without a message that ends: longer than the wait for a second attempt
_STRIKE_SECONDS = 20.0  # how long a point may take to be passed once the load is in


@dataclass(frozen=True, slots=True)
class Outcome:
    """`struck` says whether the kill came; `waiting` counts messages that had not ended, but
    wait as they may; `broken` holds a sentence for each broken promise."""

    strike: str
    struck: bool
    acknowledged: int
    waiting: int
    repeats: int
    seconds: float
    broken: tuple[str, ...]


def _run(work: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def one_round(under: Siege, strike: Strike, messages: int, seed: int, patience: float) -> Outcome:
    """Strike in the middle of `messages` messages and judge what is left of them."""
    begin = time.monotonic()
    # Addressed without a port, as by a company that knows a name.
    order = Order(under.gateway.target, "Bench", _SIZE, "https://localhost", seed)
    company = Company(under.gateway.target, order)
    requests = prepare.aanleveringen(order, messages)
    half = requests[: messages // 2]
    waiting: list[tuple[str, datetime]] = []
    armed, broken = _Armed(under, strike, messages), []
    try:
        with armed:
            _run(company.hand_in(half, patience, nosy=True))
            if not armed.struck(_STRIKE_SECONDS):
                broken.append("the strike never came")
        # What was sent before the strike is sent again: the same kenmerk must come of it.
        _run(company.hand_in(requests, patience))
        _drained(under.dsn, company.acknowledged)
        waiting, stuck_ones = stuck(under.dsn, company.acknowledged)
        open_ones = {kenmerk for kenmerk, _ in waiting}
        ended = [k for k in company.acknowledged if k not in open_ones]
        _run(company.hear_all(ended, patience))
        broken += stuck_ones
        broken += whole(under.dsn, under.home, company.acknowledged, under.environment)
        broken += fair(under.dsn, company)
    except (Unanswered, psycopg.OperationalError) as error:
        broken.append(f"it did not come back: {error}")
    return Outcome(
        strike.name, armed.struck(0.0), len(company.acknowledged), len(waiting), company.repeats,
        time.monotonic() - begin, tuple(broken),
    )  # fmt: skip


class _Armed:
    """The gateway waits for its strike; disarmed at the end, whether it came or not."""

    def __init__(self, under: Siege, strike: Strike, messages: int) -> None:
        self._under, self._strike = under, strike
        self._times = min(strike.times, 1 + messages // 20)  # few messages pass few times
        self._mark = under.armed.with_suffix(".struck")
        self._timer = threading.Timer(strike.after, self._hit)

    def __enter__(self) -> None:
        self._mark.unlink(missing_ok=True)
        strike, under = self._strike, self._under
        if strike.point is None:
            self._timer.start()
            return
        files = [] if strike.victim == ITSELF else under.pid_files(strike.victim)
        words = [f"{strike.point}:{self._times}", *map(str, files)]
        new = under.armed.with_suffix(".new")
        new.write_text(" ".join(words))
        new.replace(under.armed)

    def __exit__(self, *_: object) -> None:
        if self._strike.point is None:
            self._timer.join()
        self._under.armed.unlink(missing_ok=True)

    def struck(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        return not patiently(lambda: not self._mark.exists(), lambda: time.monotonic() > end)

    def _hit(self) -> None:
        kill(self._under.pid_files(self._strike.victim))
        self._mark.touch()


def _drained(dsn: str, kenmerken: Sequence[str]) -> None:
    """Wait until all have ended, or until none has for a while."""
    last, since = -1, time.monotonic()

    def left() -> int:
        nonlocal last, since
        try:
            now = consistency.unfinished(dsn, kenmerken)
        except psycopg.OperationalError:
            return len(kenmerken)  # the database is on its way back
        if now != last:
            last, since = now, time.monotonic()
        return now

    patiently(left, lambda: time.monotonic() - since > _CALM)


def rounds(
    home: Path, strikes: Sequence[Strike], messages: int, seed: int, patience: float = 300.0,
    database: str = OWN,
) -> Iterator[Outcome]:  # fmt: skip
    """A round for each strike, in order."""
    with siege(home, database) as under:
        for number, strike in enumerate(strikes):
            yield one_round(under, strike, messages, seed + 1000 * number, patience)
