"""What the codec costs, beside the limit that RSA sets, in one run.

    python -m openpoort_lab.bench.wire [--json] [--seconds S]

Rates are messages per second on one core; read the ratios. One accepted message costs at least
one verification of the request and one signature of the answer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509 import load_der_x509_certificate

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import AanleverBevestiging, Aanlevering, Document
from openpoort.wire.wus import addressing, koppelvlak
from openpoort.wire.wus.seal import seal_answer, seal_request
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.wus.soap import open_signed
from openpoort_lab.hostile.keys import stranger_named

SIZES = (10_000, 50_000, 1_000_000, 15_000_000)
HOST = "https://localhost"
TO = HOST + AANLEVER.path
NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)
_WHO = Identiteit("001000044B37", "BTW")


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement: what, at how many octets of request, how often a second.

    `share` is the rate as a part of what RSA alone allows.
    """

    what: str
    octets: int
    per_second: float
    share: float


def rate(work: Callable[[], object], seconds: float) -> float:
    """How often a second of processor time; the best of three, because other programs run too."""
    best = 0.0
    for _ in range(3):
        count, begin = 0, time.process_time()
        while (spent := time.process_time() - begin) < seconds / 3:
            work()
            count += 1
        best = max(best, count / spent)
    return best


def request(octets: int, hash_name: str = "sha256") -> bytes:
    """A signed request of about that many octets."""
    content = bytes(max(octets - 5_500, 0) * 3 // 4)
    file = Document("application/xml", "Omzetbelasting.xbrl", content)
    body = koppelvlak.write(Aanlevering("Omzetbelasting", _WHO, "Bedrijf", file))
    return seal_request(
        body,
        to=TO,
        action=AANLEVER.operations[0].action,
        message_id="urn:uuid:6f1d2c3b-4a59-4e68-8f77-0a1b2c3d4e5f",
        created=NOW,
        signer=stranger_named("Meting B.V."),
        hash_name=hash_name,
    )


def accept(raw: bytes) -> koppelvlak.Value:
    """What the codec does with a request at the door."""
    message = open_signed(raw, "text/xml; charset=utf-8")
    addressing.check(message, AANLEVER, addressing.endpoints([HOST], AANLEVER), NOW)
    return koppelvlak.read(message)


def answer() -> bytes:
    """What the codec does for an answer."""
    value = AanleverBevestiging("k" * 36, "Omzetbelasting", NOW, _WHO, "Bedrijf")
    return seal_answer(
        koppelvlak.write(value),
        action=AANLEVER.operations[0].response_action,
        message_id="urn:uuid:6f1d2c3b-4a59-4e68-8f77-0a1b2c3d4e5f",
        relates_to="urn:uuid:6f1d2c3b-4a59-4e68-8f77-0a1b2c3d4e5f",
        created=NOW,
        signer=stranger_named("Meting B.V."),
        hash_name="sha256",
    )


def measure(seconds: float = 1.0) -> list[Line]:
    """All lines; the first two are the limits."""
    signer = stranger_named("Meting B.V.")
    data = b"x" * 2000
    signature = signer.sign(data, "sha256")
    key = load_der_x509_certificate(signer.certificate).public_key()
    verify = rate(
        lambda: key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256()),  # type: ignore[union-attr,call-arg,arg-type]
        seconds,
    )
    sign = rate(lambda: signer.sign(data, "sha256"), seconds)
    lines = [Line("RSA-2048 verify", 0, verify, 1.0), Line("RSA-2048 sign", 0, sign, 1.0)]
    for octets in SIZES:
        raw = request(octets)
        opened = rate(lambda raw=raw: open_signed(raw), seconds)  # type: ignore[misc]
        accepted = rate(lambda raw=raw: accept(raw), seconds)  # type: ignore[misc]
        digest = rate(lambda raw=raw: hashlib.sha256(raw).digest(), seconds)  # type: ignore[misc]
        limit = 1 / (1 / verify + 1 / digest)
        lines.append(Line("open_signed", len(raw), opened, opened / limit))
        lines.append(Line("open, check, read", len(raw), accepted, accepted / limit))
    answers = rate(answer, seconds)
    lines.append(Line("write and seal answer", len(answer()), answers, answers / sign))
    return lines


def memory(octets: int = 15_000_000) -> float:
    """Peak of extra memory while a request is accepted, as a multiple of its size.

    Counts what Python allocates; trees of libxml2 are measured by the test that watches a
    process (docs: wire reference).
    """
    raw = request(octets)
    tracemalloc.start()
    accept(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / len(raw)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench_wire")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args(arguments)
    lines, extra = measure(options.seconds), memory()
    for line in lines:
        print(f"{line.what:24}{line.octets:>12,}{line.per_second:>12,.0f}/s{line.share:>8.0%}")  # noqa: T201
    print(f"extra memory at 15 MB: {extra:.2f} times the request")  # noqa: T201
    if options.json:
        print(json.dumps({"lines": [asdict(line) for line in lines], "memory": extra}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
