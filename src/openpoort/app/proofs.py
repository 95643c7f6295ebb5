"""Measures that rest on records: those that the release carries, and those of drills in HOME.

A record that is older than a year proves nothing any more; what no record shows is left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from openpoort.app.costs import drill as restore_drill
from openpoort.records import record, support
from openpoort.settings import Settings

POSTGRES = "PostgreSQL 18"
"""The embedded server; a server from outside is its operator's to look up."""
_AGE = timedelta(days=365)
_LOOKED_UP = timedelta(days=180)
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """One measure, as `openpoort measures` publishes it; `at` is the day of its oldest record."""

    name: str
    value: str
    unit: str
    at: datetime
    source: str


def failover_drill(home: Path) -> Path:
    """Where `failover-drill --record HOME` leaves its outcome."""
    return home / "measures" / "failover-drill.json"


def closing(home: Path) -> Path:
    """Where `balance` leaves the outcome of the last day that it closed."""
    return home / "measures" / "balance.json"


def note(file: Path, what: Record) -> None:
    """Leave a record in HOME/measures. Raises OSError."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_text(json.dumps(what, indent=2) + "\n", encoding="utf-8")


def carried(now: datetime) -> Iterator[Proof]:
    """From the records of the release."""
    yield from _share("clients", "clients_unchanged", "clients of other makers", ("skipped",))
    yield from _share("controls", "security_checks_passed", "rows of the controls")
    yield from _share("frameworks", "frameworks_passed", "clauses of frameworks")
    if found := record("new-kind"):
        done = found["result"]
        yield Proof(
            "new_kind_lead_time", f"{done['lead_seconds'] / 86400:.5f}", "days",
            _day(found["day"]),
            f"{done['kind']}: {done['lead_seconds']} s from the first line of its kind file to its"
            " first message delivered to a demo agency; agreements with an agency not in it",
        )  # fmt: skip
    yield from _support(now)


def of_home(settings: Settings, now: datetime) -> Iterator[Proof]:
    """From the records of drills in HOME. Raises ValueError for one that cannot be read."""
    home = settings.home
    restored = _fresh(_read(restore_drill(home)), now)
    failed_over = _fresh(_read(failover_drill(home)), now)
    done = {
        "restore drill": restored if restored and restored["equal"] else None,
        "failover drill": failed_over if failed_over and failed_over["holds"] else None,
    }
    at = [_moment(r) for r in done.values() if r]
    names = ", ".join(name for name, r in done.items() if r) or "none"
    yield Proof("drills_done", str(len(at)), "count", min(at, default=now), f"drills: {names}")
    yield _continuity(settings, now, done)


def _continuity(settings: Settings, now: datetime, done: Mapping[str, Record | None]) -> Proof:
    """The controls of criterion 16 in weeg's model, each with what proves it here."""
    restored, failed_over = done["restore drill"], done["failover drill"]
    struck = record("chaos")
    held = struck and struck["result"]["broken"] == 0 and struck["result"]["acknowledged"] > 0
    closed = _fresh(_read(closing(settings.home)), now)
    proofs: dict[str, Record | None] = {
        "commit-before-answer": _fresh({"at": f"{struck['day']}T00:00:00+00:00"}, now)
        if held else None,
        "backup": restored,
        "restore-drill": restored,
        "failover-drill": failed_over,
        "recovery-as-promised": restored if restored and _as_promised(settings, restored) else None,
        "closing-of-a-day": closed if closed and closed["holds"] else None,
        "move-and-way-back": None,  # nothing does this yet
    }  # fmt: skip
    proven = [name for name, r in proofs.items() if r]
    missing = [name for name, r in proofs.items() if not r]
    at = min((_moment(r) for r in proofs.values() if r), default=now)
    source = f"proven: {', '.join(proven) or 'none'}; not: {', '.join(missing) or 'none'}"
    share = f"{100 * len(proven) / len(proofs):.2f}"
    return Proof("continuity_controls_proven", share, "%", at, source)


def _as_promised(settings: Settings, restored: Record) -> bool:
    """Whether the last restore kept to `[promised]`; without a promise nothing can be kept."""
    promised = settings.promised
    if not (promised.rto_minutes and promised.rpo_minutes):
        return False
    rpo = restored["rpo_seconds"]
    return bool(
        restored["rto_seconds"] <= 60 * promised.rto_minutes
        and rpo is not None
        and rpo <= 60 * promised.rpo_minutes
    )


def _share(name: str, measure: str, what: str, untried: tuple[str, ...] = ()) -> Iterator[Proof]:
    found = record(name)
    if not found:
        return
    rows = found["result"]
    tried = {row: outcome for row, outcome in rows.items() if outcome not in untried}
    if not tried:
        return
    passed = list(tried.values()).count("passed")
    left = [row for row in rows if row not in tried]
    source = f"{passed} of {len(tried)} {what} passed ({found['command']})"
    source += f"; not tried: {', '.join(left)}" if left else ""
    yield Proof(measure, f"{100 * passed / len(tried):.2f}", "%", _day(found["day"]), source)


def _support(now: datetime) -> Iterator[Proof]:
    """Only while every day was looked up lately; a part without a day gives no number."""
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    rows = [row for row in support() if row["part"] in (python, POSTGRES)]
    if len(rows) < 2 or any(now.date() - row["looked_up"] > _LOOKED_UP for row in rows):
        return
    past = [row["part"] for row in rows if row["until"] < now.date()]
    told = ", ".join(f"{row['part']} until {row['until']}" for row in rows)
    oldest: date = min(row["looked_up"] for row in rows)
    source = f"{told}; parts whose makers publish no last day are not counted"
    yield Proof("dependencies_out_of_support", str(len(past)), "count", _day(oldest.isoformat()),
                source)  # fmt: skip


def _read(file: Path) -> Record | None:
    try:
        found: Record = json.loads(file.read_text(encoding="utf-8"))
        _moment(found)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise ValueError(f"cannot read {file}: {wrong}") from None
    return found


def _fresh(found: Record | None, now: datetime) -> Record | None:
    return found if found and now - _moment(found) <= _AGE else None


def _moment(found: Record) -> datetime:
    return datetime.fromisoformat(found["at"])


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
