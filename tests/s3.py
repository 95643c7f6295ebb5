"""A real S3-compatible server (versitygw on a folder); skips where `make s3-server` was not run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from openpoort.store.payloads.s3 import Bucket

KEY_ID, SECRET = "AKOPENPOORTTEST", "only-for-tests-4Zq8"
_TOOLS = Path(__file__).resolve().parents[1] / "build" / "tools"


class Server:
    """Objects are files under `folder`/BUCKET. `tls` is certificate and key."""

    def __init__(self, root: Path, tls: tuple[Path, Path] | None = None) -> None:
        found = sorted(_TOOLS.glob("versitygw-v*"))
        if not found:
            pytest.skip("no S3-compatible server: `make s3-server` builds it, with Go")
        self._program, self._tls, self._root = found[-1], tls, root
        self.folder = root / "objects"
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        (root / "sidecar").mkdir(parents=True)
        self.make("payloads")

    @property
    def endpoint(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def make(self, bucket: str) -> Path:
        (self.folder / bucket).mkdir(parents=True, exist_ok=True)
        return self.folder / bucket

    def bucket(self, **other: object) -> Bucket:
        values: dict[str, object] = {
            "endpoint": self.endpoint, "bucket": "payloads", "key_id": KEY_ID, "secret": SECRET,
            "prefix": "gateway/a", "timeout": 5.0,
        }  # fmt: skip
        return Bucket(**(values | other))  # type: ignore[arg-type]

    def start(self, *options: str) -> None:
        """Again, when it was killed; `--readonly` among `options`."""
        words = [str(self._program), "--port", f"127.0.0.1:{self.port}", "--quiet", *options]
        if self._tls:
            words += ["--cert", str(self._tls[0]), "--key", str(self._tls[1])]
        words += ["posix", "--sidecar", str(self._root / "sidecar"), str(self.folder)]
        log = (self._root / "server.log").open("ab")
        self.process = subprocess.Popen(
            words, stdout=log, stderr=log,
            env={**os.environ, "ROOT_ACCESS_KEY": KEY_ID, "ROOT_SECRET_KEY": SECRET},
        )  # fmt: skip
        log.close()
        end = time.monotonic() + 30
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, (self._root / "server.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def objects(self) -> list[Path]:
        """Files of documents, whatever their prefix; what the server keeps for itself is not."""
        found = (path for path in self.folder.glob("*/**/*") if path.is_file())
        return sorted(p for p in found if "/." not in f"/{p.relative_to(self.folder)}")


@contextmanager
def server(root: Path, tls: tuple[Path, Path] | None = None) -> Iterator[Server]:
    made = Server(root, tls)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def cut_after(server: Server, octets: int) -> Iterator[str]:
    """An address in front of `server`; after so many octets of one request the server dies."""
    door = socket.create_server(("127.0.0.1", 0))

    def forward() -> None:
        with suppress(OSError):
            near, _ = door.accept()
            with near, socket.create_connection(("127.0.0.1", server.port)) as far:
                passed = 0
                while passed < octets and (some := near.recv(65536)):
                    far.sendall(some)
                    passed += len(some)
                server.stop()

    thread = threading.Thread(target=forward)
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        door.close()
        thread.join(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
