"""Holders by entry point: started when first needed, replaced when they die, ended with the pool.

Any thread may call `judge`; at most `workers` filings are judged at a time, the rest waits here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from openpoort.checks.xbrl.limits import Limits, Message
from openpoort.domain.octets import Octets, in_pieces
from openpoort.process.ports import CheckUnavailable


class TooMuch(Exception):
    """The filing costs more memory or CPU time than a filing may; trying again is no use."""


class Holder:
    """One process with one entry point in memory."""

    def __init__(self, packages: Sequence[Path], entry: str, limits: Limits, children: int) -> None:
        self.limits = limits
        self.folder = tempfile.TemporaryDirectory(prefix="openpoort-check-")
        self.address = f"{self.folder.name}/s"
        self.served = self.users = 0
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.address)
        listener.listen(64)
        # Popen is fork and exec in C: safe although the gateway has threads.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "openpoort.checks.xbrl.holder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            start_new_session=True,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": self.folder.name},
        )
        settings = {
            "socket": listener.fileno(),
            "folder": self.folder.name,
            "entry": entry,
            "packages": [str(p) for p in packages],
            "limits": asdict(limits),
            "children": children,
        }
        self.ready = self._start(settings)
        listener.close()
        if not self.ready.get("ready"):
            self.close()
            raise CheckUnavailable(f"{entry}: {self.ready.get('error', 'the holder died')}")

    def _start(self, settings: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(settings).encode() + b"\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {}

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def judge(self, document: Octets) -> list[Message]:
        """Raises CheckUnavailable when there is no answer, TooMuch when a limit was reached."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(self.limits.seconds + 30)
            try:
                connection.connect(self.address)
                connection.sendall(json.dumps({"size": len(document)}).encode() + b"\n")
                for piece in in_pieces(document):
                    connection.sendall(piece)
                answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
                value = json.loads(answer)
            except (OSError, ValueError) as wrong:
                raise CheckUnavailable(f"no answer from the processor: {wrong}") from None
        if value.get("died") in {"cpu", "memory"}:
            raise TooMuch(value["died"])
        if "messages" not in value:
            raise CheckUnavailable(str(value.get("died") or value.get("crashed"))[-1000:])
        return [Message(**m | {"places": tuple(m["places"])}) for m in value["messages"]]

    def memory(self) -> dict[str, int]:
        """MiB of the holder: `rss` and `pss` where the system tells (Linux)."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup")
        if not rollup.exists():
            return {}
        lines = [line.split() for line in rollup.read_text().splitlines()[1:]]
        return {
            key.lower(): int(value) // 1024
            for key, value, *_ in ((p[0].rstrip(":"), p[1]) for p in lines)
            if key in {"Rss", "Pss"}
        }

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self.folder.cleanup()


class Pool:
    """`holders` entry points stay in memory, the least used one goes first."""

    def __init__(
        self,
        *,
        workers: int = 2,
        holders: int = 6,
        recycle: int = 5000,
        limits: Limits | None = None,
    ) -> None:
        self.workers, self.most, self.recycle = workers, holders, recycle
        self.limits = limits or Limits()
        self._turns = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._held: OrderedDict[_Key, Holder] = OrderedDict()
        self._starting: dict[str, threading.Lock] = {}
        self._retired: list[Holder] = []

    def judge(self, packages: Sequence[Path], entry: str, document: Octets) -> list[Message]:
        """Raises CheckUnavailable or TooMuch."""
        with self._turns, self._borrowed(packages, entry) as holder:
            return holder.judge(document)

    @contextlib.contextmanager
    def _borrowed(self, packages: Sequence[Path], entry: str) -> Iterator[Holder]:
        """A holder that is not ended before it is given back."""
        holder = self.holder(packages, entry, borrow=True)
        try:
            yield holder
        finally:
            with self._lock:
                holder.users -= 1
            self._end_retired()

    def holder(self, packages: Sequence[Path], entry: str, *, borrow: bool = False) -> Holder:
        """The living holder of this entry point; started here when there is none. Packages that
        were replaced on disk since it started are others: it is replaced too."""
        try:
            key = _key(packages, entry)
        except OSError as wrong:
            raise CheckUnavailable(f"{entry}: {wrong.strerror}") from None
        with self._lock:
            mine = self._starting.setdefault(entry, threading.Lock())
        with mine:
            with self._lock:
                held = self._held.get(key)
                if held is None or not held.alive or held.served >= self.recycle:
                    self._retire(key)
                    held = None
                else:
                    self._held.move_to_end(key)
                    held.served += borrow
                    held.users += borrow
            self._end_retired()
            if held is not None:
                return held
            new = Holder(packages, entry, self.limits, self.workers)
            with self._lock:
                new.served = new.users = int(borrow)
                self._held[key] = new
            return new

    def _retire(self, key: _Key) -> None:
        """Make room for a new holder of this key. Under the lock."""
        gone = [k for k in self._held if k[0] == key[0]]
        self._retired += [self._held.pop(k) for k in gone]
        while len(self._held) >= self.most:
            self._retired.append(self._held.popitem(last=False)[1])

    def _end_retired(self) -> None:
        """End those that judge nothing any more; the others end with their last filing."""
        with self._lock:
            gone = [h for h in self._retired if not h.users or not h.alive]
            self._retired = [h for h in self._retired if h not in gone]
        for holder in gone:
            holder.close()

    @property
    def retired(self) -> int:
        """How many were replaced and still judge their last filings."""
        with self._lock:
            return len(self._retired)

    def close(self) -> None:
        """End all, whatever they judge."""
        with self._lock:
            gone = [*self._held.values(), *self._retired]
            self._held, self._retired = OrderedDict(), []
        for held in gone:
            held.close()


_Key = tuple[str, tuple[tuple[str, int, int, int], ...]]
"""An entry point, and what tells the files of its packages from others of the same names."""


def _key(packages: Sequence[Path], entry: str) -> _Key:
    found = [(str(p), p.stat()) for p in packages]
    return entry, tuple((path, s.st_ino, s.st_size, s.st_ctime_ns) for path, s in found)
