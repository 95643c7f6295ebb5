"""TLS and HTTP of the doors: who gets in, under which caps, and what bad requests meet."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openpoort.inbound.body import HELD, BodyLimits
from openpoort.inbound.http import Answer, Post
from openpoort.inbound.server import ServerLimits
from openpoort.inbound.tls import HostCertificate
from openpoort.sandbox import pki as devpki
from openpoort.sandbox.authority import Ca
from openpoort.store.payloads.spool import Spooled
from tests.e2e.doors import Running, busy_fault, cut, post, read_answer, refused, running, status

PATH = "/wus/2.0/aanleverservice/1.2"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doors") / "pki"
    devpki.create(folder, ["other.example"])
    return folder


@pytest.fixture(scope="module")
def door(pki: Path) -> Iterator[Running]:
    with running(pki) as made:
        yield made


def leaf(pki: Path, name: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(
        (pki / f"{name}.pem").read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n"
    )


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificate_reaches_the_application(door: Running, version: ssl.TLSVersion) -> None:
    answer = door.ask(post(PATH, b"<a/>"), context=door.context(version=version))
    assert status(answer) == 200
    assert answer.endswith(b"<a/>")
    assert door.echo.posts[-1].line.peer == leaf(door.pki, "bedrijf")


def test_without_client_certificate_the_handshake_is_refused(door: Running) -> None:
    seen = len(door.echo.posts)
    assert refused(door, door.context(None), post(PATH, b"<a/>"))
    assert len(door.echo.posts) == seen


def test_certificate_of_another_root_is_refused(door: Running, tmp_path: Path) -> None:
    devpki.create(tmp_path)
    context = door.context(None)
    context.load_cert_chain(tmp_path / "bedrijf.pem", tmp_path / "bedrijf.key")
    seen = len(door.echo.posts)
    assert refused(door, context, post(PATH, b"<a/>"))
    assert len(door.echo.posts) == seen


def test_tls_1_1_is_refused(door: Running) -> None:
    context = door.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert refused(door, context, post(PATH, b"<a/>"))


def test_session_is_resumed_in_both_versions(door: Running) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = door.context(version=version)
        with door.connect(context) as tls:
            tls.sendall(post(PATH, b"x"))
            read_answer(tls)
            session = tls.session
        with door.connect(context, session=session) as tls:
            tls.sendall(post(PATH, b"y"))
            assert status(read_answer(tls)) == 200
            assert tls.session_reused
        # The resumed connection still tells who is there.
        assert door.echo.posts[-1].line.peer == leaf(door.pki, "bedrijf")


def test_chain_is_sent_with_its_intermediate(door: Running) -> None:
    # The context trusts the root alone, so the handshake proves that the intermediate came along.
    with door.connect(door.context()) as tls:
        assert tls.getpeercert(binary_form=True) == leaf(door.pki, "server")


def test_certificate_follows_the_host_name_and_overlap_goes_by_time(pki: Path) -> None:
    issuer: Ca = devpki.load_issuer(pki)
    at = datetime.now(UTC).replace(microsecond=0)
    for name in ("old", "new"):
        devpki.write(
            pki,
            name,
            issuer.leaf("other.example", "00000099000000009000", at, hosts=("other.example",)),
        )
    moment = [at]
    entries = [
        HostCertificate(("localhost",), pki / "server.pem", pki / "server.key"),
        HostCertificate(("other.example",), pki / "old.pem", pki / "old.key"),
        HostCertificate(
            ("other.example",), pki / "new.pem", pki / "new.key", active_from=at + timedelta(days=1)
        ),
    ]
    with running(pki, entries=entries, now=lambda: moment[0]) as door:

        def presented(name: str) -> tuple[bytes | None, int]:
            with door.connect(name=name) as tls:
                tls.sendall(post(PATH, b"x"))
                read_answer(tls)
                return tls.getpeercert(binary_form=True), door.echo.posts[-1].line.place

        assert presented("localhost") == (leaf(pki, "server"), 0)
        assert presented("other.example") == (leaf(pki, "old"), 1)
        moment[0] += timedelta(days=2)
        assert presented("other.example") == (leaf(pki, "new"), 2)
        assert presented("localhost") == (leaf(pki, "server"), 0)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n", 404),
        (post("/wus/2.0/afleverservice/1.2", b"x"), 404),
        (post("/wus/2.0/aanleverservice/9.9", b"x"), 404),
        (
            b"PUT " + PATH.encode() + b" HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n",
            405,
        ),
        (b"GET " + PATH.encode() + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", 405),
        (post(PATH, b"x", b"content-encoding: gzip"), 415),
        (post(PATH, b"x", b"content-length: 99999999999"), 413),
        (post(PATH, b"x", b"content-length: 1", b"content-length: 1"), 400),
        (post(PATH, b"x", b"content-length: -1"), 400),
        (post(PATH, b"0\r\n\r\n", b"content-length: 3", b"transfer-encoding: chunked"), 400),
        (post(PATH, b"0\r\n\r\n", b"transfer-encoding: gzip, chunked"), 501),
        (post(PATH, b"zz\r\nxx\r\n0\r\n\r\n", b"transfer-encoding: chunked"), 400),
        (b"\x16\x03\x01 not http\r\n\r\n", 400),
    ],
    ids=lambda v: repr(v)[2:60] if isinstance(v, bytes) else str(v),
)
def test_requests_that_are_not_a_message(door: Running, request_: bytes, expected: int) -> None:
    seen = len(door.echo.posts)
    assert status(door.ask(request_)) == expected
    assert len(door.echo.posts) == seen


def test_chunked_body_is_put_together(door: Running) -> None:
    body = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert door.ask(post(PATH, body, b"transfer-encoding: chunked")).endswith(b"abcde")


def test_soapaction_and_content_type_do_not_matter(door: Running) -> None:
    for line in (b"SOAPAction: x", b'SOAPAction: ""', b"content-type: text/xml"):
        assert status(door.ask(post(PATH, b"x", line))) == 200


def test_endless_chunks_stop_at_the_cap(pki: Path) -> None:
    with running(pki, body=BodyLimits(size=100_000)) as door, door.connect() as tls:
        tls.sendall(post(PATH, b"", b"transfer-encoding: chunked"))
        assert cut(tls, b"1000\r\n" + b"x" * 0x1000 + b"\r\n", 10_000)
        assert door.echo.posts == []


def test_large_requests_share_a_pool_and_small_ones_never_wait(pki: Path) -> None:
    with running(pki, body=BodyLimits(size=1_000_000, pool=1_000_000, small=1000)) as door:
        half = post(PATH, b"x" * 10, b"content-length: 900000")
        with door.connect() as tls:
            tls.sendall(half)
            deadline = time.monotonic() + 10
            while not (door.door._pool and door.door._pool.used):
                assert time.monotonic() < deadline
            answer = door.ask(half)
            assert status(answer) == 503
            assert b"retry-after: 2" in answer
            assert busy_fault(answer) == "ALS400"
            assert status(door.ask(post(PATH, b"x"))) == 200


def open_files(folder: Path) -> list[str]:
    """Files of this process that stand in `folder` without a name."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(one.readlink()))
    return [name for name in found if name.startswith(str(folder))]


