"""The background round that has the newest checkpoint time-stamped; one node at a time does it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from openpoort import telemetry
from openpoort.domain.event import FAILED, OK, Event
from openpoort.keys.timestamp import SECONDS, Tsa, ask, load_anchors
from openpoort.settings import Settings
from openpoort.store.journal import timestamps
from openpoort.store.journal.timestamps import Kept
from openpoort.store.postgres.primary import connect
from openpoort.trust.timestamp import Asked, BadStamp, judge, plausible

POLL = 5.0
_log = telemetry.logger("timestamps")


def tsa(settings: Settings) -> Tsa | None:
    """The TSA of a HOME; None when none is configured. Raises BadAnchors, OSError."""
    chosen = settings.tsa
    if not chosen.url:
        return None
    return Tsa(chosen.url, load_anchors(settings.path(chosen.anchors)), chosen.policy)


@dataclass(slots=True)
class Stamper:
    """Rounds of asking, in a thread of a worker. `pause` is the least time between two."""

    dsn: str
    tsa: Tsa
    now: Callable[[], datetime]
    pause: timedelta
    seconds: float = SECONDS

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. A TSA that is down is asked again; checkpoints stand without it."""
        while not stop.is_set():
            try:
                self.round()
            except psycopg.Error as wrong:
                _log.warning("no_round_of_timestamps", problem=type(wrong).__name__)
            stop.wait(POLL)

    def round(self) -> Kept | None:
        """Ask once if a checkpoint is due; what was kept. Another node at it: nothing."""
        with (
            connect(self.dsn) as conn,
            timestamps.alone(conn) as mine,
        ):
            point = timestamps.due(conn, self.now(), self.pause) if mine else None
            if point is None:
                return None
            asked = Asked(point.note.encode(), secrets.randbits(64), self.tsa.policy)
            try:
                token = ask(self.tsa.url, asked, self.seconds)
                stamp = judge(token, asked, self.tsa.anchors)
                plausible(stamp, self.now())
            except BadStamp as wrong:
                if timestamps.failed(conn, str(wrong), self.now()):
                    self._emit(FAILED, str(wrong))
                return None
            kept = Kept(point.note, stamp.at, asked.nonce, token)
            if timestamps.put(conn, point, kept, self.now()):
                self._emit(OK, "time-stamps come again")
            return kept

    def _emit(self, result: str, reason: str) -> None:
        telemetry.emit(
            Event(
                "timestamp.missing", self.tsa.url, result, "local", "gateway", self.now(),
                {"reason": reason},
            )
        )  # fmt: skip
