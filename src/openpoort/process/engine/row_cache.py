"""What this worker read a moment ago and nothing can change: messages and documents.

The steps of one message follow each other within a second, mostly in the same worker; what the
first step read, the next ones need not ask the database for. Only rows that are never updated
are kept (a process is, and is always read and locked anew), and only as long as there is room:
a worker with a long queue reads again, as any other worker would.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from uuid import UUID

from openpoort.store.messages.rows import MessageRow
from openpoort.store.payloads.payloads import Stored

MESSAGES = 2000
OCTETS = 16 * 1024 * 1024
"""Room for documents; one larger than a sixteenth of it is never kept."""


class Recent:
    """Safe between threads. The oldest go first."""

    def __init__(self, messages: int = MESSAGES, octets: int = OCTETS) -> None:
        self._most, self._room = messages, octets
        self._messages: OrderedDict[UUID, MessageRow] = OrderedDict()
        self._stored: OrderedDict[bytes, Stored] = OrderedDict()
        self._octets = 0
        self._lock = threading.Lock()

    def messages(self, wanted: Iterable[UUID]) -> dict[UUID, MessageRow]:
        """Those that are here."""
        with self._lock:
            return {k: row for k in wanted if (row := self._messages.get(k)) is not None}

    def stored(self, wanted: Iterable[bytes]) -> dict[bytes, Stored]:
        """Those of these digests that are here."""
        with self._lock:
            return {d: row for d in wanted if (row := self._stored.get(d)) is not None}

    def keep_messages(self, rows: Mapping[UUID, MessageRow]) -> None:
        with self._lock:
            self._messages.update(rows)
            while len(self._messages) > self._most:
                self._messages.popitem(last=False)

    def keep_stored(self, rows: Mapping[bytes, Stored]) -> None:
        with self._lock:
            for digest, row in rows.items():
                # Outside the database only the row is here; the bytes are read, and judged by
                # their digest, when a step asks for them.
                if digest in self._stored or _octets(row) > self._room // 16:
                    continue
                self._stored[digest] = row
                self._octets += _octets(row)
            while self._octets > self._room:
                self._octets -= _octets(self._stored.popitem(last=False)[1])


def _octets(row: Stored) -> int:
    return 512 + len(row.body or b"")
