"""What a gateway answers: its own door, of which only the last act is left out.

HTTP, reading, signer, addressing, schema, kind and rights are judged by the very code of the
gateway (`inbound.http`, `inbound.wus`, `process.admission`); there is no second opinion here that
could differ. What passes is not taken in. What cannot be judged without the trust store, the
directory or the database of a gateway is named.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from openpoort.client.diagnose.request import Request
from openpoort.client.diagnose.subject import Surroundings
from openpoort.client.diagnose.transport import oin
from openpoort.domain.fault import Fault, Fout, Refusal
from openpoort.domain.ids import Oin
from openpoort.domain.message import Aanlevering, Vraag, ZetStatus
from openpoort.domain.party import Directory
from openpoort.inbound.http import Answer, Door, Post
from openpoort.inbound.wus import Judged, Trail, Wus
from openpoort.process import admission
from openpoort.process.flow import texts
from openpoort.process.flow.context import kenmerk_of
from openpoort.trust.chain import fingerprint
from openpoort.trust.sender import (
    Admits,
    CertificateRefused,
    Gatekeeper,
    VerifiedMessage,
    VerifiedSender,
)
from openpoort.trust.verdict import Reason
from openpoort.wire.wus import addressing, seal
from openpoort.wire.wus.services import AANLEVER, AANSLUIT_SUITE, Operation, Service
from openpoort.wire.wus.signed_message import SignedMessage, SoapFault
from openpoort.wire.wus.soap import open_answer

PASSED = (
    "Diagnose: er is niets gevonden dat een poort weigert; het bericht is niet in behandeling "
    "genomen."
)
TRUST = "trust in the certificates (--home)"
KIND = "kind, identity and role (--home)"
RIGHTS = "rights of the sender (--home)"
HOST = "the host in wsa:To (--home or --to)"
TLS = "the TLS certificate (--listen)"
KENMERK = "whether the kenmerk is known (only the gateway's database knows)"
REPEAT = "whether the MessageID was used before (only the gateway's database knows)"
_NOBODY = Oin("0" * 20)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer. `why` is what a bare refusal keeps to itself; `passed`: a gateway takes the
    request, as far as it could be judged here; `unjudged` says what could not be."""

    status: int
    content: bytes = b""
    why: str = ""
    passed: bool = False
    unjudged: tuple[str, ...] = ()

    @property
    def fout(self) -> str:
        """The foutcode and Dutch text of the fault, or a note on a bare refusal; empty if
        accepted."""
        if self.passed:
            return ""
        if not self.content:
            return f"HTTP {self.status} without an answer ({self.why})"
        try:
            fault = open_answer(self.content)
        except (Fault, Refusal):
            return f"HTTP {self.status}: {self.content.decode('utf-8', 'replace')}"
        if not isinstance(fault, SoapFault) or fault.fout is None:
            return f"HTTP {self.status}"
        return f"{fault.fout.foutcode}: {fault.fout.foutbeschrijving}"


