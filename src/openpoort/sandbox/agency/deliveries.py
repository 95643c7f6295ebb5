"""A demo agency: receives deliveries, keeps them, answers with a receipt, reports a verdict.

This is the other side of `outbound/wus.py`, for development, tests and the demo. It verifies
what the gateway signed, keeps a message once however often it comes, and tells its verdict in
the answer or afterwards through zetStatus; some kinds get a return message too.
Source: koppelvlakservices 1.2 `afleverRequest`, `zetStatusRequest`, `aanleverRequest`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from openpoort.client.trust import Anchors, oin_of
from openpoort.domain.fault import Fault, Fout, Refusal
from openpoort.domain.ids import Oin
from openpoort.domain.message import AfleverBevestiging, Bericht, ZetStatus
from openpoort.domain.octets import Octets
from openpoort.domain.status import OMSCHRIJVING
from openpoort.outbound.exchange import BadAnswer, Exchange, Faulted
from openpoort.outbound.http import Https, NoAnswer
from openpoort.process.flow.crashpoints import crash_point
from openpoort.sandbox.agency.archive import Archive, Receipt
from openpoort.sandbox.agency.behaviour import (
    HABITS,
    OTHERWISE,
    Day,
    Habit,
    Report,
    Stand,
    message_id,
    receipt,
    return_message,
)
from openpoort.sandbox.agency.outbox import NeverMind, Outbox, TryLater
from openpoort.wire.wus import addressing, koppelvlak, seal
from openpoort.wire.wus.seal import Signer
from openpoort.wire.wus.services import AANLEVER, AFLEVER, ZETSTATUS
from openpoort.wire.wus.signed_message import SignedMessage
from openpoort.wire.wus.soap import open_signed
from openpoort.wire.xml.instant import UNSET


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. `half` breaks the connection in its middle; `wait` seconds go before."""

    status: int
    body: bytes = field(repr=False)
    half: bool = False
    wait: float = 0.0


