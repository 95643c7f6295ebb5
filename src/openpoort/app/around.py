"""What the gateway in HOME would know of a request, for its diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from openpoort.app.database import server
from openpoort.app.door import bases, served_by
from openpoort.app.home import DIRECTORY
from openpoort.app.wiring import known_kinds
from openpoort.client.diagnose import Surroundings
from openpoort.domain import partyfile
from openpoort.domain.party import Directory
from openpoort.keys import anchors
from openpoort.settings import Settings
from openpoort.store.directory import directory, revocation
from openpoort.store.postgres.primary import connect
from openpoort.trust.revocation import Evidence


def around(
    settings: Settings, hosts: Sequence[str] = ()
) -> Callable[[datetime, int | None], Surroundings]:
    """Makes the surroundings of one request: the moment, and the port it came in by (None: that
    of the gateway). `hosts` are base addresses beside the gateway's own.

    Raises BadTrustStore, KindError, BadDirectory, ServerFailed or psycopg.Error.
    """
    parties, known = _told(settings)
    grounds = replace(
        anchors.load_grounds(settings.path(settings.tls.trust)), directory=parties, evidence=known
    )
    kinds, served = known_kinds(settings), served_by(settings)

    def made(now: datetime, port: int | None) -> Surroundings:
        door = replace(settings.door, port=port) if port else settings.door
        own = dict.fromkeys((*bases(replace(settings, door=door)), *bases(settings), *hosts))
        return Surroundings(
            now, timedelta(seconds=door.skew_seconds), tuple(own), kinds, parties, grounds,
            settings.switches.aansluit_suite, served,
        )  # fmt: skip

    return made


def _told(settings: Settings) -> tuple[Directory, Evidence]:
    """Parties and evidence as the database has them; of a gateway that never ran, its file."""
    if not settings.database.url and not (settings.home / "postgres").exists():
        file = settings.home / DIRECTORY
        listed = file.read_text(encoding="utf-8") if file.exists() else ""
        return partyfile.read(listed), Evidence()
    with server(settings) as dsn, connect(dsn) as conn:
        return directory.load(conn), revocation.load(conn)
