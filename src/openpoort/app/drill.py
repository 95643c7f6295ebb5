"""`restore-drill`: back up, restore into a second server, compare, and write down how long it took.

The gateway may go on meanwhile. A table that did not change during the backup must be equal; of
one that did, the journal's leaves up to the restored size must be the same, hash by hash, and
those say what every message was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from openpoort.app.costs import drill as record_file
from openpoort.app.database import server
from openpoort.app.places import places
from openpoort.domain.journal import JournalEntry
from openpoort.settings import Settings
from openpoort.store.journal import journal
from openpoort.store.payloads import payloads
from openpoort.store.payloads.payloads import Places
from openpoort.store.postgres import backups
from openpoort.store.postgres.backups import Contents
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.programs import fitting
from openpoort.store.postgres.scratch import scratch


@dataclass(frozen=True, slots=True)
class Drill:
    """Times in seconds. `rpo_seconds` is None when no entry came to the journal after the backup
    began: nothing could be lost, so nothing was measured. `entries_since_backup` came after it and
    are not in it; `backup_age_seconds` is from its end to the moment of loss. `different` are
    tables that should be equal and are not; `moved` changed while the backup was made; documents
    are those outside the database that the restored rows name, and they are looked for where they
    stand."""

    at: datetime
    backup_seconds: float
    rto_seconds: float
    rpo_seconds: float | None
    backup_age_seconds: float
    entries_since_backup: int
    tables: int
    rows: int
    digest: str
    journal_leaves: int
    moved: list[str]
    different: list[str]
    documents_missing: int

    @property
    def equal(self) -> bool:
        return not self.different and not self.documents_missing

    def record(self) -> dict[str, object]:
        return {
            "at": self.at.isoformat(timespec="seconds"), "equal": self.equal,
            "backup_seconds": round(self.backup_seconds, 3),
            "rto_seconds": round(self.rto_seconds, 3),
            "rpo_seconds": None if self.rpo_seconds is None else round(self.rpo_seconds, 3),
            "backup_age_seconds": round(self.backup_age_seconds, 3),
            "entries_since_backup": self.entries_since_backup,
            "tables": self.tables, "rows": self.rows, "digest": self.digest,
            "journal_leaves": self.journal_leaves, "moved": self.moved,
            "different": self.different, "documents_missing": self.documents_missing,
        }  # fmt: skip


def run(
    settings: Settings, actor: str, programs: Path | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Drill:  # fmt: skip
    """Do it, and leave the record in HOME/measures and in the journal. `programs`: a folder with
    those of the server's version, when they are not where systems put them. `meanwhile` is what
    passes between the backup and the moment of loss: the age of the backup.

    Raises ServerFailed, psycopg.Error, OSError, PayloadUnavailable.
    """
    with (
        server(settings) as dsn,
        psycopg.connect(dsn, autocommit=True) as first,
        scratch("op-drill-") as folder,
    ):
        parts = first.info.get_parameters()
        second = Embedded(
            folder / "restored", role=first.info.user, database=parts.get("dbname", ""), copy=True,
            programs=fitting(backups.major(first), programs),
        )  # fmt: skip
        before = backups.contents(first)
        began = backups.entries(first)
        seconds = backups.back_up(dsn, second.user, folder / "backup", backups.password_of(dsn))
        made = time.monotonic()
        after = backups.contents(first)
        meanwhile()
        lost = backups.entries(first)
        begin = time.monotonic()
        age = begin - made
        try:
            restored = backups.restored(folder / "backup", second, dsn)
            with psycopg.connect(restored, autocommit=True) as conn:
                backups.ready(conn)
                rto = time.monotonic() - begin
                loss = _loss(began, lost, backups.entries(conn))
                timed = (seconds, rto, loss[0], age, loss[1])
                found = _compare(first, conn, before, after, timed, places(settings))
        finally:
            second.stop()
        details = {k: v for k, v in found.record().items() if k not in {"at", "moved"}}
        with first.transaction():
            journal.add(first, [JournalEntry("restore.drilled", found.at, actor, None, details)])
    file = record_file(settings.home)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_text(json.dumps(found.record(), indent=2) + "\n", encoding="utf-8")
    return found


_Entries = tuple[int, datetime | None, datetime]


def _loss(began: _Entries, lost: _Entries, restored: _Entries) -> tuple[float | None, int]:
    """Seconds of entries that are not in the restored journal, and how many they are: from the
    newest that came back, or the beginning of the backup if that is later, to the newest there was.
    """
    count = max(0, lost[0] - restored[0])
    if lost[1] is None or lost[0] == began[0]:
        return None, count
    if not count:
        return 0.0, 0  # entries came while the backup was made, and all of them came back
    since = max(began[2], restored[1] or began[2])
    return max(0.0, (lost[1] - since).total_seconds()), count


def _compare(
    first: backups.Connection, second: backups.Connection, before: Contents, after: Contents,
    timed: tuple[float, float, float | None, float, int], outside: Places,
) -> Drill:  # fmt: skip
    restored = backups.contents(second)
    moved = [t for t in after.tables if before.tables.get(t) != after.tables[t]]
    different = [
        t
        for t in sorted(after.tables.keys() | restored.tables.keys())
        if t not in moved and after.tables.get(t) != restored.tables.get(t)
    ]
    leaves, digest = backups.leaves(second, None)
    if backups.leaves(first, leaves) != (leaves, digest):
        different.append("journal_leaf: not the beginning of the journal it was restored from")
    return Drill(
        datetime.now(UTC), *timed, len(restored.tables), restored.rows,
        restored.digest, leaves, moved, different,
        payloads.missing(second, outside),
    )  # fmt: skip
