"""A connection that was kept and died without a word, agencies that are slow by size, and what each
kind of bad answer says of the agency."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from openpoort.domain.ids import Oin
from openpoort.domain.timeouts import DEFAULT, Timeouts, of
from openpoort.outbound.http import NoAnswer
from openpoort.process.ports import Agency, AgencyBusy, AgencySilent, DeliveryFailed
from openpoort.sandbox import pki as development
from openpoort.sandbox.pki import OINS
from tests.agencies import Running, bericht, running

BRIEF = Timeouts(connect=5, read=0.4, whole=2)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("silence") / "pki"
    development.create(folder)
    return folder


@pytest.fixture(scope="module")
def agency(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(pki, tmp_path_factory.mktemp("silent-agency")) as made:
        yield made


class Relay:
    """Between us and somebody, as a firewall is. `forget` makes it drop what comes on the
    connections that stand now, without a word; new ones pass."""

    def __init__(self) -> None:
        self.to = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lines: dict[socket.socket, socket.socket] = {}
        self._dead: set[socket.socket] = set()
        self.opened = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def forget(self) -> None:
        self._dead |= set(self._lines)

    def _run(self) -> None:
        while not self._over.is_set():
            ready, _, _ = select.select([self._listener, *self._lines], [], [], 0.02)
            for sock in ready:
                if sock is self._listener:
                    here, _ = sock.accept()
                    there = socket.create_connection(("127.0.0.1", self.to))
                    self._lines |= {here: there, there: here}
                    self.opened += 1
                    continue
                data = sock.recv(65536)
                other = self._lines[sock]
                if data and sock not in self._dead:
                    other.sendall(data)
                elif not data:
                    for gone in (sock, other):
                        self._lines.pop(gone, None)
                        gone.close()
                    break

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for sock in (self._listener, *self._lines):
            sock.close()


@pytest.fixture
def far(pki: Path, tmp_path: Path) -> Iterator[tuple[Relay, Running]]:
    """An agency behind a relay."""
    relay = Relay()
    try:
        with running(pki, tmp_path, known_at=relay.port) as made:
            relay.to = made.real_port
            yield relay, made
    finally:
        relay.close()


def test_a_kept_connection_that_died_costs_one_more_try_and_no_failure(
    far: tuple[Relay, Running],
) -> None:
    relay, agency = far
    record = agency.record()
    with agency.channel(timeouts=BRIEF) as channel:
        channel.deliver(bericht(kenmerk=str(uuid.uuid4())), record, f"urn:uuid:{uuid.uuid4()}")
        assert channel.http.idle == 1
        relay.forget()
        sent = bericht(kenmerk=str(uuid.uuid4()))
        answer = channel.deliver(sent, record, f"urn:uuid:{uuid.uuid4()}")
        assert answer.kenmerk == sent.kenmerk
        assert relay.opened == 2


def test_a_connection_that_stood_idle_too_long_is_not_used(far: tuple[Relay, Running]) -> None:
    relay, agency = far
    record = replace(agency.record(), options={"idle_seconds": "0"})
    with agency.channel(timeouts=replace(BRIEF, read=30.0, whole=60.0)) as channel:
        for _ in range(2):
            channel.deliver(bericht(kenmerk=str(uuid.uuid4())), record, f"urn:uuid:{uuid.uuid4()}")
            relay.forget()
        assert relay.opened == 2


def test_silence_on_a_new_connection_is_silence(agency: Running) -> None:
    agency.stand("slow")
    try:
        with agency.channel(timeouts=BRIEF) as channel, pytest.raises(AgencySilent):
            channel.deliver(bericht(kenmerk=str(uuid.uuid4())), agency.record(), "urn:uuid:a")
    finally:
        agency.stand("normal")


def test_a_request_that_may_not_be_repeated_is_not(far: tuple[Relay, Running]) -> None:
    relay, agency = far
    with agency.channel(timeouts=BRIEF) as channel:
        channel.http.get(agency.address)
        assert channel.http.idle == 1
        relay.forget()
        with pytest.raises(NoAnswer) as silent:
            channel.http.get(agency.address)
        assert not silent.value.heard
        assert relay.opened == 1


@contextmanager
def answering(pki: Path, talk: Callable[[ssl.SSLSocket], None]) -> Iterator[Agency]:
    """Somebody who does `talk` on each connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "agency.pem", pki / "agency.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as tls:
                    talk(tls)
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        port = listener.getsockname()[1]
        yield Agency("X", Oin(OINS["agency"]), f"https://localhost:{port}/x")
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def whole_request(tls: ssl.SSLSocket) -> bool:
    got = b""
    while b"Envelope>" not in got[-20:]:
        part = tls.recv(65536)
        if not part:
            return False
        got += part
    return True


