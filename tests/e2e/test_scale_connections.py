"""Many idle connections and slow senders: what they cost the door, and the honest one next door.

Bounds are on values (bytes, answers), never on speed. OPENPOORT_IDLE sets how many connections.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openpoort.inbound.body import BodyLimits
from openpoort.inbound.server import ServerLimits
from openpoort.sandbox.pki import create
from tests.e2e.doors import cut, post, read_answer, running, status
from tests.e2e.gateway import until

IDLE = int(os.environ.get("OPENPOORT_IDLE", "2000"))
RESUME = os.environ.get("OPENPOORT_RESUME", "1") == "1"
ASKED = 300
MOST_KIB = 128
"""Memory of the door per idle mutual TLS connection; measured: 56."""
PATH = "/wus/2.0/aanleverservice/1.2"
DOOR = """
import asyncio, resource, sys
from pathlib import Path
import uvloop
from openpoort.inbound.server import ServerLimits
from tests.e2e.doors import running
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
limits = ServerLimits(keep_alive_seconds=3600, head_seconds=3600.0, connections=20_000)
with running(Path(sys.argv[1]), limits) as door:
    print(door.port, flush=True)
    sys.stdin.read()
"""
"""A door as `serve` runs it (the loop included) in a process of its own, with patience."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scale") / "pki"
    create(folder, ())
    return folder


@pytest.fixture
def door(pki: Path) -> Iterator[tuple[int, int]]:
    """(process, port)"""
    made = subprocess.Popen(
        [sys.executable, "-c", DOOR, str(pki)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    with made:
        assert made.stdout is not None
        yield made.pid, int(made.stdout.readline())
        made.communicate(timeout=60)


def _context(pki: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki / "ca.pem"))
    context.load_cert_chain(pki / "bedrijf.pem", pki / "bedrijf.key")
    return context


def _resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _middle(values: list[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:.2f} {ordered[len(ordered) * 99 // 100]:.2f}"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_idle_connections_cost_little_and_the_honest_sender_is_answered(
    door: tuple[int, int], pki: Path
) -> None:
    pid, port = door
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < IDLE + 200:
        pytest.skip(f"the system allows {hard} open files, {IDLE} connections need more")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, IDLE + 200), hard))
    context = _context(pki)
    with contextlib.ExitStack() as stack:
        tickets: list[ssl.SSLSession | None] = [None]

        def connect() -> ssl.SSLSocket:
            plain = socket.create_connection(("127.0.0.1", port), timeout=60)
            return stack.enter_context(
                context.wrap_socket(plain, server_hostname="localhost", session=tickets[0])
            )

        def asked(sender: ssl.SSLSocket) -> float:
            """Milliseconds until an answer is there."""
            begin = time.perf_counter()
            sender.sendall(post(PATH, b"honest"))
            assert status(read_answer(sender)) == 200
            return (time.perf_counter() - begin) * 1000

        honest = connect()
        alone = [asked(honest) for _ in range(ASKED)]
        # The first is a whole handshake; the rest resume it, as clients do that come back.
        tickets[0] = honest.session if RESUME else None
        before = _resident_kib(pid)
        during = []
        for n in range(IDLE):
            connect()
            if n % (IDLE // 20) == 0:
                during.append(asked(honest))
        held = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        assert held > IDLE
        per_connection = (_resident_kib(pid) - before) / IDLE
        beside = [asked(honest) for _ in range(ASKED)]
        sys.stdout.write(
            f"{IDLE} idle connections, {per_connection:.1f} KiB each; honest sender, ms p50 p99: "
            f"alone {_middle(alone)}, while they come {_middle(during)}, beside {_middle(beside)}\n"
        )
        assert per_connection < MOST_KIB
        newcomer = connect()
        for sender in (honest, newcomer):
            sender.sendall(post(PATH, b"still there"))
            answer = read_answer(sender)
            assert status(answer) == 200
            assert answer.endswith(b"still there")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_senders_of_one_byte_at_a_time_are_ended_and_the_honest_one_is_not(pki: Path) -> None:
    """Each byte comes within the gap, so only the limit on the whole ends them."""
    limits = BodyLimits(grace=1.0, gap=60.0)
    with (
        running(pki, ServerLimits(head_seconds=2.0), limits) as door,
        contextlib.ExitStack() as stack,
    ):
        context = door.context()
        slow = [stack.enter_context(door.connect(context)) for _ in range(20)]
        heads = [stack.enter_context(door.connect(context)) for _ in range(5)]
        for tls in slow:
            tls.sendall(post(PATH, b"<", b"content-length: 20000"))
        for tls in heads:
            tls.sendall(b"POST " + PATH.encode() + b" HTTP/1.1\r\nx: ")
        until(lambda: door.door._busy == len(slow))
        answered, end = 0, time.monotonic() + 60
        while door.door._busy:
            assert time.monotonic() < end, f"{door.door._busy} slow senders were never ended"
            for tls in slow:
                cut(tls, b"x", 1)
            for tls in heads:
                cut(tls, b"y", 1)
            assert status(door.ask(post(PATH, b"honest"), context=context)) == 200
            answered += 1
        assert answered > 0
        for tls in slow:
            # 408, unless what was still dripping in made the kernel throw the answer away.
            with contextlib.suppress(OSError):
                assert read_answer(tls)[:12] in {b"HTTP/1.1 408", b""}
        for tls in heads:
            with contextlib.suppress(OSError):
                assert tls.recv(100) == b""
        assert {p.raw for p in door.echo.posts} == {b"honest"}
        assert len(door.echo.posts) == answered
