"""What every command does with an error that it did not expect where it came: say it, exit 2.

A traceback tells a user nothing. What is wrong with a file, a setting or the database is an error
of one of the sorts below, whose text says what; a mistake of our own still shows where it is.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from openpoort.cli.home import fail

_INPUT = (
    "openpoort.settings.values:SettingsError",
    "openpoort.process.flow.kinds:KindError",
    "openpoort.app.places:PlaceError",
    "openpoort.domain.partyfile:BadDirectory",
    "openpoort.keys.anchors:BadTrustStore",
    "openpoort.keys.anchors:BadAnchors",
    "openpoort.keys.timestamp:BadAnchors",
    "openpoort.keys.checkpoint:BadKey",
    "openpoort.keys.pem:KeyUnusable",
    "openpoort.store.payloads.payloads:PayloadUnavailable",
    "openpoort.store.payloads.payloads:PayloadMissing",
    "openpoort.store.postgres.embedded:ServerFailed",
    "openpoort.store.journal.sequencer:JournalBroken",
    "tomllib:TOMLDecodeError",
    "psycopg:Error",
)


@contextlib.contextmanager
def plain_words() -> Iterator[None]:
    """Exit code 2 and a line on stderr for errors of the sorts above and of the system."""
    try:
        yield
    except BrokenPipeError:
        raise  # who read us has gone; click ends quietly
    except OSError as wrong:
        fail(told(wrong))
    except Exception as wrong:
        if not isinstance(wrong, _known()):
            raise
        fail(" ".join(str(wrong).split()) or type(wrong).__name__)


def told(wrong: OSError) -> str:
    """The file and what the system says of it."""
    if wrong.filename is None or wrong.strerror is None:
        return str(wrong)
    return f"{wrong.filename}: {wrong.strerror}"


def _known() -> tuple[type[BaseException], ...]:
    """Those that can have been raised: their module is there."""
    found = []
    for place in _INPUT:
        module, name = place.split(":")
        if module in sys.modules and hasattr(sys.modules[module], name):
            found.append(getattr(sys.modules[module], name))
    return tuple(found)
