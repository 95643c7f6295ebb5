"""The signatures of stored requests, judged again: what was taken in before a fault was mended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from openpoort.domain.fault import Fault, Refusal
from openpoort.store.journal.audit import Problem
from openpoort.store.messages import message_export
from openpoort.store.payloads.payloads import Places
from openpoort.wire.wus.soap import open_signed


def unsound(conn: psycopg.Connection[Any], outside: Places) -> Iterator[Problem]:
    """Each stored request of which the signature does not hold, by kenmerk.

    Judges what the signature is over and under which token, not who may use it.
    Raises PayloadMissing, PayloadUnavailable.
    """
    for kenmerk, request in message_export.requests(conn, outside):
        try:
            open_signed(request.body, request.content_type)
        except (Fault, Refusal) as wrong:
            why = wrong.text if isinstance(wrong, Fault) else wrong.what
            yield Problem("request-unsigned", str(kenmerk), f"its signature does not hold: {why}")
