"""What a judgement of a certificate says: who it is and until when, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from openpoort.domain.ids import Oin


class Reason(StrEnum):
    """Why a certificate is not trusted; goes into the security event, never to the sender."""

    UNREADABLE = "unreadable"
    UNKNOWN_ISSUER = "unknown-issuer"
    WRONG_PURPOSE = "wrong-purpose"
    WRONG_USAGE = "wrong-usage"
    WRONG_POLICY = "wrong-policy"
    NOT_A_LEAF = "not-a-leaf"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"
    NO_EVIDENCE = "no-evidence"
    STALE_EVIDENCE = "stale-evidence"
    NO_OIN = "no-oin"
    TEST_OIN = "test-oin"
    OTHER_OIN = "other-oin"
    WEAK_KEY = "weak-key"
    WEAK_ALGORITHM = "weak-algorithm"
    BAD_PATH = "bad-path"


class Untrusted(Exception):
    """A certificate that is not accepted. `detail` holds no personal data."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Standing(StrEnum):
    """What is known about revocation. `unknown` passes under a soft fail mode only."""

    GOOD = "good"
    UNKNOWN = "unknown"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class Judged:
    """A trusted certificate. `until` is when the verdict must be made anew: end of validity,
    of acceptance or of the evidence, whichever comes first. `fingerprint` is SHA-256 in hex."""

    oin: Oin
    common_name: str
    fingerprint: str
    generation: str
    standing: Standing
    until: datetime
