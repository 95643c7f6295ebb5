"""Whose request is worked on next: one of each sender for every turn of the event loop.

Reading and judging a request takes about a millisecond in which the loop does nothing else. When
twenty of one sender arrive at once, that of another would otherwise wait for all twenty.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Turns:
    """Who comes alone goes at once. The rest of a sender's requests go in their order, one a
    turn; between two turns the loop listens to its sockets."""

    _went: set[Hashable] = field(default_factory=set)
    _waiting: dict[Hashable, deque[asyncio.Future[None]]] = field(default_factory=dict)

    async def mine(self, sender: Hashable) -> None:
        """Returns when a request of this sender may be worked on."""
        loop = asyncio.get_running_loop()
        if sender in self._went:
            turn = loop.create_future()
            self._waiting.setdefault(sender, deque()).append(turn)
            await turn
        elif self._went:
            self._went.add(sender)
        else:
            self._went.add(sender)
            loop.call_soon(self._next)

    def _next(self) -> None:
        self._went.clear()
        for sender, queue in list(self._waiting.items()):
            turn = queue.popleft()
            if not queue:
                del self._waiting[sender]
            if not turn.done():  # its request may have been cancelled meanwhile
                turn.set_result(None)
            self._went.add(sender)
        if self._went:
            asyncio.get_running_loop().call_soon(self._next)
