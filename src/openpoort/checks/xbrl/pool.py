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
from collections.abc import Sequence
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
        self.served = 0
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
        self.served += 1
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
        return [Message(**m) for m in value["messages"]]

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
        self._held: OrderedDict[str, Holder] = OrderedDict()
        self._starting: dict[str, threading.Lock] = {}

    def judge(self, packages: Sequence[Path], entry: str, document: Octets) -> list[Message]:
        """Raises CheckUnavailable or TooMuch."""
        with self._turns:
            return self.holder(packages, entry).judge(document)

    def holder(self, packages: Sequence[Path], entry: str) -> Holder:
        """The living holder of this entry point; started here when there is none."""
        with self._lock:
            mine = self._starting.setdefault(entry, threading.Lock())
        with mine:
            with self._lock:
                held = self._held.get(entry)
                if held is not None and held.alive and held.served < self.recycle:
                    self._held.move_to_end(entry)
                    return held
                gone = [self._held.pop(entry)] if held is not None else []
                while len(self._held) >= self.most:
                    gone.append(self._held.popitem(last=False)[1])
            for old in gone:
                old.close()
            new = Holder(packages, entry, self.limits, self.workers)
            with self._lock:
                self._held[entry] = new
            return new

    def drop(self, entry: str) -> None:
        """End the holder of an entry point whose taxonomy changed or went."""
        with self._lock:
            held = self._held.pop(entry, None)
        if held is not None:
            held.close()

    def close(self) -> None:
        with self._lock:
            gone, self._held = list(self._held.values()), OrderedDict()
        for held in gone:
            held.close()
