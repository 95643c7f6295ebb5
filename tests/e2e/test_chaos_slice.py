"""A seeded slice of the chaos suite; all of it is `openpoort chaos`."""

from pathlib import Path

import pytest

from openpoort.devkit.chaos.run import one_round
from openpoort.devkit.chaos.strikes import strikes

SEED = 20261123


@pytest.mark.parametrize("name", ["kill everything", "point after-delivery"])
def test_every_promise_holds_after(name: str, tmp_path: Path) -> None:
    strike = next(s for s in strikes(SEED) if s.name == name)
    outcome = one_round(tmp_path / "home", strike, messages=40, seed=SEED, patience=60.0)
    assert outcome.broken == ()
    assert outcome.acknowledged == 40
