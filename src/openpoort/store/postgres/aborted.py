"""Transactions that PostgreSQL undid for the sake of another one, done again.

All statements that wait for rows lock them in one order, so they do not get into each other's way;
but retention takes whole tables, and an administrator or another program may lock what it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg

Done = TypeVar("Done")
TRIES = 5


def aborted(error: BaseException) -> bool:
    """Whether nothing of the transaction was done, and it may be done again as it was."""
    return isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)


def until_done(work: Callable[[], Done]) -> Done:
    """What `work`, which is one whole transaction or none, comes to: again when it was aborted,
    `TRIES` times at most. Raises what it raises."""
    for _ in range(TRIES - 1):
        try:
            return work()
        except psycopg.OperationalError as error:
            if not aborted(error):
                raise
    return work()
