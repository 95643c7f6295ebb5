"""One sender at fifty times its rate: what it does to the answer times of its neighbour.

`python -m openpoort_lab.measuring.noisy_neighbour` starts a gateway of its own. An honest sender
hands in messages, signed beforehand, at a steady pace, in three sorts of rounds that take turns:
*alone*; *beside* a storm at the same gateway; and *apart*, with the very same storm at a server of
one line on the same machine, which answers 429 and does nothing else. What apart costs over alone
is the price of sharing cores with the generator; what beside costs over apart is the gateway's.
One JSON line.
"""

from __future__ import annotations

import asyncio
import functools
import http.client
import json
import multiprocessing
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import uvloop

from openpoort.domain.message import Aanlevering, Document
from openpoort.keys.pem import PemSigner
from openpoort.sandbox import pki
from openpoort.sandbox.directory import BEDRIJF, INTERMEDIAIR, identities
from openpoort.wire.wus import koppelvlak, seal
from openpoort.wire.wus.services import AANLEVER
from openpoort_lab.bench.usage import usage

RATE, BURST, TIMES, CONNECTIONS = 10, 20, 50, 32
SECONDS, PACE, ROUNDS, PAUSE = 10.0, 20.0, 5, 0.3
LONGEST = 180.0
ALONE, APART, BESIDE = "alone", "apart", "beside"
REFUSED = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nretry-after: 1\r\n\r\n"


def context(folder: Path, who: str) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    made.load_cert_chain(folder / f"{who}.pem", folder / f"{who}.key")
    return made


def message(folder: Path, who: str, port: int) -> bytes:
    numbers = BEDRIJF if who == "bedrijf" else INTERMEDIAIR
    rol = "Bedrijf" if who == "bedrijf" else "Intermediair"
    filing = Aanlevering(
        "Omzetbelasting", identities(*numbers)[0], rol,
        Document("application/xml", "a.xbrl", b"<a/>" * 2000),
    )  # fmt: skip
    return seal.seal_request(
        koppelvlak.write(filing),
        to=f"https://localhost:{port}{AANLEVER.path}",
        action=AANLEVER.operations[0].action,
        message_id=f"urn:uuid:{uuid4()}",
        created=datetime.now(UTC),
        signer=_signer(folder, who),
    )


@functools.cache
def _signer(folder: Path, who: str) -> PemSigner:
    return PemSigner(folder / f"{who}.pem", folder / f"{who}.key")


@dataclass(slots=True)
class Honest:
    """A sender that keeps its pace over one connection; `took` in seconds by sort of round."""

    folder: Path
    port: int
    connection: http.client.HTTPSConnection = field(init=False)
    took: dict[str, list[list[float]]] = field(default_factory=dict)
    ready: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        known = context(self.folder, "intermediair")
        self.connection = http.client.HTTPSConnection(
            "localhost", self.port, context=known, timeout=30
        )

    def prepare(self) -> None:
        """Sign the messages of a round, and wake the connection: both before the weather turns."""
        count = int(SECONDS * PACE)
        self.ready = [message(self.folder, "intermediair", self.port) for _ in range(count)]
        self._send(message(self.folder, "intermediair", self.port))

    def round(self, sort: str) -> None:
        times: list[float] = []
        begin = time.monotonic()
        for number, one in enumerate(self.ready):
            due = begin + number / PACE
            time.sleep(max(0.0, due - time.monotonic()))
            self._send(one)
            times.append(time.monotonic() - due)  # from when it was due: a late start counts
        self.took.setdefault(sort, []).append(times)

    def _send(self, content: bytes) -> None:
        self.connection.request("POST", AANLEVER.path, content, {"Content-Type": "text/xml"})
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200


class _Caller(asyncio.Protocol):
    """One connection of the storm: free again when its answer is in."""

    def __init__(self, free: deque[_Caller], seen: Counter[int]) -> None:
        self.free, self.seen = free, seen

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.free.append(self)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 "):
            self.seen[int(data[9:12])] += 1
            self.free.append(self)


def storm(folder: Path, gateway: int, port: int, seconds: float, told: Any) -> None:
    """Calls at `TIMES` times the rate and never waits as told; a call for which none of its
    connections is free is held back. Tells what it was answered and what it cost itself."""
    os.nice(10)  # what the caller itself costs must not count against its neighbour
    body = message(folder, "bedrijf", gateway)
    head = (
        f"POST {AANLEVER.path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/xml\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    whole = head.encode() + body
    seen, held = Counter[int](), 0

    async def call() -> None:
        nonlocal held
        loop = asyncio.get_running_loop()
        free: deque[_Caller] = deque()
        known = context(folder, "bedrijf")
        for _ in range(CONNECTIONS):
            await loop.create_connection(
                lambda: _Caller(free, seen),
                "localhost",
                port,
                ssl=known,
                server_hostname="localhost",
            )
        begin, number = time.monotonic(), 0
        told.put("blowing")
        while (at := time.monotonic() - begin) < seconds:
            await asyncio.sleep(max(0.0, number / (RATE * TIMES) - at))
            number += 1
            if free:
                free.popleft().transport.write(whole)
            else:
                held += 1

    uvloop.run(call())
    told.put((dict(seen), held, time.process_time()))


def null(folder: Path, size: int, ready: Any) -> None:
    """The server of one line: TLS as at the door, and a refusal for every `size` bytes."""

    class Refuse(asyncio.Protocol):
        got = 0

        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.got += len(data)
            while self.got >= size:
                self.got -= size
                self.transport.write(REFUSED)

    async def listen() -> None:
        known = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
        known.load_cert_chain(folder / "server.pem", folder / "server.key")
        known.verify_mode = ssl.CERT_REQUIRED
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Refuse, "127.0.0.1", 0, ssl=known)
        ready.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        uvloop.run(listen())


