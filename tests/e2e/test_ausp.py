"""Authorisation by the directory, and by an outside service over real mutual TLS."""

from __future__ import annotations

import json
import shutil
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from openpoort.app.home import create
from openpoort.domain.ids import Oin
from openpoort.domain.kind import Kind
from openpoort.domain.message import Aanlevering, Document
from openpoort.outbound.ausp import MAX_ANSWER, ByKind, LocalAusp, RemoteAusp
from openpoort.outbound.http import Https, Timeouts, tls_context
from openpoort.process.ports import Verdict
from openpoort.sandbox import pki
from openpoort.sandbox.directory import BEDRIJF, CLIENTS, identities, starting
from openpoort.sandbox.pki import OINS
from tests.e2e.conftest import UNCHECKED
from tests.e2e.gateway import Gateway, until

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KIND = Kind("ICP", "ICP", "aanleveren", ("BTW",), ("Bedrijf",), ())
SENDER, OFFICE = Oin(OINS["bedrijf"]), Oin(OINS["intermediair"])
OWN, CLIENT = identities(*BEDRIJF)[0], identities(*CLIENTS[1])[0]


class Service:
    """An AuSP that says what it is told to say, and remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b'{"statuscode": "200"}'
        self.asked: list[dict[str, object]] = []
        self.url = ""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ausp")
    pki.create(folder)
    return folder


@pytest.fixture
def service(keys: Path) -> Iterator[Service]:
    told = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "agency.pem", keys / "agency.key")
    context.load_verify_locations(keys / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # refused handshakes
    server.socket = context.wrap_socket(server.socket, server_side=True)
    told.url = f"https://localhost:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def https(keys: Path) -> Iterator[Https]:
    context = tls_context(keys / "server.pem", keys / "server.key", keys / "ca.pem")
    with Https(context, timeouts=Timeouts(2, 2, 4), max_answer=MAX_ANSWER) as client:
        yield client


def test_outside_service_is_asked_in_full(service: Service, https: Https) -> None:
    assert RemoteAusp(service.url, https).ask(OFFICE, KIND, CLIENT, NOW) is Verdict.GRANTED
    assert service.asked == [
        {
            "aanleveraar": OFFICE.value,
            "berichtsoort": "ICP",
            "belanghebbende": {"type": "BTW", "nummer": CLIENT.nummer},
            "tijdstip": "2026-11-23T12:00:00+00:00",
        }
    ]


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b'{"statuscode": "210"}', Verdict.SENDER_REFUSED),
        (200, b'{"statuscode": "220", "reden": "geen machtiging"}', Verdict.RIGHT_REFUSED),
        (200, b'{"statuscode": "230"}', Verdict.UNAVAILABLE),
        (200, b'{"statuscode": 200}', Verdict.UNAVAILABLE),
        (200, b'{"statuscode": ["200"]}', Verdict.UNAVAILABLE),
        (200, b'["200"]', Verdict.UNAVAILABLE),
        (200, b"[" * 5000, Verdict.UNAVAILABLE),
        (200, b"200", Verdict.UNAVAILABLE),
        (200, b"", Verdict.UNAVAILABLE),
        (200, b"\xff\xfe{", Verdict.UNAVAILABLE),
        (200, b'{"statuscode": "200", "x": "' + b"x" * MAX_ANSWER + b'"}', Verdict.UNAVAILABLE),
        (403, b'{"statuscode": "200"}', Verdict.UNAVAILABLE),
        (503, b'{"statuscode": "210"}', Verdict.UNAVAILABLE),
    ],
)
@pytest.mark.conformance("WUS-3.4-2")
def test_only_a_clear_answer_counts(
    service: Service, https: Https, status: int, body: bytes, verdict: Verdict
) -> None:
    service.status, service.body = status, body
    assert RemoteAusp(service.url, https).ask(OFFICE, KIND, CLIENT, NOW) is verdict


def test_service_that_is_away_or_not_ours_is_unavailable(service: Service, keys: Path) -> None:
    stranger = tls_context(keys / "server.pem", keys / "server.key", None)
    with Https(stranger, timeouts=Timeouts(2, 2, 4)) as client:
        assert RemoteAusp(service.url, client).ask(OFFICE, KIND, CLIENT, NOW) is (
            Verdict.UNAVAILABLE
        )
        dead = RemoteAusp("https://127.0.0.1:9/", client)
        assert dead.ask(OFFICE, KIND, CLIENT, NOW) is Verdict.UNAVAILABLE
    assert service.asked == []


def test_directory_answers_for_today() -> None:
    local = LocalAusp(starting)
    assert local.ask(SENDER, KIND, OWN, NOW) is Verdict.GRANTED
    assert local.ask(OFFICE, KIND, CLIENT, NOW) is Verdict.GRANTED
    assert local.ask(SENDER, KIND, CLIENT, NOW) is Verdict.RIGHT_REFUSED
    assert local.ask(Oin("00000099123456789000"), KIND, OWN, NOW) is Verdict.SENDER_REFUSED


def test_kind_with_an_ausp_of_its_own(service: Service, https: Https) -> None:
    chosen = ByKind(LocalAusp(starting), {"ICP": RemoteAusp(service.url, https)})
    service.body = b'{"statuscode": "210"}'
    assert chosen.ask(SENDER, KIND, OWN, NOW) is Verdict.SENDER_REFUSED
    other = Kind("OBSUP", "OBSUP", "aanleveren", ("BTW",), ("Bedrijf",), ())
    assert chosen.ask(SENDER, other, OWN, NOW) is Verdict.GRANTED
    assert len(service.asked) == 1


@pytest.mark.conformance("WUS-3.4-2")
def test_gateway_asks_the_service_its_settings_name(
    service: Service, keys: Path, tmp_path: Path
) -> None:
    """From the sender's message to the status that follows from the outside verdict."""
    home = tmp_path / "home"
    create(home)
    shutil.copytree(keys, home / "pki", dirs_exist_ok=True)  # one authority for both sides
    text = UNCHECKED.format(name="ZX", like="Omzetbelasting", types='"BTW"', agency="DEMODIENST")
    (home / "kinds" / "ZX.toml").write_text(text)
    with (home / "openpoort.toml").open("a") as settings:
        settings.write(f'\n[ausp]\nurl = "{service.url}"\nkinds = ["ZX"]\n')
    gateway = Gateway(home).start()
    try:
        with gateway.client() as client:

            def sent() -> str:
                return client.aanleveren(
                    Aanlevering("ZX", OWN, "Bedrijf", Document("text/xml", "a.xbrl", b"<a/>"))
                ).kenmerk

            def codes(kenmerk: str) -> list[str]:
                return [s.statuscode for s in client.statussen(kenmerk)]

            good = sent()
            until(lambda: "400" in codes(good))
            assert codes(good)[:4] == ["105", "100", "110", "200"]
            assert service.asked[0]["aanleveraar"] == SENDER.value
            service.body = b'{"statuscode": "210"}'
            bad = sent()
            until(lambda: "210" in codes(bad))
            assert codes(bad) == ["105", "100", "110", "210"]
            service.status = 503
            away = sent()
            until(lambda: "230" in codes(away))
    finally:
        gateway.stop()
