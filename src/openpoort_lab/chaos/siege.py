"""The gateway under fire: the real program on a database of its own, or on one from outside.

A keeper starts again what was killed, as a service manager would: the supervisor, and the
PostgreSQL when it is a server from outside (the gateway's own is for the gateway to start).
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from openpoort.process.flow.crashpoints import VARIABLE
from openpoort.store.postgres.embedded import Embedded
from openpoort_lab.bench.gateway import BenchRefused, Gateway, free_port, start, stop

OWN, OUTSIDE = "own", "outside"


class Siege:
    """`gateway` and `dsn` stay the same through every restart; `starts` counts them."""

    def __init__(self, home: Path, database: str) -> None:
        self.home, self.database = home, database
        self.armed = home.with_name(home.name + ".armed")
        self.starts = 0
        folder = home.with_name(home.name + ".postgres") if database == OUTSIDE else None
        self._server = Embedded(folder or home / "postgres")
        self._own = folder is None
        self._port = free_port()
        self._over = threading.Event()
        # Two doors wherever it runs: each counts for itself how often a point was passed.
        self.environment = {VARIABLE: f"@{self.armed}", "OPENPOORT_DOOR_PROCESSES": "2"}
        try:
            if not self._own:
                self.environment["OPENPOORT_DATABASE_URL"] = self._server.start()
            self._process, self.gateway = self._serve()
        except BaseException:
            self._server.stop()
            raise
        self.dsn = self._server.dsn()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._keeper.start()

    def pid_files(self, role: str) -> list[Path]:
        """Files that begin with the pid of who plays `role` at this moment."""
        postgres = [self._server.data / "postmaster.pid"]
        if role == "PostgreSQL":
            return postgres
        if role == "everything":
            return [self._supervisor, *sorted((self.home / "run").glob("*.pid")), *postgres]
        return sorted((self.home / "run").glob(f"{role}*.pid"))

    def close(self) -> None:
        self._over.set()
        self._keeper.join()
        stop(self._process)
        self._server.stop()
        for file in (self._supervisor, self.armed, self.armed.with_suffix(".struck")):
            file.unlink(missing_ok=True)

    @property
    def _supervisor(self) -> Path:
        return self.home.with_name(self.home.name + ".pid")

    def _serve(self) -> tuple[subprocess.Popen[bytes], Gateway]:
        process, gateway = start(self.home, port=self._port, extra=self.environment)
        self._supervisor.write_text(f"{process.pid}\n")
        self.starts += 1
        return process, gateway

    def _keep(self) -> None:
        while not self._over.wait(0.1):
            if not self._own and not self._server.alive():
                self._server.ensure()
            if self._process.poll() is not None:
                stop(self._process)
                # Not ready at once: what was left of the old one may still hold lock and port.
                with contextlib.suppress(BenchRefused):
                    self._process, self.gateway = self._serve()


@contextlib.contextmanager
def siege(home: Path, database: str = OWN) -> Iterator[Siege]:
    """A gateway in `home`, kept alive until the end."""
    made = Siege(home, database)
    try:
        yield made
    finally:
        made.close()


def patiently(ask: Callable[[], int], over: Callable[[], bool]) -> int:
    """Ask until the answer is 0 or `over` says stop; the last answer."""
    left = ask()
    pause = threading.Event()
    while left and not over():
        pause.wait(0.1)
        left = ask()
    return left
