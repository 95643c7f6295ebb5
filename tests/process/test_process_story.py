"""Whatever happens in whatever order, the laws hold: a seeded story on a real database.

Companies send and poll, agencies fall and rise and refuse, checkers die, verdicts come early and
twice, operators interfere, the clock jumps both ways. After every act the books must add up.
`STORIES=50 pytest tests/process/test_process_story.py` tells as many; CI tells two.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
from collections import Counter
from uuid import UUID

import pytest

from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Operatie
from openpoort.domain.status import FINAL, Status
from openpoort.operate import balance, work
from openpoort.operate.work import Act, WorkError
from openpoort.process.ports import CheckUnavailable, DeliveryFailed, DeliveryRefused
from openpoort.store.messages import lookup
from openpoort.store.postgres import partitions
from tests.process.house import BTW, START, Gate, Passes, request

KVK = Identiteit("90000044", "KvK")
ACTS = 90


class Story:
    """One run; `told` counts how often each status came as new."""

    def __init__(self, dsn: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.xbrl = Passes("xbrl")
        self.gate = Gate(dsn, checks=[self.xbrl])
        self.kenmerken: list[str] = []
        self.told: Counter[tuple[str, str, object]] = Counter()

    def act(self) -> None:
        getattr(self, self.random.choice(
            ["send", "send", "work", "work", "work", "turn", "agency", "checker", "verdict", "poll",
             "operator", "repeat"]
        ))()  # fmt: skip

    def send(self) -> None:
        kind = self.random.choice(["Omzetbelasting", "ICP", "Jaarrekening-Kopie", "eFactuur"])
        who = BTW if kind in ("Omzetbelasting", "ICP") else KVK
        asked = request(kind, belanghebbende=who)
        self.kenmerken.append(self.gate.send(asked, message_id=f"uuid:{len(self.kenmerken)}"))

    def repeat(self) -> None:
        if not self.kenmerken:
            return
        number = self.random.randrange(len(self.kenmerken))
        try:
            again = self.gate.send(request("ICP"), message_id=f"uuid:{number}")
        except Fault:
            return  # the first one had other values
        assert again == self.kenmerken[number]

    def work(self) -> None:
        self.gate.work()

    def turn(self) -> None:
        self.gate.wall.turn(seconds=self.random.choice([1, 60, 600, 7200, 90_000, -30]))

    def agency(self) -> None:
        name = self.random.choice(["DEMODIENST", "DEMOREGISTER"])
        error = self.random.choice(
            [None, None, DeliveryFailed("down"), DeliveryRefused("AFO100", "nee")]
        )
        self.gate.channel.errors.pop(name, None)
        if error is not None:
            self.gate.channel.errors[name] = error
        self.gate.channel.verdict = self.random.choice([None, "500", "510", "720"])

    def checker(self) -> None:
        self.xbrl.error = self.random.choice([None, None, CheckUnavailable("died")])

    def verdict(self) -> None:
        if self.kenmerken:
            kenmerk = self.random.choice(self.kenmerken)
            with contextlib.suppress(Fault):
                self.gate.set_status(kenmerk, self.random.choice(["500", "510", "710", "720"]))

    def poll(self) -> None:
        if self.kenmerken and self.random.random() < 0.5:
            asked = {"kenmerk": self.random.choice(self.kenmerken)}
            self.note(self.gate.ask(Operatie.NIEUWE_STATUSSEN_PROCES, **asked).items)
        else:
            party = {"berichtsoort": "Omzetbelasting", "belanghebbende": BTW}
            self.note(self.gate.ask(Operatie.NIEUWE_STATUSSEN, **party).items)

    def operator(self) -> None:
        if not self.kenmerken:
            return
        waiting = [str(x.kenmerk) for x in work.list_parked(self.gate.store)]
        kenmerk = UUID(self.random.choice(waiting or self.kenmerken))
        act = Act("beheerder", "proef", self.gate.clock.now(), self.random.random() < 0.2)
        with contextlib.suppress(WorkError):
            self.random.choice([work.release, work.redeliver, work.cancel])(
                self.gate.store, self.gate.house, kenmerk, act
            )

    def note(self, items: tuple[object, ...]) -> None:
        for item in items:
            assert isinstance(item, Status)
            self.told[item.kenmerk, item.statuscode, item.tijdstempel] += 1

    def books_add_up(self) -> None:
        with self.gate.store.connect() as conn:
            rows = conn.execute("select distinct day from register").fetchall()
        for (day,) in rows:
            books = balance.close(self.gate.store, self.gate.house.kinds, day)
            assert books.holds, books.record()

    def look_up_rows_say_what_is(self) -> None:
        with self.gate.store.connect() as conn:
            assert lookup.catch_up(conn) == 0
            shown = conn.execute("select kenmerk, state from lookup order by kenmerk").fetchall()
            are = conn.execute("select kenmerk, state from process order by kenmerk").fetchall()
        assert shown == are

    def histories_are_lawful(self) -> None:
        for kenmerk in self.kenmerken:
            statuses = self.gate.statuses(kenmerk)
            codes = [s.statuscode for s in statuses]
            times = [s.tijdstempel for s in statuses]
            assert codes[:3] == ["105", "100", "110"]
            assert times == sorted(set(times)), codes
            assert not FINAL.intersection(codes[:-1]), codes
            for code in ("420", "321", "230"):  # once per episode, and once more when given up
                for before, after in itertools.pairwise(statuses):
                    assert not (before.statuscode == after.statuscode == code) or after.fout, codes


@pytest.mark.parametrize("seed", range(1, 1 + int(os.environ.get("STORIES", "2"))))
def test_a_story(dsn: str, seed: int) -> None:
    story = Story(dsn, seed)
    with story.gate.store.connect() as conn:
        partitions.ensure(conn, START.date(), 20)
    for _ in range(ACTS):
        story.act()
        story.books_add_up()
        story.look_up_rows_say_what_is()
    # The storm is over: everything comes to rest.
    story.gate.channel.errors.clear()
    story.gate.channel.verdict, story.xbrl.error = "500", None
    for _ in range(5):
        story.gate.work()
        story.gate.wall.turn(hours=2)
    story.histories_are_lawful()
    story.books_add_up()
    assert story.gate.count("job") == 0
    for kenmerk in story.kenmerken:
        story.note(story.gate.ask(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk).items)
    assert set(story.told.values()) == {1}
    assert len(story.told) == story.gate.count("status")
    ids: dict[str, set[tuple[str, str]]] = {}
    for agency, message_id, bericht in story.gate.channel.got:
        ids.setdefault(message_id, set()).add((agency, bericht.kenmerk))
    assert all(len(names) == 1 for names in ids.values())
    story.gate.close()
