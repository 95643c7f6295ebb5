"""WS-Addressing 1.0: the headers of a message as values, and the rules of contract 1.2."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from openpoort.wire.services import Operation, Service
from openpoort.wire.signed import Addressing, SignedMessage

__all__ = ["SKEW", "Addressing", "check", "endpoints"]

SKEW = timedelta(minutes=5)


def endpoints(bases: Iterable[str], service: Service) -> frozenset[str]:
    """The wsa:To values a service answers to: every base URL (`https://host:port`) + path."""
    return frozenset(base.rstrip("/") + service.path for base in bases)


def check(
    message: SignedMessage,
    service: Service,
    accepted_to: frozenset[str],
    now: datetime,
    skew: timedelta = SKEW,
) -> Operation:
    """The operation a request asks for, found by its body element (never by Action alone).

    `accepted_to` holds whole wsa:To values (see `endpoints`). Fault if To, Action, MessageID,
    ReplyTo or the Timestamp is not as prescribed; its text names the header and both values.
    """
    raise NotImplementedError
