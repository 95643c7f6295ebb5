"""The sequencer as a thread of a worker: places entries and signs checkpoints on a schedule, and
writes the rows by which messages are found (`store/messages/lookup.py`), which follow the places.

Any number of workers may run one; the lock in `store/journal/sequencer.py` lets one work at a time
and the others come back later. A poll, not a notification: entries may wait, commits may not.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openpoort import telemetry
from openpoort.domain.checkpoint import Checkpoint
from openpoort.domain.event import Event
from openpoort.store.journal import journal, sequencer
from openpoort.store.journal.sequencer import Connection, JournalBroken
from openpoort.store.messages import closed_weeks, lookup
from openpoort.store.postgres.primary import connect

_HOUR = timedelta(hours=1)
_SILENCE = 120.0  # seconds: a backlog, or a whole journal after a restore, takes long to place
_log = telemetry.logger("journal")


def utc_now() -> datetime:
    return datetime.now(UTC)


def keep(copy: Path | None, note: str) -> None:
    """Append a signed checkpoint to the file outside the database, safe from a power cut.

    Half a line that one left there before is closed, so that it spoils no more than itself.
    """
    if copy is None:
        return
    with copy.open("ab+") as file:
        if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
            file.write(b"\n")
        file.write(f"{note}\n".encode())
        file.flush()
        os.fsync(file.fileno())


@dataclass(slots=True)
class Sequencer:
    """`poll` is the pause when nothing waits, `every` the time between checkpoints.

    `copy` is a file outside the database to which each signed checkpoint is appended: who can
    rewrite the database cannot rewrite that file with it.
    """

    dsn: str
    key: Ed25519PrivateKey
    origin: str
    poll: timedelta = timedelta(seconds=1)
    every: timedelta = timedelta(seconds=60)
    copy: Path | None = None
    now: Callable[[], datetime] = utc_now

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; a lost connection is opened again, a broken journal ends it."""
        self._emit("key.loaded", self.mark, "ok", purpose="checkpoints")
        while not stop.is_set():
            try:
                with connect(self.dsn, silence=_SILENCE) as conn:
                    conn.execute("set application_name = 'openpoort sequencer'")
                    self._work(conn, stop)
            except psycopg.Error as exc:
                _log.warning("sequencer_lost_database", error=type(exc).__name__)
                stop.wait(self.poll.total_seconds())
            except OSError as exc:  # the copy: the checkpoint itself is in the database
                _log.error("checkpoint_not_copied", error=exc.strerror)
                stop.wait(self.poll.total_seconds())
            except JournalBroken as exc:
                _log.critical("journal_broken", what=str(exc))
                self._emit("journal.broken", self.origin, "failed", reason=str(exc))
                return

    def _work(self, conn: Connection, stop: threading.Event) -> None:
        due = self.now()
        ahead = due
        while not stop.is_set():
            hourly = self.now() >= ahead
            if hourly:
                journal.ahead(conn, self.now())
                ahead = self.now() + _HOUR
            placed = sequencer.step(conn)
            if placed is not None and placed.again:
                self._told_twice(placed.again)
            if self.now() >= due:
                self.checkpoint(conn)
                due = self.now() + self.every
            looked = lookup.step(conn)  # these two last: the journal waits for nothing else
            if hourly:
                closed_weeks.settle(conn, self.now().astimezone(UTC).date())
            if (placed is None or not placed.more) and (looked is None or not looked.more):
                stop.wait(self.poll.total_seconds())

    def _told_twice(self, count: int) -> None:
        _log.critical("journal_ids_given_out_again", entries=count)
        self._emit("journal.renumbered", self.origin, "failed", entries=count)

    def checkpoint(self, conn: Connection) -> Checkpoint | None:
        """Sign what is placed; None when the last checkpoint covers it. Raises JournalBroken."""
        signed = sequencer.sign(conn, self.key, self.origin, self.now())
        if signed is None:
            return None
        point, note = signed
        keep(self.copy, note)
        self._emit("key.used", self.mark, "ok", purpose="checkpoint", size=point.size)
        return point

    @property
    def mark(self) -> str:
        """Fingerprint of the public key."""
        return sha256(self.key.public_key().public_bytes_raw()).hexdigest()

    def _emit(self, action: str, what: str, result: str, **details: str | int) -> None:
        telemetry.emit(Event(action, what, result, "local", "gateway", self.now(), details))
