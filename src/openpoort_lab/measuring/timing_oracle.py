"""Can a stranger tell by the clock that a kenmerk exists?

`python -m openpoort_lab.measuring.timing_oracle` starts a gateway of its own. A company without
any right asks for statuses and messages over its own connection: of messages of another company,
and of kenmerken that were never given out, in turn and in random order. The refusals read the
same; this compares how long they took. One JSON line, an entry for each operation.
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from openpoort.domain.message import Operatie, Vraag
from openpoort_lab.bench import prepare
from openpoort_lab.bench.gateway import own
from openpoort_lab.bench.measure import Plan, drive, kenmerken
from openpoort_lab.bench.prepare import Order

MESSAGES, ROUNDS = 500, 8
BY_KENMERK = (
    Operatie.STATUSSEN_PROCES, Operatie.NIEUWE_STATUSSEN_PROCES,
    Operatie.BERICHTEN_KENMERK, Operatie.NIEUWE_BERICHTEN_KENMERK,
)  # fmt: skip
_ONE = Plan(callers=1)


def likelihood(left: Sequence[float], right: Sequence[float]) -> tuple[float, float]:
    """How often one of `left` is the larger, of a random pair (0.5: nothing to learn), and how many
    standard deviations of chance that is from 0.5. Mann and Whitney, Ann. Math. Stat. 18 (1947)."""
    ranked = sorted([(value, 0) for value in right] + [(value, 1) for value in left])
    ranks = sum(rank for rank, (_, mine) in enumerate(ranked, 1) if mine)
    n, m = len(left), len(right)
    share = (ranks - n * (n + 1) / 2) / (n * m)
    return share, (share - 0.5) / math.sqrt((n + m + 1) / (12 * n * m))


def compare(there: Sequence[float], absent: Sequence[float]) -> dict[str, Any]:
    """Latencies in seconds of refusals for kenmerken that are there, and that are not."""
    share, deviations = likelihood(there, absent)
    return {
        "asked": len(there) + len(absent),
        "p50_ms_there": round(median(there) * 1000, 3),
        "p50_ms_absent": round(median(absent) * 1000, 3),
        "ratio_p50": round(median(there) / median(absent), 4),
        "share_there_slower": round(share, 4),
        "standard_deviations": round(deviations, 2),
    }


def main() -> None:
    draw = random.Random(1)  # noqa: S311  # an order, not a secret
    with tempfile.TemporaryDirectory() as name, own(Path(name) / "home", "--only", "door") as found:
        order = Order(found.target, "Bench", 2000, found.base)
        theirs = kenmerken(drive(found, prepare.aanleveringen(order, MESSAGES), Plan()).shots)
        assert len(theirs) == MESSAGES
        pki = found.home / "pki"
        stranger = replace(
            found.target,
            certificate=pki / "intermediair.pem",
            key=pki / "intermediair.key",
        )
        record = {}
        for operatie in BY_KENMERK:
            asked = [(k, True) for k in theirs * ROUNDS]
            asked += [(str(uuid.UUID(int=draw.getrandbits(128), version=4)), False) for _ in asked]
            draw.shuffle(asked)
            questions = [
                Vraag(operatie, kenmerk=k, autorisatie_adres="http://geenausp.nl") for k, _ in asked
            ]
            requests = prepare.vragen(replace(order, target=stranger), questions)
            shots = drive(replace(found, target=stranger), requests, _ONE).shots
            assert {shot.status for shot in shots} == {500}
            took = {True: list[float](), False: list[float]()}
            for (_, there), shot in zip(asked, shots, strict=True):
                took[there].append(shot.latency)
            record[operatie.value] = compare(took[True], took[False])
    sys.stdout.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
