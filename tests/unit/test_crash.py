"""What a log says of an exception: places and kinds, never a local, never a value."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr

import psycopg
import pytest
import structlog
from lxml import etree

from openpoort import telemetry
from openpoort.domain.crash import outline, said
from openpoort.domain.fault import Fault
from openpoort.store.payloads.payloads import PayloadUnavailable
from tests import canary

MARK, BSN = canary.MARK, canary.BSN
OIN = "00000099001000044000"
SECRET = "geheim7f3a91"
"""For what pytest itself captures before it is masked."""


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, str]]]]:
    """The lines of a process that is set up as a gateway's, on a file rather than a terminal."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    handlers = logging.getLogger().handlers
    text = io.StringIO()
    with redirect_stderr(text):
        telemetry.configure()
        yield lambda: [json.loads(line) for line in text.getvalue().splitlines()]
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()


def failing(payload: bytes, aanleverkenmerk: str, oin: str) -> None:
    """Fails with its arguments as locals."""
    full = f"{payload!r} {aanleverkenmerk} {oin}"
    raise OSError(28, "No space left on device", f"/srv/{full}")


def clean(text: str) -> None:
    assert canary.leaks(text) == []
    assert SECRET not in text
    assert OIN not in text


def test_no_local_and_no_value_of_a_traceback_is_logged(
    log: Callable[[], list[dict[str, str]]],
) -> None:
    try:
        failing(SECRET.encode(), SECRET, OIN)
    except OSError:
        telemetry.logger("test").exception("request failed")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application %r", SECRET)
    ours, theirs = log()
    for line in (ours, theirs):
        clean(json.dumps(line))
        assert line["exception"].startswith("OSError: No space left on device\n")
        assert line["exception"].endswith("in failing")
    assert theirs["event"] == "Exception in ASGI application '…'"


def test_what_nobody_catches_is_told_the_same_way(log: Callable[[], list[dict[str, str]]]) -> None:
    thread = threading.Thread(target=failing, args=(b"", SECRET, OIN), name="worker-1")
    thread.start()
    thread.join()
    [line] = log()
    clean(json.dumps(line))
    assert (line["event"], line["thread"]) == ("uncaught", "worker-1")


def database_error(dsn: str, statement: str) -> psycopg.Error:
    with psycopg.connect(dsn) as conn:
        conn.execute("create temp table t (a text primary key, n int check (n > 0), b uuid)")
        conn.execute("insert into t values (%s, 1)", [MARK])
        with pytest.raises(psycopg.Error) as caught:
            conn.execute(statement, [MARK])
    return caught.value


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("insert into t values (%s, 1)", "psycopg.errors.UniqueViolation 23505 t t_pkey"),
        ("insert into t values (%s || 'x', -1)", "psycopg.errors.CheckViolation 23514 t t_n_check"),
        ("select %s::text::uuid", "psycopg.errors.InvalidTextRepresentation 22P02"),
        ("select %s::text::json", "psycopg.errors.InvalidTextRepresentation 22P02"),
    ],
)
def test_a_database_error_is_told_by_its_code_and_never_by_its_detail(
    dsn: str, statement: str, told: str
) -> None:
    error = database_error(dsn, statement)
    assert said(error).split()[:2] == told.split()[:2]
    assert MARK not in outline(error)


def test_the_cause_is_told_and_nothing_it_says() -> None:
    try:
        try:
            etree.fromstring(f"<a>{MARK}{BSN}</{MARK}>")
        except etree.XMLSyntaxError as wrong:
            raise PayloadUnavailable("s3", f"refused: '{MARK}' for 123456789") from wrong
    except PayloadUnavailable as error:
        text = outline(error)
    first, *_, last = [line for line in text.splitlines() if not line.startswith("  ")]
    assert first == "lxml.etree.XMLSyntaxError"
    assert last.endswith("PayloadUnavailable: payload store s3: refused: '…' for …")
    clean(text)


@pytest.mark.parametrize(
    "error",
    [
        KeyError(MARK), ValueError(f"invalid literal for int() with base 10: '{MARK}'"),
        UnicodeDecodeError("utf-8", MARK.encode() + b"\xff", 13, 14, "invalid start byte"),
        json.JSONDecodeError("Expecting value", MARK, 0), AssertionError(MARK),
        ExceptionGroup(MARK, [ValueError(MARK)]), Fault(f"Berichtsoort '{MARK}' is onbekend"),
        psycopg.DataError(f"cannot dump {MARK}"), FileNotFoundError(2, "No such file", MARK),
    ],
)  # fmt: skip
def test_no_message_of_others_is_told(error: Exception) -> None:
    clean(outline(error))


def test_a_circle_of_causes_ends() -> None:
    one, two = ValueError("1"), ValueError("2")
    one.__cause__, two.__cause__ = two, one
    assert outline(one).splitlines() == ["ValueError", "ValueError"]
