"""Delivered is what the peer's TCP has acknowledged, whoever closes first.

OPENPOORT_POLLS sets how many answers each way of reading them gets.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from openpoort.sandbox import pki as devpki
from tests.e2e.doors import Running, post, read_answer, running, status

PATH = "/wus/2.0/aanleverservice/1.2"
POLLS = int(os.environ.get("OPENPOORT_POLLS", "25"))
ANSWER = b"x" * 60_000


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("delivered") / "pki"
    devpki.create(folder)
    with running(folder) as made:
        yield made


def plain_close(door: Running) -> None:
    """As most simple clients: the whole answer read, the socket closed without a goodbye."""
    with door.connect() as tls:
        tls.sendall(post(PATH, ANSWER))
        assert read_answer(tls).endswith(b"x")


def close_notify(door: Running) -> None:
    with door.connect() as tls:
        tls.sendall(post(PATH, ANSWER))
        read_answer(tls)
        tls.unwrap()


def we_close(door: Running) -> None:
    with door.connect() as tls:
        tls.sendall(post(PATH, ANSWER, b"connection: close"))
        while tls.recv(65536):
            pass


def plain_close_of_the_last(door: Running) -> None:
    """Who asked for the end of the connection, and does not wait for it: our goodbye stays unread,
    so that its close is a reset."""
    for content in (b"x", ANSWER):
        with door.connect() as tls:
            tls.sendall(post(PATH, content, b"connection: close"))
            assert read_answer(tls).endswith(b"x")


def requests_post(door: Running) -> None:
    """`requests.post` without a session is urllib3 with a pool that is thrown away."""
    import requests

    pki = door.pki
    answer = requests.post(
        f"https://localhost:{door.port}{PATH}", data=ANSWER, timeout=30,
        cert=(str(pki / "bedrijf.pem"), str(pki / "bedrijf.key")), verify=str(pki / "ca.pem"),
    )  # fmt: skip
    assert answer.content == ANSWER


def curl(door: Running) -> None:
    pki = door.pki
    subprocess.run(
        ["curl", "-sf", "-o", os.devnull, "--cacert", pki / "ca.pem", "--cert", pki / "bedrijf.pem",
         "--key", pki / "bedrijf.key", "--data-binary", "@-", f"https://localhost:{door.port}{PATH}"],
        input=ANSWER, check=True, timeout=30,
    )  # fmt: skip


def verdicts(door: Running, count: int) -> list[bool]:
    end = time.monotonic() + 30
    while len(door.echo.delivered) < count:
        assert time.monotonic() < end, door.echo.delivered
        time.sleep(0.01)
    return door.echo.delivered[:count]


@pytest.mark.parametrize(
    "client", [plain_close, plain_close_of_the_last, close_notify, we_close, requests_post, curl]
)
def test_whoever_read_it_all_has_it(door: Running, client: Callable[[Running], None]) -> None:
    door.echo.delivered.clear()
    for _ in range(POLLS):
        client(door)
    assert verdicts(door, POLLS).count(False) == 0


def test_one_connection_that_stays_waits_for_nothing(door: Running) -> None:
    """The next request carries the acknowledgement of the answer before it."""
    door.echo.delivered.clear()
    with door.connect() as tls:
        for number in range(POLLS):
            tls.sendall(post(PATH, b"%d" % number))
            assert status(read_answer(tls)) == 200
    assert verdicts(door, POLLS).count(False) == 0


def test_who_leaves_the_last_octets_unread_does_not_have_it(door: Running) -> None:
    """Much more than both kernels hold: what was written into a buffer was read by nobody."""
    door.echo.delivered.clear()
    with door.connect() as tls:
        tls.sendall(post(PATH, b"y" * 30_000_000))
        while not tls.recv(10):
            pass
    assert verdicts(door, 1) == [False]


def test_who_vanishes_before_the_answer_does_not_have_it(door: Running) -> None:
    """A reset may overtake the request itself: then there is no answer to have."""
    door.echo.delivered.clear()
    with door.connect() as tls:
        tls.sendall(post(PATH, b"z" * 100))
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    plain_close(door)
    end = time.monotonic() + 30
    while True not in door.echo.delivered:
        assert time.monotonic() < end, door.echo.delivered
        time.sleep(0.01)
    assert door.echo.delivered in ([True], [False, True], [True, False])
