"""What must hold after every crash, judged from the gateway's tables and the agency's shelf."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from openpoort.devkit.archive import receipts
from openpoort.store import consistency

HISTORY = ("105", "100", "110", "200", "301", "405", "400", "500")
"""Statuses of the kind Bench, each once; 420 may stand between 405 and 400."""

LOST = "acknowledged and lost"


def unbalanced(home: Path) -> list[str]:
    """What `openpoort balance` finds wrong with today, the agency's own list included."""
    today = datetime.now(UTC).date().isoformat()
    words = [sys.executable, "-m", "openpoort", "balance", str(home), today, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        return [f"the books could not be closed: {done.stderr.strip()[-500:]}"]
    found = json.loads(done.stdout.splitlines()[-1])
    return [f"{d['kenmerk']}: {d['what']}" for d in found["differences"]]


def contradictions(dsn: str, home: Path, kenmerken: Sequence[str]) -> list[str]:
    """Sentences, none when all is well: one for each promise that is broken."""
    found = [*unbalanced(home), *consistency.contradictions(dsn)]
    doubles = [k for k, n in Counter(kenmerken).items() if n > 1]
    found += [f"{k}: one kenmerk given to two messages" for k in doubles]
    histories = consistency.histories(dsn, kenmerken)
    for kenmerk in kenmerken:
        codes = histories.get(kenmerk)
        if codes is None:
            found.append(f"{kenmerk}: {LOST}")
        elif tuple(c for c in codes if c != "420") != HISTORY:
            found.append(f"{kenmerk}: history {' '.join(codes)}")
    shelf = Counter(r.kenmerk for r in receipts(home / "agency" / "demodienst" / "ontvangsten.csv"))
    for kenmerk in kenmerken:
        if shelf[kenmerk] != 1:
            found.append(f"{kenmerk}: the agency holds it {shelf[kenmerk]} times")
    strangers = [k for k in shelf if k not in histories and k not in set(kenmerken)]
    found += [
        f"{k}: the agency holds it, the gateway does not know it"
        for k in strangers
        if not consistency.histories(dsn, [k])
    ]
    return found
