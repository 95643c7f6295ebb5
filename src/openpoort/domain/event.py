"""Security events: who did what to which object, from where, with what result, when.

The six fields are those of BIO2 8.15.01; every event type stands in `CATALOGUE`, and an event
that is not in it, or says more than its type allows, cannot be made. That is what keeps
payloads and personal numbers out: there is no field for them. An OIN names an organisation and
is written in full, for the operator must know whom to call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

LONGEST = 200  # characters of a field; what a stranger sent must not fill the log


class Severity(StrEnum):
    """How soon somebody should look: never, today, now."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


OK, REFUSED, FAILED = "ok", "refused", "failed"


@dataclass(frozen=True, slots=True)
class EventType:
    """`object` says what stands in the field; `details` maps the allowed extra fields to
    their type (`str` or `int`) and meaning."""

    action: str
    meaning: str
    object: str
    severity: Severity
    results: tuple[str, ...]
    details: Mapping[str, tuple[type, str]] = field(default_factory=dict)


_SERVICE = "the service's path"
_HOW = {"reason": (str, "what is wrong, in the gateway's own words")}
_CODE = _HOW | {"code": (str, "the code in the fault, as ALS100")}
_BY = {"change": (str, "digest of the change"), "second": (str, "who approved, with four eyes")}

_ALL = (
    # At the door.
    EventType(
        "request.refused", "A request that looks like an attack got a bare refusal.",
        _SERVICE, Severity.ALARM, (REFUSED,),
        _HOW | {"http_status": (int, "the answer: 400 or 403")},
    ),
    EventType(
        "request.faulted", "A request with a mistake in it got a fault.",
        _SERVICE, Severity.INFO, (REFUSED, FAILED), _CODE,
    ),
    EventType(
        "request.unauthorised", "A known sender asked for what it has no right to.",
        _SERVICE, Severity.WARNING, (REFUSED,), _CODE | {"berichtsoort": (str, "the kind asked")},
    ),
    EventType(
        "request.unknown-sender", "A valid certificate of an organisation that is no party here.",
        _SERVICE, Severity.WARNING, (REFUSED,), _CODE,
    ),
    EventType(
        "request.replayed", "A MessageID was used again for other values, or a stale request.",
        _SERVICE, Severity.ALARM, (REFUSED,), _CODE,
    ),
    EventType(
        "request.limited", "A sender is over its rate and has to wait.",
        _SERVICE, Severity.WARNING, (REFUSED,), {"retry_after": (int, "seconds to wait")},
    ),
    EventType(
        "request.shed", "The gateway is full and refused before it took anything in.",
        _SERVICE, Severity.WARNING, (REFUSED,), {"retry_after": (int, "seconds to wait")},
    ),
    EventType(
        "certificate.refused", "A certificate did not pass: chain, validity, revocation, use.",
        "the fingerprint of the certificate", Severity.WARNING, (REFUSED,), _HOW,
    ),
    EventType(
        "algorithm.refused", "A signature with an algorithm that policy no longer allows.",
        "the algorithm", Severity.WARNING, (REFUSED,), _HOW,
    ),
    EventType(
        "revocation.stale", "Evidence of revocation is missing or too old to judge by.",
        "the issuer", Severity.WARNING, (OK, REFUSED, FAILED), _HOW,
    ),
    EventType(
        "connection.refused", "A connection ended before a request: handshake, head, time.",
        "the door's address", Severity.INFO, (REFUSED,), _HOW,
    ),
    EventType(
        "content.malware", "A scanner found malware in a message.",
        "the kenmerk", Severity.ALARM, (REFUSED,), _HOW,
    ),
    # Parties and rights.
    EventType(
        "party.proposed", "A change of parties or mandates waits for a second pair of eyes.",
        "the directory's version", Severity.INFO, (OK, REFUSED), _BY,
    ),
    EventType(
        "party.changed", "Parties, agreements or mandates were changed.",
        "the directory's version", Severity.WARNING, (OK, REFUSED), _BY,
    ),
    # Keys and proof.
    EventType(
        "key.loaded", "A private key was taken into use.",
        "the fingerprint of its certificate or public key", Severity.INFO, (OK, FAILED),
        {"purpose": (str, "tls, answers, client or checkpoints")},
    ),
    EventType(
        "key.used", "A private key signed something outside the ordinary answers.",
        "the fingerprint of its certificate or public key", Severity.INFO, (OK, FAILED),
        {"purpose": (str, "checkpoint or balance"), "size": (int, "entries in the checkpoint")},
    ),
    EventType(
        "journal.unwritable", "The journal could not be written, so a request was refused.",
        _SERVICE, Severity.ALARM, (REFUSED,), _HOW,
    ),
    EventType(
        "journal.broken", "The stored journal contradicts an earlier checkpoint.",
        "the journal's origin", Severity.ALARM, (FAILED,), _HOW,
    ),
    EventType(
        "journal.renumbered",
        "Entries had ids that were given out before; they got a place, and ids go on above.",
        "the journal's origin", Severity.ALARM, (FAILED,), {"entries": (int, "such entries")},
    ),
    EventType(
        "journal.differs", "A row is not what the journal says of it (told once).",
        "the row", Severity.ALARM, (FAILED,),
        _HOW | {"difference": (str, "in a word, as `journal verify` has it")},
    ),
    EventType(
        "timestamp.missing",
        "Checkpoints get no time-stamp (failed, told once), or get them again (ok).",
        "the address of the TSA", Severity.WARNING, (OK, FAILED), _HOW,
    ),
    EventType(
        "journal.verified", "The whole journal was recomputed from its rows.",
        "the journal's origin", Severity.INFO, (OK, FAILED),
        {"size": (int, "entries"), "problems": (int, "differences found")},
    ),
    EventType(
        "evidence.exported", "Somebody took a message with all its evidence out.",
        "the kenmerk", Severity.WARNING, (OK, FAILED), _HOW,
    ),
    EventType(
        "balance.closed", "The books of a day were closed and signed.",
        "the day", Severity.INFO, (OK, FAILED), {"differences": (int, "messages that differ")},
    ),
    EventType(
        "retention.deleted", "Data past its term was deleted.",
        "the partition", Severity.INFO, (OK, FAILED), {"rows": (int, "rows deleted")},
    ),
    EventType(
        "hold.changed", "A legal hold was set or lifted.",
        "the kenmerk or party", Severity.WARNING, (OK,), {"hold": (str, "set or lifted")},
    ),
    EventType(
        "contract.forecast",
        "A forecast passes the end of a contract, or an unlawful stretch is longer than forecast.",
        "the contract", Severity.WARNING, (FAILED,),
        {"what": (str, "passes or longer"), "end": (str, "the day that is passed"),
         "expected": (str, "the day that is forecast, or unknown")},
    ),
    # The operator.
    EventType(
        "gateway.started", "A process of the gateway began its work.",
        "the role: door, worker or all", Severity.INFO, (OK, FAILED),
        {"version": (str, "version of openpoort")},
    ),
    EventType(
        "gateway.exposed", "Others can reach a gateway that is set up for trying out.",
        "the role: door, worker or all", Severity.ALARM, (OK,), _HOW,
    ),
    EventType(
        "gateway.stopped", "A process of the gateway ended.",
        "the role: door, worker or all", Severity.INFO, (OK, FAILED), _HOW,
    ),
    EventType(
        "admin.command", "Somebody on the machine ran a command that changes something.",
        "the command", Severity.INFO, (OK, REFUSED, FAILED), _HOW,
    ),
    EventType(
        "message.handled", "An operator retried, cancelled or resumed the work on a message.",
        "the kenmerk", Severity.WARNING, (OK, FAILED),
        {"act": (str, "retry, cancel, resume")} | _HOW,
    ),
)  # fmt: skip

