"""Workers that die or sleep in the middle of sending a large message, as real processes."""

from __future__ import annotations

import hashlib
import os
import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from openpoort.domain.message import Document
from openpoort.sandbox.agency.archive import receipts
from openpoort_lab.bench.prepare import content
from openpoort_lab.chaos.verdict import HISTORY, whole
from tests.e2e.gateway import until, vat_return
from tests.e2e.test_scale_processes import Machines, machines

__all__ = ["machines"]
LARGE = content(15_000_000, random.Random(95))
DIGEST = hashlib.sha256(LARGE).hexdigest()


@contextmanager
def asleep(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def on_the_line(port: int) -> int:
    """Octets sent to this port that nobody took yet."""
    waiting = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, to, _, queues, *_ = line.split()
        if int(to.rpartition(":")[2], 16) == port:
            waiting += int(queues.partition(":")[0], 16)
    return waiting


def test_who_dies_or_sleeps_in_the_middle_of_a_large_message_delivers_it_once(
    machines: Machines,
) -> None:
    first = machines.serve("--port", "0")
    agency, taken = first.pid("agency"), list[str]()

    def delivered(kenmerk: str) -> bool:
        with psycopg.connect(machines.dsn) as conn:
            row = conn.execute("select state from process where kenmerk = %s", [kenmerk]).fetchone()
        return row == ("delivered",)

    def send(document: bytes) -> str:
        inhoud = Document("application/xml", "Bench.xml", document)
        message = vat_return(b"", berichtsoort="Bench", inhoud=inhoud)
        taken.append(client.aanleveren(message).kenmerk)
        return taken[-1]

    def through(document: bytes) -> None:
        kenmerk = send(document)
        until(lambda: delivered(kenmerk))

    def half_way() -> str:
        """The agency stands still, and the worker waits for it with part of the message sent."""
        kenmerk = send(LARGE)
        until(lambda: on_the_line(machines.agency_port) > 100_000)
        return kenmerk

    with first.client() as client:
        through(b"<een/>")  # now there is a line with the agency
        with asleep(agency):
            killed = half_way()
            os.kill(first.pid("worker-1"), signal.SIGKILL)
        until(lambda: delivered(killed), 60)
        with ExitStack() as stack:
            with asleep(agency):
                slept = half_way()
                stack.enter_context(asleep(first.pid("worker-1")))
            with psycopg.connect(machines.dsn) as conn:  # asleep for longer than its lease
                conn.execute("update job set lease_until = clock_timestamp() - interval '1 second'")
            machines.serve("--only", "worker", OPENPOORT_AGENCY_DEMO="false")
            until(lambda: delivered(slept), 60)
        through(b"<twee/>")
        codes = [tuple(s.statuscode for s in client.statussen(k)) for k in (killed, slept)]
    assert codes == [HISTORY] * 2
    listed = list(receipts(first.home / "agency" / "demodienst" / "ontvangsten.csv"))
    assert sorted(r.kenmerk for r in listed) == sorted(taken)
    assert [r.digest for r in listed].count(DIGEST) == 2
    assert whole(machines.dsn, first.home, taken) == []