def says(*parts: bytes) -> Callable[[ssl.SSLSocket], None]:
    def talk(tls: ssl.SSLSocket) -> None:
        if whole_request(tls):
            for part in parts:
                tls.sendall(part)

    return talk


def until(tls: ssl.SSLSocket) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True).encode()
    says(b"HTTP/1.1 429 Busy\r\nRetry-After: " + later + b"\r\nContent-Length: 0\r\n\r\n")(tls)


@pytest.mark.parametrize(
    ("talk", "kind", "pause"),
    [
        (says(), AgencySilent, None),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n<half"), DeliveryFailed, None),
        (says(b"SSH-2.0-x\r\n"), DeliveryFailed, None),
        (says(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), DeliveryFailed, None),
        (says(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), DeliveryFailed, None),
        (says(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), DeliveryFailed, None),
        (says(b"HTTP/1.1 503 Busy\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n"),
         AgencyBusy, 77),
        (until, AgencyBusy, 80),
        (says(b"HTTP/1.1 503 Busy\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n"),
         DeliveryFailed, None),
        (says(b"HTTP/1.1 500 Oops\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n"),
         DeliveryFailed, None),
    ],
    ids=["hangs up", "half", "no http", "500", "404", "503", "503 wait", "429 until", "503 odd",
         "500 wait"],
)  # fmt: skip
def test_what_a_bad_answer_is_about(
    agency: Running, pki: Path, talk: Callable[[ssl.SSLSocket], None],
    kind: type[DeliveryFailed], pause: float | None,
) -> None:  # fmt: skip
    with (
        answering(pki, talk) as other,
        agency.channel(timeouts=BRIEF) as channel,
        pytest.raises(DeliveryFailed) as failed,
    ):
        channel.deliver(bericht(), other, "urn:uuid:a")
    assert type(failed.value) is kind
    if pause is not None:
        assert isinstance(failed.value, AgencyBusy)
        assert pause <= failed.value.pause.total_seconds() <= pause + 10


def test_a_peer_that_is_no_tls_and_one_that_takes_no_connection_are_silent(
    agency: Running,
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def rude() -> None:
        plain, _ = listener.accept()
        plain.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        plain.close()

    thread = threading.Thread(target=rude)
    thread.start()
    with agency.channel(timeouts=BRIEF) as channel:
        record = replace(
            agency.record(), endpoint=f"https://localhost:{listener.getsockname()[1]}/"
        )
        with pytest.raises(AgencySilent, match="TLS"):
            channel.deliver(bericht(), record, "urn:uuid:a")
        thread.join()
        listener.close()
        with pytest.raises(AgencySilent, match="nothing listens"):
            channel.deliver(bericht(), record, "urn:uuid:a")


def test_a_dead_peer_is_noticed_by_the_machine_itself(agency: Running) -> None:
    with agency.channel(timeouts=replace(BRIEF, idle=60)) as channel:
        channel.http.get(agency.address)
        [lines] = channel.http._idle.values()
        sock = lines[0]._socket
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5


def test_time_outs_grow_with_the_message_up_to_an_end() -> None:
    assert DEFAULT.sending(100_000) is DEFAULT
    large = DEFAULT.sending(20 * 1024 * 1024)
    assert (large.connect, large.read, large.whole) == (10.0, 70.0, 100.0)
    assert replace(DEFAULT, per_mib=10).sending(60 * 1024 * 1024).whole == 120.0


def test_time_outs_are_those_of_the_agency(agency: Running) -> None:
    assert of({"hash": "sha1"}) is DEFAULT
    assert of({"silence_seconds": "12.5"}, BRIEF) == replace(BRIEF, read=12.5)
    for wrong in ("0", "x", "nan", "121", "-3"):
        with pytest.raises(ValueError, match="silence_seconds must be a number from 1 to 120"):
            of({"silence_seconds": wrong})
    agency.stand("slow")  # it takes 2 seconds
    try:
        record = replace(agency.record(), options={"silence_seconds": "20", "whole_seconds": "30"})
        with agency.channel(timeouts=BRIEF) as channel:
            begin = time.monotonic()
            channel.deliver(bericht(kenmerk=str(uuid.uuid4())), record, "urn:uuid:b")
            assert time.monotonic() - begin > BRIEF.whole - 0.1
    finally:
        agency.stand("normal")
