"""Structured logs and security events, with masking.

Logs go to stderr: readable on a terminal, one JSON object a line elsewhere. Security events go to
a file of their own when one is named, else to stderr. Nothing personal is ever written:
identifiers mask themselves (`domain/ids.py`); an exception is told without locals and without what
others say in it (`domain/crash.py`); here, as the last net, bytes are cut out and what looks like a
BSN or a private key is masked, whoever let it through.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

from openpoort.domain.crash import outline, plain, said
from openpoort.domain.event import Event
from openpoort.domain.ids import elfproef, mask
from openpoort.domain.ocsf import record as ocsf_record

_NINE_DIGITS = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"  # a kenmerk, and
    r"|[0-9a-f]{32,}"  # a digest, hold nine digits by chance
    r"|(?<!\d)\d{9}(?!\d)"
)
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL
)


def scrub(value: Any) -> Any:
    """`value` without bytes, private keys or numbers that pass the eleven test, at any depth."""
    if isinstance(value, str):
        # elfproef is false for all but nine digits.
        value = _NINE_DIGITS.sub(lambda m: mask(m[0]) if elfproef(m[0]) else m[0], value)
        return _SECRET.sub("<private key>", value) if "PRIVATE KEY" in value else value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {scrub(k): scrub(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(v) for v in value]
    return value


def _cut(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        event[key] = scrub(value)
    return event


def _crash(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """In place of `exc_info`, of which a renderer would show locals and messages."""
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else None
    if info and error is None:
        error = info[1] if isinstance(info, tuple) else sys.exc_info()[1]
    if error is not None:
        event["exception"] = outline(error)
    return event


def _last_net(_: Any, __: str, line: str) -> str:
    """What came into the line through somebody's `repr`."""
    cleaned = scrub(line)
    assert isinstance(cleaned, str)
    return cleaned


def _render(event: Event) -> bytes:
    record = ocsf_record(event) if _security_ocsf else event.record
    line = json.dumps(scrub(record), ensure_ascii=False, separators=(",", ":"))
    return line.encode("utf-8", "backslashreplace") + b"\n"


_security_file: Path | None = None
_security_ocsf = False


def security_log(path: Path | None, *, ocsf: bool = False) -> None:
    """Where this process writes security events; None for stderr. `ocsf` chooses that form of
    line. Raises OSError if it cannot."""
    global _security_file, _security_ocsf  # one log per process, set by the wiring
    if path is not None:
        os.close(_opened(path))
    _security_file, _security_ocsf = path, ocsf


def _opened(path: Path) -> int:
    """To append to; a new one may be read by the group, which ships it, whatever the umask."""
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        made = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        os.fchmod(made, 0o640)
        return made


def emit(event: Event) -> None:
    """Write one event as one line. Opened anew each time, so that the log may be rotated; one
    write in append mode, so that lines of several processes do not mix. A log that cannot be
    written loses no event: the line goes to stderr."""
    line = _render(event)
    if _security_file is not None:
        try:
            log = _opened(_security_file)
            try:
                if os.write(log, line) == len(line):
                    return
            finally:
                os.close(log)
        except OSError as exc:
            logger("telemetry").error("security_log_unwritable", error=exc.strerror)
    sys.stderr.write(line.decode())
    sys.stderr.flush()


def configure(level: str = "INFO") -> None:
    """Set up logging for this process; call once, from the wiring."""
    terminal = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _crash,
        _cut,
        renderer,
        _last_net,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if not isinstance(h, _Bridge)] + [_Bridge()]
    root.setLevel(logging.WARNING)
    # What strangers send is counted and told by the doors; here it would only be noise.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _ended(args.exc_value, args.thread)
    sys.unraisablehook = lambda args: _ended(args.exc_value, None)


def _uncaught(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
    _ended(error, None)


def _ended(error: BaseException | None, thread: threading.Thread | None) -> None:
    """What nobody caught: Python would print its message."""
    if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        name = thread.name if thread else ""
        logger("python").error("uncaught", what=said(error), thread=name, exc_info=error)


class _Bridge(logging.Handler):
    """What libraries log goes the same way as our own lines, without what they quote: what they
    were given, others sent."""

    def emit(self, record: logging.LogRecord) -> None:
        line = logger(record.name)
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        told = plain(record.getMessage())
        line.log(record.levelno, told, **({"exc_info": exc_info} if exc_info else {}))


def logger(name: str) -> Any:
    return structlog.get_logger(room=name)
