"""Every attempt to deliver is counted once, by what came of it."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from openpoort.app.attempts import Counted
from openpoort.domain.ids import Oin
from openpoort.process.ports import Agency, DeliveryFailed, DeliveryRefused
from tests.agencies import bericht
from tests.process.house import Demo

AGENCY = Agency("TELDIENST", Oin("00000099000000000000"), "https://localhost/", "wus", 4, {})


def counted(outcome: str) -> float:
    labels = {"agency": AGENCY.name, "outcome": outcome}
    return REGISTRY.get_sample_value("openpoort_delivery_attempts_total", labels) or 0.0


def test_delivered_refused_and_failed_are_counted_apart() -> None:
    demo = Demo()
    channel = Counted(demo)
    assert channel.name == demo.name
    assert channel.deliver(bericht(), AGENCY, "uuid:1").kenmerk == bericht().kenmerk
    for error in (DeliveryRefused("AFO100", "nee"), DeliveryFailed("nobody listens")):
        demo.errors[AGENCY.name] = error
        with pytest.raises(type(error)):
            channel.deliver(bericht(), AGENCY, "uuid:2")
    assert [counted(o) for o in ("delivered", "refused", "failed")] == [1.0, 1.0, 1.0]
    seconds = REGISTRY.get_sample_value("openpoort_delivery_seconds_count", {"agency": AGENCY.name})
    assert seconds == 3.0
