"""What a worker counts: attempts to deliver by agency and outcome, and who judged filings.

Labels are bounded: agencies come from the directory.
"""

from __future__ import annotations

import time

from prometheus_client import Counter, Histogram

from openpoort.domain.message import AfleverBevestiging, Bericht
from openpoort.process.ports import Agency, Channel, DeliveryRefused

ATTEMPTS = Counter(
    "openpoort_delivery_attempts_total",
    "Attempts to deliver, by outcome: delivered, refused, failed",
    ["agency", "outcome"],
)
SECONDS = Histogram(
    "openpoort_delivery_seconds",
    "How long an agency took to answer, or not to",
    ["agency"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60),
)
JUDGED = Counter(
    "openpoort_filings_judged_total",
    "XBRL filings by who judged them: index, or processor (which costs a hundred times as much)",
    ["by"],
)


def judged(route: str) -> None:
    """For `Routes.heard`; why the index could not is for `openpoort check`, not for a label."""
    JUDGED.labels(route.partition(":")[0]).inc()


class Counted:
    """A channel that counts."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def name(self) -> str:
        return self._channel.name

    def deliver(self, bericht: Bericht, agency: Agency, message_id: str) -> AfleverBevestiging:
        begin, outcome = time.monotonic(), "failed"
        try:
            answer = self._channel.deliver(bericht, agency, message_id)
            outcome = "delivered"
            return answer
        except DeliveryRefused:
            outcome = "refused"
            raise
        finally:
            ATTEMPTS.labels(agency.name, outcome).inc()
            SECONDS.labels(agency.name).observe(time.monotonic() - begin)
