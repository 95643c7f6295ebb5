"""Whose request is worked on next, in a real event loop."""

from __future__ import annotations

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from openpoort.inbound.turns import Turns


def order(*arrivals: str) -> list[str]:
    """Who went, of requests that were all there at once; numbered by sender."""

    async def run() -> list[str]:
        turns, went, seen = Turns(), list[str](), dict[str, int]()

        async def one(sender: str, number: int) -> None:
            await turns.mine(sender)
            went.append(f"{sender}{number}")

        tasks = []
        for sender in arrivals:
            seen[sender] = seen.get(sender, -1) + 1
            tasks.append(asyncio.ensure_future(one(sender, seen[sender])))
        await asyncio.gather(*tasks)
        return went

    return asyncio.run(run())


def test_one_sender_goes_in_order() -> None:
    assert order("a", "a", "a") == ["a0", "a1", "a2"]


def test_another_sender_goes_after_one_of_twenty() -> None:
    assert order(*["a"] * 20, "b")[:3] == ["a0", "b0", "a1"]


def test_who_comes_in_the_middle_of_a_burst_goes_next() -> None:
    async def run() -> list[str]:
        turns, went = Turns(), list[str]()
        late: list[asyncio.Task[None]] = []

        async def one(sender: str) -> None:
            await turns.mine(sender)
            went.append(sender)
            if len(went) == 5:
                late.append(asyncio.ensure_future(one("b")))

        await asyncio.gather(*(one("a") for _ in range(20)))
        await late[0]
        return went

    went = asyncio.run(run())
    assert len(went) == 21
    assert 5 <= went.index("b") <= 6


def test_request_that_is_cancelled_costs_nobody_a_turn() -> None:
    async def run() -> list[int]:
        turns, went = Turns(), list[int]()

        async def one(number: int) -> None:
            await turns.mine("a")
            went.append(number)

        tasks = [asyncio.ensure_future(one(number)) for number in range(4)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return went

    assert asyncio.run(run()) == [0, 1, 3]


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_nobody_goes_twice_while_another_waits(arrivals: list[str]) -> None:
    went = order(*arrivals)
    assert Counter(w[0] for w in went) == Counter(arrivals)
    turns = [int(w[1:]) for w in went]
    assert turns == sorted(turns)  # everybody's second goes after everybody's first
