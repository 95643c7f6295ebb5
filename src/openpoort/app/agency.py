"""The demo agencies of a HOME: all in one process, on one port."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from openpoort.client.trust import Anchors
from openpoort.domain.ids import Oin
from openpoort.inbound.tls import Certificates, HostCertificate
from openpoort.keys.pem import PemSigner
from openpoort.outbound.http import Https, tls_context
from openpoort.sandbox.agencies import AGENCIES
from openpoort.sandbox.agency.behaviour import HABITS, OTHERWISE, Habit, Report
from openpoort.sandbox.agency.deliveries import Agency, Setting
from openpoort.sandbox.agency.door import Door, bind, path_of, server
from openpoort.sandbox.pki import OINS
from openpoort.settings import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line may change. `report` replaces every habit; `slow` in seconds."""

    report: Report | None = None
    slow: float = 5.0
    durable: bool = True
    gateway: str | None = None


def _wall() -> datetime:
    return datetime.now(UTC)


def run_agency(
    settings: Settings,
    ready: Callable[[], None],
    now: Callable[[], datetime] = _wall,
    options: Options | None = None,
) -> None:
    """Serve the agencies on `agency.port` until SIGTERM. Raises OSError if it is taken.

    An agency without a certificate in this HOME, which an earlier version made, does not run.
    """
    options = options or Options()
    pki = settings.home / "pki"
    ca = pki / "ca.pem"
    with ExitStack() as stack:
        sock = bind("127.0.0.1", settings.agency.port)
        stack.callback(sock.close)
        port = sock.getsockname()[1]
        agencies = {}
        for row in AGENCIES:
            if not (pki / f"{row.certificate}.pem").is_file():
                continue
            agency = _agency(settings, row.name, row.certificate, port, now, options, stack)
            agencies[row.name] = agency
            agency.start()
            stack.callback(agency.stop)
        door = Door(agencies)
        stack.callback(door.close)
        hosts = ("localhost", "127.0.0.1")
        entry = HostCertificate(hosts, pki / "agency.pem", pki / "agency.key")
        server(door, Certificates([entry], [ca], now), ready).run(sockets=[sock])


def _agency(
    settings: Settings,
    name: str,
    file: str,
    port: int,
    now: Callable[[], datetime],
    options: Options,
    stack: ExitStack,
) -> Agency:
    pki = settings.home / "pki"
    certificate, key = pki / f"{file}.pem", pki / f"{file}.key"
    http = Https(tls_context(certificate, key, pki / "ca.pem"))
    stack.callback(http.close)
    setting = Setting(
        name=name,
        folder=folder(settings.home, name),
        address=f"https://localhost:{port}{path_of(name)}",
        gateway=options.gateway or f"https://localhost:{settings.door.port}",
        gateway_oin=Oin(OINS["server"]),
        slow=options.slow,
        durable=options.durable,
        habits=HABITS if options.report is None else {},
        otherwise=OTHERWISE if options.report is None else Habit(options.report),
    )
    anchors = Anchors.from_files(pki / "ca.pem", certificate)
    return Agency(setting, PemSigner(certificate, key), anchors, http, now)


def folder(home: Path, name: str) -> Path:
    """Where an agency of this HOME keeps what it received."""
    return home / "agency" / name.lower()
