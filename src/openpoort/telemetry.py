"""Structured logs, metrics and security events, with masking.

Logs go to stderr: readable on a terminal, one JSON object a line elsewhere. Nothing personal
is ever logged; identifiers mask themselves (`domain/ids.py`), payload bytes are cut out here.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any

import structlog


def _cut(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, bytes | bytearray | memoryview):
            event[key] = f"<{len(value)} bytes>"
    return event


def configure(level: str = "INFO") -> None:
    """Set up logging for this process; call once, from the wiring."""
    terminal = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks
            if not terminal
            else structlog.processors.StackInfoRenderer(),
            _cut,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> Any:
    return structlog.get_logger(room=name)
