"""The bytes of answers and faults, and the documents that services publish.

A changed digest here means that clients will see other bytes: look twice, then renew it with
`python -m tests.golden.test_wire_bytes`.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openpoort.domain.fault import Fault, Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import AanleverBevestiging, Antwoord, Operatie
from openpoort.domain.status import Status
from openpoort.wire.wus import koppelvlak, seal, services
from openpoort.wire.wus.services import AANLEVER, SERVICES, STATUSINFORMATIE

HERE = Path(__file__).parent / "wire"
AT = datetime(2026, 11, 23, 13, 0, 0, 708000, UTC)
WHO = Identiteit("001000044B37", "BTW")
KENMERK = "3f0d5a52-8a3e-4a58-9d5c-5b2f8a1e7c44"
MESSAGE_ID = "urn:uuid:6f1d2c3b-4a59-4e68-8f77-0a1b2c3d4e5f"


class Fixed:
    """Signs with a digest: the same bytes on every machine."""

    certificate = b"0\x82 certificaat"

    def sign(self, data: bytes, hash_name: str) -> bytes:
        return hashlib.new(hash_name, data, usedforsecurity=False).digest()


def _answer(value: AanleverBevestiging | Antwoord, action: str, hash_name: str) -> bytes:
    return seal.seal_answer(
        koppelvlak.write(value),
        action=action,
        message_id=MESSAGE_ID,
        relates_to=MESSAGE_ID,
        created=AT,
        signer=Fixed(),
        hash_name=hash_name,
    )


def golden() -> dict[str, bytes]:
    """Every golden file with what the code writes now."""
    taken = AanleverBevestiging(KENMERK, "Omzetbelasting", AT, WHO, "Bedrijf", "Happyflow")
    rejected = Fout("VAS500", "Regel <1> & meer:\n- bedrag 'x' \"y\" > 0")
    statuses = Antwoord(
        Operatie.STATUSSEN_PROCES,
        (
            Status(KENMERK, WHO, "105", AT, "Aanleverproces gestart."),
            Status(KENMERK, WHO, "311", AT, "Validatie niet gelukt.", rejected, "<ok/>"),
        ),
    )
    told = seal.fout(AANLEVER, Fault("wsa:To ontbreekt."))
    broken = seal.fout(STATUSINFORMATIE, Fault("Even geen opslag.", reason=400))
    first, asked = AANLEVER.operations[0], STATUSINFORMATIE.operations[2]
    files = {
        "aanleverResponse-sha1.xml": _answer(taken, first.response_action, "sha1"),
        "aanleverResponse-sha256.xml": _answer(taken, first.response_action, "sha256"),
        "getStatussenProcesResponse.xml": _answer(statuses, asked.response_action, "sha256"),
        "aanleverFault.xml": seal.seal_fault(
            AANLEVER, first, told, message_id=MESSAGE_ID, relates_to=MESSAGE_ID
        ),
        "statusinformatieFault-400.xml": seal.seal_fault(
            STATUSINFORMATIE, asked, broken, message_id="uuid:1", relates_to=None
        ),
    }
    for service in SERVICES.values():
        address = "https://localhost:8443" + service.path
        files[f"{service.name}.wsdl"] = services.wsdl(service, address)
    return files


@pytest.mark.parametrize("name", sorted(golden()))
def test_bytes_are_as_they_were(name: str) -> None:
    assert golden()[name] == (HERE / name).read_bytes()


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for file, content in golden().items():
        (HERE / file).write_bytes(content)
