"""One signed question and its signed answer over HTTPS, as both a company and the gateway ask it.

Seals the request, reads the answer, and judges it: signed by somebody trusted, about this very
request, made just now. What the answer means is the caller's business.
Source: Digipoort koppelvlak WUS 1.2 (request and response profile), WS-Addressing 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from openpoort.domain.fault import Fault, Fout, Refusal, quoted
from openpoort.outbound.http import Answer
from openpoort.wire.names import ANONYMOUS
from openpoort.wire.wus.seal import Signer, seal_request
from openpoort.wire.wus.services import Operation
from openpoort.wire.wus.soap import SignedMessage, SoapFault, open_answer
from openpoort.wire.xml.streamed_body import Body

SKEW = timedelta(minutes=5)
_CODE = re.compile(r"[A-Z]{3}[0-9]{3}")
LONGEST_PAUSE = 3600.0
"""Seconds: what is asked for beyond that is not listened to."""


class BadAnswer(Exception):
    """An answer came and cannot be trusted or understood; `str()` says why."""


class Overloaded(BadAnswer):
    """The other side asks to come back after `seconds` (HTTP 429 or 503 with Retry-After)."""

    def __init__(self, status: int, seconds: float) -> None:
        super().__init__(f"HTTP {status}, come back after {seconds:g} s")
        self.seconds = seconds


class Faulted(Exception):
    """The other side answered with a SOAP fault.

    `fout` is its foutcode and foutbeschrijving (Dutch); None if the detail had another form.
    `str()` quotes what the other side said: the journal keeps the code alone.
    """

    def __init__(self, fault: SoapFault, status: int) -> None:
        self.fout: Fout | None = fault.fout
        self.faultcode = fault.faultcode
        self.faultstring = fault.faultstring
        self.status = status
        if fault.fout is None:
            super().__init__(f"a fault: {quoted(f'{fault.faultcode}: {fault.faultstring}')}")
            return
        code = fault.fout.foutcode
        known = code if _CODE.fullmatch(code) else quoted(code)
        super().__init__(f"{known}: {quoted(fault.fout.foutbeschrijving)}")


class Transport(Protocol):
    """What carries a request; `outbound.http.Https` does."""

    def post(self, url: str, body: Body, headers: Mapping[str, str]) -> Answer:
        """Raises NoAnswer."""
        ...

    def close(self) -> None: ...


class Judge(Protocol):
    """A verdict on the certificate that signed an answer."""

    def __call__(self, token: bytes, tls_leaf: bytes | None, at: datetime) -> None:
        """Raises BadAnswer if `token` (DER) may not speak for the other side."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """How to ask: with which connection and key, whom to believe, and what time it is."""

    http: Transport
    signer: Signer
    judge: Judge
    now: Callable[[], datetime]
    hash_name: str = "sha256"
    skew: timedelta = SKEW

    def ask(self, url: str, operation: Operation, body: Body, message_id: str) -> SignedMessage:
        """The verified answer to one request.

        Raises NoAnswer (transport), Faulted (a SOAP fault) or BadAnswer (not to be trusted;
        Overloaded when the other side asks for a pause).
        """
        return self.ask_raw(url, operation, body, message_id)[0]

    def ask_raw(
        self, url: str, operation: Operation, body: Body, message_id: str
    ) -> tuple[SignedMessage, bytes]:
        """The same, with the answer's bytes as received."""
        raw = seal_request(
            body,
            to=url,
            action=operation.action,
            message_id=message_id,
            created=self.now(),
            signer=self.signer,
            hash_name=self.hash_name,
        )
        answer = self.http.post(
            url,
            raw,
            {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation.action}"'},
        )
        self._overloaded(answer)
        message = _opened(answer)
        self._check(message, operation, message_id)
        self.judge(message.token, answer.tls_leaf, self.now())
        return message, answer.body

    def _overloaded(self, answer: Answer) -> None:
        """RFC 9110, 10.2.3: seconds, or a date."""
        said = answer.headers.get("retry-after", "").strip()
        if answer.status not in (429, 503) or not said:
            return
        if said.isascii() and said.isdecimal():
            raise Overloaded(answer.status, min(float(said), LONGEST_PAUSE))
        try:
            until = parsedate_to_datetime(said)
        except (ValueError, OverflowError):  # the latter for a zone that no integer holds
            return
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        left = (until - self.now()).total_seconds()
        raise Overloaded(answer.status, min(max(left, 0.0), LONGEST_PAUSE))

    def _check(self, message: SignedMessage, operation: Operation, message_id: str) -> None:
        addressing = message.addressing
        if addressing.relates_to != message_id:
            raise BadAnswer("the answer is about another request (wsa:RelatesTo)")
        if addressing.action != operation.response_action:
            raise BadAnswer(f"the answer has another wsa:Action: {quoted(addressing.action)}")
        if addressing.to not in (None, "", ANONYMOUS):
            raise BadAnswer(f"the answer is for somebody else (wsa:To {quoted(addressing.to)})")
        if message.body.tag != operation.response:
            raise BadAnswer(f"the answer holds {quoted(message.operation)}")
        now = self.now()
        if abs(message.created - now) > self.skew:
            raise BadAnswer(f"the answer was made at {message.created.isoformat()}, not now")
        if message.expires is not None and message.expires < now - self.skew:
            raise BadAnswer(f"the answer expired at {message.expires.isoformat()}")


def _opened(answer: Answer) -> SignedMessage:
    if answer.status == 403 and not answer.body:
        raise BadAnswer("HTTP 403: the certificate is not accepted")
    if answer.status in (429, 503):
        raise BadAnswer(f"HTTP {answer.status}: too busy, or away for the moment")
    if not answer.body:
        raise BadAnswer(f"HTTP {answer.status} without a body")
    try:
        opened = open_answer(answer.body, answer.content_type)
    except (Fault, Refusal) as error:
        said = f"HTTP {answer.status}, no valid signed answer: {quoted(str(error))}"
        raise BadAnswer(said) from error
    if isinstance(opened, SoapFault):
        raise Faulted(opened, answer.status)
    return opened
