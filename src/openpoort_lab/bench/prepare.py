"""Signed requests made before the measuring starts, so that the callers cost little.

Signing uses every core (one process each): a run of 20,000 messages is ready in seconds.
"""

from __future__ import annotations

import functools
import os
import random
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Aanlevering, Document, Operatie, Vraag
from openpoort.keys.pem import PemSigner
from openpoort.wire.wus.koppelvlak import write
from openpoort.wire.wus.seal import seal_request
from openpoort.wire.wus.services import AANLEVER, OPHAAL, STATUSINFORMATIE
from openpoort_lab.bench.load import Target, http_request


@dataclass(frozen=True, slots=True)
class Order:
    """What to make: `size` is the decoded content in bytes, unless `document` is the content."""

    target: Target
    berichtsoort: str
    size: int
    base: str  # https://localhost:8443, as in wsa:To
    seed: int = 1
    rol: str = "Bedrijf"
    document: bytes | None = None
    aanleverkenmerk: str | None = None


LARGE = 1024 * 1024
"""Bytes beyond which a document has elements of 1 kB: 10 MB is the most for one comment."""


def content(size: int, draw: random.Random) -> bytes:
    """A well-formed document of exactly `size` bytes (at least 64) that does not compress away."""
    head, tail = b"<bench><!-- ", b" --></bench>"
    if size > LARGE:
        head, tail = b"<bench><a>", b"</a></bench>"
    room = max(size - len(head) - len(tail), 0)
    filling = bytearray(draw.randbytes(room // 2 + 1).hex().encode()[:room])
    if size > LARGE:
        for place in range(1000, room - 7, 1000):
            filling[place : place + 7] = b"</a><a>"
    return head + filling + tail


def _aanleveringen(order: Order, count: int, seed: int) -> list[bytes]:
    draw = random.Random(seed)  # noqa: S311 - filling, not secrets
    signer = PemSigner(order.target.certificate, order.target.key)
    made = []
    for _ in range(count):
        request = Aanlevering(
            berichtsoort=order.berichtsoort,
            belanghebbende=Identiteit("001000044B37", "BTW"),
            rol_belanghebbende=order.rol,
            inhoud=Document(
                "application/xml",
                f"{order.berichtsoort}.{'xbrl' if order.document else 'xml'}",
                order.document or content(order.size, draw),
            ),
            aanleverkenmerk=order.aanleverkenmerk or f"bench-{draw.getrandbits(48):x}",
            autorisatie_adres="http://geenausp.nl",
        )
        envelope = seal_request(
            write(request),
            to=order.base + AANLEVER.path,
            action=AANLEVER.operations[0].action,
            message_id=f"urn:uuid:{uuid.UUID(int=draw.getrandbits(128), version=4)}",
            created=datetime.now(UTC),
            signer=signer,
        )
        made.append(http_request(order.target, AANLEVER.path, envelope))
    return made


def aanleveringen(order: Order, count: int) -> list[bytes]:
    """`count` different requests to hand in, as bytes ready for the socket."""
    workers = max(1, min(os.cpu_count() or 1, count // 100))
    share = [count // workers + (1 if i < count % workers else 0) for i in range(workers)]
    if workers == 1:
        return _aanleveringen(order, count, order.seed)
    with ProcessPoolExecutor(workers) as pool:
        parts = pool.map(
            functools.partial(_aanleveringen, order),
            share,
            [order.seed + i for i in range(workers)],
        )
        return [request for part in parts for request in part]


def vragen(order: Order, questions: Sequence[Vraag]) -> list[bytes]:
    """The questions as signed requests; all of one service."""
    signer = PemSigner(order.target.certificate, order.target.key)
    made = []
    for vraag in questions:
        service = OPHAAL if "Berichten" in vraag.operatie.value else STATUSINFORMATIE
        operation = next(o for o in service.operations if o.name == vraag.operatie.value)
        envelope = seal_request(
            write(vraag),
            to=order.base + service.path,
            action=operation.action,
            message_id=f"urn:uuid:{uuid.uuid4()}",
            created=datetime.now(UTC),
            signer=signer,
        )
        made.append(http_request(order.target, service.path, envelope))
    return made


def statusvragen(order: Order, kenmerken: Sequence[str]) -> list[bytes]:
    """One getStatussenProces for each kenmerk."""
    return vragen(
        order,
        [
            Vraag(Operatie.STATUSSEN_PROCES, kenmerk=k, autorisatie_adres="http://geenausp.nl")
            for k in kenmerken
        ],
    )


def ophaalvragen(order: Order, kenmerken: Sequence[str]) -> list[bytes]:
    """One getBerichtenKenmerk for each kenmerk."""
    return vragen(
        order,
        [
            Vraag(Operatie.BERICHTEN_KENMERK, kenmerk=k, autorisatie_adres="http://geenausp.nl")
            for k in kenmerken
        ],
    )


def own_target(home: Path, port: int) -> Target:
    """The company of a home made by `openpoort init`."""
    pki = home / "pki"
    return Target("127.0.0.1", port, pki / "bedrijf.pem", pki / "bedrijf.key", pki / "ca.pem")
