"""What can go wrong with an S3-compatible store, seen from the place and from the whole house."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from openpoort.domain.finding import Finding
from openpoort.domain.message import Received
from openpoort.operate.retention import run
from openpoort.process.intake import Busy
from openpoort.process.ports import Filing
from openpoort.store.messages import retention
from openpoort.store.payloads import payloads
from openpoort.store.payloads.folder import Folder
from openpoort.store.payloads.payloads import THRESHOLD, PayloadMissing, PayloadUnavailable
from openpoort.store.payloads.s3 import S3, Bucket
from tests import s3
from tests.process.house import BEDRIJF, HAPPY, START, Gate, Passes, request, verified
from tests.process.test_process_payloads import stored_request
from tests.s3 import SECRET, Server

KEY = (date(2026, 11, 23), hashlib.sha256(b"document").digest())
LARGE = random.Random(4).randbytes(THRESHOLD + 1)


@pytest.fixture(scope="module")
def _one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with s3.server(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def server(_one_server: Server) -> Server:
    """Running, whatever the test before did to it."""
    if _one_server.process is None:
        _one_server.start()
    return _one_server


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"bucket": "no-such-bucket"}, "NoSuchBucket"),
        ({"key_id": "somebody"}, "InvalidAccessKeyId|XAdminUserNotFound"),
        ({"secret": "guess"}, "SignatureDoesNotMatch"),
        ({"region": "elsewhere"}, "AuthorizationHeaderMalformed|AccessDenied|Signature"),
        ({"endpoint": "http://127.0.0.1:9"}, "sending request"),
        ({"endpoint": "http://name.invalid"}, "sending request"),
    ],
)
def test_a_wrong_setting_is_unavailable_with_a_reason_without_secrets(
    server: Server,
    tmp_path: Path,
    wrong: dict[str, str],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    place = S3("s3", server.bucket(**wrong), tmp_path, pause=0)
    for act in (
        lambda: place.put(KEY, b"document"), lambda: place.get(KEY),
        lambda: list(place.old(datetime.now(UTC))), lambda: place.remove([KEY]),
    ):  # fmt: skip
        with pytest.raises(PayloadUnavailable, match=reason) as error:
            act()
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__
    said = "".join([*capsys.readouterr(), caplog.text])
    assert SECRET not in said
    assert "guess" not in said
    assert "Authorization:" not in said


def test_a_server_killed_in_the_middle_of_a_put_keeps_nothing_of_it(
    server: Server, tmp_path: Path
) -> None:
    body = random.Random(5).randbytes(20 * 1024 * 1024)
    key = (KEY[0], hashlib.sha256(body).digest())
    with s3.cut_after(server, 5_000_000) as address:
        broken = S3("s3", server.bucket(endpoint=address, prefix="mid"), tmp_path, pause=0)
        with pytest.raises(PayloadUnavailable):
            broken.put(key, body)
    server.start()
    place = S3("s3", server.bucket(prefix="mid"), tmp_path, pause=0)
    with pytest.raises(PayloadMissing):
        place.get(key)
    assert list(place.old(datetime.now(UTC) + timedelta(days=1))) == []
    place.put(key, body)
    assert bytes(place.get(key)) == body


def test_an_answer_that_breaks_off_is_unavailable_and_never_a_lost_document(
    tmp_path: Path,
) -> None:
    """Fetched in pieces, half a document must not be taken for one that was changed."""
    head = (
        b'HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\nETag: "x"\r\n'
        b"Last-Modified: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\n"
    )

    def half(door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = door.accept()
                with near:
                    near.recv(65536)
                    near.sendall(head + bytes(1_000_000))

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=half, args=[door], daemon=True).start()
        bucket = Bucket(f"http://127.0.0.1:{door.getsockname()[1]}", "payloads", "id", "secret",
                        timeout=2.0)  # fmt: skip
        with pytest.raises(PayloadUnavailable):
            S3("s3", bucket, tmp_path, pause=0).get(KEY)
        door.shutdown(socket.SHUT_RDWR)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_never_answers_is_given_up_in_time_and_left_alone(
    server: Server, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        place = S3("s3", server.bucket(endpoint=address, timeout=1.0), tmp_path, pause=60)
        with pytest.raises(PayloadUnavailable):
            place.put(KEY, b"document")
        with pytest.raises(PayloadUnavailable, match="a moment ago"):
            place.get(KEY)


@pytest.fixture
def place(server: Server, tmp_path: Path) -> S3:
    return S3("s3", server.bucket(prefix=tmp_path.name), tmp_path, pause=0)


def test_the_door_says_later_and_keeps_nothing_while_the_store_is_away(
    dsn: str, server: Server, place: S3
) -> None:
    gate = Gate(dsn, outside=[place])
    server.stop()
    with pytest.raises(Busy) as later:
        gate.send(request(body=LARGE), message_id="urn:uuid:large")
    assert later.value.retry_after == 10
    assert [gate.count(t) for t in ("register", "message", "payload", "job", "journal")] == [0] * 5
    small = gate.send()
    server.start()
    large = gate.send(request(body=LARGE), message_id="urn:uuid:large")
    again = gate.send(request(body=LARGE), message_id="urn:uuid:large")
    assert again == large
    gate.work()
    assert gate.codes(small) == gate.codes(large) == HAPPY
    delivered = sorted(bericht.inhoud.inhoud for _, _, bericht in gate.channel.got)
    assert LARGE in delivered
    assert len(delivered) == 2
    gate.close()


@pytest.mark.parametrize("kind", ["Omzetbelasting", "Jaarrekening"])
def test_the_worker_tries_again_until_the_store_is_back(
    dsn: str, server: Server, place: S3, kind: str
) -> None:
    gate = Gate(dsn, outside=[place])
    identity = {"Jaarrekening": ("90000044", "KvK")}.get(kind)
    more = {"belanghebbende": type(request().belanghebbende)(*identity)} if identity else {}
    kenmerk = gate.send(request(kind, body=LARGE, bijlagen=(), **more))
    server.stop()
    gate.work()
    assert gate.count("parked") == 0
    assert gate.count("job") == 1
    assert gate.channel.got == []
    server.start()
    gate.wall.turn(hours=1)
    gate.work()
    assert gate.channel.got[0][2].inhoud.inhoud == LARGE
    assert gate.count("parked") == 0
    assert gate.codes(kenmerk)[-1] == "500"
    gate.close()


def test_an_agency_is_not_blamed_for_a_store_that_goes_before_delivery(
    dsn: str, server: Server, place: S3
) -> None:
    class Last(Passes):
        """The last check: after it the store is gone."""

        def check(self, filing: Filing) -> list[Finding]:
            server.stop()
            return super().check(filing)

    gate = Gate(dsn, outside=[place], checks=[Last("xbrl")])
    large = gate.send(request(body=LARGE))
    gate.work()
    assert gate.codes(large) == [*HAPPY[:7], "420"]
    small = gate.send()
    gate.work()
    assert gate.codes(small) == HAPPY  # not held: the lane of the agency is open
    server.start()
    gate.wall.turn(hours=1)
    gate.work()
    assert [b.inhoud.inhoud == LARGE for _, _, b in gate.channel.got] == [False, True]
    assert gate.codes(large)[-2:] == ["400", "500"]
    gate.close()


def test_a_full_disk_of_the_worker_puts_a_delivery_off_and_loses_nothing(
    dsn: str, place: S3
) -> None:
    """What is fetched from a store goes to a disk of ours; nobody else is to blame when it is
    full."""
    gate = Gate(dsn, outside=[place])
    large = gate.send(request(body=LARGE))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        gate.work()
        small = gate.send()
        gate.work()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert gate.codes(small) == HAPPY
    assert (gate.count("parked"), gate.count("job")) == (0, 1)
    gate.wall.turn(hours=1)
    gate.work()
    assert [b.inhoud.inhoud == LARGE for _, _, b in gate.channel.got] == [False, True]
    assert gate.codes(large)[-2:] == ["400", "500"]
    gate.close()


def test_a_request_kept_whole_comes_back_from_the_store(dsn: str, place: S3) -> None:
    gate = Gate(dsn, outside=[place])
    raw = b"<soap>" + base64.encodebytes(LARGE) + b"</soap>"
    asked = request(body=LARGE, bijlagen=())
    taken = asyncio.run(gate.intake.aanleveren(verified(BEDRIJF), asked, Received(raw, START)))
    assert stored_request(gate, taken.kenmerk) == raw
    gate.close()


def test_an_object_that_went_is_an_operators_matter_and_others_go_on(
    dsn: str, server: Server, place: S3, tmp_path: Path
) -> None:
    gate = Gate(dsn, outside=[place])
    kenmerk, other = gate.send(request(body=LARGE)), gate.send(request(body=LARGE[:-1]))
    lost = server.folder / "payloads" / tmp_path.name / str(START.date())
    (lost / hashlib.sha256(LARGE).hexdigest()).unlink()
    gate.work()
    assert gate.codes(kenmerk) == [*HAPPY[:3], "321"]
    assert gate.codes(other) == HAPPY
    with gate.store.connect() as conn:
        [(reason,)] = conn.execute("select reason from parked").fetchall()
    assert "no object for payload" in reason
    gate.close()


def test_retention_takes_documents_from_every_place_and_a_hold_keeps_them(
    dsn: str, place: S3, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / "payloads")
    gate = Gate(dsn, outside=[place, folder])
    kept = gate.send(request(body=LARGE))
    gate.store.outside = [folder, place]
    gate.send(request(body=LARGE[1:]))
    gate.work()
    late = datetime.now(UTC) + timedelta(days=400)

    def standing() -> list[int]:
        return [len(list(one.old(late))) for one in (place, folder)]

    with gate.store.connect() as conn:
        retention.hold(conn, kept, "tester", "zaak 12", START)
        run(conn, gate.house.kinds, START + timedelta(days=200))
        assert payloads.sweep(conn, gate.store.outside, late) == 0
        assert standing() == [1, 1]
        retention.lift(conn, kept, "tester", START)
        run(conn, gate.house.kinds, START + timedelta(days=200))
        assert payloads.sweep(conn, gate.store.outside, late) == 2
        assert standing() == [0, 0]
    gate.close()
