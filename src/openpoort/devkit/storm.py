"""One sender at fifty times its rate: what it does to the answer times of its neighbour.

`python -m openpoort.devkit.storm` starts a gateway of its own, lets an honest sender hand in
messages at a steady pace, first alone and then beside a storm, and prints one JSON line: the
p50 and p99 of the honest sender in both, their ratio, and what the stormy one was told.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from openpoort.devkit import pki
from openpoort.devkit.directory import BEDRIJF, INTERMEDIAIR, identities
from openpoort.domain.message import Aanlevering, Document
from openpoort.keys.pem import PemSigner
from openpoort.wire import koppelvlak, seal
from openpoort.wire.services import AANLEVER

RATE, BURST, TIMES = 10, 20, 50
SECONDS, PACE, ROUNDS = 6.0, 25.0, 5


@dataclass(slots=True)
class Sender:
    """One kept-alive connection over mutual TLS."""

    folder: Path
    who: str
    port: int
    connection: http.client.HTTPSConnection = field(init=False)
    signer: PemSigner = field(init=False)

    def __post_init__(self) -> None:
        certificate, key = self.folder / f"{self.who}.pem", self.folder / f"{self.who}.key"
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        context.load_cert_chain(certificate, key)
        self.connection = http.client.HTTPSConnection(
            "localhost", self.port, context=context, timeout=30
        )
        self.signer = PemSigner(certificate, key)

    def message(self) -> bytes:
        numbers = BEDRIJF if self.who == "bedrijf" else INTERMEDIAIR
        rol = "Bedrijf" if self.who == "bedrijf" else "Intermediair"
        filing = Aanlevering(
            "Omzetbelasting", identities(*numbers)[0], rol,
            Document("application/xml", "a.xbrl", b"<a/>" * 2000),
        )  # fmt: skip
        return seal.seal_request(
            koppelvlak.write(filing),
            to=f"https://localhost:{self.port}{AANLEVER.path}",
            action=AANLEVER.operations[0].action,
            message_id=f"urn:uuid:{uuid4()}",
            created=datetime.now(UTC),
            signer=self.signer,
        )

    def send(self, message: bytes) -> int:
        self.connection.request("POST", AANLEVER.path, message, {"Content-Type": "text/xml"})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def honest(folder: Path, port: int, seconds: float) -> list[float]:
    """Seconds per answer at a steady pace."""
    sender, took, begin = Sender(folder, "intermediair", port), [], time.monotonic()
    sender.send(sender.message())  # handshake and first judgement are not what is measured
    for number in range(int(seconds * PACE)):
        message = sender.message()
        time.sleep(max(0.0, begin + number / PACE - time.monotonic()))
        sent = time.monotonic()
        assert sender.send(message) == 200
        took.append(time.monotonic() - sent)
    return took


def storm(folder: Path, port: int, seconds: float, told: Any) -> None:
    """Calls at `TIMES` times the rate and never waits as told."""
    os.nice(10)  # what the caller itself costs must not count against its neighbour
    sender, seen, begin = Sender(folder, "bedrijf", port), Counter[int](), time.monotonic()
    message, number = sender.message(), 0
    while (at := time.monotonic() - begin) < seconds:
        time.sleep(max(0.0, number / (RATE * TIMES) - at))
        seen[sender.send(message)] += 1
        number += 1
    told.put(dict(seen))


def measure(folder: Path, port: int, rounds: int = ROUNDS) -> dict[str, Any]:
    """Alone and beside the storm in turn, so that what else the machine does falls on both."""
    told: Any = multiprocessing.Queue()
    alone: list[float] = []
    beside: list[float] = []
    answers = Counter[int]()
    for _ in range(rounds):
        alone += honest(folder, port, SECONDS)
        other = multiprocessing.Process(target=storm, args=(folder, port, SECONDS + 1, told))
        other.start()
        time.sleep(0.5)
        beside += honest(folder, port, SECONDS)
        answers.update(told.get(timeout=60))
        other.join()
    p99 = [_at(alone, 99), _at(beside, 99)]
    return {
        "alone_p50_ms": _at(alone, 50), "alone_p99_ms": p99[0],
        "beside_p50_ms": _at(beside, 50), "beside_p99_ms": p99[1],
        "ratio_p50": round(_at(beside, 50) / _at(alone, 50), 2),
        "ratio_p99": round(p99[1] / p99[0], 2),
        "samples": len(alone),
        "storm_per_second": round(sum(answers.values()) / (rounds * (SECONDS + 1))),
        "storm_answers": dict(answers),
    }  # fmt: skip


def _at(values: list[float], percent: int) -> float:
    return round(sorted(values)[min(len(values) - 1, len(values) * percent // 100)] * 1000, 2)


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
                sys.stdout.write(json.dumps(measure(home / "pki", port)) + "\n")
            finally:
                served.terminate()


if __name__ == "__main__":
    main()
