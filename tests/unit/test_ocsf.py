"""Security events as OCSF: every type, the attributes each class requires, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openpoort import telemetry
from openpoort.domain.event import CATALOGUE, Event
from openpoort.domain.ocsf import CLASSES, record
from tests.unit.test_events import AT, every_event

REQUIRED = {
    2004: {"finding_info"},
    3004: {"entity"},
    4001: {"src_endpoint"},
    6002: {"app"},
    6003: {"actor", "api", "src_endpoint"},
}
"""By class, as OCSF 1.3 says."""
BASE = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
ACTIVITIES = {
    2004: {1, 2, 3},
    3004: {1, 2, 3, 4},
    4001: {1, 2, 3, 4, 5, 6, 7},
    6002: {1, 2, 3, 4},
    6003: {1, 2, 3, 4, 99},
}


def test_every_event_type_has_its_class() -> None:
    assert set(CLASSES) == set(CATALOGUE)


@pytest.mark.parametrize("event", every_event(), ids=lambda e: f"{e.action}-{e.result}")
def test_every_event_is_an_ocsf_object(event: Event) -> None:
    made = json.loads(json.dumps(record(event)))
    uid = made["class_uid"]
    assert set(made) >= BASE | REQUIRED[uid]
    assert made["category_uid"] == uid // 1000
    assert made["activity_id"] in ACTIVITIES[uid]
    assert ("activity_name" in made) is (made["activity_id"] == 99)
    assert made["type_uid"] == uid * 100 + made["activity_id"]
    assert made["time"] == 1796083199000
    severity = {"info": 1, "warning": 3, "alarm": 4}[CATALOGUE[event.action].severity]
    assert made["severity_id"] == severity
    assert made["status_id"] == (1 if event.result == "ok" else 2)
    assert made["metadata"]["version"] == "1.3.0"
    assert made["metadata"]["product"]["vendor_name"] == "openpoort"
    assert made["actor"]["user"]["uid"] == "00000099001000044000"
    assert made["src_endpoint"] == {"ip": "192.0.2.7", "port": 40001}
    said = {"action": event.action, "object": "object", "result": event.result}
    assert made["unmapped"] == said | dict(event.details)


@pytest.mark.parametrize(
    ("origin", "endpoint"),
    [
        ("192.0.2.7", {"ip": "192.0.2.7"}),
        ("[2001:db8::7]:443", {"ip": "2001:db8::7", "port": 443}),
        ("2001:db8::7", {"ip": "2001:db8::7"}),
        ("local", {"name": "local"}),
        ("unknown", {"name": "unknown"}),
        ("host.example:8443", {"name": "host.example", "port": 8443}),
        ("a:²", {"name": "a:²"}),
        ("", {"name": "-"}),
    ],
)
def test_origin_becomes_an_endpoint(origin: str, endpoint: dict[str, Any]) -> None:
    event = Event("admin.command", "o", "ok", origin, "gateway", AT)
    assert record(event)["src_endpoint"] == endpoint


@pytest.mark.parametrize(
    ("actor", "made"),
    [
        ("gateway", {"app_name": "openpoort"}),
        ("unknown", {"user": {"name": "unknown", "type_id": 0}}),
        ("beheer", {"user": {"name": "beheer"}}),
        ("00000099001000044000", {"user": {"uid": "00000099001000044000", "type_id": 99,
                                           "type": "OIN"}}),
    ],
)  # fmt: skip
def test_actor_is_program_person_or_organisation(actor: str, made: dict[str, Any]) -> None:
    assert record(Event("admin.command", "o", "ok", "local", actor, AT))["actor"] == made


def test_log_in_ocsf_is_masked_and_cut_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "security.log"
    said: dict[str, str | int] = {"reason": "bsn 111222333 " + "y" * 1000}
    telemetry.security_log(path, ocsf=True)
    try:
        telemetry.emit(Event("request.refused", "o", "refused", "local", "unknown", AT, said))
    finally:
        telemetry.security_log(None)
    (line,) = path.read_text().splitlines()
    assert "111222333" not in line
    assert len(json.loads(line)["status_detail"]) <= 205
    telemetry.security_log(path)
    try:
        telemetry.emit(Event("admin.command", "o", "ok", "local", "unknown", AT))
    finally:
        telemetry.security_log(None)
    assert json.loads(path.read_text().splitlines()[-1])["action"] == "admin.command"
