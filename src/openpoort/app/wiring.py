"""What doors and workers share of the process: kinds, checks, store, places of documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from openpoort.app.places import places
from openpoort.checks.split import split
from openpoort.checks.suite import open_suite
from openpoort.domain.kind import Kind
from openpoort.domain.party import Directory
from openpoort.process.flow import kinds
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.context import House
from openpoort.process.flow.crashpoints import crash_point
from openpoort.process.flow.scan import scanned
from openpoort.process.intake import Intake
from openpoort.process.reading.reader import Reader
from openpoort.settings import Settings
from openpoort.store.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """Closed in reverse order by the stack that `open_parts` was given."""

    store: Store
    house: House


def known_kinds(settings: Settings) -> Mapping[str, Kind]:
    """The kinds of this installation, scanned for malware where that is on. Raises KindError."""
    return scanned(kinds.load(settings.home / "kinds"), on=bool(settings.malware.socket))


def open_parts(settings: Settings, dsn: str, stack: ExitStack, *, checks: bool) -> Parts:
    """`checks` False leaves the checkers out: a door never runs one. Raises
    KindError, PlaceError."""
    store = Store(dsn, outside=places(settings), crash_point=crash_point)
    stack.callback(store.close)
    found = known_kinds(settings)
    ask = bool(settings.ausp.url or settings.ausp.directory)
    if not checks:
        return Parts(store, House(found, {}, ask))
    from openpoort.app.attempts import judged  # metrics: only where a process runs

    scanner = settings.malware.socket
    suite = open_suite(
        settings.home,
        clamd=settings.path(scanner) if scanner else None,
        index=settings.checks.index,
    )
    suite.routes.heard = judged
    stack.callback(suite.close)
    return Parts(store, House(found, suite.checks, ask, split=split))


def open_front(
    settings: Settings,
    dsn: str,
    clock: Clock,
    directory: Callable[[], Directory],
    stack: ExitStack,
) -> tuple[Intake, Reader]:
    """What a door calls."""
    parts = open_parts(settings, dsn, stack, checks=False)
    switches = settings.switches.aansluit_suite
    intake = Intake(parts.store, parts.house, directory, clock, switches=switches)
    stack.callback(intake.close)
    reader = Reader(parts.store, parts.house, directory, clock, switches=switches)
    stack.callback(reader.close)
    return intake, reader
