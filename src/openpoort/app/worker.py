"""One worker process: the engine, the journal's sequencer, and the channels to the agencies."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack

from openpoort.app import journal, trusting
from openpoort.app.gate import Refresher
from openpoort.app.snapshot import Snapshot
from openpoort.app.wiring import open_parts
from openpoort.keys.pem import PemSigner
from openpoort.outbound.http import Https, tls_context
from openpoort.outbound.wus import WusChannel
from openpoort.process.clock import Clock
from openpoort.process.engine import Engine
from openpoort.process.ports import Channel
from openpoort.settings import Settings


def run_worker(settings: Settings, dsn: str, clock: Clock, ready: Callable[[], None]) -> None:
    """Work until SIGTERM; steps that are under way are finished first."""
    stop = threading.Event()
    with ExitStack() as stack:
        parts = open_parts(settings, dsn, stack, checks=True)
        snapshot = Snapshot(dsn, names={"agency_port": settings.agency.port})
        stack.callback(snapshot.close)
        channel = _channel(settings, clock, stack)
        engine = Engine(
            parts.store,
            parts.house,
            snapshot.now,
            {channel.name: channel},
            clock=clock,
            switches=settings.switches.aansluit_suite,
        )
        sequencer = journal.sequencer(settings, dsn, clock.now)
        refresher = Refresher(dsn, settings.path(settings.tls.trust), clock.now)
        for name, side in (("sequencer", sequencer.run), ("evidence", refresher.run)):
            thread = threading.Thread(target=side, args=(stop,), name=name, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
        signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
        ready()
        engine.run(stop)
        stop.set()


def _channel(settings: Settings, clock: Clock, stack: ExitStack) -> Channel:
    """WUS towards the agencies, with the gateway's own certificate in TLS and signature."""
    own = settings.tls.certificates[0]
    certificate, key = settings.path(own.certificate), settings.path(own.key)
    known = trusting.anchors(settings)
    bundle = settings.home / "run" / "trusted.pem"
    bundle.write_text(trusting.handshake(known))
    http = Https(tls_context(certificate, key, bundle))
    stack.callback(http.close)
    signer = PemSigner(
        settings.path(own.signing_certificate) if own.signing_certificate else certificate,
        settings.path(own.signing_key) if own.signing_key else key,
    )
    return WusChannel(http, signer, trusting.Identify(known), clock.now)
