"""A handshake that fails: the client gets a TLS alert, the operator hears why."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openpoort.inbound.server import ServerLimits
from openpoort.sandbox import pki as devpki
from tests.e2e.doors import Running, post, running, status

PATH = "/wus/2.0/aanleverservice/1.2"
V1_2, V1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("handshake") / "pki"
    devpki.create(folder, ["other.example"])
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=4000)
    devpki.write(folder, "old", devpki.load_issuer(folder).leaf("old", "00000099000000009000", at))
    return folder


@pytest.fixture
def door(pki: Path) -> Iterator[Running]:
    with running(pki) as made:
        yield made


def nobody(door: Running) -> ssl.SSLContext:
    return door.context(None)


def nobody_1_2(door: Running) -> ssl.SSLContext:
    return door.context(None, V1_2)


def stranger(door: Running) -> ssl.SSLContext:
    elsewhere = door.pki.parent / "elsewhere"
    if not elsewhere.exists():
        devpki.create(elsewhere)
    context = door.context(None)
    context.load_cert_chain(elsewhere / "bedrijf.pem", elsewhere / "bedrijf.key")
    return context


def expired(door: Running) -> ssl.SSLContext:
    return door.context("old")


def old_tls(door: Running) -> ssl.SSLContext:
    context = door.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def other_suites(door: Running) -> ssl.SSLContext:
    context = door.context(version=V1_2)
    context.set_ciphers("AES256-SHA")
    return context


def distrustful(door: Running) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_cert_chain(door.pki / "bedrijf.pem", door.pki / "bedrijf.key")
    return context


def told(door: Running) -> str:
    """The one thing the operator hears, with the address of whom it is about."""
    end = time.monotonic() + 10
    while not door.noticed:
        assert time.monotonic() < end, "nobody was told"
        time.sleep(0.01)
    [(origin, reason)] = door.noticed
    assert origin.startswith("127.0.0.1:")
    return reason


@pytest.mark.parametrize(
    ("client", "alert", "reason"),
    [
        (nobody, "CERTIFICATE_REQUIRED", "no client certificate"),
        (nobody_1_2, "HANDSHAKE_FAILURE", "no client certificate"),
        (stranger, "UNKNOWN_CA", "client certificate refused: unable to get local issuer"),
        (expired, "CERTIFICATE_EXPIRED", "client certificate refused: certificate has expired"),
        (old_tls, "PROTOCOL_VERSION", "no common TLS version"),
        (other_suites, "HANDSHAKE_FAILURE", "no common cipher suite"),
        (distrustful, "CERTIFICATE_VERIFY_FAILED", "does not trust the certificate of this"),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_client_gets_an_alert_and_the_operator_the_reason(
    door: Running, client: Callable[[Running], ssl.SSLContext], alert: str, reason: str
) -> None:
    with pytest.raises(ssl.SSLError) as refused:
        # What a client sends behind its handshake must not drown the alert.
        door.ask(post(PATH, b"x" * 300_000), context=client(door))
    assert alert in (refused.value.reason or "")
    assert reason in told(door)
    assert door.echo.posts == []
    assert status(door.ask(post(PATH, b"x"))) == 200


def test_what_openssl_says_of_the_alert(door: Running) -> None:
    """Another's program: `openssl s_client` without a certificate."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{door.port}", "-tls1_3", "-ign_eof",
         "-CAfile", str(door.pki / "ca.pem")],
        input=b"GET / HTTP/1.1\r\n\r\n", capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert b"certificate required" in done.stdout + done.stderr
    assert b"alert number 116" in done.stdout + done.stderr


def test_who_speaks_no_tls_is_told_about(door: Running) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        while plain.recv(1000):
            pass
    assert told(door) == "plain HTTP on a port with TLS"


def test_who_hangs_up_is_told_about_and_who_only_looks_is_not(door: Running) -> None:
    for _ in range(3):
        socket.create_connection(("127.0.0.1", door.port), timeout=10).close()
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as plain:
        plain.sendall(b"\x16\x03\x01\x02\x00\x01")
    assert told(door) == "hung up in the TLS handshake"


def test_a_slow_handshake_is_cut_off(pki: Path) -> None:
    with running(pki, ServerLimits(handshake_seconds=0.2)) as door:
        with socket.create_connection(("127.0.0.1", door.port), timeout=10) as plain:
            plain.sendall(b"\x16\x03\x01")
            assert plain.recv(100) == b""
        assert told(door) == "TLS handshake too slow"


def test_who_dawdles_in_the_handshake_makes_room(pki: Path) -> None:
    """All places taken by clients that say nothing: others get in all the same."""
    with running(pki, ServerLimits(handshakes=4)) as door:
        idle = [socket.create_connection(("127.0.0.1", door.port), timeout=10) for _ in range(6)]
        assert status(door.ask(post(PATH, b"x"))) == 200
        for one in idle:
            one.close()
        assert status(door.ask(post(PATH, b"x"))) == 200
