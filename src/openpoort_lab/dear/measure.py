"""What dear requests cost a door: processor time beside an honest message of the same size, memory,
and how long an honest sender waits next to them.

One door process, one connection each. The honest message is a signed hand-in that is stored and
answered; the smallest has about 7 kB, and shorter requests are held against that one.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from openpoort.keys.pem import PemSigner
from openpoort_lab.bench.gateway import Gateway
from openpoort_lab.bench.prepare import Order, aanleveringen
from openpoort_lab.bench.usage import Extra, usage
from openpoort_lab.dear.kit import Kind, Sender

_LEAST = 500
"""Octets of content of the smallest honest message."""
_NEIGHBOUR = 20
"""Messages of the honest sender next to each kind."""
_PAUSE = 0.02
"""Seconds between two of the requests next to it, dear or honest."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one kind: octets of a request, milliseconds of processor time for it and for an honest
    message of that size, octets of memory at most, milliseconds that the honest sender next to it
    waited in the median, and next to honest ones of that size."""

    group: str
    name: str
    octets: int
    ms: float
    honest_ms: float
    memory: int
    wait_ms: float
    honest_wait_ms: float

    @property
    def times(self) -> float:
        return self.ms / self.honest_ms

    @property
    def waits(self) -> float:
        return self.wait_ms / self.honest_wait_ms


class Line:
    """One connection after the other to a door; it may be cut at any moment."""

    def __init__(self, gateway: Gateway) -> None:
        self._target = gateway.target
        self._context = gateway.target.context()
        self._tls: ssl.SSLSocket | None = None

    def ask(self, request: bytes) -> bytes:
        """The status line and head of the answer; empty when the door cut the connection."""
        for _ in range(2):
            fresh = self._tls is None
            with contextlib.suppress(OSError):
                answer = self._ask(request)
                if answer or fresh:
                    return answer
            self.close()
            if fresh:
                return b""
        return b""

    def _ask(self, request: bytes) -> bytes:
        if self._tls is None:
            plain = socket.create_connection((self._target.host, self._target.port), timeout=60)
            self._tls = self._context.wrap_socket(plain, server_hostname="localhost")
        with contextlib.suppress(ssl.SSLError, OSError):  # cut while we send: it may have answered
            self._tls.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            part = self._tls.recv(65536)
            if not part:
                self.close()
                return got
            got += part
        head, _, rest = got.partition(b"\r\n\r\n")
        fields = dict(f.lower().split(b": ", 1) for f in head.split(b"\r\n")[1:])
        left = int(fields.get(b"content-length", b"0")) - len(rest)
        while left > 0:
            part = self._tls.recv(65536)
            if not part:
                break
            left -= len(part)
        if fields.get(b"connection") == b"close":
            self.close()
        return head

    def close(self) -> None:
        if self._tls is not None:
            self._tls.close()
        self._tls = None


def measure(
    gateway: Gateway,
    kinds: Iterable[Kind],
    octets: int,
    seconds: float,
) -> Iterator[Cost]:
    """Each kind in turn, for about `seconds` of processor time of the one door."""
    pki = gateway.target.certificate
    sender = Sender(PemSigner(pki, gateway.target.key), datetime.now(UTC), gateway.base)
    honest: dict[int, tuple[float, float]] = {}
    line, neighbour = Line(gateway), Line(gateway)
    for kind in kinds:
        sender.now = datetime.now(UTC)
        made = [kind.make(sender, octets) for _ in range(8)]
        size = max(len(request) for request in made)
        step = _step(size)
        if step not in honest:
            usual = _honest(gateway, step)
            ms = _spent(gateway, line, usual, seconds)
            honest[step] = ms, _wait(gateway, neighbour, usual)
        memory = Extra(gateway.pids("door"))
        ms = _spent(gateway, line, made, seconds)
        wait = _wait(gateway, neighbour, made)
        yield Cost(
            kind.group, kind.name, size, ms, honest[step][0], memory.most(), wait, honest[step][1]
        )
    line.close()
    neighbour.close()


def _step(size: int) -> int:
    """Sizes that share an honest message: a fifth apart at most, never larger than asked."""
    step = 7000
    while step * 1.2 <= size:
        step = int(step * 1.2)
    return step


def _honest(gateway: Gateway, size: int) -> list[bytes]:
    """Different messages of about that many octets."""
    content = max(_LEAST, (size - 6500) * 3 // 4)
    return aanleveringen(Order(gateway.target, "Bench", content, gateway.base, _seed()), 60)


def _seed() -> int:
    return random.SystemRandom().getrandbits(40)


def _spent(gateway: Gateway, line: Line, requests: list[bytes], seconds: float) -> float:
    """Milliseconds of processor time of the door for one request."""
    [door] = gateway.pids("door")
    line.ask(requests[0])
    count, begin, wall = 0, usage(door).cpu, time.monotonic()
    while True:
        for request in requests:
            line.ask(request)
        count += len(requests)
        spent = usage(door).cpu - begin
        if spent >= seconds or time.monotonic() - wall > 5 * seconds:
            return spent * 1000 / count


def _wait(gateway: Gateway, neighbour: Line, requests: list[bytes]) -> float:
    """Milliseconds that an honest sender waits in the median, next to somebody who sends
    `requests` from a process of its own, with a pause after each."""
    usual = _honest(gateway, 0)[:_NEIGHBOUR]
    stop_reading, stop_writing = os.pipe()
    child = os.fork()
    if child == 0:
        _beside(gateway, requests, stop_reading, stop_writing)
    os.close(stop_reading)
    waited = []
    try:
        neighbour.ask(usual[0])
        for request in usual[1:]:
            begin = time.perf_counter()
            neighbour.ask(request)
            waited.append(time.perf_counter() - begin)
    finally:
        os.close(stop_writing)
        os.waitpid(child, 0)
    return statistics.median(waited) * 1000


def _beside(gateway: Gateway, requests: list[bytes], stop: int, other_end: int) -> None:
    """The child: until its parent closes the pipe."""
    os.close(other_end)
    ended = threading.Event()

    def listen() -> None:
        os.read(stop, 1)
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    os.nice(5)
    line = Line(gateway)
    try:
        while not ended.is_set():
            for request in requests:
                line.ask(request)
                if ended.wait(_PAUSE):
                    break
    finally:
        os._exit(0)
