"""A sender over its rate at a real door: told to wait, its neighbour untouched, the log short."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openpoort.domain.ids import Oin
from openpoort.domain.party import Directory, Party
from openpoort.inbound.limits import Limits, Rate, Shares, Wait, Why
from openpoort.inbound.line import Line
from openpoort.inbound.turnstile import Turnstile, whose
from openpoort.keys.pem import PemSigner
from openpoort.sandbox import pki as devpki
from openpoort.sandbox.pki import OINS
from openpoort.wire.wus.services import Service
from tests.e2e.doors import Running, busy_fault, post, read_answer, running, status

PATH = "/wus/2.0/aanleverservice/1.2"
SLOW = Rate(0.001, 20)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("turnstile")
    devpki.create(folder)
    return folder


def answers(door: Running, who: str, times: int) -> list[bytes]:
    """Answers to `times` posts over one connection that stays open."""
    with door.connect(door.context(who)) as tls:
        got = []
        for _ in range(times):
            tls.sendall(post(PATH, b"<x/>" * 200))
            got.append(read_answer(tls))
    return got


def test_sender_over_its_rate_waits_and_its_neighbour_does_not(pki: Path) -> None:
    told: list[tuple[Service, Wait]] = []

    def limited(service: Service, line: Line, wait: Wait) -> None:
        told.append((service, wait))

    with running(pki) as door:
        door.door.turnstile = Turnstile(Limits(SLOW))
        door.door.limited = limited
        got = answers(door, "bedrijf", 23)
        assert Counter(map(status, got)) == {200: 20, 429: 3}
        assert all(re.search(rb"retry-after: [1-9]", g.lower()) for g in got[20:])
        assert len(door.echo.posts) == 20  # what is refused is never handed on
        assert {status(g) for g in answers(door, "intermediair", 20)} == {200}
        assert {busy_fault(g) for g in got[20:]} == {"ALS400"}
    assert [(s.path, w.why) for s, w in told] == [(PATH, Why.RATE)]


def test_who_calls_again_before_its_time_is_not_read_for_a_while(pki: Path) -> None:
    """Refused on the head: the body is dropped, what follows waits, and comes out in order."""
    with running(pki) as door:
        door.door.turnstile = Turnstile(Limits(Rate(0.001, 2)))
        with door.connect(door.context("bedrijf")) as tls:
            sizes = [10, 10, 10, 200_000, 30]
            got = []
            for size in sizes:
                tls.sendall(post(PATH, b"x" * size))
                got.append(read_answer(tls))
            assert [status(g) for g in got] == [200, 200, 429, 429, 429]
            assert [len(p.raw) for p in door.echo.posts] == [10, 10]
            # The ordinary path and the short one say the same.
            assert _undated(got[2]) == _undated(got[3])
            tls.settimeout(0.3)
            tls.sendall(post(PATH, b"again") + post(PATH, b"and again"))
            with pytest.raises(TimeoutError):
                tls.recv(100)
            tls.settimeout(10)
            both = b""
            while both.count(b"</soapenv:Envelope>") < 2:
                both += tls.recv(65536)
            assert both.count(b"HTTP/1.1 429 Too Many Requests\r\n") == 2
        # Another connection of the same sender, half a body: gone without a trace.
        with door.connect(door.context("bedrijf")) as tls:
            tls.sendall(post(PATH, b"half", b"content-length: 5000"))
            assert status(read_answer(tls)) == 429
        assert {status(g) for g in answers(door, "intermediair", 2)} == {200}
        assert len(door.echo.posts) == 4


def test_a_get_and_odd_requests_of_who_must_wait_go_the_ordinary_way(pki: Path) -> None:
    with running(pki) as door:
        door.door.turnstile = Turnstile(Limits(Rate(0.001, 1)))
        assert [status(g) for g in answers(door, "bedrijf", 3)] == [200, 429, 429]
        context = door.context("bedrijf")
        wsdl = b"GET " + PATH.encode() + b"?wsdl HTTP/1.1\r\nhost: localhost\r\n\r\n"
        assert status(door.ask(wsdl, context=context)) == 200
        for header in (b"connection: close", b"expect: 100-continue"):
            assert status(door.ask(post(PATH, b"<x/>", header), context=context)) == 429


def _undated(answer: bytes) -> bytes:
    """Without the three values that change with time, each of which must be there."""
    for name in (rb"date: [^\r]+", rb"retry-after: [1-9]\d*", rb"uuid:[-0-9a-f]{36}"):
        answer, count = re.subn(name, b"", answer)
        assert count == 1
    return answer


def test_party_has_a_rate_of_its_own(pki: Path) -> None:
    known = Directory((Party(Oin(OINS["bedrijf"]), "A", rate=0.001, burst=3),))
    with running(pki) as door:
        door.door.turnstile = Turnstile(Limits(None), directory=lambda: known)
        assert [status(g) for g in answers(door, "bedrijf", 5)] == [200, 200, 200, 429, 429]
        assert {status(g) for g in answers(door, "intermediair", 30)} == {200}


def test_places_are_given_back(pki: Path) -> None:
    with running(pki) as door:
        door.door.turnstile = Turnstile(shares=Shares(places=1, spare=0))
        assert {status(g) for g in answers(door, "bedrijf", 10)} == {200}
        assert door.door.turnstile.shares.begin("anybody") is None


def test_sender_is_known_by_oin_not_by_certificate(pki: Path) -> None:
    one = PemSigner(pki / "bedrijf.pem", pki / "bedrijf.key").certificate
    issuer = devpki.load_issuer(pki)
    devpki.two_certificates(pki, issuer, "bedrijf", datetime.now(UTC))
    two = PemSigner(pki / "bedrijf-auth.pem", pki / "bedrijf-auth.key").certificate
    assert whose(one) == whose(two) == Oin(OINS["bedrijf"])
    assert whose(None) is None
    assert isinstance(whose(b"no certificate"), bytes)
