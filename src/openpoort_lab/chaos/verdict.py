"""What must hold after every crash: judged from the gateway's tables, the closing balance, the
agency's shelf, and what the company was told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openpoort.sandbox.agency.archive import receipts
from openpoort.store.messages import consistency
from openpoort_lab.chaos.sender import Company

HISTORY = ("105", "100", "110", "200", "301", "405", "400", "500")
"""Statuses of the kind Bench, each once; 420 may stand between 405 and 400."""
_OVERDUE = timedelta(seconds=5)

LOST = "acknowledged and lost"


def unbalanced(home: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    """What `openpoort balance` finds wrong with today (and with yesterday just after midnight),
    the agency's own list included."""
    now = datetime.now(UTC)
    found = []
    for day in sorted({now.date(), (now - timedelta(minutes=30)).date()}):
        words = [sys.executable, "-m", "openpoort", "balance", str(home), str(day), "--json"]
        done = subprocess.run(
            words, capture_output=True, text=True, check=False,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
        if done.returncode not in (0, 1):
            return [f"the books could not be closed: {done.stderr.strip()[-500:]}"]
        record = json.loads(done.stdout.splitlines()[-1])
        found += [f"{d['kenmerk']}: {d['what']}" for d in record["differences"]]
    return found


def stuck(dsn: str, kenmerken: Sequence[str]) -> tuple[list[tuple[str, datetime]], list[str]]:
    """Those that have not ended, with the time of their next step; and a sentence for each whose
    time has come and whom nobody serves."""
    late = datetime.now(UTC) - _OVERDUE
    rows = consistency.waiting(dsn, kenmerken)
    return rows, [
        f"{kenmerk}: due since {due:%H:%M:%S} and nobody does it"
        for kenmerk, due in rows
        if due < late
    ]


def whole(
    dsn: str,
    home: Path,
    kenmerken: Sequence[str],
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """Sentences, none when all is well: one for each promise about acknowledged messages that is
    broken in the books, in the tables or on the agency's shelf."""
    return [
        *unbalanced(home, environment),
        *consistency.contradictions(dsn),
        *_whole(consistency.histories(dsn, kenmerken), kenmerken),
        *_on_the_shelf(dsn, home, kenmerken),
    ]


def fair(dsn: str, company: Company) -> list[str]:
    """The same for what the company was answered: one kenmerk for each request, and each status
    as new at least once (a second time only where an answer did not arrive)."""
    return [*_one_each(company), *_told(consistency.histories(dsn, list(company.heard)), company)]


def _one_each(company: Company) -> Iterator[str]:
    for known in company.kenmerken.values():
        if len(known) > 1:
            yield f"one request, {len(known)} kenmerken: {' '.join(sorted(known))}"
    for kenmerk, n in Counter(company.acknowledged).items():
        if n > 1:
            yield f"{kenmerk}: one kenmerk given to {n} messages"


def _whole(histories: Mapping[str, Sequence[str]], kenmerken: Sequence[str]) -> Iterator[str]:
    """Whole, or as far as it came: who has not ended is judged by the balance."""
    for kenmerk in kenmerken:
        codes = histories.get(kenmerk)
        if codes is None:
            yield f"{kenmerk}: {LOST}"
            continue
        steps = tuple(c for c in codes if c != "420")
        ended = codes[-1] == HISTORY[-1]
        if steps != HISTORY[: len(steps)] or (len(steps) == len(HISTORY)) != ended:
            yield f"{kenmerk}: history {' '.join(codes)}"


def _on_the_shelf(dsn: str, home: Path, kenmerken: Sequence[str]) -> Iterator[str]:
    shelf = Counter(r.kenmerk for r in receipts(home / "agency" / "demodienst" / "ontvangsten.csv"))
    open_ones = {k for k, _ in consistency.waiting(dsn, kenmerken)}
    for kenmerk in kenmerken:
        if shelf[kenmerk] != 1 and not (kenmerk in open_ones and shelf[kenmerk] == 0):
            yield f"{kenmerk}: the agency holds it {shelf[kenmerk]} times"
    known = consistency.histories(dsn, list(shelf))
    for kenmerk in shelf:
        if kenmerk not in known:
            yield f"{kenmerk}: the agency holds it, the gateway does not know it"


def _told(histories: Mapping[str, Sequence[str]], company: Company) -> Iterator[str]:
    for kenmerk in company.heard:
        codes, told = histories.get(kenmerk, ()), company.told[kenmerk]
        if set(told) != set(codes):
            yield f"{kenmerk}: has {' '.join(codes)}, told as new {' '.join(told)}"
