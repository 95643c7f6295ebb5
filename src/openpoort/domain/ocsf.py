"""Security events as objects of the Open Cybersecurity Schema Framework, version 1.3.

A pure mapping of the catalogue in `event.py`. Only attributes that every 1.x of the schema has
are used; what has no place of its own there, our action and result first, stands in `unmapped`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from openpoort.domain.event import CATALOGUE, OK, Event, Severity

VERSION = "1.3.0"
_PRODUCT = {"name": "openpoort", "vendor_name": "openpoort"}
_SEVERITY = {Severity.INFO: 1, Severity.WARNING: 3, Severity.ALARM: 4}
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the schema; the first digit of `uid` is its category."""

    uid: int
    name: str

    @property
    def category(self) -> int:
        return self.uid // 1000


FINDING = Class(2004, "Detection Finding")
ENTITY = Class(3004, "Entity Management")
NETWORK = Class(4001, "Network Activity")
LIFECYCLE = Class(6002, "Application Lifecycle")
API = Class(6003, "API Activity")

_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_NETWORK_REFUSE, _LIFECYCLE_START, _LIFECYCLE_STOP = 5, 3, 4

CLASSES: Mapping[str, tuple[Class, int]] = {
    "request.refused": (API, _OTHER),
    "request.faulted": (API, _OTHER),
    "request.unauthorised": (API, _OTHER),
    "request.unknown-sender": (API, _OTHER),
    "request.replayed": (FINDING, _CREATE),
    "request.limited": (API, _OTHER),
    "request.shed": (API, _OTHER),
    "certificate.refused": (API, _OTHER),
    "algorithm.refused": (API, _OTHER),
    "revocation.stale": (API, _OTHER),
    "connection.refused": (NETWORK, _NETWORK_REFUSE),
    "content.malware": (FINDING, _CREATE),
    "party.proposed": (ENTITY, _CREATE),
    "party.changed": (ENTITY, _UPDATE),
    "key.loaded": (API, _READ),
    "key.used": (API, _OTHER),
    "journal.unwritable": (API, _CREATE),
    "journal.broken": (FINDING, _CREATE),
    "journal.renumbered": (FINDING, _CREATE),
    "journal.differs": (FINDING, _CREATE),
    "timestamp.missing": (API, _OTHER),
    "journal.verified": (API, _READ),
    "evidence.exported": (API, _READ),
    "balance.closed": (API, _CREATE),
    "contract.forecast": (API, _READ),
    "retention.deleted": (API, _DELETE),
    "hold.changed": (ENTITY, _UPDATE),
    "gateway.started": (LIFECYCLE, _LIFECYCLE_START),
    "gateway.exposed": (LIFECYCLE, _LIFECYCLE_START),
    "gateway.stopped": (LIFECYCLE, _LIFECYCLE_STOP),
    "admin.command": (API, _OTHER),
    "message.handled": (API, _UPDATE),
}
"""Action -> class and activity_id; 99 is Other, whose name is then our action."""


def record(event: Event) -> dict[str, Any]:
    """The object of one event, with the same cut texts as `Event.record`."""
    line = event.record
    kind, activity = CLASSES[event.action]
    ok = event.result == OK
    known = CATALOGUE[event.action]
    six = {"time", "severity", "action", "object", "result", "origin", "actor"}
    made: dict[str, Any] = {
        "class_uid": kind.uid,
        "class_name": kind.name,
        "category_uid": kind.category,
        "activity_id": activity,
        "type_uid": kind.uid * 100 + activity,
        "time": (event.time - _START) // timedelta(milliseconds=1),
        "severity_id": _SEVERITY[known.severity],
        "status_id": 1 if ok else 2,
        "message": known.meaning,
        "metadata": {"version": VERSION, "product": _PRODUCT, "log_name": "security"},
        "actor": _actor(line["actor"]),
        "src_endpoint": _endpoint(line["origin"]),
        **_own(kind, line),
        "unmapped": {name: v for name, v in line.items() if name not in six}
        | {"action": line["action"], "object": line["object"], "result": line["result"]},
    }
    if activity == _OTHER:
        made["activity_name"] = event.action
    if "reason" in line:
        made["status_detail"] = line["reason"]
    if "code" in line:
        made["status_code"] = line["code"]
    return made


def _own(kind: Class, line: Mapping[str, Any]) -> dict[str, Any]:
    """What this class requires beside what all have."""
    action, object_ = line["action"], line["object"]
    if kind is FINDING:
        uid = f"{action}:{object_}:{line['time']}"
        return {"finding_info": {"uid": uid, "title": CATALOGUE[action].meaning}}
    if kind is ENTITY:
        return {"entity": {"type": action.partition(".")[0], "name": object_}}
    if kind is NETWORK:
        return {"dst_endpoint": _endpoint(object_)}
    if kind is LIFECYCLE:
        return {"app": {**_PRODUCT, "feature": {"name": object_}}}
    return {"api": {"operation": action}, "resources": [{"name": object_}]}


def _actor(who: str) -> dict[str, Any]:
    """`gateway` is the program itself; an OIN is a `uid`, an operator a `name`."""
    if who == "gateway":
        return {"app_name": "openpoort"}
    if who == "unknown":
        return {"user": {"name": who, "type_id": 0}}
    oin = len(who) == 20 and who.isdigit()
    return {"user": {"uid": who, "type_id": 99, "type": "OIN"} if oin else {"name": who}}


def _endpoint(address: str) -> dict[str, Any]:
    """`192.0.2.7:40001`, `[2001:db8::7]:40001`, without a port, or a name such as `local`."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or (":" in host and not host.startswith("[")):
        host, port = address, ""
    host = host.strip("[]")
    made: dict[str, Any] = {"ip" if _is_ip(host) else "name": host}
    if port and len(port) <= 5:
        made["port"] = int(port)
    return made


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def page() -> str:
    """The reference page, made from the tables above."""
    rows = "\n".join(
        f"| `{action}` | {kind.name} ({kind.uid}) | {activity} "
        f"| {_SEVERITY[CATALOGUE[action].severity]} |"
        for action, (kind, activity) in CLASSES.items()
    )
    return f"{_PAGE}\n{rows}\n"


_PAGE = """# Security events as OCSF

With `security_format = "ocsf"` under `[log]` in openpoort.toml each line of the security log is an
object of the Open Cybersecurity Schema Framework (OCSF) 1.3 instead of our
[own form](events.md). Same events, same masking, same cut at 200 characters. Made from
`domain/ocsf.py` by `python -m openpoort_lab.figures.events`.

| ours | OCSF |
|---|---|
| `time` | `time`, milliseconds since 1970 |
| `severity` info, warning, alarm | `severity_id` 1, 3, 4 |
| `result` | `status_id` 1 (ok) or 2 (refused, failed); the word stands in `unmapped.result` |
| `actor` | `actor.user.uid` (an OIN), `actor.user.name` (an operator), `actor.app_name` (gateway) |
| `origin` | `src_endpoint.ip` and `.port`, or `.name` for `local` |
| `object` | `resources`, `entity`, `dst_endpoint` or `app`, by class; always in `unmapped.object` |
| `action` | class and activity below; always in `unmapped.action` |
| `reason`, `code` | `status_detail`, `status_code`; with all other details also in `unmapped` |

| action | class | `activity_id` | `severity_id` |
|---|---|---|---|"""
