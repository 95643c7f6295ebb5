"""The background round that keeps evidence of revocation fresh; one process at a time does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import urllib3

from openpoort.keys.fetch import FetchFailed, Source, due, fetch, sources
from openpoort.store.directory import revocation
from openpoort.store.postgres.primary import connect
from openpoort.trust.anchors import Anchors

_LOCK = 0x6F70_7265_766F  # "oprevo": the advisory lock of this round


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. `problems`: (address, what went wrong)."""

    asked: int = 0
    fetched: int = 0
    problems: tuple[tuple[str, str], ...] = ()


def refresh(
    dsn: str, anchors: Anchors, pool: urllib3.PoolManager, at: datetime, *, force: bool = False
) -> Round:
    """Fetch what is due about every certificate seen lately; `force` asks for all of it.

    Each answer is committed by itself, so that one slow responder holds up nothing that is done.
    Returns an empty round when another process is at it.
    """
    with connect(dsn) as conn:
        row = conn.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if row is None or not row[0]:
            return Round()
        have = revocation.kept(conn)
        fetched = 0
        problems: list[tuple[str, str]] = []
        asked = [
            s for s in sources(revocation.seen(conn, at), anchors) if force or _due(s, have, at)
        ]
        for source in asked:
            try:
                found = fetch(source, pool)
            except FetchFailed as no:
                problems.append((source.url, str(no)))
                revocation.failed(conn, source, str(no), at)
                continue
            with conn.transaction():
                fetched += revocation.put(conn, source, found, at)
        return Round(len(asked), fetched, tuple(problems))


def _due(source: Source, have: dict[tuple[str, str], revocation.Kept], at: datetime) -> bool:
    kept = have.get((source.url, source.subject))
    return due(kept.found if kept else None, kept.tried_at if kept else None, at)
