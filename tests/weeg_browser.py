"""A real browser over its debugging pipe: what it loads and what a screen reader is told."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_PATIENCE = 60.0


def found() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """One page; `requests` are the addresses it asked for since it was opened."""

    def __init__(self, out: int, into: int) -> None:
        self._out, self._into = out, into
        self._buffer = b""
        self._next = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []

    @property
    def requests(self) -> list[str]:
        return [
            e["params"]["request"]["url"]
            for e in self.events
            if e.get("method") == "Network.requestWillBeSent"
        ]

    def open(self, url: str) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        self._wait(lambda e: e.get("method") == "Page.loadEventFired")

    def evaluate(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def call(self, method: str, **params: Any) -> Any:
        self._next += 1
        message: dict[str, Any] = {"id": self._next, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        wanted = self._next
        answer = self._wait(lambda e: e.get("id") == wanted)
        assert "error" not in answer, answer
        return answer["result"]

    def _wait(self, fits: Any) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        for event in self.events:
            if fits(event):
                return event
        while time.monotonic() < deadline:
            while b"\0" in self._buffer:
                raw, self._buffer = self._buffer.split(b"\0", 1)
                event = json.loads(raw)
                self.events.append(event)
                if fits(event):
                    return event
            ready, _, _ = select.select([self._out], [], [], deadline - time.monotonic())
            if ready:
                data = os.read(self._out, 1 << 16)
                assert data, "the browser closed its pipe"
                self._buffer += data
        raise AssertionError("the browser did not answer in time")


@contextlib.contextmanager
def page(file: Path, profile: Path, width: int = 1100) -> Iterator[Page]:
    """The file, opened in a browser of its own that ends with the block."""
    program = found()
    assert program
    to_read, to_write = os.pipe()
    back_read, back_write = os.pipe()
    switches = [*_SWITCHES, f"--user-data-dir={profile}", f"--window-size={width},1400"]
    # The browser listens on descriptor 3 and speaks on 4.
    line = f'exec "$0" "$@" 3<&{to_read} 4>&{back_write}'
    process = subprocess.Popen(
        ["bash", "-c", line, program, *switches],
        pass_fds=(to_read, back_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(back_write)
    try:
        one = Page(back_read, to_write)
        one.open(file.as_uri())
        yield one
        one._session = ""
        with contextlib.suppress(AssertionError, OSError):
            one.call("Browser.close")
    finally:
        os.close(to_write)
        os.close(back_read)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
