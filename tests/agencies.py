"""A demo agency on a free port, in this process, for tests of both sides of a delivery."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from openpoort.client.trust import Anchors, oin_of
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.message import Bericht, Document
from openpoort.inbound.tls import Certificates, HostCertificate
from openpoort.keys.pem import PemSigner
from openpoort.outbound.exchange import BadAnswer
from openpoort.outbound.http import Https, Timeouts, tls_context
from openpoort.outbound.wus import WusChannel
from openpoort.process import ports
from openpoort.sandbox.agency.deliveries import Agency, Setting
from openpoort.sandbox.agency.door import Door, bind, path_of, server
from openpoort.sandbox.pki import OINS

NAME = "DEMODIENST"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Running:
    """An agency that answers, and what a gateway needs to deliver to it."""

    pki: Path
    folder: Path
    port: int
    door: Door
    real_port: int = 0

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}{path_of(NAME)}"

    def record(self, oin: str = OINS["agency"]) -> ports.Agency:
        return ports.Agency(NAME, Oin(oin), self.address)

    @contextmanager
    def channel(
        self, signer: str = "server", timeouts: Timeouts | None = None
    ) -> Iterator[WusChannel]:
        certificate, key = self.pki / f"{signer}.pem", self.pki / f"{signer}.key"
        anchors = Anchors.from_files(self.pki / "ca.pem", certificate)

        def identify(token: bytes, at: datetime) -> Oin:
            anchors.judge(token, None, at)
            oin = oin_of(token)
            if oin is None:
                raise BadAnswer("no OIN")
            return Oin(oin)

        context = tls_context(certificate, key, self.pki / "ca.pem")
        with Https(context, timeouts=timeouts) as http:
            yield WusChannel(http, PemSigner(certificate, key), identify, now)

    def stand(self, word: str) -> None:
        (self.folder / "stand").write_text(word)


@contextmanager
def running(
    pki: Path, folder: Path, *, slow: float = 2.0, known_at: int | None = None
) -> Iterator[Running]:
    """An agency without a gateway to report to; `known_at`: the port under which it is known, of
    who stands between."""
    sock = bind("127.0.0.1", 0)
    real = sock.getsockname()[1]
    port = known_at or real
    certificate, key = pki / "agency.pem", pki / "agency.key"
    http = Https(tls_context(certificate, key, pki / "ca.pem"))
    setting = Setting(
        NAME,
        folder,
        f"https://localhost:{port}{path_of(NAME)}",
        None,
        Oin(OINS["server"]),
        slow=slow,
    )
    anchors = Anchors.from_files(pki / "ca.pem", certificate)
    agency = Agency(setting, PemSigner(certificate, key), anchors, http, now)
    door = Door({NAME: agency})
    entry = HostCertificate(("localhost",), certificate, key)
    started = threading.Event()
    serving = server(door, Certificates([entry], [pki / "ca.pem"], now), started.set)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        assert started.wait(10)
        yield Running(pki, folder, port, door, real)
    finally:
        serving.should_exit = True
        thread.join()
        door.close()
        agency.stop()
        http.close()
        sock.close()


def bericht(**changes: object) -> Bericht:
    """A delivery with sane defaults."""
    fields: dict[str, object] = {
        "kenmerk": "6f0e5a3e-0c57-4d0b-8f5c-2f3f7c9f1a01",
        "berichtsoort": "Omzetbelasting",
        "berichtkenmerk": "urn:uuid:0d0d64b6-0000-4000-8000-000000000001",
        "tijdstempel_aangeleverd": now(),
        "belanghebbende": Identiteit("001000044B37", "BTW"),
        "rol_belanghebbende": "Bedrijf",
        "aanleveraar": OINS["bedrijf"],
        "inhoud": Document("application/xml", "aangifte.xbrl", b"<?xml version='1.0'?>\r\n<a/>\n"),
    }
    return Bericht(**{**fields, **changes})  # type: ignore[arg-type]  # a builder
