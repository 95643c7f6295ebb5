"""The worker: claims jobs, does the step, writes result, status and next job in one go."""

from __future__ import annotations

import threading


class Engine:
    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; steps that are under way are finished first."""
        raise NotImplementedError
