"""A real clamd with a signature file of our own; skips where the package is not installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

EVIL = b"openpoort-proefbestand-met-kwaadaardige-inhoud"
SIGNATURE = "Openpoort.Proef.UNOFFICIAL"
STREAM_MAX = 1024 * 1024


@contextmanager
def clamd() -> Iterator[Path]:
    """The socket of a server that knows one signature and takes streams of at most 1 MiB."""
    program = shutil.which("clamd", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        assert not os.environ.get("CI"), "clamd must be there in CI (.ci/packages)"
        pytest.skip("clamd (package clamav-daemon) is not installed")
    # Not pytest's folder: the path of a unix socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="clamd-") as folder:
        home = Path(folder)
        (home / "db").mkdir()
        (home / "db" / "proef.ndb").write_text(f"Openpoort.Proef:0:*:{EVIL.hex()}\n")
        config = home / "clamd.conf"
        config.write_text(
            f"Foreground yes\nLocalSocket {home}/s\nDatabaseDirectory {home}/db\n"
            f"TemporaryDirectory {home}\nStreamMaxLength 1M\nMaxThreads 2\n"
        )
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [program, f"--config-file={config}"], stdout=log, stderr=subprocess.STDOUT
            )
        try:
            _wait(home / "s", server, home / "log")
            yield home / "s"
        finally:
            server.terminate()
            server.wait(30)


def _wait(path: Path, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(str(path))
                client.sendall(b"zPING\0")
                if client.recv(16) == b"PONG\0":
                    return
        except OSError:
            pass
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
