"""A seeded slice of the chaos suite; all of it is `openpoort chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpoort.process.flow.crashpoints import POINTS
from openpoort.store.postgres.embedded import Embedded
from openpoort_lab.chaos.run import rounds
from openpoort_lab.chaos.siege import OUTSIDE, OWN
from openpoort_lab.chaos.strikes import strikes
from openpoort_lab.chaos.verdict import unbalanced

SEED = 20261123
MESSAGES = 20


def test_every_point_meets_every_victim_that_can_die_there() -> None:
    met = {(s.point, s.victim) for s in strikes(SEED)}
    for victim in ("itself", "PostgreSQL", "everything"):
        assert {point for point, whom in met if whom == victim and point} == set(POINTS)
    assert {whom for point, whom in met if point is None} == {
        "door", "worker", "agency", "PostgreSQL", "everything",
    }  # fmt: skip
    assert [s.name for s in strikes(SEED)] == [s.name for s in strikes(SEED)]


@pytest.mark.parametrize(
    ("database", "names"),
    [
        (OWN, ["after-verdict: everything", "before-seen: itself"]),
        (OUTSIDE, ["after-accept: PostgreSQL"]),
    ],
)
def test_every_promise_holds_after(database: str, names: list[str], tmp_path: Path) -> None:
    wanted = [s for s in strikes(SEED) if s.name in names]
    assert len(wanted) == len(names)
    home = tmp_path / "home"
    found = list(rounds(home, wanted, MESSAGES, SEED, database=database))
    assert {o.strike: o.broken for o in found} == dict.fromkeys(names, ())
    assert all(o.struck and o.acknowledged == MESSAGES for o in found)
    assert sum(o.waiting for o in found) == 0
    if database == OWN:
        the_balance_names_one_message_that_the_agency_does_not_have(home)


def the_balance_names_one_message_that_the_agency_does_not_have(home: Path) -> None:
    """One line less on the agency's own list: that one, by its kenmerk."""
    list_ = home / "agency" / "demodienst" / "ontvangsten.csv"
    head, gone, *rest = list_.read_text().splitlines(keepends=True)
    list_.write_text("".join([head, *rest]))
    kenmerk = gone.split(",")[1]
    with_server = Embedded(home / "postgres")
    with_server.start()
    try:
        assert unbalanced(home) == [f"{kenmerk}: delivered, but DEMODIENST does not have it"]
    finally:
        with_server.stop()