@dataclass(slots=True)
class Rehearsal:
    """A door for one request. It is the `Acts` and the `Outcomes` of its own `Wus`."""

    around: Surroundings
    threads: Executor
    passed: bool = False
    why: str = ""
    unjudged: list[str] = field(default_factory=list)

    def door(self) -> Door:
        around = self.around
        to: dict[str, frozenset[str]] = {
            path: addressing.endpoints(around.hosts, service) if around.hosts else _Anything()
            for path, service in around.served.items()
        }
        grounds = around.grounds
        gate: Admits = Gatekeeper(grounds) if grounds is not None else _Unproven()
        wus = Wus(
            gate=gate,
            act=self.act,
            directory=lambda: around.directory or Directory(),
            to=to,
            now=lambda: around.now,
            outcomes=self,
            threads=self.threads,
            skew=around.skew,
        )
        return Door(wus, around.hosts or ("https://localhost",), served=around.served)

    def given(self, status: int, content: bytes) -> Given:
        """With the answer of the door."""
        described = status == 200  # only a WSDL or schema: what is judged gets a fault
        return Given(status, content, self.why, self.passed or described, tuple(self.unjudged))

    async def act(self, post: Post, judged: Judged, trail: Trail) -> Answer:
        """Judges what is asked, and does nothing. Raises Fault or Busy."""
        around, value, sender = self.around, judged.value, judged.verified.sender.oin
        if around.grounds is None:
            self.unjudged.append(TRUST)
        elif post.line.peer is None:
            self.unjudged.append(TLS)
        if not around.hosts:
            self.unjudged.append(HOST)
        if isinstance(value, Aanlevering):
            self._hand_in(value, sender, suite=post.service.path in AANSLUIT_SUITE)
        elif isinstance(value, Vraag | ZetStatus):
            self._about(value, sender)
        self.passed = True
        fout = Fout(f"{post.service.letters}100", PASSED)
        asked = judged.verified.message.addressing.message_id
        content = seal.seal_fault(
            post.service, judged.operation, fout, message_id=asked, relates_to=asked
        )
        return Answer(500, content)

    def _hand_in(self, value: Aanlevering, sender: Oin, *, suite: bool) -> None:
        around = self.around
        if not around.kinds:
            self.unjudged.append(KIND)
        if not around.kinds or around.directory is None:
            self.unjudged.append(RIGHTS)
        if around.kinds:
            found = admission.suited(around.kinds, value, switched=around.switches, suite=suite)
            if around.directory is not None:
                directory, kind = around.directory, found.kind
                about, _ = admission.route(directory, sender, kind, value, around.now)
                if about is not None:
                    self.unjudged.append(KENMERK)
                admission.ontvanger(directory, kind, value)
        self.unjudged.append(REPEAT)

    def _about(self, value: Vraag | ZetStatus, sender: Oin) -> None:
        if value.kenmerk is None:
            return
        kenmerk_of(value.kenmerk)
        directory = self.around.directory
        if isinstance(value, ZetStatus) and directory and directory.agency_of(sender) is None:
            raise Fault(texts.NO_SUCH_KENMERK)
        self.unjudged.append(KENMERK)

    def accepted(self, service: Service, operation: Operation, seconds: float) -> None:
        """Nobody counts."""

    def refused(
        self, service: Service, action: str, code: str, oin: Oin | None, origin: str, why: str,
        about: str = "",
    ) -> None:  # fmt: skip
        self.why = why

    def spent(self, stage: str, seconds: float) -> None:
        """Nobody counts."""


class _Anything(frozenset[str]):
    """Where no host is known, any wsa:To may be right."""

    def __contains__(self, _: object) -> bool:
        return True


class _Unproven:
    """A gate without a trust store: it knows the two certificates of a request from each other,
    and says nothing else of them."""

    def admit(
        self, message: SignedMessage, tls_leaf: bytes | None, at: datetime, route: str = ""
    ) -> VerifiedMessage:
        token, tls = oin(message.token), tls_leaf and oin(tls_leaf)
        if token and tls and tls_leaf and token != tls:
            what = f"certificate-tls-{Reason.OTHER_OIN}"
            raise CertificateRefused(what, fingerprint(tls_leaf))
        return VerifiedMessage(VerifiedSender(token or _NOBODY, "", "", ""), message)


@dataclass(frozen=True, slots=True)
class _Captured:
    """Stands for the connection of a captured request, as `inbound.line.Line`."""

    peer: bytes | None
    origin: str = "capture"
    place: int = 0


def verdict(request: Request, around: Surroundings, service: Service | None) -> Given:
    """The answer to a captured request. `service` is where a capture without HTTP was sent to."""
    to = service if service is not None and service.path in around.served else AANLEVER
    with ThreadPoolExecutor(1) as threads:
        rehearsal = Rehearsal(around, threads)
        status, content = asyncio.run(_answer(rehearsal.door(), request, to))
        return rehearsal.given(status, content)


async def _answer(door: Door, request: Request, service: Service) -> tuple[int, bytes]:
    """As ASGI has it. The body is whole here, so its length and framing are set right."""
    target = request.target or service.path
    if "://" in target:
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    path, _, query = target.partition("?")
    framing = {"content-length", "transfer-encoding"}
    headers = [(n, v) for n, v in request.headers if n not in framing]
    headers.append(("content-length", str(len(request.body))))
    scope = {
        "type": "http",
        "method": request.method or "POST",
        "path": unquote(path),
        "query_string": query.encode("latin-1", "replace"),
        "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers],
        "extensions": {"openpoort.line": _Captured(request.tls_leaf)},
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await door(scope, receive, send)
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:])