@dataclass(slots=True)
class Weather:
    """What the storms of one sort of round were told, and the CPU seconds they cost."""

    answers: Counter[int] = field(default_factory=Counter)
    held: int = 0
    generator: float = 0.0
    door: float = 0.0
    seconds: float = 0.0


def measure(folder: Path, port: int, door: Callable[[], float]) -> dict[str, Any]:
    """All rounds. `door` gives the CPU seconds of the door so far."""
    told: Any = multiprocessing.Queue()
    size = len(message(folder, "bedrijf", port))
    size += len(f"POST {AANLEVER.path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/xml\r\n"
                f"content-length: {size}\r\n\r\n")  # fmt: skip
    other = multiprocessing.Process(target=null, args=(folder, size, told), daemon=True)
    other.start()
    apart = told.get(timeout=60)
    honest = Honest(folder, port)
    weather = {sort: Weather() for sort in (ALONE, APART, BESIDE)}
    end = time.monotonic() + LONGEST
    for number in range(ROUNDS):
        if time.monotonic() > end:
            break  # a machine this busy gets fewer rounds, not a longer run
        for place in range(3):
            sort = (ALONE, APART, BESIDE)[(number + place) % 3]
            at = {APART: apart, BESIDE: port}.get(sort)
            _round(honest, sort, weather[sort], (folder, port, at, told), door)
    other.kill()
    other.join()
    return _said(honest.took, weather)


def _round(
    honest: Honest, sort: str, seen: Weather, where: tuple[Path, int, int | None, Any],
    door: Callable[[], float],
) -> None:  # fmt: skip
    folder, port, at, told = where
    honest.prepare()
    blowing = None
    if at is not None:
        given = (folder, port, at, SECONDS + PAUSE, told)
        blowing = multiprocessing.Process(target=storm, args=given)
        blowing.start()
        assert told.get(timeout=60) == "blowing"
    before, begin = door(), time.monotonic()
    honest.round(sort)
    seen.door += door() - before
    seen.seconds += time.monotonic() - begin
    if blowing is not None:
        answers, held, cpu = told.get(timeout=60)
        blowing.join()
        seen.answers.update(answers)
        seen.held += held
        seen.generator += cpu


def _said(took: dict[str, list[list[float]]], weather: dict[str, Weather]) -> dict[str, Any]:
    p99 = {sort: [_at(one, 99) for one in rounds] for sort, rounds in took.items()}

    def ratio(one: str, other: str) -> float:
        """The median over rounds of the ratio of the two p99 of a round."""
        return round(median(a / b for a, b in zip(p99[one], p99[other], strict=True)), 2)

    record: dict[str, Any] = {
        "rounds": len(took[ALONE]), "samples_per_sort": sum(map(len, took[ALONE])),
        "offered_per_second": RATE * TIMES, "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    for sort, rounds in took.items():
        flat = [value for one in rounds for value in one]
        seen = weather[sort]
        record[sort] = {
            "p50_ms": _at(flat, 50), "p99_ms": _at(flat, 99), "p99_ms_median": median(p99[sort]),
            "door_cpu_share": round(seen.door / seen.seconds, 3),
            "generator_cpu_share": round(seen.generator / seen.seconds, 3),
            "answers": dict(seen.answers), "held_back": seen.held,
        }  # fmt: skip
    return record | {
        "ratio_p99": ratio(BESIDE, ALONE),
        "ratio_p99_of_sharing_cores": ratio(APART, ALONE),
        "ratio_p99_of_the_gateway": ratio(BESIDE, APART),
    }


def _at(values: list[float], percent: int) -> float:
    """The percentile by nearest rank, in ms."""
    rank = -(-len(values) * percent // 100)
    return round(sorted(values)[rank - 1] * 1000, 2)


def main() -> None:
    command = [sys.executable, "-m", "openpoort"]
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        subprocess.run([*command, "init", str(home)], check=True, stdout=subprocess.DEVNULL)
        file = home / "directory.toml"
        limited = f'oin = "{pki.OINS["bedrijf"]}"\nrate = {RATE}\nburst = {BURST}'
        file.write_text(file.read_text().replace(f'oin = "{pki.OINS["bedrijf"]}"', limited, 1))
        free = {"OPENPOORT_AGENCY_PORT": "0", "OPENPOORT_HEALTH_PORT": "0"}
        with subprocess.Popen(
            [*command, "serve", str(home), "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **free},
        ) as served:  # fmt: skip
            assert served.stdout is not None
            ready = served.stdout.readline()
            try:
                port = int(ready.split("localhost:")[1].split("/")[0])
                pid = int((home / "run" / "door-1.pid").read_text())
                record = measure(home / "pki", port, lambda: usage(pid).cpu)
                sys.stdout.write(json.dumps(record) + "\n")
            finally:
                served.terminate()


if __name__ == "__main__":
    main()
