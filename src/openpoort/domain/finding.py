"""What a check found in a filing: one value for every checker and every way of showing it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`ERROR` rejects the filing (status 311); the others travel along."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `message` is Dutch and says what to change.

    `source` names the checker (`structure`, `filing`, `xbrl`, `plain`); `line` counts from 1;
    `xpath` points into the document; `context` is the id of the XBRL context it is about;
    `document` is the file name for attachments. `count` is how often the same was found: line
    and `xpath` are those of the first.
    """

    code: str
    severity: Severity
    message: str
    source: str
    line: int | None = None
    xpath: str | None = None
    document: str | None = None
    context: str | None = None
    count: int = 1


def rejects(findings: tuple[Finding, ...]) -> bool:
    return any(f.severity is Severity.ERROR for f in findings)
