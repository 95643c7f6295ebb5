"""The HTTPS client against servers that behave badly."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openpoort.outbound.http import Https, NoAnswer, Timeouts, TlsRefused, tls_context
from openpoort.sandbox import pki as development

Talk = Callable[[ssl.SSLSocket], None]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("http") / "pki"
    development.create(folder)
    return folder


@contextmanager
def server(pki: Path, talk: Talk, who: str = "server") -> Iterator[str]:
    """Speaks TLS on one connection as `who`, and does there what `talk` does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / f"{who}.pem", pki / f"{who}.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        plain, _ = listener.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as tls:
                talk(tls)
        except OSError:
            plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://localhost:{listener.getsockname()[1]}/"
    finally:
        thread.join(10)
        listener.close()


def request(tls: ssl.SSLSocket) -> bytes:
    """One request with a body of 4 bytes."""
    got = b""
    while not got.endswith(b"\r\n\r\nbody"):
        part = tls.recv(65536)
        if not part:
            return got
        got += part
    return got


@contextmanager
def client(pki: Path, **how: object) -> Iterator[Https]:
    with Https(tls_context(None, None, pki / "ca.pem"), **how) as made:  # type: ignore[arg-type]
        yield made


def answering(*parts: bytes) -> Talk:
    def talk(tls: ssl.SSLSocket) -> None:
        request(tls)
        for part in parts:
            tls.sendall(part)

    return talk


def test_answer_with_length_and_with_chunks(pki: Path) -> None:
    whole = b"HTTP/1.1 500 Oops\r\nContent-Type: text/xml\r\nContent-Length: 3\r\n\r\nabc"
    with server(pki, answering(whole)) as url, client(pki) as http:
        answer = http.post(url, b"body", {})
    assert (answer.status, answer.body, answer.content_type) == (500, b"abc", "text/xml")
    assert answer.tls_leaf is not None
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
    with server(pki, answering(chunked)) as url, client(pki) as http:
        assert http.post(url, b"body", {}).body == b"abc"


def test_connection_is_used_again(pki: Path) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def twice(tls: ssl.SSLSocket) -> None:
        for _ in range(2):
            request(tls)
            tls.sendall(whole)

    with server(pki, twice) as url, client(pki) as http:
        assert [http.post(url, b"body", {}).body for _ in range(2)] == [b"ok", b"ok"]


def closing(*parts: bytes) -> Talk:
    """Answers and hangs up, as TLS has it."""

    def talk(tls: ssl.SSLSocket) -> None:
        answering(*parts)(tls)
        tls.unwrap()

    return talk


def test_body_without_a_length_ends_with_the_connection(pki: Path) -> None:
    parts = (b"HTTP/1.1 200 OK\r\n\r\nab", b"c")
    with server(pki, closing(*parts)) as url, client(pki) as http:
        assert http.post(url, b"body", {}).body == b"abc"
        assert http.idle == 0


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokrubbish", 200),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            b"HTTP/1.1 500 No\r\nContent-Length: 1\r\nX: y\r\n\r\nx",
            200,
        ),
    ],
    ids=["said so", "1.0", "rubbish behind", "a second answer"],
)
def test_connection_in_doubt_is_not_used_again(pki: Path, answer: bytes, status: int) -> None:
    with server(pki, answering(answer)) as url, client(pki) as http:
        got = http.post(url, b"body", {})
        assert (got.status, got.body) == (status, b"ok")
        assert http.idle == 0


def test_connection_that_was_closed_meanwhile_is_not_used_again(pki: Path) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with client(pki) as http:
        with server(pki, closing(whole)) as url:
            http.post(url, b"body", {})
        assert http.idle == 1
        # A new connection is tried, and refused: the old one would have been "no answer".
        with pytest.raises(NoAnswer, match="nothing listens"):
            http.post(url, b"body", {})
        assert http.idle == 0


def test_something_in_between_is_not_the_answer(pki: Path) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with server(pki, answering(early, whole)) as url, client(pki) as http:
        answer = http.post(url, b"body", {})
    assert (answer.status, answer.body, "link" in answer.headers) == (200, b"ok", False)


def test_what_is_no_http_is_no_answer(pki: Path) -> None:
    with (
        server(pki, answering(b"SSH-2.0-x\r\n")) as url,
        client(pki) as http,
        pytest.raises(NoAnswer, match="no HTTP"),
    ):
        http.post(url, b"body", {})


