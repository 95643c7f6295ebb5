"""Answers of the "nieuwe" operations are cut: never over 64 KiB, and not long before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from openpoort.domain.message import Antwoord, Operatie, Received, Vraag
from openpoort.process.reading.answers import LARGEST
from openpoort.wire.wus import koppelvlak, seal
from tests.process.house import BEDRIJF, BTW, DIENST, Gate, request, verified
from tests.wire_kit import NOW, Key, key

IDENTIFIER = "uuid:0d3f2f2a-5b5e-4f0e-9a55-3c1f1f5f7a10"
ODD = "urn:x:" + "&<>\r" * 60
"""Every character of it is longer as it is written."""


@pytest.fixture(scope="module")
def keys() -> list[Key]:
    return [key(), key("Voorbeeld met een lange naam " * 2, 4096)]


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def fill(gate: Gate, kind: str, oin: str, count: int, size: int = 40) -> None:
    """Many at once."""

    async def all_of_them() -> None:
        for number in range(count):
            asked = request(kind, b"<x>" + b"%06d" % number * (size // 6) + b"</x>")
            raw = Received(b"<soap/>", gate.clock.now(), b"tls")
            tasks.append(asyncio.ensure_future(gate.intake.aanleveren(verified(oin), asked, raw)))
        await asyncio.gather(*tasks)

    tasks: list[asyncio.Future[object]] = []
    asyncio.run(all_of_them())
    gate.work()


def body(gate: Gate, signer: Key, hash_name: str, relates_to: str, vraag: Vraag) -> bytes:
    """What a door writes as the body of its answer."""
    action = f"urn:{vraag.operatie}Response"
    around = seal.overhead(signer.certificate, hash_name, action, IDENTIFIER, relates_to)
    room = LARGEST - around - koppelvlak.frame(vraag.operatie)

    async def both() -> Antwoord:
        reading = await gate.reader.vraag(verified(BEDRIJF), vraag, room)
        await reading.delivered()
        return reading.antwoord

    return seal.seal_answer(
        koppelvlak.write(asyncio.run(both())), action=action, message_id=IDENTIFIER,
        relates_to=relates_to, created=NOW, signer=signer, hash_name=hash_name,
    )  # fmt: skip


def lengths(
    gate: Gate, keys: list[Key], vraag: Vraag, item: bytes, whole: int
) -> tuple[list[int], int]:
    """Octets of each poll until there was nothing, and how many items came in all."""
    found, items = [], 0
    for place in range(whole):
        hash_name, relates_to = ("sha1", IDENTIFIER) if place % 2 else ("sha512", ODD)
        told = body(gate, keys[place % 2], hash_name, relates_to, vraag)
        count = told.count(item)
        if not count:
            return found, items
        found.append(len(told))
        items += count
    raise AssertionError("it does not end")


def cut_well(found: list[int]) -> None:
    assert len(found) > 1
    assert all(60_000 < size <= LARGEST for size in found[:-1]), found
    assert found[-1] <= LARGEST


@pytest.mark.parametrize(
    ("operatie", "item"),
    [
        (Operatie.NIEUWE_BERICHTEN_LIJST, b"<BerichtLijstResultaat>"),
        (Operatie.NIEUWE_BERICHTEN, b"<BerichtResultaat>"),
    ],
)
def test_cut_letters_fill_an_answer_and_never_more(
    gate: Gate, keys: list[Key], operatie: Operatie, item: bytes
) -> None:
    count = 420 if operatie is Operatie.NIEUWE_BERICHTEN_LIJST else 100
    fill(gate, "Servicebericht", DIENST, count, 600)
    vraag = Vraag(operatie)
    if operatie is Operatie.NIEUWE_BERICHTEN:
        vraag = replace(vraag, belanghebbende=BTW)
    found, items = lengths(gate, keys, vraag, item, 12)
    assert items == count
    cut_well(found)


def test_cut_statuses_fill_an_answer_and_never_more(gate: Gate, keys: list[Key]) -> None:
    fill(gate, "Omzetbelasting", BEDRIJF, 45)
    vraag = Vraag(Operatie.NIEUWE_STATUSSEN, berichtsoort="Omzetbelasting", belanghebbende=BTW)
    found, items = lengths(gate, keys, vraag, b"<StatusResultaat>", 12)
    assert items == 45 * 9
    cut_well(found)
