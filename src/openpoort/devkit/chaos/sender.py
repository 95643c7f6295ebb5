"""A stubborn company: sends, and sends the same again until the gateway has answered.

What it holds at the end, a kenmerk for each request, is what the gateway must be held to.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence

from openpoort.devkit.bench.load import Target, connect

_KENMERK = re.compile(rb"<(?:\w+:)?kenmerk>([0-9a-f-]{36})<")
_PAUSE = 0.2


class Unanswered(Exception):
    """The gateway did not come back in time, or refused what it must accept."""


async def send_all(
    target: Target,
    requests: Sequence[bytes],
    callers: int,
    patience: float,
    told: Callable[[str], None] = lambda _: None,
) -> tuple[list[str], int]:
    """Send every request until it is acknowledged; the kenmerken, and how many repeats it took.

    `told` hears of each acknowledgement. Raises Unanswered after `patience` seconds.
    """
    context = target.context()
    queue, got, repeats = deque(requests), [], 0

    async def caller() -> None:
        nonlocal repeats
        connection = None
        while queue:
            request = queue.popleft()
            while True:
                try:
                    connection = connection or await connect(target, context)
                    status, body = await connection.exchange(request)
                except OSError:
                    connection, status, body = None, 0, b""
                match = _KENMERK.search(body) if status == 200 else None
                if match:
                    got.append(match[1].decode())
                    told(got[-1])
                    break
                if status == 500 and b"100<" in body:
                    raise Unanswered(f"refused: {body[-600:]!r}")
                repeats += 1
                await asyncio.sleep(_PAUSE)
        if connection is not None:
            connection.close()

    try:
        async with asyncio.timeout(patience):
            await asyncio.gather(*(caller() for _ in range(callers)))
    except TimeoutError:
        raise Unanswered(f"{len(queue)} of {len(requests)} not sent in {patience:.0f} s") from None
    return got, repeats
