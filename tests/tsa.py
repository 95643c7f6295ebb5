"""The test TSA of the sandbox as a second process, and its anchor."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from openpoort.keys.timestamp import Tsa, load_anchors


@dataclass(frozen=True)
class Running:
    """`url` ends in a slash; `url + way` is wrong in that way."""

    url: str
    anchor: Path

    def tsa(self, way: str = "", policy: str = "") -> Tsa:
        return Tsa(self.url + way, load_anchors(self.anchor), policy)


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    command = [sys.executable, "-m", "openpoort.sandbox.tsa", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            word, _, url = process.stdout.readline().strip().partition(" ")
            assert word == "ready"
            yield Running(url, folder / "tsa.pem")
        finally:
            process.terminate()