def test_answer_to_a_request_that_was_cut_short_is_read(pki: Path) -> None:
    """A door that refuses by the head says so and reads no further."""

    def refuse(tls: ssl.SSLSocket) -> None:
        tls.recv(1024)
        tls.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        while tls.recv(65536):
            pass

    with server(pki, refuse) as url, client(pki) as http:
        assert http.post(url, b"x" * 1_000_000, {}).status == 413


@pytest.mark.parametrize("url", ["ftp://localhost/", "https:///x", "https://localhost:x/", "x"])
def test_what_is_no_address_is_refused(pki: Path, url: str) -> None:
    with client(pki) as http, pytest.raises(NoAnswer, match="no address"):
        http.post(url, b"body", {})


def test_address_cannot_break_out_of_the_request_line(pki: Path) -> None:
    seen: list[bytes] = []

    def look(tls: ssl.SSLSocket) -> None:
        seen.append(request(tls))
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with server(pki, look) as url, client(pki) as http:
        http.post(f"{url}a b\r\nX: y/é", b"body", {})
    assert seen[0].startswith(b"POST /a%20bX:%20y/%C3%A9 HTTP/1.1\r\n")


def test_too_large_an_answer_is_cut_off(pki: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    talk = answering(head, b"x" * 100000)
    with (
        server(pki, talk) as url,
        client(pki, max_answer=1000) as http,
        pytest.raises(NoAnswer, match="larger than 1000"),
    ):
        http.post(url, b"body", {})


def test_half_an_answer_is_none(pki: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
    with server(pki, answering(head)) as url, client(pki) as http, pytest.raises(NoAnswer):
        http.post(url, b"body", {})


def test_answer_that_drips_is_given_up(pki: Path) -> None:
    """Each byte comes within the read time-out; the whole does not."""

    def drip(tls: ssl.SSLSocket) -> None:
        request(tls)
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            tls.sendall(b"x")
            threading.Event().wait(0.05)

    times = Timeouts(connect=5, read=5, whole=0.4)
    with (
        server(pki, drip) as url,
        client(pki, timeouts=times) as http,
        pytest.raises(NoAnswer, match=r"within 0\.4 s"),
    ):
        http.post(url, b"body", {})


def test_no_answer_is_given_up(pki: Path) -> None:
    done = threading.Event()

    def silent(tls: ssl.SSLSocket) -> None:
        request(tls)
        done.wait(10)

    times = Timeouts(connect=5, read=0.3, whole=5)
    with server(pki, silent) as url, client(pki, timeouts=times) as http:
        with pytest.raises(NoAnswer, match="in time"):
            http.post(url, b"body", {})
        done.set()


def test_redirect_is_an_answer_and_is_not_followed(pki: Path) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: https://localhost:1/\r\nContent-Length: 0\r\n\r\n"
    with server(pki, answering(head)) as url, client(pki) as http:
        assert http.post(url, b"body", {}).status == 302


def test_server_without_our_anchor_is_refused(pki: Path, tmp_path: Path) -> None:
    development.create(tmp_path / "other")
    with server(pki, answering(b"")) as url:
        context = tls_context(None, None, tmp_path / "other" / "ca.pem")
        with Https(context) as http, pytest.raises(TlsRefused):
            http.post(url, b"body", {})


def test_server_with_another_name_is_refused(pki: Path) -> None:
    with (
        server(pki, answering(b""), who="bedrijf") as url,
        client(pki) as http,
        pytest.raises(TlsRefused, match="localhost"),
    ):
        http.post(url, b"body", {})


def test_head_without_an_end_is_given_up(pki: Path) -> None:
    def talk(tls: ssl.SSLSocket) -> None:
        request(tls)
        tls.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000):
            tls.sendall(b"x-%d: %s\r\n" % (number, b"y" * 1000))

    with (
        server(pki, talk) as url,
        Https(tls_context(None, None, pki / "ca.pem"), max_answer=50_000) as http,
        pytest.raises(NoAnswer, match="larger than 50000"),
    ):
        http.post(url, b"body", {})


def test_a_changed_trust_store_lets_kept_connections_go_and_judges_anew(
    pki: Path, tmp_path: Path
) -> None:
    development.create(tmp_path / "other")
    ours, other = ((p / "ca.pem").read_text() for p in (pki, tmp_path / "other"))
    whole = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with Https(tls_context(None, None, None, ours)) as http:
        with server(pki, whole) as url:
            assert http.post(url, b"body", {}).body == b"ok"
            assert http.idle == 1
            http.trust(tls_context(None, None, None, other))
            assert http.idle == 0
        with server(pki, whole) as url, pytest.raises(TlsRefused):
            http.post(url, b"body", {})
