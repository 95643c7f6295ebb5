"""A process of its own for the crash tests: `worker`, `door` or `reader`, on a given database.

The agency is a file: every delivery is a line, written and synced before the answer is given.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path

from openpoort.checks.split import split
from openpoort.domain.message import AfleverBevestiging, Bericht, Operatie, Received, Vraag
from openpoort.process.engine.engine import Engine
from openpoort.process.flow import kinds
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.context import House
from openpoort.process.flow.crashpoints import crash_point
from openpoort.process.intake import Intake
from openpoort.process.ports import Agency
from openpoort.process.reading.reader import Reader
from openpoort.sandbox.directory import starting
from openpoort.store.store import Store
from tests.process.house import BEDRIJF, START, Passes, request, verified


class Ledger:
    """What the agency holds."""

    name = "wus"

    def __init__(self, file: Path) -> None:
        self.file = file

    def deliver(self, bericht: Bericht, agency: Agency, message_id: str) -> AfleverBevestiging:
        line = f"{bericht.kenmerk} {agency.name} {message_id}\n".encode()
        handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, line)
        os.close(handle)
        return AfleverBevestiging(
            bericht.kenmerk, bericht.berichtkenmerk, START, statuscode="500", statusdetails="<r/>"
        )


def worker(store: Store, house: House, ledger: Path) -> None:
    """Work until nothing is left to do."""
    engine = Engine(store, house, starting, {"wus": Ledger(ledger)}, clock=Clock(), lease=1.0)
    stop = threading.Event()
    thread = threading.Thread(target=engine.run, args=[stop])
    thread.start()
    end = time.monotonic() + 60
    with store.connect() as conn:
        while conn.execute("select 1 from job limit 1").fetchone() and time.monotonic() < end:
            time.sleep(0.05)
    stop.set()
    engine.wake()
    thread.join()


def door(store: Store, house: House, count: int) -> None:
    """Hand in messages 0 to `count`; a line for each that was acknowledged."""
    intake = Intake(store, house, starting, Clock())

    async def one(number: int) -> None:
        raw = Received(b"<soap/>", START)
        asked = request(aanleverkenmerk=f"nummer {number}")
        who = verified(BEDRIJF, f"uuid:{number}")
        done = await intake.aanleveren(who, asked, raw, lambda said: b"answer")
        print(number, done.kenmerk, flush=True)

    async def all_of_them() -> None:
        for start in range(0, count, 10):
            await asyncio.gather(*(one(n) for n in range(start, min(start + 10, count))))

    asyncio.run(all_of_them())
    intake.close()


def reader(store: Store, house: House, kenmerk: str) -> None:
    """Ask for new statuses and print them once the answer is through."""
    reading = Reader(store, house, starting, Clock())

    async def ask() -> None:
        vraag = Vraag(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)
        answer = await reading.vraag(verified(BEDRIJF), vraag)
        print(len(answer.antwoord.items), flush=True)
        await answer.delivered()

    asyncio.run(ask())
    reading.close()


def main() -> None:
    role, dsn, argument = sys.argv[1:]
    checks = {name: Passes(name) for name in ("structure", "filing", "xbrl", "plain")}
    house = House(kinds.load(), checks, split=split)
    store = Store(dsn, crash_point=crash_point)
    if role == "worker":
        worker(store, house, Path(argument))
    elif role == "door":
        door(store, house, int(argument))
    else:
        reader(store, house, argument)
    store.close()


if __name__ == "__main__":
    main()
