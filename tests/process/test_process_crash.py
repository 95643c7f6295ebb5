"""kill -9 at every numbered point: nothing lost, nothing done twice that anybody can tell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openpoort.domain.message import Operatie
from openpoort.process.engine.engine import Engine
from openpoort.process.flow.crashpoints import POINTS, VARIABLE
from tests.process.actor import Ledger
from tests.process.house import HAPPY, Gate, request

ROOT = Path(__file__).parents[2]
WORKER = ("after-claim", "before-step-commit", "after-step-commit", "after-attempt",
          "after-delivery")  # fmt: skip
DOOR = ("after-rights", "before-accept", "after-accept")
READER = ("after-read", "before-seen")
IN_WHOLE_GATEWAYS = ("after-body", "after-reading", "after-verdict", "before-receipt",
                     "after-receipt")  # fmt: skip
"""Passed in code outside `process`: `openpoort chaos`, and its slice in e2e/test_chaos_slice.py."""


def start(role: str, dsn: str, argument: object, crash: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.process.actor", role, dsn, str(argument)],
        cwd=ROOT, env={**os.environ, VARIABLE: crash}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(actor: subprocess.Popen[str]) -> tuple[int, list[str]]:
    out, _ = actor.communicate(timeout=120)
    return actor.returncode, out.splitlines()


def test_every_point_is_tried() -> None:
    assert {*WORKER, *DOOR, *READER, *IN_WHOLE_GATEWAYS} == set(POINTS)


def everything_arrived(gate: Gate, kenmerken: list[str], ledger: Path) -> None:
    for kenmerk in kenmerken:
        assert gate.codes(kenmerk) == HAPPY
    assert gate.count("job") == 0
    assert gate.count("parked") == 0
    assert gate.count("status") == len(kenmerken) * len(HAPPY)
    assert gate.count("delivery") == len(kenmerken)
    delivered = {tuple(line.split()) for line in ledger.read_text().splitlines()}
    # Attempts may repeat; to the agency they are one message, for they carry one MessageID.
    assert Counter(kenmerk for kenmerk, _, _ in delivered) == Counter(kenmerken)


def go_on(gate: Gate, ledger: Path) -> None:
    """A second worker, here, until nothing is left; what was leased waits for its lease."""
    gate.wall.at = datetime.now(UTC) + timedelta(minutes=1)
    engine = Engine(
        gate.store, gate.house, lambda: gate.directory, {"wus": Ledger(ledger)}, clock=gate.clock
    )
    end = time.monotonic() + 60
    while gate.count("job") and time.monotonic() < end:
        engine.run_until_idle()


@pytest.mark.parametrize("point", WORKER)
def test_a_worker_dies_and_another_goes_on(dsn: str, tmp_path: Path, point: str) -> None:
    gate, ledger = Gate(dsn), tmp_path / "agency"
    kenmerken = [gate.send() for _ in range(30)]
    code, _ = finish(start("worker", dsn, ledger, f"{point}:3"))
    assert code == -signal.SIGKILL
    assert gate.count("job") > 0
    go_on(gate, ledger)
    everything_arrived(gate, kenmerken, ledger)
    gate.close()


@pytest.mark.parametrize("point", DOOR)
def test_a_door_dies_and_the_sender_repeats(dsn: str, point: str) -> None:
    gate = Gate(dsn)
    code, before = finish(start("door", dsn, 30, f"{point}:2"))
    assert code == -signal.SIGKILL
    with gate.store.connect() as conn:
        kept = conn.execute("select kenmerk::text from message").fetchall()
    assert {line.split()[1] for line in before} <= {row[0] for row in kept}
    after = [
        f"{n} {gate.send(request(aanleverkenmerk=f'nummer {n}'), message_id=f'uuid:{n}')}"
        for n in range(30)
    ]
    assert set(before) <= set(after)
    assert {row[0] for row in kept} <= {line.split()[1] for line in after}
    assert gate.count("message") == gate.count("job") == 30
    assert gate.count("status") == 90
    gate.close()


@pytest.mark.parametrize("point", READER)
def test_a_reader_dies_and_everything_is_still_new(dsn: str, point: str) -> None:
    gate = Gate(dsn)
    kenmerk = gate.send()
    code, _ = finish(start("reader", dsn, kenmerk, point))
    assert code == -signal.SIGKILL
    again = [gate.ask(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk) for _ in range(2)]
    assert [len(antwoord.items) for antwoord in again] == [3, 0]
    gate.close()


def test_two_workers_of_which_one_is_killed_in_the_middle(dsn: str, tmp_path: Path) -> None:
    gate, ledger = Gate(dsn), tmp_path / "agency"
    kenmerken = [gate.send() for _ in range(200)]
    one, two = start("worker", dsn, ledger), start("worker", dsn, ledger)
    end = time.monotonic() + 60
    while gate.count("delivery") < 20 and time.monotonic() < end:
        time.sleep(0.01)
    one.kill()
    assert finish(one)[0] == -signal.SIGKILL
    assert finish(two)[0] == 0
    # Whatever the dead one had leased is taken over when the lease has run out.
    go_on(gate, ledger)
    everything_arrived(gate, kenmerken, ledger)
    gate.close()
