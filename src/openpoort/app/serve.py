"""`openpoort serve`: database, doors, worker, demo agency and health under one supervisor.

Order at the start: settings, ports, database, migrations, directory, processes, a TLS handshake
with the door, and only then the line `ready`. Order at the end: doors and workers, the agency,
then the database.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificates

from openpoort import telemetry
from openpoort.app import database, journal, places, starting, timestamps, trusting
from openpoort.app.clock import clock
from openpoort.app.exposed import exposed
from openpoort.app.home import for_the_owner
from openpoort.app.kinds import refuse_unable
from openpoort.app.sockets import listen
from openpoort.app.supervisor import Child, Supervisor
from openpoort.app.wiring import known_kinds
from openpoort.domain.event import OK, Event
from openpoort.inbound.tls import Certificates
from openpoort.process.flow.clock import Clock
from openpoort.settings import Settings
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.migrate import Phase, migrate, waiting

_START_SECONDS = 120.0
_log = telemetry.logger("app.serve")


class AlreadyServed(Exception):
    """Another `serve` runs on this HOME."""


def serve(settings: Settings, only: str | None, say: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM. `only` is None, "door" or "worker"; `say` prints a line.

    Raises AlreadyServed, PortTaken, ServerFailed, ChildFailed, TimeoutError.
    """
    run = settings.home / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    for_the_owner(settings.home)
    with _alone(run, only), contextlib.ExitStack() as stack:
        _metrics_folder(run, only)
        log = settings.log
        telemetry.security_log(
            settings.path(log.security) if log.security else None,
            ocsf=log.security_format == "ocsf",
        )
        sockets = [] if only == "worker" else listen(settings.door.bind, settings.door.port)
        for sock in sockets:
            stack.callback(sock.close)
        settings = _with_ports(settings, sockets, only)
        common = clock(settings)
        certificates = _preflight(settings, common)
        for reason in exposed(settings, trusting.anchors(settings)) if sockets else ():
            _log.warning("EXPOSED: others can reach this gateway, and " + reason)
            _tell("gateway.exposed", only, {"reason": reason})
        local = _health_socket(settings)
        if local:
            stack.callback(local.close)
            (run / "health").write_text("http://{}:{}\n".format(*local.getsockname()[:2]))
        server = database.embedded(settings)
        if server:
            dsn = server.start()
            stack.callback(server.stop)
        else:
            dsn = settings.database.url
            database.reach(dsn)
        migrate(dsn, Phase.BEFORE)
        if later := waiting(dsn):
            _log.warning("run `openpoort db migrate --after` when all are upgraded", waiting=later)
        starting.apply_directory(settings, dsn)
        refuse_unable(settings, dsn)
        supervisor = Supervisor(run, _keeper(server))
        supervisor.watch_signals()
        try:
            _spawn(supervisor, settings, dsn, common, certificates, sockets, local, only)
            supervisor.wait_ready(_START_SECONDS)
            if not supervisor.stopping:
                if sockets:
                    _handshake(settings, sockets[0])
                    (run / "url").write_text(_url(settings) + "\n")
                say(f"ready {_url(settings)}" if sockets else "ready worker")
                if sockets:
                    _keys(settings)
                _tell("gateway.started", only, {"version": version("openpoort")})
                _log.info("serving", processes=[c.name for c in supervisor.children])
            supervisor.watch()
        finally:
            supervisor.stop(("door", "worker"), settings.door.stop_seconds + 2.0)
            _tell("gateway.stopped", only, {})
            _log.info("stopped")


def _keys(settings: Settings) -> None:
    """One event for each key that the doors now use, by the fingerprint of its certificate."""
    for one in settings.tls.certificates:
        for purpose, file in (("tls", one.certificate), ("answers", one.signing_certificate)):
            pem = settings.path(file or one.certificate).read_bytes()
            mark = load_pem_x509_certificates(pem)[0].fingerprint(SHA256()).hex()
            details = {"purpose": purpose}
            now = datetime.now(UTC)
            telemetry.emit(Event("key.loaded", mark, OK, "local", "gateway", now, details))


def _tell(action: str, only: str | None, details: Mapping[str, str | int]) -> None:
    event = Event(action, only or "all", OK, "local", "gateway", datetime.now(UTC), details)
    telemetry.emit(event)


def _url(settings: Settings) -> str:
    return f"https://localhost:{settings.door.port}/wus/2.0/"


