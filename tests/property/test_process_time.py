"""Retries and lanes: laws that hold for every clock and every agency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from openpoort.process.engine.circuit_breaker import (
    DOWN_AFTER,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Lane,
    shared,
)
from openpoort.process.flow import retry
from openpoort.process.flow.clock import Clock
from openpoort.process.flow.retry import GiveUp

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
    """One agency that answers or is silent, offered as many messages as its lane allows."""

    def __init__(self) -> None:
        super().__init__()
        self.lane, self.now, self.up = Lane(cap=8), T0, True
        self.in_a_row: set[UUID] = set()

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
    @rule(number=st.integers(0, 20), pause=st.integers(0, 4000))
    def answer(self, number: int, pause: int) -> None:
        self.lane.out -= 1
        if self.up:
            self.lane.answered()
            self.in_a_row.clear()
        else:
            if not self.lane.closed(self.now):
                self.in_a_row.add(UUID(int=number))
            self.lane.met_silence(UUID(int=number), self.now, timedelta(seconds=pause))

    @invariant()
    def never_over_the_cap(self) -> None:
        assert 0 <= self.lane.out <= self.lane.cap
        assert 1 <= self.lane.window <= self.lane.cap

    @invariant()
    def down_means_several_messages_and_one_at_a_time(self) -> None:
        assert self.lane.down == (len(self.in_a_row) >= DOWN_AFTER)
        if self.lane.down:
            assert self.lane.window == 1

    @invariant()
    def a_closed_lane_opens_again(self) -> None:
        assert not self.lane.closed(self.now + LONGEST_PAUSE)


TestAgency = Agency.TestCase


def test_a_salvo_that_meets_silence_closes_the_lane_for_one_pause() -> None:
    lane = Lane(cap=8, window=8, out=8)
    for number in range(8):
        lane.met_silence(UUID(int=number), T0)
    assert lane.closed_until == T0 + FIRST_PAUSE
    assert lane.room(T0 + FIRST_PAUSE) == 0
    lane.out = 0
    assert lane.room(T0 + FIRST_PAUSE) == 1
    lane.met_silence(UUID(int=8), T0 + FIRST_PAUSE)
    assert lane.closed_until == T0 + 3 * FIRST_PAUSE
    assert set(lane.silent) == {UUID(int=n) for n in range(9)}


def test_one_message_that_meets_silence_time_after_time_closes_nothing() -> None:
    lane = Lane(cap=8)
    for _ in range(100):
        lane.met_silence(UUID(int=1), T0)
    assert not lane.down


def test_an_answer_of_any_kind_keeps_a_lane_open() -> None:
    lane = Lane(cap=8)
    for number in range(100):
        lane.met_silence(UUID(int=number), T0)
        if number % 2:
            lane.answered()
        assert not lane.down


def test_who_asks_for_a_pause_gets_it_up_to_the_longest() -> None:
    for asked, got in ((45, 45), (1, 30), (9000, 300)):
        lane = Lane(cap=8)
        for number in range(DOWN_AFTER):
            lane.met_silence(UUID(int=number), T0, timedelta(seconds=asked))
        assert lane.closed_until == T0 + timedelta(seconds=got)


LANES = st.lists(
    st.builds(
        Lane, cap=st.just(8), window=st.integers(1, 8), out=st.integers(0, 3), again=st.booleans(),
        served=st.integers(0, 9),
    ), min_size=1, max_size=6,
)  # fmt: skip


@given(LANES, st.integers(1, 40), st.booleans())
def test_places_are_shared_out(lanes: list[Lane], cap: int, several: bool) -> None:
    for lane in lanes:
        lane.cap = cap
    out = sum(lane.out for lane in lanes)
    given_out = shared(cap, lanes, lanes, T0, several=several)
    assert all(count > 0 for count in given_out.values())
    after = {lane: lane.out + given_out.get(lane, 0) for lane in lanes}
    assert sum(after.values()) <= max(cap, out)
    for lane in given_out:
        assert after[lane] <= lane.window
        assert not several or cap == 1 or after[lane] < cap
    again = [lane for lane in given_out if lane.again]
    if again:
        assert sum(n for lane, n in after.items() if lane.again) <= max(1, cap // 4)
    if out < cap:  # nobody is passed over for one that has more
        left = [x for x in lanes if not x.again and after[x] == x.out < min(x.window, cap)]
        for lane in left:
            for other in given_out:
                assert after[other] - 1 <= after[lane]


def test_a_slow_kind_leaves_a_place_for_another() -> None:
    slow = Lane(cap=8, window=8)
    slow.out = shared(8, [slow], [slow], T0)[slow]
    assert slow.out == 7
    other = Lane(cap=8)
    assert shared(8, [slow, other], [slow, other], T0) == {other: 1}
    alone = Lane(cap=8, window=8)
    assert shared(8, [alone], [alone], T0, several=False) == {alone: 8}


def test_with_one_place_everybody_has_a_turn() -> None:
    good, failing = Lane(cap=1), Lane(cap=1, again=True)
    turns = []
    for turn in range(6):
        [chosen] = shared(1, [good, failing], [good, failing], T0)
        chosen.served = turn + 1
        turns.append(chosen is good)
    assert turns == [True, False] * 3
