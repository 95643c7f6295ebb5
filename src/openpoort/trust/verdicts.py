"""Verdicts kept for as long as they hold, so that judging a known sender costs microseconds.

A verdict is found under the certificate, the purpose, the fail mode and the versions of trust
store and evidence: change one and every older verdict is out of reach. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openpoort.trust.anchors import Anchors, Purpose
from openpoort.trust.chain import fingerprint, judge
from openpoort.trust.revocation import Evidence, FailMode
from openpoort.trust.verdict import Judged, Reason, Untrusted

_Key = tuple[str, Purpose, FailMode, str, int]
REFUSAL_HOLDS = timedelta(seconds=30)
"""A refusal is reused for this long: enough to make hammering cheap, short enough to repair."""


_LACKS = frozenset({Reason.NO_EVIDENCE, Reason.STALE_EVIDENCE})


def _ignore(leaf: bytes, at: datetime) -> None:
    """Nobody collects."""


@dataclass(slots=True)
class Verdicts:
    """A bounded table; the oldest entry makes room. Shared between threads: a dict operation is
    atomic, and judging the same certificate twice at once only costs time.

    `seen` hears of each certificate with a valid path when it is judged anew, so that evidence
    about it can be fetched. Of others it never hears: the addresses in a certificate are worth
    no more than the authority that signed them.
    """

    size: int = 20_000
    seen: Callable[[bytes, datetime], None] = _ignore
    _rows: dict[_Key, tuple[datetime, datetime, Judged | Untrusted]] = field(default_factory=dict)

    def judge(
        self,
        leaf: bytes,
        purpose: Purpose,
        at: datetime,
        anchors: Anchors,
        evidence: Evidence,
        mode: FailMode,
    ) -> Judged:
        """As `chain.judge`, from the table where it stands and still holds. Raises Untrusted."""
        key = (fingerprint(leaf), purpose, mode, anchors.version, evidence.version)
        row = self._rows.get(key)
        # A clock that stepped back must not reach a verdict made in its future.
        if row is None or not row[0] <= at < row[1]:
            row = self._fresh(leaf, purpose, at, anchors, evidence, mode)
            self._keep(key, row)
        found = row[2]
        if isinstance(found, Untrusted):
            raise Untrusted(found.reason, found.detail)
        return found

    def _fresh(
        self,
        leaf: bytes,
        purpose: Purpose,
        at: datetime,
        anchors: Anchors,
        evidence: Evidence,
        mode: FailMode,
    ) -> tuple[datetime, datetime, Judged | Untrusted]:
        try:
            judged = judge(leaf, purpose, at, anchors, evidence, mode)
        except Untrusted as no:
            if no.reason in _LACKS:
                self.seen(leaf, at)
            return at, at + REFUSAL_HOLDS, no
        self.seen(leaf, at)
        return at, judged.until, judged

    def _keep(self, key: _Key, row: tuple[datetime, datetime, Judged | Untrusted]) -> None:
        while len(self._rows) >= self.size:
            try:
                del self._rows[next(iter(self._rows))]
            except (KeyError, StopIteration, RuntimeError):
                break  # another thread made room meanwhile
        self._rows[key] = row
