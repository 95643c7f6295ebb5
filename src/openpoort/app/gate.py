"""The gate of this process: built from HOME, kept up to date, and what it notices written down.

`Gate.follow` is called every second with an open connection (`app/snapshot.py`); `Refresher`
runs in one worker and brings evidence in. The request path itself touches neither.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from openpoort import telemetry
from openpoort.app.revocations import Round, refresh
from openpoort.domain.event import FAILED, Event
from openpoort.domain.party import Directory
from openpoort.keys import anchors
from openpoort.keys.fetch import pool
from openpoort.settings import Settings
from openpoort.store.directory import revocation
from openpoort.store.directory.revocation import Observed
from openpoort.trust.anchors import Anchors
from openpoort.trust.sender import Gatekeeper
from openpoort.trust.verdicts import Verdicts

_log = telemetry.logger("app.gate")


@dataclass(slots=True)
class Gate:
    """`keeper` judges; its grounds are replaced whole whenever something they rest on changed.
    `trusted` hears of a changed trust store, for the handshakes."""

    path: Path
    keeper: Gatekeeper
    observed: Observed
    trusted: Callable[[Anchors], None] = lambda _: None
    _content: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Gate:
        """Raises BadTrustStore."""
        path = settings.path(settings.tls.trust)
        content = anchors.content(path)  # first: at worst the same is read once more
        observed = Observed()
        keeper = Gatekeeper(
            anchors.load_grounds(path),
            noticed=observed.algorithms,
            verdicts=Verdicts(seen=observed.certificate),
        )
        return cls(path, keeper, observed, _content=content)

    def know(self, directory: Directory) -> None:
        """A new directory, with its exceptions per party."""
        self.keeper.grounds = replace(self.keeper.grounds, directory=directory)

    def follow(self, conn: psycopg.Connection[Any]) -> None:
        """Take over new evidence and a changed trust store; write down what was noticed."""
        self.observed.flush(conn)
        if revocation.version(conn) != self.keeper.grounds.evidence.version:
            self.keeper.grounds = replace(self.keeper.grounds, evidence=revocation.load(conn))
            _log.info("evidence changed", version=self.keeper.grounds.evidence.version)
        self._reread()

    def _reread(self) -> None:
        """A trust store that cannot be read changes nothing: the one in force stays."""
        content = anchors.content(self.path)
        if content == self._content:
            return
        self._content = content
        try:
            new = anchors.load_grounds(self.path)
        except anchors.BadTrustStore as bad:
            _log.error("trust store unusable", problem=str(bad))
            return
        now = self.keeper.grounds
        self.keeper.grounds = replace(now, anchors=new.anchors, policy=new.policy, modes=new.modes)
        self.trusted(new.anchors)
        _log.info("trust store changed", version=new.anchors.version[:12])


@dataclass(slots=True)
class Refresher:
    """Rounds of fetching evidence, in a thread of a worker."""

    dsn: str
    trust: Path
    now: Callable[[], datetime]
    every: float = 60.0
    _told: dict[str, str] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. What goes wrong is told and tried again next time."""
        with pool() as connections:
            while not stop.is_set():
                try:
                    known = anchors.load(self.trust)
                    self._tell(refresh(self.dsn, known, connections, self.now()))
                except (psycopg.Error, anchors.BadTrustStore) as wrong:
                    _log.warning("no round of evidence", problem=type(wrong).__name__)
                stop.wait(self.every)

    def _tell(self, done: Round) -> None:
        for source, problem in done.problems:
            if self._told.get(source) != problem:
                self._told[source] = problem
                telemetry.emit(
                    Event(
                        "revocation.stale",
                        source,
                        FAILED,
                        "local",
                        "gateway",
                        self.now(),
                        {"reason": problem},
                    )
                )
        if done.fetched:
            _log.info("evidence fetched", asked=done.asked, fetched=done.fetched)
