"""What a conformance case works with: a gateway seen from outside, and ways to ask it.

Knows the contract and nothing of whoever built the gateway. A case raises `Fails` with what it
saw; `Skips` when this client cannot try it.
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from lxml import etree

from openpoort.client.forge import Shape, forge
from openpoort.client.trust import Anchors
from openpoort.client.wus import Client, Endpoints
from openpoort.domain.fault import Fault, Refusal
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Aanlevering, Document, Operatie, Vraag
from openpoort.keys.pem import PemSigner
from openpoort.outbound.exchange import BadAnswer, Exchange
from openpoort.outbound.http import Answer, Https, NoAnswer, Timeouts, tls_context
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import Signer
from openpoort.wire.wus.services import AANLEVER, OPHAAL, STATUSINFORMATIE, Operation, Service
from openpoort.wire.wus.signed_message import SignedMessage, SoapFault
from openpoort.wire.wus.soap import open_answer

Headers = Mapping[str, str]


class Fails(Exception):
    """The gateway does not do what the clause says; `str()` is what it did."""


class Skips(Exception):
    """This client cannot try it here."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to try. `must` False: the sources leave it open, so a failure is only told."""

    clause: str
    title: str
    run: Callable[[Kit], None] = field(repr=False)
    must: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """What the kit hands in; the gateway must take it from this certificate."""

    berichtsoort: str = "Omzetbelasting"
    belanghebbende: Identiteit = field(default_factory=lambda: Identiteit("001000044B37", "BTW"))
    rol: str = "Bedrijf"
    inhoud: bytes = b'<?xml version="1.0" encoding="UTF-8"?>\n<conformance/>\n'

    def aanlevering(self, **changes: object) -> Aanlevering:
        value = Aanlevering(
            berichtsoort=self.berichtsoort,
            belanghebbende=self.belanghebbende,
            rol_belanghebbende=self.rol,
            inhoud=Document("application/xml", f"{self.berichtsoort}.xbrl", self.inhoud),
            aanleverkenmerk="Happyflow",
            autorisatie_adres="http://geenausp.nl",
        )
        return replace(value, **changes)  # type: ignore[arg-type]  # names of fields


@dataclass(frozen=True, slots=True)
class Seen:
    """An HTTP answer and what could be read of it: a signed message, a fault, or neither."""

    answer: Answer
    opened: SignedMessage | SoapFault | None
    message_id: str
    why: str = ""

    def accepted(self) -> SignedMessage:
        """The signed answer. Fails if there is a fault or no valid answer."""
        if isinstance(self.opened, SignedMessage):
            return self.opened
        raise Fails(f"not accepted: {self.told()}")

    def fault(self, letters: str | None = None, naming: str | None = None) -> SoapFault:
        """The fault. Fails if accepted, or without a code of the service (`letters`), or if the
        description does not hold `naming`."""
        if not isinstance(self.opened, SoapFault):
            raise Fails(f"no SOAP fault: {self.told()}")
        fout = self.opened.fout
        if fout is None:
            raise Fails("the fault holds no foutType")
        if letters and not fout.foutcode.startswith(letters):
            raise Fails(f"foutcode {fout.foutcode}, expected {letters}…")
        if naming and naming.lower() not in fout.foutbeschrijving.lower():
            raise Fails(f"the description does not name {naming}: {fout.foutbeschrijving[:300]}")
        return self.opened

    def refused(self) -> None:
        """A fault or a bare HTTP refusal (4xx). Fails if the message was accepted."""
        if isinstance(self.opened, SignedMessage) or 200 <= self.answer.status < 300:
            if isinstance(self.opened, SoapFault):
                return
            raise Fails(f"it was taken: {self.told()}")

    def told(self) -> str:
        if isinstance(self.opened, SignedMessage):
            return f"HTTP {self.answer.status}, {self.opened.operation}"
        if isinstance(self.opened, SoapFault) and self.opened.fout is not None:
            fout = self.opened.fout
            return f"HTTP {self.answer.status}, {fout.foutcode} {fout.foutbeschrijving[:300]}"
        return f"HTTP {self.answer.status}, {len(self.answer.body)} bytes {self.why}".strip()


