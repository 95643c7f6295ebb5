"""One worker process: the engine, the journal's sequencer, and the channels to the agencies."""

from __future__ import annotations

import signal
import ssl
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from openpoort.app import database, journal, timestamps, trusting
from openpoort.app.attempts import Counted
from openpoort.app.gate import Gate, Refresher
from openpoort.app.months import Ledger
from openpoort.app.outcomes import counted_cpu
from openpoort.app.snapshot import Snapshot
from openpoort.app.watch import Watch
from openpoort.app.wiring import open_parts
from openpoort.outbound.ausp import ByKind, LocalAusp, RemoteAusp
from openpoort.outbound.http import Https, tls_context
from openpoort.outbound.wus import WusChannel
from openpoort.process.engine.engine import Engine
from openpoort.process.flow.clock import Clock
from openpoort.process.ports import Authority, Channel
from openpoort.settings import Settings
from openpoort.trust.anchors import Anchors

CONNECTIONS = 128
"""Kept alive to one host; an agency that takes more at once costs a handshake for each of those."""


def run_worker(settings: Settings, dsn: str, clock: Clock, ready: Callable[[], None]) -> None:
    """Work until SIGTERM; steps that are under way are finished first."""
    stop = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(counted_cpu("worker"))
        parts = open_parts(settings, dsn, stack, checks=True)
        own = database.embedded(settings)
        ledger = Ledger(dsn, "worker", parts.house.kinds, own.data if own else None)
        stack.enter_context(ledger.kept())
        gate = Gate.of(settings)
        names = {"agency_port": settings.agency.port}
        snapshot = Snapshot(dsn, gate.know, gate.follow, names)
        stack.callback(snapshot.close)
        http = _outward(settings, gate, stack)
        channel = _channel(settings, clock, gate, http)
        engine = Engine(
            parts.store,
            parts.house,
            snapshot.now,
            {channel.name: channel},
            authority=_authority(settings, http, snapshot),
            clock=clock,
            switches=settings.switches.aansluit_suite,
        )
        sequencer = journal.sequencer(settings, dsn, clock.now)
        refresher = Refresher(dsn, settings.path(settings.tls.trust), clock.now)
        watch = Watch(dsn, sequencer.key.public_key(), clock.now)
        sides = {"sequencer": sequencer.run, "evidence": refresher.run, "watch": watch.run}
        tsa = timestamps.tsa(settings)
        if tsa is not None:
            pause = timedelta(seconds=settings.tsa.seconds)
            sides["timestamps"] = timestamps.Stamper(dsn, tsa, clock.now, pause).run
        for name, side in sides.items():
            thread = threading.Thread(target=side, args=(stop,), name=name, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
        signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
        ready()
        engine.run(stop)
        stop.set()


def _outward(settings: Settings, gate: Gate, stack: ExitStack) -> Https:
    """HTTPS to agencies and AuSP with the gateway's own certificate; follows the trust store."""
    own = settings.tls.certificates[0]

    def context(known: Anchors) -> ssl.SSLContext:
        certificate, key = settings.path(own.certificate), settings.path(own.key)
        return tls_context(certificate, key, None, trusting.handshake(known))

    http = Https(context(gate.keeper.grounds.anchors), connections=CONNECTIONS)
    gate.trusted = lambda known: http.trust(context(known))
    stack.callback(http.close)
    return http


def _channel(settings: Settings, clock: Clock, gate: Gate, http: Https) -> Channel:
    """WUS towards the agencies."""
    signer = trusting.signer(settings, settings.tls.certificates[0])
    return Counted(WusChannel(http, signer, trusting.Identify(gate.keeper), clock.now))


def _authority(settings: Settings, http: Https, snapshot: Snapshot) -> Authority | None:
    """Who is asked at an `authorise` step; None: what the door judged stands."""
    chosen = settings.ausp
    if not chosen.url:
        return LocalAusp(snapshot.now) if chosen.directory else None
    outside: Authority = RemoteAusp(chosen.url, http)
    if not chosen.kinds:
        return outside
    return ByKind(LocalAusp(snapshot.now), dict.fromkeys(chosen.kinds, outside))
