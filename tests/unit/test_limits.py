"""Rates, storms and shares, on a clock of the test."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from openpoort.inbound.limits import LONGEST_WAIT, Limits, Rate, Shares, Wait, Why

RULE = Rate(per_second=10, burst=20)


def accepted(limits: Limits, sender: str, times: list[float]) -> list[float]:
    return [t for t in times if limits.ask(sender, t) is None]


def test_burst_then_rate() -> None:
    limits = Limits(RULE)
    assert len(accepted(limits, "a", [0.0] * 100)) == 20
    assert limits.ask("a", 0.0) == Wait(1, Why.STORM, again=True)


def test_sender_that_waits_as_told_is_let_in() -> None:
    limits = Limits(RULE)
    accepted(limits, "a", [0.0] * 20)
    wait = limits.ask("a", 0.0)
    assert wait == Wait(1, Why.RATE)
    assert limits.ask("a", 0.1) == Wait(1, Why.RATE, again=True)
    assert limits.ask("a", 0.0 + wait.seconds) is None


def test_steady_sender_at_its_rate_is_never_refused() -> None:
    limits = Limits(RULE)
    times = [n / 10 for n in range(5000)]
    assert accepted(limits, "a", times) == times


def test_storm_doubles_the_wait_up_to_a_minute_and_ends_when_it_rests() -> None:
    limits = Limits(RULE)
    waits, at = [], 0.0
    for _ in range(400_000):
        answer = limits.ask("a", at)
        if answer is not None:
            waits.append(answer.seconds)
        at += 0.002  # 500 a second: fifty times its rate
    assert max(waits) == LONGEST_WAIT
    rested = at + LONGEST_WAIT + 5
    assert limits.ask("a", rested) is None
    for _ in range(19):
        limits.ask("a", rested)
    again = limits.ask("a", rested)
    assert again is not None


def test_stormy_sender_gets_no_more_than_its_rate() -> None:
    limits = Limits(RULE)
    taken = len(accepted(limits, "a", [n / 500 for n in range(30_000)]))  # a minute
    assert taken <= RULE.burst + 60 * RULE.per_second


def test_storm_does_not_come_back_as_a_burst() -> None:
    limits = Limits(RULE)
    assert len(accepted(limits, "a", [0.0] * 100)) == 20
    at = 0.0
    for away in (0.2, 0.4, 0.8, 1.6):
        at += away + 0.001
        assert len(accepted(limits, "a", [at - 0.01] * 50)) == 0
        assert len(accepted(limits, "a", [at] * 50)) == 2


def test_storm_of_a_very_slow_sender_gets_no_more_than_its_rate() -> None:
    """A tenth of its bucket takes longer than the longest wait of a storm."""
    limits = Limits(Rate(per_second=0.005, burst=1))
    times = [n / 2 for n in range(20_000)]  # 10,000 s
    assert len(accepted(limits, "a", times)) <= 1 + 10_000 * 0.005


def test_one_sender_over_its_rate_does_not_touch_another() -> None:
    limits = Limits(RULE)
    for n in range(5000):
        limits.ask("storm", n / 500)
        if n % 50 == 0:
            assert limits.ask("honest", n / 500) is None


def test_own_rate_of_a_party() -> None:
    limits = Limits(RULE)
    fast = Rate(1000, 500)
    assert all(limits.ask("a", 0.0, fast) is None for _ in range(500))


def test_without_a_default_only_own_rates_count() -> None:
    limits = Limits(None)
    assert all(limits.ask("a", 0.0) is None for _ in range(5000))
    assert limits.ask("b", 0.0, Rate(1, 1)) is None
    assert limits.ask("b", 0.0, Rate(1, 1)) is not None


def test_table_is_bounded_and_forgets_the_longest_unused() -> None:
    limits = Limits(RULE, size=3)
    for name in ("a", "b", "c", "a", "d"):
        limits.ask(name, 0.0)
    assert list(limits._buckets) == ["c", "a", "d"]


@given(
    steps=st.lists(st.floats(0, 3, allow_nan=False), max_size=200),
    rate=st.floats(0.1, 100),
    burst=st.integers(1, 50),
)
@settings(max_examples=150, deadline=None)
def test_never_more_than_burst_plus_rate(steps: list[float], rate: float, burst: int) -> None:
    limits, at, taken = Limits(Rate(rate, burst)), 0.0, 0
    for step in steps:
        at += step
        answer = limits.ask("a", at)
        taken += answer is None
        if answer is not None:
            assert 1 <= answer.seconds <= max(LONGEST_WAIT, 10 / rate + 1)
    assert taken <= burst + rate * at + 1e-6


def test_everybody_may_use_empty_places() -> None:
    shares = Shares(places=10, spare=2)
    assert all(shares.begin("a") is None for _ in range(10))
    assert shares.begin("a") == Wait(1, Why.SHARE)


def test_when_full_the_small_ones_still_get_in() -> None:
    shares = Shares(places=10, spare=2)
    for _ in range(10):
        shares.begin("big")
    assert shares.begin("big") is not None
    assert shares.begin("small") is None
    assert shares.begin("smaller") is None
    assert shares.begin("smallest") is not None  # the spare places are gone too
    shares.end("big")
    shares.end("big")
    shares.end("big")
    assert shares.begin("smallest") is None


@given(ops=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=300))
def test_shares_balance(ops: list[tuple[str, bool]]) -> None:
    shares = Shares(places=5, spare=3)
    under_way: list[str] = []
    for sender, begin in ops:
        if begin:
            if shares.begin(sender) is None:
                under_way.append(sender)
        elif sender in under_way:
            under_way.remove(sender)
            shares.end(sender)
        assert shares._total == len(under_way) <= 8
        assert sum(shares._busy.values()) == len(under_way)
