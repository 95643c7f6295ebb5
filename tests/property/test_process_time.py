"""Retries and lanes: laws that hold for every clock and every agency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from openpoort.process import retry
from openpoort.process.clock import Clock
from openpoort.process.lanes import DOWN_AFTER, FIRST_PAUSE, LONGEST_PAUSE, Lane
from openpoort.process.retry import GiveUp

T0 = datetime(2026, 11, 23, tzinfo=UTC)
HOURS = st.timedeltas(timedelta(0), timedelta(hours=100))


@given(st.timedeltas(timedelta(hours=-5), timedelta(hours=100)), st.integers(0, 5000), HOURS,
       st.text(max_size=5))  # fmt: skip
def test_the_next_try_is_later_and_within_the_period(
    passed: timedelta, attempts: int, period: timedelta, salt: str
) -> None:
    now = T0 + passed
    when = retry.next(now, T0, attempts, period, salt=salt)
    if isinstance(when, GiveUp):
        assert now >= T0 + period
    else:
        assert now < when <= T0 + period
        assert when - now <= retry.LONGEST * 1.2


@given(st.text(max_size=5), st.timedeltas(timedelta(hours=1), timedelta(hours=80)))
def test_a_period_has_an_end_and_its_last_try_stands_on_it(salt: str, period: timedelta) -> None:
    now, tries = T0, 0
    while True:
        tries += 1
        when = retry.next(now, T0, tries, period, salt=salt)
        if isinstance(when, GiveUp):
            break
        now = when
    assert now == T0 + period
    assert tries < 200


def test_messages_that_failed_together_do_not_come_back_together() -> None:
    times = {retry.next(T0, T0, 5, timedelta(hours=72), salt=str(n)) for n in range(100)}
    assert len(times) > 90


@given(st.floats(1, 100_000), st.floats(0, 10_000))
def test_a_fast_clock_runs_at_its_factor(factor: float, seconds: float) -> None:
    wall = [1_800_000_000.0]
    clock = Clock(factor, wall[0], lambda: wall[0])
    before = clock.now()
    wall[0] += seconds
    passed = (clock.now() - before).total_seconds()
    # The wall clock is read to the microsecond, and the factor makes more of that.
    assert abs(passed - seconds * factor) <= 1e-3 + 1e-6 * (passed + factor)
    assert abs(clock.real_seconds(timedelta(seconds=seconds * factor)) - seconds) < 1e-3


class Agency(RuleBasedStateMachine):
    """One agency that is up or down, offered as many messages as its lane allows."""

    def __init__(self) -> None:
        super().__init__()
        self.lane, self.now, self.up = Lane(cap=8), T0, True
        self.in_a_row = 0

    @rule(up=st.booleans())
    def turns(self, up: bool) -> None:
        self.up = up

    @rule(seconds=st.integers(1, 400))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def offer(self) -> None:
        self.lane.out += self.lane.room(self.now)

    @precondition(lambda self: self.lane.out)
    @rule()
    def answer(self) -> None:
        self.lane.out -= 1
        if self.up:
            self.lane.success()
            self.in_a_row = 0
        else:
            self.in_a_row += not self.lane.closed(self.now)
            self.lane.failure(self.now)

    @invariant()
    def never_over_the_cap(self) -> None:
        assert 0 <= self.lane.out <= self.lane.cap
        assert 1 <= self.lane.window <= self.lane.cap

    @invariant()
    def down_means_one_at_a_time(self) -> None:
        assert self.lane.down == (self.in_a_row >= DOWN_AFTER)
        if self.lane.down:
            assert self.lane.window == 1

    @invariant()
    def a_closed_lane_opens_again(self) -> None:
        assert not self.lane.closed(self.now + LONGEST_PAUSE)


TestAgency = Agency.TestCase


def test_a_salvo_that_fails_together_closes_the_lane_for_one_pause() -> None:
    lane = Lane(cap=8, window=8, out=8)
    for _ in range(8):
        lane.failure(T0)
    assert lane.closed_until == T0 + FIRST_PAUSE
    assert lane.room(T0 + FIRST_PAUSE) == 0
    lane.out = 0
    assert lane.room(T0 + FIRST_PAUSE) == 1
    lane.failure(T0 + FIRST_PAUSE)
    assert lane.closed_until == T0 + 3 * FIRST_PAUSE
