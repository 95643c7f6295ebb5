"""Security events: every type against the published schema; what may never be in a line."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from openpoort import telemetry
from openpoort.domain.event import CATALOGUE, LONGEST, Event
from openpoort_lab.figures import events

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"
SCHEMA = json.loads((DOCS / "events.schema.json").read_text())
AT = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
SIX = ("action", "object", "result", "origin", "actor", "time")


def fits(rule: dict[str, Any], value: Any) -> bool:
    """The part of JSON Schema that our schema uses; an unknown keyword is an error."""
    checks = {
        "const": lambda want: value == want,
        "enum": lambda want: value in want,
        "type": lambda want: isinstance(
            value, {"string": str, "integer": int, "object": dict}[want]
        ),
        "minLength": lambda want: len(value) >= want,
        "maxLength": lambda want: len(value) <= want,
        "pattern": lambda want: re.search(want, value) is not None,
        "required": lambda want: set(want) <= set(value),
        "properties": lambda want: all(fits(want[k], v) for k, v in value.items() if k in want),
        "additionalProperties": lambda want: want or set(value) <= set(rule["properties"]),
        "oneOf": lambda want: sum(fits(one, value) for one in want) == 1,
    }
    words = set(rule) - {"$schema", "title", "description"}
    return all(checks[word](rule[word]) for word in words)


def every_event() -> list[Event]:
    """Each type with each of its results, all details filled."""
    return [
        Event(
            one.action, "object", result, "192.0.2.7:40001", "00000099001000044000", AT,
            {n: 7 if kind is int else "text" for n, (kind, _) in one.details.items()},
        )
        for one in CATALOGUE.values()
        for result in one.results
    ]  # fmt: skip


def written(event: Event, path: Path) -> dict[str, Any]:
    telemetry.security_log(path)
    try:
        telemetry.emit(event)
    finally:
        telemetry.security_log(None)
    line = path.read_text().splitlines()[-1]
    record = json.loads(line)
    assert isinstance(record, dict)
    return record


@pytest.mark.parametrize("event", every_event(), ids=lambda e: f"{e.action}-{e.result}")
def test_written_line_fits_the_published_schema(event: Event, tmp_path: Path) -> None:
    record = written(event, tmp_path / "security.log")
    assert fits(SCHEMA, record)
    assert all(record[name] for name in SIX)
    for name in SIX:
        assert not fits(SCHEMA, {k: v for k, v in record.items() if k != name})
    assert not fits(SCHEMA, {**record, "payload": "x"})


@pytest.mark.parametrize("name", sorted(events.files()))
def test_published_page_and_schema_are_those_of_the_catalogue(name: str) -> None:
    assert (DOCS / name).read_text() == events.files()[name]


def test_event_outside_the_catalogue_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no event type"):
        Event("request.loved", "o", "ok", "local", "gateway", AT)
    with pytest.raises(ValueError, match="result"):
        Event("request.refused", "o", "ok", "local", "gateway", AT)
    with pytest.raises(ValueError, match="payload"):
        Event("request.refused", "o", "refused", "local", "gateway", AT, {"payload": "x"})
    with pytest.raises(ValueError, match="http_status"):
        Event("request.refused", "o", "refused", "local", "gateway", AT, {"http_status": "400"})


def test_a_stranger_cannot_fill_or_split_the_log(tmp_path: Path) -> None:
    reason = 'x"\n{"action":"forged"}\x00\ud800' + "y" * 10_000
    event = Event("request.refused", "", "refused", "192.0.2.7", "unknown", AT, {"reason": reason})
    record = written(event, tmp_path / "security.log")
    assert len((tmp_path / "security.log").read_text().splitlines()) == 1
    assert len(record["reason"]) <= LONGEST + 5
    assert record["object"] == "-"


def test_bsn_and_private_key_are_masked_whoever_lets_them_through(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----"
    said = {"reason": f"bsn 111222333 of key {key} for 00000099001000044000"}
    event = Event("request.refused", "o", "refused", "192.0.2.7", "unknown", AT, said)
    reason = written(event, tmp_path / "security.log")["reason"]
    assert reason == "bsn …333 of key <private key> for 00000099001000044000"


def test_unwritable_security_log_loses_no_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    telemetry.security_log(folder / "security.log")
    try:
        (folder / "security.log").unlink()
        folder.rmdir()
        telemetry.emit(Event("gateway.started", "door", "ok", "local", "gateway", AT))
    finally:
        telemetry.security_log(None)
    assert '"action":"gateway.started"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"payload", "<7 bytes>"),
        ({"deep": ["111222333", b"x"]}, {"deep": ["…333", "<1 bytes>"]}),
        ("111222334", "111222334"),
        ("1112223330", "1112223330"),
        ("bsn111222333x", "bsn…333x"),
        ("3f0c2ab4-16b5-4c3c-9d3e-a111222333bc", "3f0c2ab4-16b5-4c3c-9d3e-a111222333bc"),
        ("a111222333" * 4, "a111222333" * 4),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc", "<private key>"),
        (111222333, 111222333),
    ],
)
def test_scrub(value: Any, expected: Any) -> None:
    assert telemetry.scrub(value) == expected


def test_log_lines_are_scrubbed_also_inside_a_repr(capsys: pytest.CaptureFixture[str]) -> None:
    class Odd:
        def __repr__(self) -> str:
            return "Odd(111222333)"

    telemetry.configure()
    try:
        telemetry.logger("test").info("odd", what=Odd(), raw=b"\x00\x01")
    finally:
        structlog.reset_defaults()
    err = capsys.readouterr().err
    assert "111222333" not in err
    assert "<2 bytes>" in err
