"""Showing the statuses of a process, once or while they come in."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from openpoort.domain.status import FINAL, Status
from openpoort.outbound.http import NoAnswer

_POLL = 0.4
_QUIET = 10.0
"""Seconds after 400 without anything new before it counts as the end of a kind."""
_PATIENCE = 30.0
"""Seconds without any answer before following is given up."""
GOOD = frozenset({"400", "500"})


def final(status: Status) -> bool:
    """Nothing follows: a final code, or any code that carries a fault (AFS600 with 420)."""
    return status.statuscode in FINAL or status.fout is not None


def wide() -> Console:
    """For tables: the terminal's width, and enough for a line per status elsewhere."""
    console = Console()
    return console if console.is_terminal else Console(width=160)


def table(statuses: Sequence[Status], title: str = "", *, details: bool = True) -> Table:
    """A row per status; `details` False leaves faults and receipts out."""
    made = Table(title=title or None, title_justify="left")
    made.add_column("time (UTC)", no_wrap=True)
    made.add_column("status", no_wrap=True)
    made.add_column("omschrijving", overflow="fold", min_width=20)
    if details:
        made.add_column("fout / details", overflow="fold", min_width=20)
    for status in statuses:
        moment = status.tijdstempel.strftime("%m-%d %H:%M:%S.%f")[:-3]
        cells = [moment, status.statuscode, status.omschrijving]
        made.add_row(*cells, *([_detail(status)] if details else []))
    return made


def _detail(status: Status) -> str:
    if status.fout is not None:
        return f"{status.fout.foutcode} {status.fout.foutbeschrijving}"[:400]
    return (status.details or "")[:200]


def as_dict(status: Status) -> dict[str, object]:
    return {
        "statuscode": status.statuscode,
        "tijdstempelStatus": status.tijdstempel.isoformat(),
        "statusomschrijving": status.omschrijving,
        "statusFoutcode": status.fout.foutcode if status.fout else None,
        "foutbeschrijving": status.fout.foutbeschrijving if status.fout else None,
        "statusdetails": status.details,
    }


def follow(
    ask: Callable[[], tuple[Status, ...]],
    console: Console,
    *,
    ends_at_400: bool | None = None,
    show: bool = True,
) -> tuple[Status, ...]:
    """Ask until the end is there, showing each status as it comes.

    `ends_at_400` says whether the kind ends there; None: it does when nothing comes after it
    for ten seconds. On Ctrl-C what is known is returned.
    """
    known: tuple[Status, ...] = ()
    changed = time.monotonic()
    screen = _Screen(console, show)
    with screen.open(), contextlib.suppress(KeyboardInterrupt):
        while True:
            now = _patiently(ask)
            if len(now) > len(known):
                screen.show(now, len(known))
                known, changed = now, time.monotonic()
            if known and (final(known[-1]) or _over(known[-1], ends_at_400, changed)):
                break
            time.sleep(_POLL)
    return known


def _patiently(ask: Callable[[], tuple[Status, ...]]) -> tuple[Status, ...]:
    """A gateway that starts again is no reason to stop following. Raises NoAnswer in the end."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return ask()
        except NoAnswer:
            if time.monotonic() > until:
                raise
            time.sleep(_POLL)


def _over(last: Status, ends_at_400: bool | None, changed: float) -> bool:
    if last.statuscode != "400":
        return False
    return time.monotonic() - changed > _QUIET if ends_at_400 is None else ends_at_400


class _Screen:
    """A live table on a terminal, a line per status elsewhere."""

    def __init__(self, console: Console, show: bool) -> None:
        self._console = console
        self._show = show
        self._live: Live | None = None

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        if not (self._show and self._console.is_terminal):
            yield
            return
        with Live(console=self._console, refresh_per_second=8) as live:
            self._live = live
            yield

    def show(self, statuses: Sequence[Status], old: int) -> None:
        if not self._show:
            return
        if self._live is not None:
            self._live.update(table(statuses))
            return
        for status in statuses[old:]:
            moment = status.tijdstempel.strftime("%H:%M:%S.%f")[:-3]
            text = f"{moment} {status.statuscode} {status.omschrijving} {_detail(status)}"
            self._console.print(text.rstrip(), highlight=False, markup=False, soft_wrap=True)
