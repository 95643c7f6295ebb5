"""Compiled indexes of one installation: in memory, on disk beside the taxonomy, made when needed.

A file is named after the bytes of all packages, the entry point, the version of the compiler and
that of the reference processor: another of these is another file. A file that is damaged is
made again. Any thread may ask; one of them compiles, the others wait.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path

from lxml import etree

from openpoort.checks.index import compiled
from openpoort.checks.index.compiled import Damaged, Index
from openpoort.checks.index.judge import judge
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.taxonomies.installed import Installed
from openpoort.checks.xbrl.limits import Message
from openpoort.domain.octets import Octets

FOLDER = "index"
_SECONDS = 900


class Shelf:
    """`made` counts what was compiled here rather than read from disk."""

    def __init__(self) -> None:
        self.made = 0
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}
        self._found: dict[str, Index | None] = {}

    def judge(
        self, taxonomy: Installed, entry: str, root: etree._Element, data: Octets
    ) -> list[Message]:
        """The messages of the reference processor. Undecided when only it can tell."""
        index = self.get(taxonomy, entry)
        if index is None:
            raise Undecided("no index")
        return judge(index, root, data)

    def get(self, taxonomy: Installed, entry: str) -> Index | None:
        """None when it cannot be made; that is not tried again by this process."""
        key = _key(taxonomy, entry)
        if key in self._found:
            return self._found[key]
        with self._lock:
            mine = self._making.setdefault(key, threading.Lock())
        with mine:
            if key not in self._found:
                self._found[key] = self._open(taxonomy, entry, key)
            return self._found[key]

    def _open(self, taxonomy: Installed, entry: str, key: str) -> Index | None:
        path = taxonomy.folder / FOLDER / f"{key}.json"
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError, Damaged):
            return compiled.unseal(path.read_bytes(), key)
        try:
            data = _compile(taxonomy, entry, key)
            index = compiled.unseal(data, key)
        except (OSError, ValueError, Damaged, subprocess.SubprocessError):
            return None
        self.made += 1
        with contextlib.suppress(OSError):  # a read-only HOME: then only in memory
            _put(path, data)
        return index


def _key(taxonomy: Installed, entry: str) -> str:
    parts = [taxonomy.fingerprint, entry, str(compiled.VERSION), _PROCESSOR]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]


def _compile(taxonomy: Installed, entry: str, key: str) -> bytes:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openpoort.checks.index.compiler", key, entry),
            *map(str, taxonomy.packages),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    head, line, body = done.stdout.rpartition(b"\n")
    return head.rpartition(b"\n")[2] + line + body


def _put(path: Path, data: bytes) -> None:
    """Whole or not at all: two processes may make the same one."""
    path.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    Path(file.name).replace(path)


_PROCESSOR = version("arelle-release")
