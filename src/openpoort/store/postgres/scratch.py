"""A folder for servers of a drill, that goes when the drill goes, however it goes.

A process of its own (`python -m openpoort.store.postgres.scratch FOLDER`) waits on a pipe that
only we hold. When it ends, by our return or by a kill, what still runs in the folder is ended and
the folder removed: a copy of a database is not for leaving about. Its lock says that the folder
has a keeper; one without, as after a power cut, is cleared by whoever makes the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from openpoort.store.postgres.postmaster import ServerFailed, current
from openpoort.store.postgres.run_as import RunAs, choose

_KEEPER = "keeper.lock"
_SECONDS = 15.0


@contextlib.contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A new folder under the system's temporary one, cleared at the end."""
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if _forsaken(left):
            clear(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    lock = os.open(folder / _KEEPER, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # the keeper inherits it: no moment is without
    words = [sys.executable, "-m", "openpoort.store.postgres.scratch", str(folder)]
    keeper = subprocess.Popen(
        words, stdin=subprocess.PIPE, start_new_session=True, cwd="/", pass_fds=[lock]
    )
    os.close(lock)
    try:
        yield folder
    finally:
        keeper.communicate()


def keep(folder: Path) -> None:
    """Wait until whoever holds the other end of our standard input is gone, then clear."""
    sys.stdin.buffer.read()
    clear(folder)


def clear(folder: Path) -> None:
    """End what runs in `folder`, its servers last, and remove it with what belongs to it."""
    _end(_named(folder), signal.SIGTERM)
    for lock in list(folder.rglob("start.lock")):
        _clear_server(lock.parent)
    shutil.rmtree(folder, ignore_errors=True)


def _clear_server(home: Path) -> None:
    try:
        data = choose(home).data(home)
    except ServerFailed:
        data = RunAs().data(home)
    server = current(data)
    if server is not None:
        _end([server.pid], signal.SIGQUIT)
    with contextlib.suppress(OSError):
        sockets = Path((home / "sockets").read_text().strip())
        if sockets.name.startswith("op-"):
            shutil.rmtree(sockets, ignore_errors=True)
    if home not in data.parents:
        shutil.rmtree(data.parent, ignore_errors=True)


def _forsaken(folder: Path) -> bool:
    """Ours, and nobody keeps it."""
    try:
        if folder.stat().st_uid != os.geteuid():
            return False
        with (folder / _KEEPER).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _named(folder: Path) -> list[int]:
    """Processes other than servers whose command line names the folder: nobody else's can."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            here = os.fsencode(folder)
            mine = any(w == here or w.startswith(here + b"/") for w in words)
            if mine and b"openpoort.store.postgres.scratch" not in words and b"-D" not in words:
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def _end(pids: list[int], number: signal.Signals) -> None:
    for sent in (number, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
        end = time.monotonic() + _SECONDS
        while pids and time.monotonic() < end:
            pids = [pid for pid in pids if _lives(pid)]
            time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
