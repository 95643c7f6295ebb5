"""The journal of a HOME: its sequencer, its keys, its exporter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from openpoort.app.places import places
from openpoort.domain.seal import Seal, sealer
from openpoort.evidence.export import Exporter
from openpoort.keys.checkpoint import load_private
from openpoort.settings import Settings
from openpoort.store.sequencing import Sequencer, utc_now


def sequencer(settings: Settings, dsn: str, now: Callable[[], datetime] = utc_now) -> Sequencer:
    """For a worker: run it in a thread with `run(stop)`. Raises BadKey, OSError."""
    chosen = settings.journal
    return Sequencer(
        dsn,
        load_private(settings.path(chosen.key)),
        chosen.origin,
        every=timedelta(seconds=chosen.checkpoint_seconds),
        copy=copy(settings),
        now=now,
    )


def exporter(settings: Settings) -> Exporter:
    """Raises BadKey, OSError, PlaceError."""
    key = load_private(settings.path(settings.journal.key))
    return Exporter(key, settings.journal.origin, utc_now, places(settings), copy=copy(settings))


def seal(settings: Settings) -> Seal:
    """What seals an act of an operator, with the checkpoint key. Raises BadKey, OSError."""
    return sealer(load_private(settings.path(settings.journal.key)))


def copy(settings: Settings) -> Path | None:
    """The file outside the database that gets every checkpoint."""
    return settings.path(settings.journal.copy) if settings.journal.copy else None
