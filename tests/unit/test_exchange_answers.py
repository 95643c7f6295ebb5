"""An answer counts only if it is signed, about this request, from now, and from whom we trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from openpoort.domain.fault import Fault, Fout, unquoted
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import AanleverBevestiging
from openpoort.outbound.exchange import BadAnswer, Exchange, Faulted, Overloaded
from openpoort.outbound.http import Answer
from openpoort.wire.names import KOPPELVLAK, SOAP
from openpoort.wire.wus import koppelvlak, seal
from openpoort.wire.wus.services import AANLEVER, STATUSINFORMATIE
from openpoort.wire.wus.signed_message import SignedMessage, SoapFault
from tests.wire_kit import MESSAGE_ID, NOW, TO, aanlevering, key

OPERATION = AANLEVER.operations[0]
BODY = koppelvlak.write(
    AanleverBevestiging(
        kenmerk="3f0d5a52-8a3e-4a58-9d5c-5b2f8a1e7c44",
        berichtsoort="Omzetbelasting",
        tijdstempel_aangeleverd=NOW,
        belanghebbende=Identiteit("001000044B37", "BTW"),
        rol_belanghebbende="Bedrijf",
    )
)


def answer(body: bytes = BODY, **changes: object) -> bytes:
    values: dict[str, object] = {
        "action": OPERATION.response_action,
        "message_id": MESSAGE_ID,
        "relates_to": MESSAGE_ID,
        "created": NOW,
        "signer": key(),
        "hash_name": "sha256",
    }
    return seal.seal_answer(body, **{**values, **changes})  # type: ignore[arg-type]


@dataclass
class Scripted:
    """A transport that gives one prepared answer and keeps what was sent."""

    body: bytes
    status: int = 200
    retry_after: str = ""
    sent: bytes = b""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.sent = body
        headers = {"content-type": "text/xml", "retry-after": self.retry_after}
        return Answer(self.status, headers, self.body, b"tls")

    def close(self) -> None:
        """Nothing to close."""


def ask(
    body: bytes, status: int = 200, judge: Callable[..., None] = lambda *_: None
) -> SignedMessage:
    exchange = Exchange(Scripted(body, status), key(), judge, lambda: NOW)
    return exchange.ask(TO, OPERATION, koppelvlak.write(aanlevering()), MESSAGE_ID)


BUSY = {
    "7": 7.0,
    "0": 0.0,
    "9" * 4000: 3600.0,
    "Mon, 01 Jan 2099 00:00:00 GMT": 3600.0,
    "Mon, 01 Jan 2099 00:00:00": 3600.0,
    "Mon, 01 Jan 2099 00:00:00 -0000": 3600.0,
    "Mon, 01 Jan 1990 00:00:00 GMT": 0.0,
}
NO_TIME = (
    "-5",
    "1.5",
    "x",
    "\u0663",
    "Mon, 01 Jan 99999 00:00:00 GMT",
    "Mon, 01 Jan 2099 00:00:00 +9999",
    "Mon, 01 Jan 2099 00:00:00 +99999999999999999999",
)


@pytest.mark.parametrize("said", [*BUSY, *NO_TIME])
def test_whatever_an_agency_says_in_retry_after_is_a_pause_or_nothing(said: str) -> None:
    exchange = Exchange(Scripted(b"", 503, said), key(), lambda *_: None, lambda: NOW)
    with pytest.raises(BadAnswer) as busy:
        exchange.ask(TO, OPERATION, koppelvlak.write(aanlevering()), MESSAGE_ID)
    pause = busy.value.seconds if isinstance(busy.value, Overloaded) else None
    assert pause == BUSY.get(said)


@pytest.mark.parametrize(
    "theirs", ["J. Voorbeeld", "it's 'J. Voorbeeld'", 'a "b\\', "J.\nVoorbeeld"]
)
def test_what_the_other_side_wrote_is_quoted_so_that_a_log_can_leave_it_out(theirs: str) -> None:
    code = SoapFault("soapenv:Server", theirs, Fout("AFS200", theirs))
    odd = SoapFault("soapenv:Server", theirs, Fout(theirs, theirs))
    none = SoapFault(theirs, theirs, None)
    assert unquoted(str(Faulted(code, 500))) == "AFS200: '…'"
    assert unquoted(str(Faulted(odd, 500))) == "'…': '…'"
    assert unquoted(str(Faulted(none, 500))) == "a fault: '…'"
    assert theirs.split()[-1].strip("'") in str(Faulted(code, 500)).replace("\\\\", "\\")
    with pytest.raises(BadAnswer) as bad:
        ask(answer(action="urn:Voorbeeld"))
    assert "Voorbeeld" in str(bad.value)
    assert "Voorbeeld" not in unquoted(str(bad.value))


def test_right_answer_is_handed_over_with_its_body() -> None:
    assert koppelvlak.read(ask(answer())) == koppelvlak.read(ask(answer()))
    assert ask(answer()).operation == "aanleverResponse"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"relates_to": "urn:uuid:another"}, "another request"),
        ({"action": STATUSINFORMATIE.operations[0].response_action}, "another wsa:Action"),
        ({"action": OPERATION.action}, "another wsa:Action"),
        ({"created": NOW - timedelta(minutes=6)}, "not now"),
        ({"created": NOW + timedelta(minutes=6)}, "not now"),
    ],
)
def test_answer_that_is_not_about_this_request_now(changes: dict[str, object], says: str) -> None:
    with pytest.raises(BadAnswer, match=says):
        ask(answer(**changes))


def test_answer_with_another_body_element() -> None:
    body = b'<afleverResponse xmlns="%s"></afleverResponse>' % KOPPELVLAK.encode()
    with pytest.raises(BadAnswer, match="afleverResponse"):
        ask(answer(body))


def test_body_changed_on_the_way() -> None:
    changed = answer().replace(b">Omzetbelasting<", b">OBSUP<")
    with pytest.raises(BadAnswer, match="no valid signed answer"):
        ask(changed)


def test_signature_taken_away() -> None:
    whole = answer()
    start, end = whole.index(b"<s:Security"), whole.index(b"</s:Security>") + 13
    with pytest.raises(BadAnswer):
        ask(whole[:start] + whole[end:])


def test_signer_that_is_not_believed() -> None:
    def judge(token: bytes, tls_leaf: bytes | None, at: object) -> None:
        assert tls_leaf == b"tls"
        assert token == key().certificate
        raise BadAnswer("not him")

    with pytest.raises(BadAnswer, match="not him"):
        ask(answer(), judge=judge)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 403, "certificate is not accepted"),
        (b"", 502, "HTTP 502 without a body"),
        (b"<html><body>Onderhoud</body></html>", 200, "no valid signed answer"),
        (b"Service Unavailable", 503, "HTTP 503"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 200, "no valid signed answer"),
        (b"\xff\xfe\x00", 200, "no valid signed answer"),
    ],
)
def test_what_is_no_answer(body: bytes, status: int, says: str) -> None:
    with pytest.raises(BadAnswer, match=says):
        ask(body, status)


def test_fault_is_told_with_its_code_whatever_the_http_status() -> None:
    fout = seal.fout(AANLEVER, Fault("Iets klopt niet."))
    raw = seal.seal_fault(AANLEVER, OPERATION, fout, message_id=MESSAGE_ID, relates_to=MESSAGE_ID)
    for status in (200, 500):
        with pytest.raises(Faulted, match="ALS100") as raised:
            ask(raw, status)
        assert raised.value.fout is not None
        assert "Iets klopt niet." in raised.value.fout.foutbeschrijving


def test_fault_of_another_make_keeps_its_words() -> None:
    raw = (
        f'<e:Envelope xmlns:e="{SOAP}"><e:Body><e:Fault><faultcode>e:Server</faultcode>'
        "<faultstring>Overbelast</faultstring></e:Fault></e:Body></e:Envelope>"
    )
    with pytest.raises(Faulted, match="Overbelast") as raised:
        ask(raw.encode(), 500)
    assert raised.value.fout is None