def until_none(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while open_files(folder):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_comes_in_whole_on_disk(pki: Path, tmp_path: Path, chunked: bool) -> None:
    body = random.Random(1).randbytes(3 * HELD + 17)
    sent = post(PATH, body)
    if chunked:
        parts = [body[i : i + 100_001] for i in range(0, len(body), 100_001)] + [b""]
        coded = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts)
        sent = post(PATH, coded, b"transfer-encoding: chunked")
    with running(pki, body=BodyLimits(spool=tmp_path)) as door:
        answer = door.ask(sent)
        assert answer.endswith(body[-1000:])
        [came] = door.echo.posts
        assert isinstance(came.raw, Spooled)
        assert bytes(came.raw) == body
        assert status(door.ask(post(PATH, body[:HELD]))) == 200
        assert door.echo.posts[1].raw == body[:HELD]  # held: it fits
        assert list(tmp_path.iterdir()) == []
        del came
        door.echo.posts.clear()
        until_none(tmp_path)


def test_a_large_body_that_ends_early_leaves_nothing(pki: Path, tmp_path: Path) -> None:
    with running(pki, body=BodyLimits(spool=tmp_path)) as door:
        with door.connect() as tls:
            tls.sendall(post(PATH, b"x" * 2 * HELD, b"content-length: %d" % (3 * HELD)))
            deadline = time.monotonic() + 10
            while not open_files(tmp_path):
                assert time.monotonic() < deadline
        until_none(tmp_path)
        assert door.echo.posts == []
        assert door.door._pool is not None
        assert door.door._pool.used == 0
        assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_503_and_small_requests_go_on(pki: Path, tmp_path: Path) -> None:
    with running(pki, body=BodyLimits(spool=tmp_path / "not there")) as door:
        answer = door.ask(post(PATH, b"x" * 3 * HELD))
        assert status(answer) == 503
        assert b"retry-after: 2" in answer
        assert status(door.ask(post(PATH, b"x"))) == 200
        assert door.door._pool is not None
        assert door.door._pool.used == 0


