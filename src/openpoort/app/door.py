"""One door process: the wiring of everything between a socket and the store."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import uvloop

from openpoort import telemetry
from openpoort.app import trusting
from openpoort.app.gate import Gate
from openpoort.app.months import Ledger
from openpoort.app.outcomes import Connections, Outcomes, counted_cpu
from openpoort.app.snapshot import Snapshot
from openpoort.app.wiring import open_front
from openpoort.inbound.acts import Acting
from openpoort.inbound.body import BodyLimits
from openpoort.inbound.http import Door
from openpoort.inbound.limits import Limits, Rate, Shares
from openpoort.inbound.server import DoorServer, ServerLimits
from openpoort.inbound.tls import Certificates
from openpoort.inbound.turnstile import Turnstile
from openpoort.inbound.wus import Wus
from openpoort.process.flow.clock import Clock
from openpoort.settings import Settings
from openpoort.wire.wus.addressing import endpoints
from openpoort.wire.wus.services import AANSLUIT_SUITE, AFLEVER, SERVICES, Service

_MIB = 1024 * 1024
OTHER_FILES = 256
"""Open files of a door beside its connections: database, logs, libraries."""
_log = telemetry.logger("door")


def run_door(
    settings: Settings,
    dsn: str,
    clock: Clock,
    certificates: Certificates,
    sockets: list[socket.socket],
    ready: Callable[[], None],
) -> None:
    """Serve on `sockets` until SIGTERM; finish what is under way first."""
    connections = _many_files(settings.door.connections)
    with ExitStack() as stack:
        stack.enter_context(counted_cpu("door"))
        stack.enter_context(Ledger(dsn, "door").kept())
        gate = Gate.of(settings)
        certificates.trust(trusting.handshake(gate.keeper.grounds.anchors))
        gate.trusted = lambda new: certificates.trust(trusting.handshake(new))
        snapshot = Snapshot(dsn, gate.know, gate.follow)
        stack.callback(snapshot.close)
        threads = stack.enter_context(ThreadPoolExecutor(2, thread_name_prefix="large"))
        intake, reader = open_front(settings, dsn, clock, snapshot.now, stack)
        urls = bases(settings)
        served = served_by(settings)
        wus = Wus(
            gate=gate.keeper,
            act=Acting(intake, reader, snapshot.now, trusting.signers(settings), clock.now),
            directory=snapshot.now,
            to={path: endpoints(urls, service) for path, service in served.items()},
            now=clock.now,
            outcomes=Outcomes(clock.now),
            threads=threads,
            skew=timedelta(seconds=settings.door.skew_seconds),
        )
        body = BodyLimits(
            size=settings.door.max_body_mib * _MIB, pool=settings.door.max_bodies_mib * _MIB,
            spool=settings.home / "run",
        )  # fmt: skip
        limits = ServerLimits(connections=connections, drain_seconds=settings.door.stop_seconds)
        door = Door(wus, urls, body, served=served)
        door.turnstile = _turnstile(settings, door.in_flight, snapshot)
        door.limited = wus.limited
        door.noticed = Connections(clock.now, f"port {settings.door.port}")
        server = DoorServer(door, certificates, limits, door.noticed, door.away)
        server.on_started = ready
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(sockets))


def served_by(settings: Settings) -> Mapping[str, Service]:
    """By path: all services of companies and agencies, and where its switch names are known also
    the paths of the Aansluit Suite."""
    more = AANSLUIT_SUITE if settings.switches.aansluit_suite else {}
    return {p: s for p, s in (*SERVICES.items(), *more.items()) if s is not AFLEVER}


def _turnstile(settings: Settings, in_flight: int, snapshot: Snapshot) -> Turnstile:
    """Three quarters of the places are for whoever comes; the rest keeps small senders going."""
    rate = Rate(settings.door.rate, settings.door.burst) if settings.door.rate else None
    shares = Shares(in_flight * 3 // 4, in_flight // 4)
    return Turnstile(Limits(rate), shares, snapshot.now)


def bases(settings: Settings) -> tuple[str, ...]:
    """Our addresses without path: each host with the port and without, then `public_urls`."""
    port = settings.door.port
    hosts = dict.fromkeys(["localhost", "127.0.0.1", *settings.door.hosts])
    urls = [f"https://{_bracketed(host)}:{port}" for host in hosts]
    urls += [f"https://{_bracketed(host)}" for host in hosts]
    return (*urls, *(url.rstrip("/") for url in settings.door.public_urls))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _many_files(connections: int) -> int:
    """Ask for as many open files as the connections need; how many connections there may be.

    Where the system allows fewer, idle connections must make room sooner: a door that runs out
    of files can accept nobody at all.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        if limit < wanted:
            room = max(16, limit - OTHER_FILES)
            _log.warning("fewer_connections", asked=connections, room=room, open_files=limit)
            return room
    return connections
