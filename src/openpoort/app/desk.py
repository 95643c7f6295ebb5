"""What a command needs to look into a gateway or act on it: store and kinds, on its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from openpoort.app.database import database
from openpoort.app.wiring import Parts, open_parts
from openpoort.settings import Settings


@contextmanager
def desk(settings: Settings) -> Iterator[Parts]:
    """Raises ServerFailed, KindError, PlaceError."""
    with ExitStack() as stack:
        dsn = stack.enter_context(database(settings))
        yield open_parts(settings, dsn, stack, checks=False)
