"""Worlds hold their laws, play again exactly, and a planted mistake does not go unseen."""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from greenlet import greenlet

from openpoort.domain.process import Event
from openpoort.process.engine import circuit_breaker, remote_steps
from openpoort.process.flow import behaviours, outcomes, steps
from openpoort.process.flow.context import Work
from openpoort.process.ports import DeliveryFailed
from openpoort.process.reading.reader import Reading
from openpoort.store import queue
from openpoort.store.messages.changes import Process
from openpoort.store.messages.rows import Accept, Accepted, JobRow
from openpoort.store.store import Store
from openpoort_lab.cli.simulate import simulate
from openpoort_lab.simulation.connection import Connection, Unknown
from openpoort_lab.simulation.host import Host
from openpoort_lab.simulation.invariants import Broken
from openpoort_lab.simulation.run import one
from openpoort_lab.simulation.world import World

MESSAGES = 120
WITHIN = 12
"""Worlds within which a planted mistake must be found."""


@pytest.mark.parametrize("seed", range(1, 7))
def test_every_law_holds(seed: int) -> None:
    outcome = one(seed, MESSAGES)
    assert outcome.broken == "", "\n".join(outcome.trace[-40:])
    assert outcome.ended is not None
    assert sum(outcome.ended.states.values()) >= MESSAGES * 0.9
    assert set(outcome.ended.states) <= {"delivered", "rejected", "cancelled", "parked"}