class Kit:
    """A gateway and a party at it. Use as a context manager."""

    def __init__(
        self, url: str, certificate: Path, key: Path, ca: Path | None, message: Message
    ) -> None:
        self.endpoints = Endpoints.below(url)
        self.signer: Signer = PemSigner(certificate, key)
        self.message = message
        self._files = (certificate, key, ca)
        self.http = Https(tls_context(certificate, key, ca), timeouts=Timeouts(whole=120))
        self.anchors = Anchors.from_files(ca, certificate)
        exchange = Exchange(self.http, self.signer, self.anchors.judge, now)
        self.client = Client(self.endpoints, exchange)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def context(self, *, anonymous: bool = False) -> ssl.SSLContext:
        """A fresh TLS context, with or without the client certificate."""
        certificate, key, ca = self._files
        return tls_context(None if anonymous else certificate, None if anonymous else key, ca)

    def hand_in(self, shape: Shape | None = None, **how: object) -> Seen:
        """An aanleverRequest in a shape; `how` as in `send`, and `value` for other fields."""
        value = how.pop("value", None) or self.message.aanlevering()
        body = how.pop("body", None) or koppelvlak.write(value)  # type: ignore[arg-type]  # a value
        return self.send(AANLEVER, AANLEVER.operations[0], body, shape, **how)  # type: ignore[arg-type]  # bytes

    def ask(self, operatie: Operatie, **fields: object) -> Seen:
        """One of the eleven reading operations."""
        service = STATUSINFORMATIE if operatie.value in _NAMES[STATUSINFORMATIE.name] else OPHAAL
        operation = next(o for o in service.operations if o.name == operatie.value)
        body = koppelvlak.write(Vraag(operatie, **fields))  # type: ignore[arg-type]  # names of fields
        return self.send(service, operation, body)

    def send(
        self,
        service: Service,
        operation: Operation,
        body: bytes,
        shape: Shape | None = None,
        *,
        action: str | None = None,
        to: str | None = None,
        created: datetime | None = None,
        signer: Signer | None = None,
        headers: Headers | None = None,
        wrap: Callable[[bytes], tuple[bytes, Headers]] | None = None,
    ) -> Seen:
        """Forge, post and read. `wrap` may change the bytes and add HTTP headers."""
        shape = shape or Shape()
        message_id = shape.message_id or f"urn:uuid:{uuid.uuid4()}"
        url = self.endpoints.of(service)
        raw = forge(
            body,
            replace(shape, message_id=message_id),
            to=to or url,
            action=action or operation.action,
            created=created or now(),
            signer=signer or self.signer,
        )
        sent: dict[str, str] = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{operation.action}"',
        }
        if wrap is not None:
            raw, extra = wrap(raw)
            sent.update(extra)
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value}
        return self.post(url, raw, sent, message_id)

    def post(self, url: str, raw: bytes, headers: Headers, message_id: str = "") -> Seen:
        """Fails when no HTTP answer comes at all."""
        try:
            answer = self.http.post(url, raw, headers)
        except NoAnswer as error:
            raise Fails(str(error)) from error
        try:
            opened = open_answer(answer.body, answer.content_type) if answer.body else None
        except (Fault, Refusal) as error:
            return Seen(answer, None, message_id, str(error))
        if isinstance(opened, SignedMessage):
            try:
                self.anchors.judge(opened.token, answer.tls_leaf, now())
            except BadAnswer as error:
                raise Fails(str(error)) from error
        return Seen(answer, opened, message_id)


_NAMES = {s.name: {o.name for o in s.operations} for s in (STATUSINFORMATIE, OPHAAL)}


def now() -> datetime:
    return datetime.now(UTC)


def expect(good: bool, text: str) -> None:
    """Fails with `text` unless `good`."""
    if not good:
        raise Fails(text)


def tree(seen: Seen) -> etree._Element:
    """The answer as XML."""
    try:
        return etree.fromstring(seen.answer.body)
    except etree.XMLSyntaxError as error:
        raise Fails(f"the answer is no XML: {error}") from error
