"""What judging the sender costs beside verifying the signature alone.

`python -m openpoort_lab.measuring.trustcost` prints microseconds per message, the best of five
rounds.
"""

from __future__ import annotations

import json
import sys
import tempfile
import timeit
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from openpoort.domain.ids import Oin
from openpoort.domain.message import Aanlevering, Document
from openpoort.keys.anchors import load_grounds
from openpoort.keys.pem import PemSigner
from openpoort.sandbox import pki
from openpoort.sandbox.directory import CLIENTS, identities, starting
from openpoort.trust.sender import Gatekeeper
from openpoort.trust.verdicts import Verdicts
from openpoort.wire.wus import koppelvlak, seal
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.wus.soap import open_signed


def measure(folder: Path, hash_name: str) -> dict[str, float]:
    """Microseconds: `verify` (signature alone), `admit` (certificates and algorithms),
    `may_send` (through a chain of mandates), `first` (a sender never seen); and the ratio."""
    signer = PemSigner(folder / "intermediair.pem", folder / "intermediair.key")
    keeper = Gatekeeper(replace(load_grounds(folder / "trust.toml"), directory=starting()))
    who, at = identities(*CLIENTS[1])[0], datetime.now(UTC)
    filing = Aanlevering(
        "Omzetbelasting", who, "Intermediair", Document("application/xml", "a.xbrl", b"x" * 6000)
    )
    raw = seal.seal_request(
        koppelvlak.write(filing),
        to="https://localhost/wus/2.0/aanleverservice/1.2",
        action=AANLEVER.operations[0].action,
        message_id="urn:uuid:1",
        created=at,
        signer=signer,
        hash_name=hash_name,
    )
    message, oin = open_signed(raw), Oin(pki.OINS["intermediair"])

    def first() -> None:
        keeper.verdicts = Verdicts()
        keeper.admit(message, signer.certificate, at)

    cost = {
        "verify": _best(lambda: open_signed(raw), 300),
        "first": _best(first, 20),
        "admit": _best(lambda: keeper.admit(message, signer.certificate, at), 5000),
        "may_send": _best(
            lambda: keeper.grounds.directory.may_send(
                oin, "Omzetbelasting", who, "Intermediair", at
            ),
            5000,
        ),
    }
    cost["ratio"] = (cost["verify"] + cost["admit"] + cost["may_send"]) / cost["verify"]
    return cost


def _best(work: Callable[[], object], times: int) -> float:
    return min(timeit.repeat(work, number=times, repeat=5)) / times * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pki.create(folder)
        for hash_name in ("sha1", "sha256"):
            cost = {k: round(v, 3) for k, v in measure(folder, hash_name).items()}
            sys.stdout.write(json.dumps({"hash": hash_name, **cost}) + "\n")


if __name__ == "__main__":
    main()