def test_same_seed_gives_the_same_steps_in_another_process() -> None:
    digests = {one(4, MESSAGES).ended.digest}  # type: ignore[union-attr]
    for salt in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "openpoort", "simulate", "--replay", "4", "--json",
             "--messages", str(MESSAGES)],
            env=os.environ | {"PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        digests.add(json.loads(done.stdout.splitlines()[-1])["digest"])
    assert len(digests) == 1
    assert one(5, MESSAGES).ended.digest not in digests  # type: ignore[union-attr]


def test_without_a_trace_the_steps_are_the_same() -> None:
    told, untold = one(4, MESSAGES).ended, one(4, MESSAGES, traced=False).ended
    assert told is not None
    assert untold == dataclasses.replace(told, digest="")


def test_a_world_that_is_over_keeps_nobody() -> None:
    """A greenlet that waits for ever keeps its whole world: a million messages fill the memory."""

    def living() -> int:
        gc.collect()
        return sum(isinstance(thing, World | greenlet) for thing in gc.get_objects())

    one(2, 40)
    before = living()
    for seed in (3, 4, 5):
        one(seed, 40)
    assert living() == before


def test_a_statement_that_is_not_known_stops_the_run() -> None:
    world = World(1, 1)
    connection = Connection(world.database, Host("x", world.scheduler), world.troubles)
    with pytest.raises(Unknown, match="select 2"):
        connection.execute("select 2")


def _no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes too late writes all the same."""
    finish = queue.finish

    def mutant(conn: Any, jobs: Sequence[JobRow]) -> set[int]:
        finish(conn, jobs)
        return {job.id for job in jobs}

    monkeypatch.setattr(queue, "finish", mutant)


def _acknowledged_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender hears that it is safe, whatever became of the transaction."""
    take_in = Store.take_in

    def mutant(self: Store, conn: Any, items: Sequence[Any]) -> Any:
        try:
            return take_in(self, conn, items)
        except psycopg.OperationalError:
            return [
                Accepted(i.message.kenmerk, i.message.kenmerk, i.message.day,
                         i.message.accepted_at, False) if isinstance(i, Accept) else None
                for i in items
            ]  # fmt: skip

    monkeypatch.setattr(Store, "take_in", mutant)


def _forgets_first_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every retry begins a new period: an agency that is down is tried for ever."""
    failed = steps.failed

    def mutant(work: Work, job: JobRow, why: str) -> None:
        failed(work, dataclasses.replace(job, first_at=None), why)

    monkeypatch.setattr(steps, "failed", mutant)


def _enqueued_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    enter = steps.enter

    def mutant(work: Work, step: Any) -> None:
        enter(work, step)
        work.process.jobs += work.process.jobs[-1:]

    monkeypatch.setattr(steps, "enter", mutant)


def _wake_up_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is found by the poll alone."""
    heard = queue.heard
    monkeypatch.setattr(queue, "heard", lambda conn, seconds: heard(conn, seconds) and False)


def _told_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trouble is told at every attempt instead of once per episode."""
    trouble = steps.trouble

    def mutant(work: Work, step: Any) -> None:
        work.process.episode = False
        trouble(work, step)

    monkeypatch.setattr(steps, "trouble", mutant)


def _had_without_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that did not get through counts as had."""
    monkeypatch.setattr(Reading, "release", Reading.delivered)


def _job_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A done job stays on the queue."""
    monkeypatch.setattr(queue, "finish", lambda _, jobs: {job.id for job in jobs})


def _answers_count_as_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three messages that are answered with a fault shut the agency for all of their kind."""
    monkeypatch.setattr(remote_steps, "AgencySilent", DeliveryFailed)


def _one_lane_for_all_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that meets silence shuts the agency for the others."""
    monkeypatch.setattr(
        behaviours, "agency_lane", lambda agency, *_, again=False: f"agency:{agency}"
    )


def _the_lane_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """One judgement, one lane, and a probe that is whoever waits longest."""
    _answers_count_as_silence(monkeypatch)
    _one_lane_for_all_kinds(monkeypatch)
    monkeypatch.setattr(
        circuit_breaker.Lane, "silent", property(lambda _: Forgetful(), lambda *_: None)
    )


class Forgetful(dict[Any, Any]):
    """Nobody is known to have failed before."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


def _rejected_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """All agencies have answered, one refused, and the sender never hears of it."""
    happen = outcomes.happen

    def mutant(p: Process, event: Event, *a: Any, **more: Any) -> Any:
        return happen(p, event, *a, **more | {"tell": event is not Event.UNDELIVERABLE})

    monkeypatch.setattr(outcomes, "happen", mutant)


def _does_not_await_its_agency(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message counts as delivered before its agency has said what it thinks of it."""
    go = Process.go

    def mutant(self: Process, event: Event) -> Any:
        return go(self, Event.COMPLETED if event is Event.AWAITED else event)

    monkeypatch.setattr(Process, "go", mutant)


QUIET, STORM = 0.0, 3.0


@pytest.mark.parametrize(
    ("plant", "severity"),
    [(_no_fence, STORM), (_acknowledged_before_commit, STORM), (_forgets_first_attempt, STORM),
     (_enqueued_twice, STORM), (_wake_up_lost, QUIET), (_told_each_time, STORM),
     (_had_without_being_told, STORM), (_job_left_behind, STORM),
     (_answers_count_as_silence, QUIET), (_one_lane_for_all_kinds, QUIET),
     (_the_lane_of_before, QUIET), (_rejected_without_a_word, STORM),
     (_does_not_await_its_agency, QUIET)],
)  # fmt: skip
def test_a_planted_mistake_is_found(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    severity: float,
) -> None:
    plant(monkeypatch)
    for seed in range(1, 1 + WITHIN):
        try:
            World(seed, MESSAGES, severity=severity).run()
        except Broken:
            return
    pytest.fail(f"not found in {WITHIN} worlds of {MESSAGES} messages")


def test_a_broken_law_is_told_with_the_command_that_plays_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _enqueued_twice(monkeypatch)
    done = CliRunner().invoke(simulate, ["--seed", "3", "--messages", "50", "--json"])
    assert done.exit_code == 1
    found = json.loads(done.stdout.splitlines()[-1])["broken"]
    assert found[0]["replay"] == "openpoort simulate --replay 3 --messages 50"
    assert "a job stands twice" in found[0]["law"]
    assert "commits" in done.stderr
    again = CliRunner().invoke(simulate, ["--replay", "3", "--messages", "50", "--json"])
    assert json.loads(again.stdout.splitlines()[-1])["broken"] == found[0]["law"]


@pytest.mark.parametrize("words", [["--messages", "0"], ["--seed", "-1"], ["--processes", "0"]])
def test_impossible_numbers_are_refused(words: list[str]) -> None:
    done = CliRunner().invoke(simulate, words)
    assert done.exit_code == 2
    assert "is not in the range" in done.stderr
