"""Autorisatie Service Provider: may this sender act for this interested party?

Two implementations of `process.ports.Authority`: our own directory, asked again at the moment
of processing (a mandate may have ended since the door), and an outside service over HTTPS.
No public AuSP interface of today is known; ours is JSON (docs/reference/ausp.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.kind import Kind
from openpoort.domain.party import Directory, Right
from openpoort.outbound.http import Https, NoAnswer
from openpoort.process.ports import Authority, Verdict
from openpoort.telemetry import logger

_log = logger("outbound.ausp")
MAX_ANSWER = 64 * 1024
_SAID = {v.value: v for v in (Verdict.GRANTED, Verdict.SENDER_REFUSED, Verdict.RIGHT_REFUSED)}


@dataclass(frozen=True, slots=True)
class LocalAusp:
    """Answers from the directory: 210 for who is not connected, 220 without a mandate."""

    directory: Callable[[], Directory]

    def ask(self, sender: Oin, kind: Kind, belanghebbende: Identiteit, at: datetime) -> Verdict:
        known = self.directory()
        if not known.connected(sender, kind.berichtsoort, at):
            return Verdict.SENDER_REFUSED
        if not known.represents(sender, kind.berichtsoort, belanghebbende, Right.SEND, at):
            return Verdict.RIGHT_REFUSED
        return Verdict.GRANTED


@dataclass(frozen=True, slots=True)
class RemoteAusp:
    """Asks the service at `url`. Whatever is no clear answer is 230: nobody is let through, and
    nobody is refused for good, because a service is down."""

    url: str
    https: Https

    def ask(self, sender: Oin, kind: Kind, belanghebbende: Identiteit, at: datetime) -> Verdict:
        """One question, one answer; the process decides about asking again."""
        body = json.dumps(
            {
                "aanleveraar": sender.value,
                "berichtsoort": kind.berichtsoort,
                "belanghebbende": {"type": belanghebbende.type, "nummer": belanghebbende.nummer},
                "tijdstip": at.astimezone(UTC).isoformat(),
            }
        ).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            answer = self.https.repeating().post(self.url, body, headers)
        except NoAnswer as no:
            _log.warning("no answer", kind=kind.berichtsoort, problem=str(no))
            return Verdict.UNAVAILABLE
        if answer.status != 200:
            _log.warning("no verdict", kind=kind.berichtsoort, http_status=answer.status)
            return Verdict.UNAVAILABLE
        verdict = _verdict(answer.body)
        if verdict is None:
            _log.warning("no verdict", kind=kind.berichtsoort, problem="unreadable answer")
        return verdict or Verdict.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class ByKind:
    """One AuSP per kind, `default` for the rest."""

    default: Authority
    kinds: Mapping[str, Authority] = field(default_factory=dict)

    def ask(self, sender: Oin, kind: Kind, belanghebbende: Identiteit, at: datetime) -> Verdict:
        chosen = self.kinds.get(kind.berichtsoort, self.default)
        return chosen.ask(sender, kind, belanghebbende, at)


def _verdict(body: bytes) -> Verdict | None:
    """`{"statuscode": "200"}`; None when it is anything else."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    code = said.get("statuscode") if isinstance(said, dict) else None
    return _SAID.get(code) if isinstance(code, str) else None
