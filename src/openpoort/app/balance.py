"""Closing the books of a day of a HOME: all of it, then each agency with its list; signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from openpoort.app.agency import folder
from openpoort.app.wiring import open_parts
from openpoort.domain.checkpoint import sign_text
from openpoort.domain.journal import JournalEntry
from openpoort.keys.checkpoint import load_private
from openpoort.operate.balance import Balance, close
from openpoort.sandbox.agency.archive import Receipt, receipts
from openpoort.settings import Settings
from openpoort.store.directory import directory
from openpoort.store.journal import journal
from openpoort.store.messages import balance
from openpoort.store.postgres.pool import Connection

LIST = "ontvangsten.csv"
FORMAT = "openpoort-balance/1"


@dataclass(frozen=True, slots=True)
class Closing:
    """`whole` is None when one agency was asked for; `note` is what was signed."""

    whole: Balance | None
    agencies: tuple[Balance, ...]
    note: str

    @property
    def books(self) -> tuple[Balance, ...]:
        return (self.whole, *self.agencies) if self.whole else self.agencies

    @property
    def differences(self) -> tuple[tuple[str, str], ...]:
        """(kenmerk, what), each once, by kenmerk."""
        return tuple(sorted({(d.kenmerk, d.what) for b in self.books for d in b.differences}))


def close_day(
    settings: Settings, dsn: str, day: date, agency: str | None, files: Mapping[str, Path], by: str
) -> Closing:
    """The balance of `day`. `files` are receipt lists by agency; a demo agency of this HOME has
    its own.

    Raises BadKey, OSError, ValueError for a list that cannot be read, LookupError for an agency
    that is not known.
    """
    key = load_private(settings.path(settings.journal.key))
    with ExitStack() as stack:
        parts = open_parts(settings, dsn, stack, checks=False)
        kinds = parts.house.kinds
        with parts.store.connect() as conn:
            agencies = _agencies(conn, agency)
            lists = {
                name: _of_day(conn, rows, day)
                for name, rows in _lists(settings, agencies, files).items()
            }
        whole = close(parts.store, kinds, day) if agency is None else None
        each = tuple(
            close(parts.store, kinds, day, agency=name, receipts=lists.get(name))
            for name in agencies
        )
        at = datetime.now(UTC)
        lines = [one.canonical().decode() for one in ((whole, *each) if whole else each)]
        text = "\n".join([FORMAT, *lines, f"time {at.isoformat(timespec='microseconds')}"]) + "\n"
        closing = Closing(whole, each, sign_text(settings.journal.origin, text, key))
        data = {
            "day": str(day),
            "note": sha256(closing.note.encode()).hexdigest(),
            "differences": len(closing.differences),
        }
        with parts.store.connect() as conn, conn.transaction():
            journal.add(conn, [JournalEntry("balance.closed", at, by, None, data)])
    return closing


def _agencies(conn: Connection, agency: str | None) -> list[str]:
    known = [one.name for one in directory.load(conn).agencies]
    if agency is None:
        return known
    if agency not in known:
        raise LookupError(f"no agency {agency}; known: {', '.join(known) or 'none'}")
    return [agency]


def _lists(
    settings: Settings, agencies: Sequence[str], files: Mapping[str, Path]
) -> dict[str, list[Receipt]]:
    if unknown := set(files) - set(agencies):
        raise LookupError(f"no agency {sorted(unknown)[0]}")
    found = {}
    for name in agencies:
        path = files.get(name) or folder(settings.home, name) / LIST
        if name in files and not path.is_file():
            raise FileNotFoundError(f"{path} is no file")
        if path.is_file():
            try:
                found[name] = list(receipts(path))
            except (KeyError, TypeError) as exc:
                raise ValueError(f"{path} is no receipt list: {exc}") from None
    return found


def _of_day(conn: Connection, rows: Sequence[Receipt], day: date) -> dict[str, str]:
    """The lines of a list that belong to `day`: accepted then, or received then and unknown."""
    known = balance.days(conn, {row.kenmerk for row in rows})
    return {
        row.kenmerk: row.digest
        for row in rows
        if known.get(row.kenmerk, row.ontvangen.astimezone(UTC).date()) == day
    }