def test_the_pool_counts_what_is_in_hand_by_its_real_size(pki: Path, tmp_path: Path) -> None:
    """A chunked request is counted as the largest until it is in, then as what it is."""
    seen: list[int] = []
    with running(pki, body=BodyLimits(size=4 * HELD, pool=5 * HELD, spool=tmp_path)) as door:

        async def look(request: Post) -> Answer:
            assert door.door._pool is not None
            seen.append(door.door._pool.used)
            return await door.echo(request)

        door.door.exchange = look
        coded = b"%x\r\n%s\r\n0\r\n\r\n" % (2 * HELD, b"x" * 2 * HELD)
        assert status(door.ask(post(PATH, coded, b"transfer-encoding: chunked"))) == 200
        assert status(door.ask(post(PATH, b"x"))) == 200
    assert seen == [2 * HELD, 0]


def test_slow_body_gets_408_and_slow_head_is_cut(pki: Path) -> None:
    with running(pki, ServerLimits(head_seconds=0.2), BodyLimits(gap=0.2)) as door:
        assert status(door.ask(post(PATH, b"x", b"content-length: 5"))) == 408
        with door.connect() as tls:
            tls.sendall(b"POST / HTTP/1.1\r\nhost:")
            assert tls.recv(100) == b""
        assert door.echo.posts == []


def test_half_a_body_leaves_nothing(door: Running) -> None:
    seen = len(door.echo.posts)
    with door.connect() as tls:
        tls.sendall(post(PATH, b"half", b"content-length: 8"))
    assert status(door.ask(post(PATH, b"whole"))) == 200
    assert [p.raw for p in door.echo.posts[seen:]] == [b"whole"]


def test_large_head_is_refused(door: Running) -> None:
    with door.connect() as tls:
        tls.sendall(b"POST " + PATH.encode() + b" HTTP/1.1\r\nhost: localhost\r\n")
        assert cut(tls, b"x-pad: " + b"y" * 1000 + b"\r\n", 1000)
    assert status(door.ask(post(PATH, b"x"))) == 200


def test_idle_connections_make_room_for_new_ones(pki: Path) -> None:
    with running(pki, ServerLimits(connections=5)) as door:
        context = door.context()
        idle = []
        for _ in range(8):
            plain = socket.create_connection(("127.0.0.1", door.port), timeout=10)
            idle.append(context.wrap_socket(plain, server_hostname="localhost"))
        assert status(door.ask(post(PATH, b"x"))) == 200
        closed = 0
        for tls in idle:
            tls.settimeout(0.5)
            try:
                closed += tls.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                closed += 1
            tls.close()
        assert closed >= 4


def test_answer_counts_as_delivered_only_when_written(door: Running) -> None:
    door.echo.delivered.clear()
    deadline = time.monotonic() + 10
    assert status(door.ask(post(PATH, b"x"))) == 200
    while not door.echo.delivered:  # told a moment after the client has it
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert door.echo.delivered == [True]
    big = post(PATH, b"y" * 30_000_000)
    with door.connect() as tls:
        tls.sendall(big)
        tls.recv(10)  # the answer is on its way; now hang up on it
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    deadline = time.monotonic() + 10
    while len(door.echo.delivered) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert door.echo.delivered == [True, False]


def test_body_that_ends_in_a_large_piece_is_no_head(door: Running) -> None:
    with door.connect() as tls:
        for size in (200_000, 3, 100_000):
            tls.sendall(post(PATH, b"x" * size))
            assert len(read_answer(tls).partition(b"\r\n\r\n")[2]) == size


def test_keep_alive_serves_many_requests(door: Running) -> None:
    with door.connect() as tls:
        for number in range(5):
            tls.sendall(post(PATH, b"%d" % number))
            assert read_answer(tls).endswith(b"%d" % number)


