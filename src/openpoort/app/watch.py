"""The background round in which a worker proves a slice of the database, as an operator proves all.

`journal verify` takes minutes on a large database and is run now and then; this takes a fraction
of a second every few minutes, so that who changes a row has to do so unseen for as long as the row
can be drawn. One node at a time does it. A difference is told once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from openpoort import telemetry
from openpoort.domain.crash import said
from openpoort.domain.event import FAILED, Event
from openpoort.store.journal.audit import Problem
from openpoort.store.postgres.primary import connect
from openpoort.store.proof import proving

SECONDS = 300.0
SLICE = 200
"""Messages of the newest, and as many drawn by chance."""
_TOLD = 20  # events per round; the rest is for `journal verify`
_log = telemetry.logger("watch")


@dataclass(slots=True)
class Watch:
    """Rounds in a thread of a worker. `key` is the public checkpoint key."""

    dsn: str
    key: Ed25519PublicKey
    now: Callable[[], datetime]
    every: float = SECONDS
    version: int = 0
    _told: set[Problem] = field(default_factory=set)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. A database that is away is asked again in the next round."""
        while not stop.wait(self.every):
            try:
                self.round()
            except Exception as wrong:  # noqa: BLE001  # what stops one round stops not all
                _log.warning("no_round_of_proving", problem=said(wrong))

    def round(self) -> list[Problem]:
        """Prove a slice; the differences that were not told before. None while another does."""
        with connect(self.dsn) as conn:
            found, version = proving.prove_slice(
                conn, self.key, self.now().astimezone(UTC).date(), SLICE, self.version
            )
        self.version = max(self.version, version)
        new = [one for one in found if one not in self._told]
        for one in new[:_TOLD]:
            self._told.add(one)
            details: dict[str, str | int] = {"reason": one.text, "difference": one.what}
            telemetry.emit(
                Event("journal.differs", one.where, FAILED, "local", "gateway", self.now(), details)
            )
        return new
