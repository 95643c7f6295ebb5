"""Who judged the XBRL of a filing, and how often: the index, or the processor and why."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

INDEX, PROCESSOR = "index", "processor"


class Routes:
    """Who judged: `index`, or `processor`, with the reason when the index could not. Counted over
    all threads; `heard` is told of each."""

    def __init__(self, heard: Callable[[str], None] | None = None) -> None:
        self.heard = heard
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._here = threading.local()

    def note(self, route: str) -> None:
        self._here.last = route
        with self._lock:
            self._counts[route] += 1
        if self.heard is not None:
            self.heard(route)

    def take(self) -> str:
        """The route of the last filing of this thread, once; empty when there was none."""
        last: str = getattr(self._here, "last", "")
        self._here.last = ""
        return last

    def counts(self) -> dict[str, int]:
        """Most frequent first."""
        with self._lock:
            return dict(self._counts.most_common())
