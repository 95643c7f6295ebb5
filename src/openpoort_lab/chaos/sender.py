"""A stubborn company: sends, and sends the same again until the gateway has answered.

What it holds at the end is what the gateway must be held to: a kenmerk for each request, and
every status that it was told as new.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from openpoort.domain.message import Operatie, Vraag
from openpoort_lab.bench import prepare
from openpoort_lab.bench.load import Connection, Target, connect
from openpoort_lab.bench.prepare import Order

_KENMERK = re.compile(rb"<(?:\w+:)?kenmerk>([0-9a-f-]{36})<")
_CODE = re.compile(rb"<(?:\w+:)?statuscode>(\d{3})<")
_PAUSE = 0.1


class Unanswered(Exception):
    """The gateway did not come back in time, or refused what it must accept."""


@dataclass(slots=True)
class Company:
    """`kenmerken` holds, per request, every kenmerk that was ever answered: there must be one.
    `told` holds, per kenmerk, the codes of the statuses that came as new, in order; `heard` the
    kenmerken about which it was told all there is. `acknowledge` hears of each kenmerk at once."""

    target: Target
    order: Order
    kenmerken: dict[bytes, set[str]] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    acknowledge: Callable[[str], None] = lambda _: None
    repeats: int = 0

    @property
    def acknowledged(self) -> list[str]:
        return [k for known in self.kenmerken.values() for k in sorted(known)]

    async def hand_in(
        self, requests: Sequence[bytes], patience: float, callers: int = 8, *, nosy: bool = False
    ) -> None:
        """Send every request until it is acknowledged; a `nosy` caller asks at once what is new.

        Raises Unanswered after `patience` seconds.
        """
        queue = deque(requests)

        async def caller() -> None:
            line = _Line(self)
            while queue:
                request = queue.popleft()
                body = await line.ask(request, b"aanleverResponse")
                match = _KENMERK.search(body)
                assert match is not None
                kenmerk = match[1].decode()
                self.kenmerken.setdefault(request, set()).add(kenmerk)
                self.acknowledge(kenmerk)
                if nosy:
                    await self._hear(line, kenmerk)
            line.close()

        await _all(caller, callers, patience)

    async def hear_all(self, kenmerken: Sequence[str], patience: float, callers: int = 8) -> None:
        """Ask for what is new about each until there is nothing."""
        queue = deque(kenmerken)

        async def caller() -> None:
            line = _Line(self)
            while queue:
                kenmerk = queue.popleft()
                while await self._hear(line, kenmerk):
                    pass
                self.heard.add(kenmerk)
            line.close()

        await _all(caller, callers, patience)

    async def _hear(self, line: _Line, kenmerk: str) -> int:
        vraag = Vraag(
            Operatie.NIEUWE_STATUSSEN_PROCES,
            kenmerk=kenmerk,
            autorisatie_adres="http://geenausp.nl",
        )
        request = prepare.vragen(self.order, [vraag])[0]
        body = await line.ask(request, b"getNieuweStatussenProcesResponse")
        codes = [code.decode() for code in _CODE.findall(body)]
        self.told.setdefault(kenmerk, []).extend(codes)
        return len(codes)


class _Line:
    """A connection that is made again whenever it broke."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._context = company.target.context()
        self._connection: Connection | None = None

    async def ask(self, request: bytes, wanted: bytes) -> bytes:
        """The body of the first answer with `wanted`. Raises Unanswered at a refusal."""
        while True:
            status, body = 0, b""
            try:
                self._connection = self._connection or await connect(
                    self._company.target, self._context
                )
                status, body = await self._connection.exchange(request)
            except OSError:
                self._connection = None
            if status == 200 and wanted in body:
                return body
            if status == 500 and b"100<" in body:
                raise Unanswered(f"refused: {body[-600:]!r}")
            self._company.repeats += 1
            await asyncio.sleep(_PAUSE)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


async def _all(caller: Callable[[], Awaitable[None]], callers: int, patience: float) -> None:
    try:
        async with asyncio.timeout(patience):
            await asyncio.gather(*(caller() for _ in range(callers)))
    except TimeoutError:
        raise Unanswered(f"the gateway did not answer everybody in {patience:.0f} s") from None
