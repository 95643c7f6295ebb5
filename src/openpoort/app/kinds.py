"""The kinds of an installation, held against what is installed in it."""

from __future__ import annotations

from pathlib import Path

from openpoort.app import starting
from openpoort.app.database import database
from openpoort.checks import plain, suite
from openpoort.checks.taxonomies.registry import Registry
from openpoort.domain.party import Directory
from openpoort.process.flow import kinds
from openpoort.process.flow.installed import Installed, judge
from openpoort.process.flow.kinds import KindError
from openpoort.process.flow.scan import scanned
from openpoort.settings import Settings
from openpoort.telemetry import logger

_log = logger("app.kinds")


def refuse_unable(settings: Settings, dsn: str) -> None:
    """Raises KindError for a kind of HOME/kinds that cannot work here. Of shipped kinds, which an
    installation has whether it wants them or not, a line in the log tells."""
    installed = _installed(settings, starting.known_directory(settings, dsn))
    own = kinds.files(settings.home / "kinds")
    unable = []
    for name, kind in kinds.load(settings.home / "kinds").items():
        lacks = judge(kind, installed)
        if lacks and name in own:
            raise KindError(own[name], lacks[0].key, lacks[0].what)
        unable += [name] if lacks else []
    if unable:
        _log.info("shipped kinds that cannot work here", kinds=sorted(unable))


def judge_file(settings: Settings, file: Path) -> list[KindError]:
    """Everything that is wrong with one file. Raises ServerFailed, psycopg.Error, OSError."""
    try:
        kind = kinds.read(file)
        others = kinds.load(settings.home / "kinds")
        kinds.targets(file, kind, {*others, kind.berichtsoort})
        scanned({kind.berichtsoort: kind}, on=bool(settings.malware.socket))
    except KindError as wrong:
        return [wrong]
    return [KindError(file, x.key, x.what) for x in judge(kind, _for(settings))]


def _for(settings: Settings) -> Installed:
    with database(settings) as dsn:
        return _installed(settings, starting.known_directory(settings, dsn))


def _installed(settings: Settings, known: Directory) -> Installed:
    registry = Registry(settings.home)
    return Installed(
        checks=suite.names(malware=bool(settings.malware.socket)),
        by_taxonomy=suite.BY_TAXONOMY,
        agencies={agency.name: agency.channel for agency in known.agencies},
        channels=("wus",),
        entry_points=registry.entries(),
        mapped=registry.entries_of,
        schema=lambda name: plain.unusable(name, settings.home),
    )