CATALOGUE: Mapping[str, EventType] = {one.action: one for one in _ALL}


@dataclass(frozen=True, slots=True)
class Event:
    """One security event. `origin` is an address with port, or `local` for the machine itself;
    `actor` an OIN, an operator's name, `gateway`, or `unknown`.

    Raises ValueError for what the catalogue does not know.
    """

    action: str
    object: str
    result: str
    origin: str
    actor: str
    time: datetime
    details: Mapping[str, str | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = CATALOGUE.get(self.action)
        if known is None:
            raise ValueError(f"no event type {self.action!r} in the catalogue")
        if self.result not in known.results:
            raise ValueError(f"{self.action} cannot have the result {self.result!r}")
        for name, value in self.details.items():
            if name not in known.details or type(value) is not known.details[name][0]:
                raise ValueError(f"{self.action} cannot have the detail {name!r}")

    @property
    def record(self) -> dict[str, Any]:
        """The fields of the line, in reading order."""
        lines = {
            "time": self.time.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z",
            "severity": str(CATALOGUE[self.action].severity),
            "action": self.action,
            "object": _short(self.object),
            "result": self.result,
            "origin": _short(self.origin),
            "actor": _short(self.actor),
        }
        return lines | {name: _short(value) for name, value in self.details.items()}


def _short(value: str | int) -> str | int:
    if isinstance(value, int):
        return value
    return value[: LONGEST - 1] + "…" if len(value) > LONGEST else value or "-"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line, made from the catalogue."""
    text = {"type": "string", "minLength": 1, "maxLength": LONGEST}
    six = dict.fromkeys(("object", "origin", "actor"), text)
    when = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Security event of openpoort",
        "oneOf": [
            {
                "description": one.meaning,
                "type": "object",
                "required": [
                    "time", "severity", "action", "object", "result", "origin", "actor",
                ],
                "additionalProperties": False,
                "properties": {
                    "time": when,
                    "severity": {"const": str(one.severity)},
                    "action": {"const": one.action},
                    "result": {"enum": list(one.results)},
                    **six,
                    **{
                        name: {"type": "integer"} if kind is int else text
                        for name, (kind, _) in one.details.items()
                    },
                },
            }
            for one in CATALOGUE.values()
        ],
    }  # fmt: skip


def page() -> str:
    """The reference page, made from the catalogue."""
    rows = "\n".join(
        f"| `{one.action}` | {one.meaning} | {one.object} | {', '.join(one.results)} "
        f"| {one.severity} | {', '.join(f'`{n}` ({m})' for n, (_, m) in one.details.items())} |"
        for one in CATALOGUE.values()
    )
    return f"{_PAGE}\n{rows}\n"


_PAGE = """# Security events

One JSON object a line, in the file named by `security_log` in the settings, or on standard error
when there is none. Made from the catalogue in `domain/event.py` by
`python -m openpoort_lab.figures.events`; [events.schema.json](events.schema.json) is the schema of
a line.

Every line has the six fields of BIO2 8.15.01: `action`, `object`, `result`, `origin` (an
address, or `local` for the machine itself), `actor` (an OIN in full, an operator's name,
`gateway` or `unknown`) and `time` (UTC). There is no field for a payload, a citizen service
number or a key, texts are cut at 200 characters, and what looks like a citizen service number is
masked before it is written.

| action | meaning | object | results | severity | details |
|---|---|---|---|---|---|"""