def _spawn(
    supervisor: Supervisor,
    settings: Settings,
    dsn: str,
    common: Clock,
    certificates: Certificates,
    sockets: list[socket.socket],
    local: socket.socket | None,
    only: str | None,
) -> None:
    """Fork everybody.

    What they run is imported here, once: a child then starts in milliseconds and shares the
    memory. Not earlier, because the metrics must know their folder before they are imported.
    """
    from openpoort.app.agency import run_agency
    from openpoort.app.door import run_door
    from openpoort.app.health import run_health
    from openpoort.app.worker import run_worker

    def door(ready: Callable[[], None]) -> None:
        run_door(settings, dsn, common, certificates, sockets, ready)

    def worker(ready: Callable[[], None]) -> None:
        run_worker(settings, dsn, common, ready)

    def agency(ready: Callable[[], None]) -> None:
        run_agency(settings, ready, common.now)

    def health(ready: Callable[[], None]) -> None:
        assert local is not None
        own = database.embedded(settings)
        run_health(local, dsn, ready, own.data if own else None)

    if settings.agency.demo and only != "door":
        # Before the worker: a first delivery that finds nobody waits most of a minute.
        supervisor.add(Child("agency", agency))
        supervisor.wait_ready(_START_SECONDS)
    if only != "worker":
        for number in range(1, settings.door.processes + 1):
            supervisor.add(Child(f"door-{number}", door))
    if only != "door":
        for number in range(1, settings.worker.processes + 1):
            supervisor.add(Child(f"worker-{number}", worker))
    if local is not None:
        supervisor.add(Child("health", health))


def _keeper(server: Embedded | None) -> Callable[[], None]:
    """What the supervisor does each turn: start the database again when it died."""
    if server is None:
        return lambda: None

    def keep() -> None:
        if not server.alive():
            _log.error("database server died; starting it again")
            begin = time.monotonic()
            server.ensure()
            _log.info("database server is back", seconds=round(time.monotonic() - begin, 2))

    return keep


def _preflight(settings: Settings, common: Clock) -> Certificates:
    """Read every file of HOME once, so that a mistake in one is told here and not by a child.

    The TLS contexts made here are inherited by every door: they then share the keys of session
    tickets, and a client resumes whichever door it comes back to.

    Raises KindError, PlaceError, BadTrustStore, KeyUnusable, BadKey, BadAnchors, OSError.
    """
    known_kinds(settings)
    places.preflight(settings)
    known = trusting.anchors(settings)
    certificates = trusting.certificates(settings, known, common)
    trusting.try_signers(settings)
    journal.sequencer(settings, "")
    timestamps.tsa(settings)
    return certificates


def _health_socket(settings: Settings) -> socket.socket | None:
    """Raises PortTaken."""
    if not settings.health.enabled:
        return None
    return listen([settings.health.bind], settings.health.port)[0]


@contextlib.contextmanager
def _alone(run: Path, only: str | None) -> Iterator[None]:
    """One `serve` of each sort per HOME; the lock goes with the process, however it ends."""
    lock = os.open(run / f"serve-{only or 'all'}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyServed(f"a `serve` already runs on {run.parent}") from None
    try:
        yield
    finally:
        os.close(lock)


def _metrics_folder(run: Path, only: str | None) -> None:
    """Where the processes leave their counts for the health process to add up."""
    folder = run / f"metrics-{only or 'all'}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _with_ports(settings: Settings, sockets: list[socket.socket], only: str | None) -> Settings:
    """Settings with the ports that were really taken (0 asks for a free one).

    The agency binds its own; we only look whether it can. Raises PortTaken.
    """
    if sockets:
        port = sockets[0].getsockname()[1]
        settings = replace(settings, door=replace(settings.door, port=port))
    if settings.agency.demo and only != "door":
        probe = listen(["127.0.0.1"], settings.agency.port)
        port = probe[0].getsockname()[1]
        probe[0].close()
        settings = replace(settings, agency=replace(settings.agency, port=port))
    return settings


def _handshake(settings: Settings, sock: socket.socket) -> None:
    """Speak TLS with the door, as ourselves. Raises OSError."""
    own = settings.tls.certificates[0]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(settings.path(own.certificate), settings.path(own.key))
    address, port = sock.getsockname()[:2]
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104  # not bound here
    with (
        socket.create_connection((address, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=settings.door.hosts[0]) as tls,
    ):
        assert tls.version() is not None
