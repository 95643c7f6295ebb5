"""Whatever stops a step, at whatever step: the sender is told, it is tried again, and when that
does not help it waits for a person, told as well. Nothing waits in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from openpoort.domain.fault import Fault, Refusal
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit
from openpoort.domain.kind import Step, StepKind
from openpoort.domain.message import AfleverBevestiging, Bericht
from openpoort.operate import work
from openpoort.operate.work import Act
from openpoort.process.engine import batch
from openpoort.process.flow import kinds, steps
from openpoort.process.flow.context import Work
from openpoort.process.flow.steps import BROKEN_TRIES
from openpoort.process.ports import (
    Agency,
    AgencySilent,
    CheckUnavailable,
    DeliveryFailed,
    Filing,
    Verdict,
)
from openpoort.store.payloads.payloads import PayloadMissing, PayloadUnavailable
from tests.process.house import Gate, Passes, request

STARTED = ["105", "100", "110"]
ERRORS: list[Exception] = [
    KeyError("x"), ValueError("x"), TypeError("x"), AssertionError("x"), RecursionError("x"),
    MemoryError("x"), OSError(28, "No space left on device"), TimeoutError("x"), StopIteration("x"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), Fault("x"), Refusal("x"), ZeroDivisionError(),
    RuntimeError("cannot schedule new futures"), psycopg.DataError("x"), EOFError(),
    PayloadUnavailable(1, "x"), CheckUnavailable("x"), DeliveryFailed("x"), AgencySilent("x"),
    PayloadMissing("no row for payload"),
]  # fmt: skip
"""One of each class that a step could raise, those foreseen last."""
LAST_FORESEEN = 15
WHOLE = replace(
    kinds.load()["eFactuur"], berichtsoort="Alles", retry_for=timedelta(hours=8),
    steps=(
        Step("mag", StepKind.AUTHORISE, "200"),
        Step("vorm", StepKind.CHECK, "301", ("filing",)),
        Step("traag", StepKind.CHECK, "301", ("xbrl",)),
        Step("delen", StepKind.SPLIT, options={"element": "a", "berichtsoort": "eFactuur"}),
        Step("los", StepKind.DETACH),
        Step("afleveren", StepKind.DELIVER, "400", (), ("DEMOREGISTER",)),
        Step("terug", StepKind.RETURN),
        Step("archief", StepKind.ARCHIVE),
    ),
)  # fmt: skip
"""A kind with a step of every sort; reporting and offering again are steps of others."""
KVK = {"belanghebbende": Identiteit("90000044", "KvK")}
TOLD = {
    "mag": ("230", "AUS400"), "vorm": ("321", "VAS400"), "traag": ("321", "VAS400"),
    "delen": ("321", "VAS400"), "los": ("420", "AFS400"),
    "afleveren": ("420", "AFS400"), "terug": (None, None), "archief": (None, None),
}  # fmt: skip
"""What the sender is told; no more when it was told of its delivery: what is left is ours."""


class Saboteur:
    """Stops a step of the messages that carry the number of an error as aanleverkenmerk, as long
    as it is `on`."""

    def __init__(self) -> None:
        self.on = True
        self._asked = 0

    def strike(self, mark: str | None) -> None:
        if self.on and mark is not None and mark.isdecimal():
            raise ERRORS[int(mark)]

    def next(self) -> None:
        """For who is not told which message it is."""
        self._asked += 1
        self.strike(str(self._asked % len(ERRORS)))


class Ausp:
    def __init__(self, bad: Saboteur | None) -> None:
        self._bad = bad

    def ask(self, *_: object) -> Verdict:
        if self._bad is not None:
            self._bad.next()
        return Verdict.GRANTED


def sabotaged(dsn: str, bad: Saboteur, step: str, monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate(dsn, extra=[WHOLE], authority=Ausp(bad if step == "mag" else None))
    if step in ("vorm", "traag"):

        def check(filing: Filing) -> tuple[Finding, ...]:
            bad.strike(filing.aanleverkenmerk)
            return ()

        passes = Passes("filing" if step == "vorm" else "xbrl")
        monkeypatch.setattr(passes, "check", check)
        gate.checks[passes.name] = passes
    elif step == "afleveren":
        deliver = gate.channel.deliver

        def delivers(bericht: Bericht, agency: Agency, message_id: str) -> AfleverBevestiging:
            if bericht.berichtsoort == "Alles":
                bad.strike(bericht.aanleverkenmerk)
            return deliver(bericht, agency, message_id)

        monkeypatch.setattr(gate.channel, "deliver", delivers)
    elif step != "mag":
        sort = next(s.kind for s in WHOLE.steps if s.name == step)
        act = steps._LOCAL[sort]

        def acts(work: Work, now: Step) -> bool:
            if work.kind is WHOLE:
                bad.strike(work.message.aanleverkenmerk)
            return act(work, now)

        monkeypatch.setattr(steps, "_LOCAL", {**steps._LOCAL, sort: acts})
    return gate


def hand_in(gate: Gate, chosen: Sequence[int]) -> dict[str, Exception]:
    """A message for each of these errors."""
    body = b"<x><a/></x>"
    return {
        gate.send(request("Alles", body, aanleverkenmerk=str(n), **KVK)): ERRORS[n] for n in chosen
    }


def release(gate: Gate, kenmerken: Iterable[str]) -> None:
    for kenmerk in kenmerken:
        act = Act("beheerder", "mended", gate.clock.now())
        work.release(gate.store, gate.house, UUID(kenmerk), act)


def lying(gate: Gate) -> set[str]:
    return {str(p.kenmerk) for p in work.list_parked(gate.store)}


@pytest.mark.parametrize("step", list(TOLD))
def test_whatever_stops_a_step_is_told_and_goes_on_when_it_is_mended(
    dsn: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, (code, _) = Saboteur(), TOLD[step]
    gate = sabotaged(dsn, bad, step, monkeypatch)
    sent = hand_in(gate, range(len(ERRORS)))
    fine = gate.send(request("eFactuur", **KVK))
    gate.work()
    assert gate.codes(fine)[-1] == "400"
    for kenmerk, error in sent.items():
        seen = gate.codes(kenmerk)
        assert seen[-1] == (code or "400"), error
    bad.on = False
    release(gate, lying(gate))
    gate.wall.turn(hours=2)
    gate.work()
    for kenmerk, error in sent.items():
        seen = gate.codes(kenmerk)
        assert "400" in seen, error
        assert seen.count(code or "") == (code is not None), error
    assert (gate.count("parked"), gate.count("job")) == (0, 0)
    gate.close()


@pytest.mark.parametrize("step", list(TOLD))
def test_what_goes_on_for_ever_is_parked_and_told(
    dsn: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, (code, foutcode) = Saboteur(), TOLD[step]
    gate = sabotaged(dsn, bad, step, monkeypatch)
    sent = hand_in(gate, [n for n in range(len(ERRORS)) if n % 3 == 0 or n > LAST_FORESEEN])
    for _ in range(BROKEN_TRIES + 5):
        gate.work()
        gate.wall.turn(hours=1)
    assert gate.count("job") == 0
    assert lying(gate) == set(sent)
    for kenmerk, error in sent.items():
        last = gate.statuses(kenmerk)[-1]
        assert last.statuscode == (code or "400"), error
        if code is None:
            continue
        assert last.fout is not None
        foreseen = isinstance(error, CheckUnavailable | PayloadUnavailable | DeliveryFailed)
        late = step == "afleveren" and foreseen
        assert last.fout.foutcode == ("AFS600" if late else foutcode), error
        assert "Error" not in last.fout.foutbeschrijving
    bad.on = False
    release(gate, sent)
    gate.work()
    assert all("400" in gate.codes(k) for k in sent)
    assert gate.count("parked") == 0
    gate.close()


class Stubborn(Exception):
    """What the database says to the writing of one message, each time."""


@pytest.mark.parametrize("where", ["local", "answer", "start", "held"])
def test_one_message_that_cannot_even_be_told_stands_in_nobodys_way(
    dsn: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(dsn)
    first = gate.send(request("eFactuur", **KVK))
    others = [gate.send(request("eFactuur", **KVK)) for _ in range(3)]
    end = "420" if where == "held" else "400"
    if where != "local":
        with gate.store.connect() as conn:
            gate.engine._local.round(conn)
    if where == "held":
        gate.directory = replace(gate.directory, agencies=())
    write, failing = batch.write, [where != "answer"]

    def stubborn(conn: Any, processes: Any) -> None:
        chosen = list(processes)
        if failing[0] and any(str(p.kenmerk) == first for p in chosen):
            raise Stubborn
        write(conn, chosen)

    monkeypatch.setattr(batch, "write", stubborn)

    def starts(_: object) -> None:
        failing[0] = True

    gate.channel.during = starts if where == "answer" else None
    stop = threading.Event()
    thread = threading.Thread(target=gate.engine.run, args=[stop])
    thread.start()
    try:
        if where != "held":  # the door takes nothing in for an agency that is gone
            others += [gate.send(request("eFactuur", **KVK)) for _ in range(3)]
        _until(lambda: all(gate.codes(k)[-1] == end for k in others))
    finally:
        stop.set()
        gate.engine.wake()
        thread.join()
    gate.close()


def _until(true: Callable[[], bool]) -> None:
    for _ in range(300):
        if true():
            return
        threading.Event().wait(0.1)
    pytest.fail("others wait")