def test_a_small_answer_is_one_tls_record_and_a_large_one_is_whole(door: Running) -> None:
    """A read gives one record at most, so the first one has head and body."""
    large = b"x" * 200_000
    with door.connect(door.context()) as tls:
        for _ in range(2):
            tls.sendall(post(PATH, b"<a/>"))
            answer = tls.recv(64 * 1024)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b"<a/>")
        tls.sendall(post(PATH, large))
        assert read_answer(tls).endswith(large)
        tls.sendall(b"HEAD / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert status(tls.recv(64 * 1024)) == 404


_OFFERS = [(b"connection: Upgrade, HTTP2-Settings", b"upgrade: h2c", b"http2-settings: AAMAAABk"),
           (b"connection: keep-alive, upgrade", b"upgrade: websocket"),
           (b"connection: upgrade", b"upgrade: TLS/1.0")]  # fmt: skip


@pytest.mark.parametrize("offer", _OFFERS, ids=lambda o: o[1].decode())
def test_an_offer_to_speak_something_else_is_passed_over(
    door: Running, offer: tuple[bytes, ...]
) -> None:
    """RFC 9110, 7.8: what follows is HTTP/1.1, body and all; also in pieces and chunked."""
    with door.connect() as tls:
        whole = post(PATH, b"<whole/>", *offer)
        tls.sendall(whole[:-5])
        time.sleep(0.05)
        tls.sendall(whole[-5:])
        assert read_answer(tls).endswith(b"<whole/>")
        tls.sendall(
            post(PATH, b"4\r\n<ch/\r\n1\r\n>\r\n0\r\n\r\n", b"transfer-encoding: chunked", *offer)
        )
        assert read_answer(tls).endswith(b"<ch/>")
        assert status(door.ask(b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n")) == 400


def test_whatever_comes_after_the_last_request_costs_it_nothing(door: Running) -> None:
    """More than any buffer holds, and it all comes in before the answer goes out."""
    sent = threading.Event()
    exchange = door.door.exchange

    async def slow(asked: Post) -> Answer:
        await asyncio.to_thread(sent.wait, 30)
        return await exchange(asked)

    door.door.exchange = slow
    try:
        with door.connect() as tls:
            tls.sendall(post(PATH, b"<b/>", b"connection: close"))
            with contextlib.suppress(OSError):
                tls.sendall(b"x" * 20_000_000)
            sent.set()
            assert read_answer(tls).endswith(b"<b/>")
    finally:
        door.door.exchange = exchange


@pytest.mark.parametrize("rest", [b"rubbish", b"\0\0\0\0", b"<a/>", b"POST / HTTP/9.9\r\n\r\n"])
def test_octets_after_a_body_cost_the_request_nothing(door: Running, rest: bytes) -> None:
    """It was whole: taken in, and so answered. Then the connection ends."""
    chunked = post(PATH, b"4\r\n<b/>\r\n0\r\n\r\n", b"transfer-encoding: chunked")
    for request, content in ((post(PATH, b"<b/>"), b"<b/>"), (chunked, b"<b/>")):
        with door.connect() as tls:
            tls.sendall(request + rest)
            answer = read_answer(tls)
            assert status(answer) == 200
            assert answer.endswith(content)
            with contextlib.suppress(ConnectionError):
                assert tls.recv(100) == b""
    end = time.monotonic() + 10
    while "octets after a request that are no HTTP" not in [why for _, why in door.noticed]:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"1\r\nx\r\n0\r\n", b"x-trailer: y\r\n"),
        (b"1\r\nx\r\n0\r\nx-trailer: ", b"y" * 1000),
        (b"1;a=", b"b" * 1000),
        (b"", b"1\r\nx\r\n"),
        (b"", b"1;" + b"e" * 100 + b"\r\nx\r\n"),
    ],
    ids=["trailers", "one long trailer", "long extension", "chunks of one octet", "extensions"],
)
def test_what_comes_beside_a_body_has_a_bound(door: Running, begin: bytes, piece: bytes) -> None:
    seen = len(door.echo.posts)
    with door.connect() as tls:
        tls.sendall(post(PATH, begin, b"transfer-encoding: chunked"))
        assert cut(tls, piece * (4000 // len(piece) + 1), 2000)
    assert len(door.echo.posts) == seen
    told = {why for _, why in door.noticed}
    assert told & {
        "chunks or trailers without end", "too many header fields", "chunks of hardly an octet"
    }  # fmt: skip


def test_small_chunks_and_a_few_trailers_are_fine(door: Running) -> None:
    body = b"20\r\n" + b"x" * 32 + b"\r\n"
    chunked = b"transfer-encoding: chunked"
    answer = door.ask(
        post(PATH, body * 20_000 + b"0\r\nx-sum: y\r\ncontent-type: z\r\n\r\n", chunked)
    )
    assert answer.endswith(b"x" * 32 * 20_000)
    assert door.echo.posts[-1].content_type is None


def test_too_many_fields_in_a_head_are_refused(door: Running) -> None:
    assert status(door.ask(post(PATH, b"x", *[b"a: b"] * 90))) == 200
    assert status(door.ask(post(PATH, b"x", *[b"a: b"] * 200))) == 431
