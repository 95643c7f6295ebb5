"""One round of chaos: load, a strike in the middle of it, recovery, verdict.

The gateway is the real program in a folder of its own. A round ends when every acknowledged
message has ended too; then every promise is checked. Rounds share the folder, so that later
rounds also judge what earlier ones left.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvloop

from openpoort.devkit.bench import prepare
from openpoort.devkit.bench.gateway import Gateway, own
from openpoort.devkit.bench.prepare import Order
from openpoort.devkit.chaos.sender import send_all
from openpoort.devkit.chaos.strikes import Strike
from openpoort.devkit.chaos.verdict import contradictions
from openpoort.process.crashpoints import VARIABLE
from openpoort.store import consistency
from openpoort.store.embedded import Embedded


@dataclass(frozen=True, slots=True)
class Outcome:
    """`broken` holds a sentence for each broken promise; `seconds` is the whole round."""

    strike: str
    acknowledged: int
    repeats: int
    seconds: float
    broken: tuple[str, ...]


def _send(gateway: Gateway, requests: list[bytes], patience: float) -> tuple[list[str], int]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(send_all(gateway.target, requests, 8, patience))


def _requests(gateway: Gateway, count: int, seed: int) -> list[bytes]:
    # Addressed without a port: the gateway comes back on another one.
    order = Order(gateway.target, "Bench", 4000, "https://localhost", seed)
    return prepare.aanleveringen(order, count)


def _drained(home: Path, kenmerken: list[str], patience: float) -> int:
    dsn, end = Embedded(home / "postgres").dsn(), time.monotonic() + patience
    while left := consistency.unfinished(dsn, kenmerken):
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    return left


def one_round(home: Path, strike: Strike, messages: int, seed: int, patience: float) -> Outcome:
    """Strike a gateway in the middle of `messages` messages and judge what is left of them."""
    begin = time.monotonic()
    extra = {VARIABLE: strike.crash_at} if strike.crash_at else {}
    draw = random.Random(seed)  # noqa: S311 - a moment, not a secret
    half = messages // 2
    got: list[str] = []
    repeats = 0
    with own(home, extra=extra) as gateway:
        requests = _requests(gateway, half, seed)
        if strike.hit is not None and gateway.pid is not None:
            moment = threading.Timer(draw.uniform(0.05, 0.8), strike.hit, (home, gateway.pid))
            moment.start()
            try:
                got, repeats = _send_until(gateway, requests, strike, patience)
            finally:
                moment.join()
        else:
            got, repeats = _send(gateway, requests, patience)
    with own(home) as gateway:
        # Repeats of what was sent before the crash (same requests, same kenmerk), and new ones.
        again = requests if not got else []
        first, more = _send(gateway, [*again, *_requests(gateway, half, seed + 1)], patience)[:2]
        got, repeats = [*got, *first], repeats + more
        left = _drained(home, got, patience)
        broken = contradictions(Embedded(home / "postgres").dsn(), home, got)
    if left:
        broken = [f"{left} messages did not end in {patience:.0f} s", *broken]
    return Outcome(strike.name, len(got), repeats, time.monotonic() - begin, tuple(broken))


def _send_until(
    gateway: Gateway, requests: list[bytes], strike: Strike, patience: float
) -> tuple[list[str], int]:
    """With the supervisor dead nobody comes back: then all is sent again after the restart."""
    from openpoort.devkit.chaos.sender import Unanswered

    if strike.name != "kill everything":
        return _send(gateway, requests, patience)
    try:
        return _send(gateway, requests, 3.0)
    except Unanswered:
        return [], 0


def rounds(
    home: Path, strikes: list[Strike], messages: int, seed: int, patience: float = 180.0
) -> Iterator[Outcome]:
    """A round for each strike, in order."""
    for number, strike in enumerate(strikes):
        yield one_round(home, strike, messages, seed + 1000 * number, patience)
