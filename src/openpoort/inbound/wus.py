"""The WUS door: a request in bytes, an answer in bytes.

Order matters (DESIGN, one message through the house): read, judge the signer, judge the
addressing, read the values, hand over to whoever acts on it (`acts.py`). A `Fault` becomes a SOAP
fault, a `Refusal` an HTTP status without a body; whatever nobody foresaw becomes fault 400 of the
service, and nothing half-done stays because the store commits once.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from openpoort.domain.fault import Fault, Fout, Refusal, Turn
from openpoort.domain.ids import Oin
from openpoort.domain.party import Directory
from openpoort.inbound.http import Answer, Post
from openpoort.inbound.limits import Wait, Why
from openpoort.inbound.line import Line
from openpoort.inbound.turnstile import whose
from openpoort.process.flow.crashpoints import crash_point
from openpoort.process.intake import Busy
from openpoort.telemetry import logger
from openpoort.trust.policy import AlgorithmRefused
from openpoort.trust.sender import Admits, CertificateRefused, VerifiedMessage
from openpoort.wire.wus import addressing, koppelvlak, seal
from openpoort.wire.wus.koppelvlak import Value
from openpoort.wire.wus.services import AANLEVER, Operation, Service
from openpoort.wire.wus.signed_message import SignedMessage
from openpoort.wire.wus.soap import glimpse, open_signed

LARGE = 128 * 1024
"""Bytes from which a request is read on a thread."""
_Asked = tuple[Operation | None, str | None]
_Done = TypeVar("_Done")

_log = logger("inbound.wus")


@dataclass(frozen=True, slots=True)
class Judged:
    """A request after everything that needs no database."""

    verified: VerifiedMessage
    operation: Operation
    value: Value


@dataclass(slots=True)
class Trail:
    """What is known of a request so far, for the answer and the event when it goes wrong.
    `spent` takes the CPU seconds of a stage, of the requests that are timed."""

    message: SignedMessage | None = None
    operation: Operation | None = None
    oin: Oin | None = None
    action: str = "request.faulted"
    spent: Callable[[str, float], None] | None = None


class Acts(Protocol):
    """Does what a judged request asks (`acts.Acting`)."""

    async def __call__(self, post: Post, judged: Judged, trail: Trail) -> Answer:
        """Raises Fault or Busy."""
        ...


class Outcomes(Protocol):
    """Who counts and records what the door answered (metrics, security events).

    `action` is a security event of the catalogue (`domain/event.py`).
    """

    def accepted(self, service: Service, operation: Operation, seconds: float) -> None: ...

    def refused(
        self, service: Service, action: str, code: str, oin: Oin | None, origin: str, why: str,
        about: str = "",
    ) -> None:  # fmt: skip
        """`about` is what the event is about when that is not the service."""
        ...

    def spent(self, stage: str, seconds: float) -> None:
        """CPU seconds of one stage: `verify`, `authorise`, `read`, `store` or `sign`."""
        ...


_SAMPLE = 16
"""One request in so many is timed, and counts for all: reading the clock of a thread is a system
call, and six of them a request cost more than a digest."""


class Stopwatch:
    """CPU time of this thread from mark to mark; nothing may be awaited in between."""

    __slots__ = ("_at", "_spent")

    def __init__(self, spent: Callable[[str, float], None] | None) -> None:
        self._spent = spent
        self._at = time.thread_time() if spent else 0.0

    def mark(self, stage: str) -> None:
        if self._spent:
            now = time.thread_time()
            self._spent(stage, (now - self._at) * _SAMPLE)
            self._at = now


@dataclass(slots=True)
class Wus:
    """The services of the contract and the two of the agencies.

    `act` does what a judged request asks; `to` holds per path the wsa:To values that are ours.
    """

    gate: Admits
    act: Acts
    directory: Callable[[], Directory]
    to: Mapping[str, frozenset[str]]
    now: Callable[[], datetime]
    outcomes: Outcomes
    threads: Executor
    skew: timedelta = addressing.SKEW
    _served: int = 0

    async def __call__(self, post: Post) -> Answer:
        self._served += 1
        trail = Trail(spent=None if self._served % _SAMPLE else self.outcomes.spent)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        try:
            judged = await self._judged(post, trail)
            answer = await self.act(post, judged, trail)
        except Fault as fault:
            return self._fault(post, fault, trail, await self._asked(post, trail))
        except Refusal as refusal:
            self._bare(post, refusal, trail)
            return Answer(refusal.status)
        except Busy as busy:
            return self._shed(post, busy, trail, await self._asked(post, trail))
        except Exception as error:  # noqa: BLE001  # the sender must get an answer, whatever broke
            _log.exception("request failed", service=post.service.name, error=type(error).__name__)
            return self._fault(post, _technical(error), trail, await self._asked(post, trail))
        self.outcomes.accepted(post.service, judged.operation, loop.time() - begin)
        return answer

    async def _judged(self, post: Post, trail: Trail) -> Judged:
        at = self.now()
        return await self._aside(post, lambda: self._judge(post, trail, at))

    async def _asked(self, post: Post, trail: Trail) -> _Asked:
        """Operation and MessageID a fault answers to; of a request that would not open, as seen."""
        if trail.message is not None:
            return trail.operation, trail.message.addressing.message_id
        try:
            return await self._aside(post, lambda: _seen(post))
        except (Busy, OSError):  # no room to look: the fault itself is told all the same
            return None, None

    async def _aside(self, post: Post, work: Callable[[], _Done]) -> _Done:
        """Large requests are looked at on a thread, so that the small ones are not held up."""
        if len(post.raw) < LARGE:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    def _judge(self, post: Post, trail: Trail, at: datetime) -> Judged:
        if not post.raw:
            raise Fault("Het verzoek is leeg: er is geen SOAP-bericht ontvangen.")
        watch = Stopwatch(trail.spent)
        message = trail.message = open_signed(post.raw, post.content_type)
        crash_point("after-reading")
        watch.mark("verify")
        trail.operation = post.service.operation(message.body.tag)
        verified = self.gate.admit(message, post.line.peer, at, post.service.name)
        trail.oin = verified.sender.oin
        crash_point("after-verdict")
        to = self.to[post.service.path]
        operation = addressing.check(message, post.service, to, at, self.skew)
        watch.mark("authorise")
        value = koppelvlak.read(message)
        watch.mark("read")
        return Judged(verified, operation, value)

    def limited(self, service: Service, line: Line, wait: Wait) -> None:
        """For `Door.limited`: a sender was sent away at the turnstile."""
        oin = whose(line.peer)
        action = "request.shed" if wait.why is Why.SHARE else "request.limited"
        known = oin if isinstance(oin, Oin) else None
        self.outcomes.refused(service, action, "429", known, line.origin, str(wait.seconds))

    def _bare(self, post: Post, refusal: Refusal, trail: Trail) -> None:
        """A certificate that does not pass may be an honest mistake; the rest is an attack."""
        action, about = "request.refused", ""
        if isinstance(refusal, CertificateRefused):
            action, about = "certificate.refused", refusal.fingerprint
        self._refused(post, action, str(refusal.status), trail, refusal.what, about)

    def _refused(
        self, post: Post, action: str, code: str, trail: Trail, why: str, about: str = ""
    ) -> None:
        """Who is not known from the message is known from the connection."""
        caller = trail.oin or whose(post.line.peer)
        oin = caller if isinstance(caller, Oin) else None
        self.outcomes.refused(post.service, action, code, oin, post.line.origin, why, about)

    def _shed(self, post: Post, busy: Busy, trail: Trail, answers: _Asked) -> Answer:
        """Not now: 503 with Retry-After, and a fault for who reads nothing else."""
        wait = str(busy.retry_after)
        self._refused(post, "request.shed", "503", trail, wait)
        fault = Fault(
            f"Digipoort kan dit verzoek nu niet verwerken. Probeer het over {wait} s opnieuw.",
            reason=400,
        )
        content = _sealed_fault(post.service, seal.fout(post.service, fault), answers)
        return Answer(503, content, headers=((b"retry-after", wait.encode()),))

    def _fault(self, post: Post, fault: Fault, trail: Trail, answers: _Asked) -> Answer:
        service = post.service
        fout = seal.fout(service, fault)
        action, about = trail.action, ""
        if isinstance(fault, AlgorithmRefused):
            action, about = "algorithm.refused", fault.algorithm
        self._refused(post, action, fout.foutcode, trail, fault.log, about)
        content = _sealed_fault(service, fout, answers)
        party = self.directory().party(trail.oin) if trail.oin else None
        return Answer(party.fault_status if party else 500, content)


def _sealed_fault(service: Service, fout: Fout, answers: _Asked) -> bytes:
    operation, asked = answers
    message_id = asked if asked and service.name == AANLEVER.name else fresh()
    return seal.seal_fault(service, operation, fout, message_id=message_id, relates_to=asked)


def _seen(post: Post) -> _Asked:
    element, message_id = glimpse(post.raw, post.content_type)
    return post.service.operation(element) if element else None, message_id


def _technical(error: Exception) -> Fault:
    return Fault(
        "Er is een technische fout opgetreden bij Digipoort. Probeer het later opnieuw.",
        reason=400,
        log=f"unexpected {type(error).__name__}",
        turn=Turn.OPERATOR,
        retry=True,
    )


def fresh() -> str:
    return f"uuid:{uuid.uuid4()}"
