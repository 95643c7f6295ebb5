"""Delivering what is too large to hold, over real mutual TLS: whole, bounded, or not at all."""

from __future__ import annotations

import os
import random
import ssl
import threading
import tracemalloc
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from openpoort.domain.message import Bericht, Document
from openpoort.domain.octets import sha256
from openpoort.outbound.http import NoAnswer, Timeouts
from openpoort.process.ports import DeliveryFailed
from openpoort.sandbox import pki as development
from openpoort.sandbox.agency.archive import contents, receipts
from openpoort.store.payloads.folder import Folder
from openpoort.store.payloads.payloads import PayloadUnavailable
from openpoort.store.payloads.spool import Spooled
from openpoort.wire.wus import koppelvlak
from openpoort.wire.xml.streamed_body import Base64, Woven
from tests.agencies import Running, bericht, running
from tests.e2e.test_outbound_http import client, server

SIZE = 15_000_000
CONTENT = random.Random(95).randbytes(SIZE)
KEY = (date(2026, 11, 27), sha256(CONTENT))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large") / "pki"
    development.create(folder)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("payloads"))
    folder.put(KEY, CONTENT)
    return folder


@pytest.fixture
def agency(pki: Path, tmp_path: Path) -> Iterator[Running]:
    with running(pki, tmp_path) as made:
        yield made


def fresh() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


def large(place: Folder) -> Bericht:
    extra = Document("text/plain", "klein.txt", b"klein")
    inhoud = Document("application/octet-stream", "groot.bin", place.get(KEY))
    return bericht(kenmerk=str(uuid.uuid4()), inhoud=inhoud, bijlagen=(extra,))


def kept(agency: Running, sent: Bericht) -> list[dict[str, bytes]]:
    listed = receipts(agency.folder / "ontvangsten.csv")
    found = [contents(agency.folder, r) for r in listed if r.kenmerk == sent.kenmerk]
    return [{k: v for k, v in one.items() if k != "bericht.json"} for one in found]


def test_a_large_message_arrives_whole_in_the_memory_of_a_few_pieces(
    agency: Running, place: Folder
) -> None:
    """Of both sides: the agency runs in this process too."""
    with agency.channel() as channel:
        channel.deliver(bericht(kenmerk=str(uuid.uuid4())), agency.record(), "urn:uuid:warm-up")
        tracemalloc.start()
        sent = large(place)
        channel.deliver(sent, agency.record(), fresh())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert kept(agency, sent) == [{"inhoud": CONTENT, "bijlage-1": b"klein"}]
    assert peak < SIZE // 4


def test_eight_at_once_take_the_memory_of_their_pieces(agency: Running, place: Folder) -> None:
    sent = [large(place) for _ in range(8)]
    with agency.channel() as channel, ThreadPoolExecutor(8) as threads:
        channel.deliver(bericht(kenmerk=str(uuid.uuid4())), agency.record(), "urn:uuid:warm-up")
        tracemalloc.start()
        for done in [threads.submit(channel.deliver, s, agency.record(), fresh()) for s in sent]:
            done.result()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2 * SIZE
    listed = {r.kenmerk: r.digest for r in receipts(agency.folder / "ontvangsten.csv")}
    assert [listed[s.kenmerk] for s in sent] == [KEY[1].hex()] * 8


def test_half_an_answer_to_a_large_delivery_and_its_repeat_are_one_message(
    agency: Running, place: Folder
) -> None:
    sent, message_id = large(place), fresh()
    agency.stand("half")
    with agency.channel() as channel:
        with pytest.raises(DeliveryFailed):
            channel.deliver(sent, agency.record(), message_id)
        agency.stand("normal")
        channel.deliver(sent, agency.record(), message_id)
    assert len(kept(agency, sent)) == 1


def test_a_document_that_cannot_be_read_any_more_is_our_trouble_and_arrives_nowhere(
    agency: Running, tmp_path: Path
) -> None:
    """Its disk fails when the message is on its way: the agency gets half a request."""
    file = tmp_path / "document"
    file.write_bytes(CONTENT)
    broken = Document("application/octet-stream", "groot.bin", Spooled.standing(file))
    sent = bericht(kenmerk=str(uuid.uuid4()), inhoud=broken)
    with agency.channel() as channel:
        body = koppelvlak.written(sent)  # goes over the document once, as its digest does
        assert sum(map(len, body)) > SIZE
        os.truncate(file, SIZE // 2)
        with pytest.raises(PayloadUnavailable, match="shorter than it was"):
            channel.http.post(agency.address, body, {"Content-Type": "text/xml"})
        assert channel.http.idle == 0
    assert kept(agency, sent) == []


def body() -> Woven:
    return Woven((b"<a>", Base64(memoryview(CONTENT)), b"</a>"))


def test_an_agency_that_answers_half_way_and_hangs_up_is_heard_or_was_no_answer(pki: Path) -> None:
    """Which of both is a race between its answer and its reset; never that TLS was refused."""

    def refuse(tls: ssl.SSLSocket) -> None:
        tls.recv(1024)
        tls.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    with server(pki, refuse) as url, client(pki) as http:
        try:
            said = str(http.post(url, body(), {}).status)
        except NoAnswer as none:
            said = f"{type(none).__name__}: {none}"
    assert said == "413" or (said.startswith("NoAnswer") and "broke off" in said)


def test_an_agency_that_takes_piece_by_piece_for_ever_is_given_up(pki: Path) -> None:
    """Each piece is taken within the read time-out; the whole is not."""

    def sip(tls: ssl.SSLSocket) -> None:
        while tls.recv(16384):
            threading.Event().wait(0.05)

    times = Timeouts(connect=5, read=5, whole=0.5)
    with (
        server(pki, sip) as url,
        client(pki, timeouts=times) as http,
        pytest.raises(NoAnswer, match=r"within 0\.5 s|in time"),
    ):
        http.post(url, body(), {})