class Closed(Exception):
    """The agency is down: close the connection without an answer."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where an agency lives and whom it deals with. `gateway` is a base URL (None: it never
    tells anything by itself); `gateway_oin` signs deliveries; `slow` is in seconds."""

    name: str
    folder: Path
    address: str
    gateway: str | None
    gateway_oin: Oin
    slow: float = 5.0
    durable: bool = True
    habits: Mapping[str, Habit] = field(default_factory=lambda: HABITS)
    otherwise: Habit = OTHERWISE


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A delivery that was read and found good, and the stand it meets."""

    message: SignedMessage
    bericht: Bericht
    stand: Stand


@dataclass(frozen=True, slots=True)
class _Kept:
    """A delivery and its receipt; `new` when it was not here before."""

    delivery: _Delivery
    receipt: Receipt
    new: bool


Request = tuple[Octets, str | None]
"""Body and Content-Type."""


class Agency:
    """One agency. `receive` may be called from several threads."""

    def __init__(
        self,
        setting: Setting,
        signer: Signer,
        anchors: Anchors,
        http: Https,
        now: Callable[[], datetime],
    ) -> None:
        self.setting = setting
        self.archive = Archive(setting.folder, durable=setting.durable)
        self._day = Day(setting.folder)
        self._signer = signer
        self._anchors = anchors
        self._now = now
        self._exchange = Exchange(http, signer, anchors.judge, now)
        self._outbox = Outbox(setting.folder / "uit", self._tell)
        self._accepted = frozenset({addressing.alike(setting.address)})

    def start(self) -> None:
        self._outbox.start()

    def stop(self) -> None:
        self._outbox.stop()
        self.archive.close()

    def receive(self, requests: Sequence[Request]) -> list[Reply | Exception]:
        """Take deliveries that came in together: one sync of the disk serves all of them.

        A reply for each, in order; Closed where the agency plays dead, and what went wrong where
        something did: the others are answered.
        """
        read = [_tried(self._look, *request) for request in requests]
        kept = [_tried(self._take, r) if isinstance(r, _Delivery) else r for r in read]
        if not any(isinstance(k, _Kept) for k in kept):
            return kept
        wrong = _tried(self.archive.commit)
        return [wrong or _tried(self._answer, k) if isinstance(k, _Kept) else k for k in kept]

    def _look(self, raw: Octets, content_type: str | None) -> _Delivery | Reply:
        """A delivery to keep, or the answer to what is none. Raises Closed."""
        stand = self._day.written()
        if stand is Stand.DOWN:
            raise Closed
        if stand is Stand.GARBAGE:
            return Reply(200, b"<html><body>Onderhoud</body></html>")
        try:
            message = open_signed(raw, content_type)
        except Fault as fault:
            return self._fault(fault, None)
        except Refusal as refusal:
            return Reply(refusal.status, b"")
        try:
            bericht = self._read(message)
        except Fault as fault:
            return self._fault(fault, message)
        stand = self._day.stand(bericht)
        return self._refused(message, stand) or _Delivery(message, bericht, stand)

    def _read(self, message: SignedMessage) -> Bericht:
        addressing.check(message, AFLEVER, self._accepted, self._now())
        try:
            self._anchors.judge(message.token, None, self._now())
        except BadAnswer as error:
            raise Fault("Het certificaat wordt niet vertrouwd.", log=str(error)) from error
        if oin_of(message.token) != self.setting.gateway_oin.value:
            raise Fault("Het bericht is niet door het knooppunt ondertekend.")
        value = koppelvlak.read(message)
        if not isinstance(value, Bericht):
            raise Fault("Deze service kent alleen afleverRequest.")
        return value

    def _refused(self, message: SignedMessage, stand: Stand) -> Reply | None:
        """The answer of an agency that takes nothing today."""
        if stand is Stand.REFUSE:
            return self._fout(message, "AFO100", "De uitvragende partij weigert het bericht.")
        if stand is Stand.TECHNICAL:
            return self._fout(message, "AFS400", "Technische fout, probeer het later opnieuw.")
        if stand is Stand.INVALID:
            return self._fault(Fault("Het bericht is niet volgens afspraak."), message)
        return None

    def _take(self, delivery: _Delivery) -> _Kept:
        crash_point("before-receipt")
        return _Kept(delivery, *self.archive.take(delivery.bericht, self._now()))

    def _answer(self, one: _Kept) -> Reply:
        """The signed receipt of a delivery that is on disk."""
        message, bericht, stand = one.delivery.message, one.delivery.bericht, one.delivery.stand
        if one.new or stand is Stand.REJECT:
            self._promise(bericht, one.receipt, stand)
        body = self._confirmation(bericht, one.receipt, stand)
        sealed = seal.seal_answer(
            koppelvlak.write(body),
            action=AFLEVER.operations[0].response_action,
            message_id=message_id(bericht, "answer"),
            relates_to=message.addressing.message_id,
            created=self._now(),
            signer=self._signer,
            hash_name=message.algorithms.hash_name,
        )
        crash_point("after-receipt")
        slow = self.setting.slow if stand is Stand.SLOW else 0.0
        return Reply(200, sealed, half=stand is Stand.HALF, wait=slow)

    def _confirmation(self, bericht: Bericht, kept: Receipt, stand: Stand) -> AfleverBevestiging:
        at, good = kept.ontvangen, stand is not Stand.REJECT
        said_at = UNSET if stand is Stand.DOTNET else at
        sync = self._habit(bericht).report is Report.SYNC
        code = ("500" if good else "510") if sync else None
        kenmerk = bericht.kenmerk
        if stand is Stand.OTHER:
            kenmerk = "00000000-0000-4000-8000-000000000000"
        return AfleverBevestiging(
            kenmerk=kenmerk.upper() if stand is Stand.DOTNET else kenmerk,
            berichtkenmerk=bericht.berichtkenmerk,
            tijdstempel_afgeleverd=said_at,
            berichtsoort=bericht.berichtsoort,
            statuscode=code,
            tijdstempel_status=said_at if code else None,
            statusomschrijving=OMSCHRIJVING[code] if code else None,
            fout=None if good or not code else Fout("DEMO510", "Het bericht is afgekeurd."),
            statusdetails=receipt(bericht, at, accepted=good),
        )

    def _habit(self, bericht: Bericht) -> Habit:
        return self.setting.habits.get(bericht.berichtsoort, self.setting.otherwise)

    def _promise(self, bericht: Bericht, kept: Receipt, stand: Stand) -> None:
        """Write down what must be told afterwards, before the delivery is confirmed."""
        habit = self._habit(bericht)
        if self.setting.gateway is None:
            return
        if habit.report is Report.LATER:
            good = stand is not Stand.REJECT
            self._outbox.put(
                f"status {kept.key}",
                {
                    "what": "status",
                    "kenmerk": bericht.kenmerk,
                    "berichtkenmerk": bericht.berichtkenmerk,
                    "statuscode": "500" if good else "510",
                    "details": receipt(bericht, kept.ontvangen, accepted=good),
                    "message_id": message_id(bericht, "status"),
                },
            )
        if habit.returns:
            value = return_message(bericht, kept.ontvangen)
            self._outbox.put(
                f"return {kept.key}",
                {
                    "what": "return",
                    "body": koppelvlak.write(value).decode(),
                    "message_id": message_id(bericht, "return"),
                },
            )

    def _tell(self, job: dict[str, Any]) -> None:
        base = (self.setting.gateway or "").rstrip("/")
        if job["what"] == "status":
            service = ZETSTATUS
            fout = None if job["statuscode"] == "500" else Fout("DEMO510", "Afgekeurd.")
            body = koppelvlak.write(
                ZetStatus(
                    kenmerk=job["kenmerk"],
                    statuscode=job["statuscode"],
                    tijdstempel_status=self._now(),
                    berichtkenmerk=job["berichtkenmerk"],
                    fout=fout,
                    statusdetails=job["details"],
                )
            )
        else:
            service, body = AANLEVER, job["body"].encode()
        try:
            self._exchange.ask(base + service.path, service.operations[0], body, job["message_id"])
        except Faulted as fault:
            if fault.fout is not None and fault.fout.foutcode.endswith("100"):
                raise NeverMind(str(fault)) from fault
            raise TryLater(str(fault)) from fault
        except (NoAnswer, BadAnswer) as error:
            raise TryLater(str(error)) from error

    def _fault(self, fault: Fault, message: SignedMessage | None) -> Reply:
        fout = seal.fout(AFLEVER, fault)
        return self._sealed(fout, message)

    def _fout(self, message: SignedMessage, code: str, text: str) -> Reply:
        return self._sealed(Fout(code, text), message)

    def _sealed(self, fout: Fout, message: SignedMessage | None) -> Reply:
        relates = message.addressing.message_id if message else None
        body = seal.seal_fault(
            AFLEVER,
            AFLEVER.operations[0],
            fout,
            message_id=relates or "uuid:00000000-0000-4000-8000-000000000000",
            relates_to=relates,
        )
        return Reply(500, body)


def _tried(call: Callable[..., Any], *words: Any) -> Any:
    """What `call` gives, or the exception it ends with: the others of a batch go on."""
    try:
        return call(*words)
    except Exception as error:  # noqa: BLE001 - it belongs to who asked
        return error
