"""A check that crashes: 321 for the sender, a line for the operator, and no word of the filing."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from openpoort.checks.guarded import Guarded
from openpoort.domain.finding import Finding
from openpoort.process.ports import CheckUnavailable, Filing
from openpoort.store.payloads.payloads import PayloadUnavailable
from tests.process.house import HAPPY, Gate


class Crashing:
    """A check with a mistake in it that some filings meet; `error` None: mended."""

    name = "filing"

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        if self.error is not None:
            raise self.error
        return ()


def test_a_crash_is_321_told_once_and_judged_again_when_mended(dsn: str) -> None:
    check = Crashing(TypeError("the number is 999990019"))
    gate = Gate(dsn, checks=[Guarded(check)])
    with capture_logs() as lines:
        kenmerk = gate.send()
        gate.work()
        gate.wall.turn(hours=1)
        gate.work()
    assert gate.codes(kenmerk) == [*HAPPY[:4], "321"]
    crashes = [line for line in lines if line["event"] == "check_crashed"]
    assert {(c["log_level"], c["check"], c["error"]) for c in crashes} == {
        ("error", "filing", "TypeError")
    }
    assert all(c["where"].startswith("checks/guarded.py:") for c in crashes)
    assert all(len(c["sha256"]) == 64 for c in crashes)
    assert "999990019" not in str(lines)
    check.error = None
    gate.wall.turn(hours=3)
    gate.work()
    assert gate.codes(kenmerk) == [*HAPPY[:4], "321", *HAPPY[4:]]
    gate.close()


@pytest.mark.parametrize("error", [CheckUnavailable("away"), PayloadUnavailable("disk", "away")])
def test_what_is_no_crash_passes_unchanged(error: Exception) -> None:
    with capture_logs() as lines, pytest.raises(type(error)) as raised:
        Guarded(Crashing(error)).check(None)  # type: ignore[arg-type]
    assert raised.value is error
    assert lines == []
