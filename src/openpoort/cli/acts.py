"""Acts of a person on the machine: who it is, the security event, the journal entry."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime

from openpoort import telemetry
from openpoort.domain.event import Event
from openpoort.domain.seal import Seal, unsealed
from openpoort.settings import Settings


def who() -> str:
    """The account under which the command runs; there is no other login on a command line."""
    return getpass.getuser()


def security_log(settings: Settings) -> None:
    """Events of this command go where HOME says. OSError when that cannot be written."""
    log = settings.log
    telemetry.security_log(
        settings.path(log.security) if log.security else None, ocsf=log.security_format == "ocsf"
    )


def emit(action: str, object_: str, result: str, **details: str | int) -> None:
    """One security event of this person, now, on this machine."""
    telemetry.emit(Event(action, object_, result, "local", who(), datetime.now(UTC), details))


def seal(settings: Settings) -> Seal:
    """What seals the journal entry of an act: the checkpoint key of HOME. Where there is none the
    act goes on and is told to be unproven. Raises BadKey, OSError."""
    from openpoort.app import journal

    try:
        return journal.seal(settings)
    except FileNotFoundError as none:
        sys.stderr.write(f"not sealed, `journal verify` will say so: there is no {none.filename}\n")
        return unsealed
