"""A process that holds one entry point and forks a child for each filing.

Started by `pool.py` as `python -m openpoort.checks.xbrl.holder`, so that it is clean and has
one thread: a fork of the gateway itself, which has many, could hang for ever. Children share the
taxonomy's memory; each judges one filing under limits and ends. What a filing does to the
reference processor ends with its child.

Talk: one JSON line on stdin (settings), one on stdout when ready. Then connections on the
socket handed over: a JSON line and the document in, JSON out. End of stdin means: stop.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openpoort.checks.xbrl.limits import Limits, Message
from openpoort.checks.xbrl.model import Held
from openpoort.domain.crash import outline


@dataclass(slots=True)
class _Child:
    connection: socket.socket
    deadline: float
    instance: Path


def main() -> None:
    settings = json.loads(sys.stdin.readline())
    listener = socket.socket(fileno=settings["socket"])
    limits = Limits(**settings["limits"])
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="openpoort-holder-") as folder:
        try:
            held = Held([Path(p) for p in settings["packages"]], settings["entry"])
            held.prime(Path(folder))
        except Exception as wrong:  # noqa: BLE001  # whatever it is, the pool must hear it
            _say({"ready": False, "error": f"{type(wrong).__name__}: {wrong}"})
            return
        _say(
            {
                "ready": True,
                "seconds": round(time.monotonic() - started, 3),
                "taxonomy": [asdict(m) for m in held.found],
            }
        )
        _serve(listener, held, limits, settings["children"], Path(folder))
    # A gateway that was killed could not clean up after itself.
    shutil.rmtree(settings["folder"], ignore_errors=True)


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _serve(listener: socket.socket, held: Held, limits: Limits, most: int, folder: Path) -> None:
    children: dict[int, _Child] = {}
    wake, nudge = socket.socketpair()
    wake.setblocking(False)
    nudge.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(nudge.fileno(), warn_on_full_buffer=False)
    number = 0
    while True:
        watched = [wake, sys.stdin, *([listener] if len(children) < most else [])]
        nearest = min((c.deadline for c in children.values()), default=None)
        wait = None if nearest is None else max(0.0, nearest - time.monotonic())
        readable, _, _ = select.select(watched, [], [], wait)
        if wake in readable:
            with contextlib.suppress(BlockingIOError):
                wake.recv(4096)
        _reap(children)
        _kill_overdue(children)
        if sys.stdin in readable and not sys.stdin.readline():
            break
        if listener in readable:
            number += 1
            connection, _ = listener.accept()
            instance = folder / f"{number}.xbrl"
            pid = os.fork()
            if pid == 0:
                listener.close()
                _child(connection, held, limits, instance)
            children[pid] = _Child(connection, time.monotonic() + limits.seconds, instance)
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _reap(children: dict[int, _Child]) -> None:
    """Tell the pool how a child ended that could not tell itself; then let it go."""
    for pid in list(children):
        done, status = os.waitpid(pid, os.WNOHANG)
        if not done:
            continue
        child = children.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            reason = "cpu" if code == -signal.SIGXCPU else f"ended with {code}"
            with contextlib.suppress(OSError):
                child.connection.setblocking(False)
                child.connection.send(json.dumps({"died": reason}).encode())
        child.connection.close()
        child.instance.unlink(missing_ok=True)


def _kill_overdue(children: dict[int, _Child]) -> None:
    now = time.monotonic()
    for pid, child in children.items():
        if child.deadline <= now:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            child.deadline = now + 1


def _child(connection: socket.socket, held: Held, limits: Limits, instance: Path) -> None:
    """Judge one filing and end, without the clean-up that belongs to the holder."""
    code = 1
    try:
        gc.disable()  # the child is gone before garbage matters
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _limit(limits)
        with connection.makefile("rb") as stream:
            head = json.loads(stream.readline())
            instance.write_bytes(stream.read(head["size"]))
        connection.sendall(_judged(held, instance, limits))
        code = 0
    except BrokenPipeError:
        code = 0
    finally:
        os._exit(code)


def _judged(held: Held, instance: Path, limits: Limits) -> bytes:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    try:
        messages: Sequence[Message] = held.judge(instance, documents=limits.documents)
    except MemoryError:
        return json.dumps({"died": "memory"}).encode()
    except Exception as error:  # noqa: BLE001  # the pool turns it into a 321
        return json.dumps({"crashed": outline(error)[-2000:]}).encode()
    if _starved(messages):
        return json.dumps({"died": "memory"}).encode()
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return json.dumps(
        {
            "messages": [asdict(m) for m in messages],
            "cpu": round(spent.ru_utime + spent.ru_stime - usage.ru_utime - usage.ru_stime, 4),
        }
    ).encode()


def _starved(messages: Sequence[Message]) -> bool:
    """Arelle turns a lack of memory into a message. The document itself was parsed before, so a
    syntax error without a place is one of those too."""
    return any(
        "MemoryError" in m.code
        or (m.code == "xmlSchema:syntax" and "Unrecoverable error: unknown error" in m.text)
        for m in messages
    )


def _limit(limits: Limits) -> None:
    """Address space, CPU time, open files and file size of this child."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if _LINUX else 0
    if pages:
        room = pages * resource.getpagesize() + limits.memory_mib * 1024**2
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits.files, limits.files))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024**2, 64 * 1024**2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


_LINUX = sys.platform.startswith("linux")

if __name__ == "__main__":
    main()
