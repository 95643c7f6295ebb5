"""Channel `wus`: the gateway delivers to an agency with `afleverRequest`.

Tells apart what trying again can mend (technical fault, an answer that cannot be trusted) from
what it cannot (the agency says no), and both from silence, which is no answer at all. Writes
nothing: the engine keeps the attempts.
Source: Digipoort koppelvlakservices 1.2 `afleverRequest`, `afleverResponse`, `afleverFault`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from openpoort.domain import timeouts
from openpoort.domain.fault import Fault, quoted
from openpoort.domain.ids import Oin
from openpoort.domain.message import AfleverBevestiging, Bericht
from openpoort.outbound.exchange import BadAnswer, Exchange, Faulted, Overloaded
from openpoort.outbound.http import Https, NoAnswer
from openpoort.process.ports import (
    Agency,
    AgencyBusy,
    AgencySilent,
    DeliveryFailed,
    DeliveryRefused,
)
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import Signer
from openpoort.wire.wus.services import AFLEVER

AGENCY_ERROR = "AFO100"
OUR_ERROR = "AFS100"


@dataclass(frozen=True, slots=True)
class WusChannel:
    """`identify` names the OIN behind a certificate it trusts (DER, at a time); it raises
    BadAnswer for one it does not. `options` of an agency: `hash` chooses its digest, the rest are
    its time-outs (`domain.timeouts`)."""

    http: Https
    signer: Signer
    identify: Callable[[bytes, datetime], Oin]
    now: Callable[[], datetime]
    name: str = field(default="wus")

    def deliver(self, bericht: Bericht, agency: Agency, message_id: str) -> AfleverBevestiging:
        """One attempt; see `process.ports.Channel`."""
        exchange = Exchange(
            # The agency knows a message again by its MessageID.
            self.http.repeating(timeouts.of(agency.options, self.http.timeouts)),
            self.signer,
            lambda token, _tls, at: self._judge(agency, token, at),
            self.now,
            agency.options.get("hash", "sha256"),
        )
        body = koppelvlak.written(bericht)
        try:
            message, raw = exchange.ask_raw(
                agency.endpoint, AFLEVER.operations[0], body, message_id
            )
            answer = koppelvlak.read(message)
        except Faulted as fault:
            raise _meaning(fault) from fault
        except NoAnswer as no:
            raise (DeliveryFailed if no.heard else AgencySilent)(str(no)) from no
        except Overloaded as busy:
            raise AgencyBusy(str(busy), timedelta(seconds=busy.seconds)) from busy
        except BadAnswer as error:
            raise DeliveryFailed(str(error)) from error
        except Fault as error:  # names what it read, which is theirs
            raise DeliveryFailed(f"the answer cannot be read: {quoted(str(error))}") from error
        return replace(_confirmed(answer, bericht), raw=raw)

    def _judge(self, agency: Agency, token: bytes, at: datetime) -> None:
        if self.identify(token, at) != agency.oin:
            raise BadAnswer("the answer is signed by another party than the agency")


def _confirmed(answer: object, bericht: Bericht) -> AfleverBevestiging:
    if not isinstance(answer, AfleverBevestiging):
        raise DeliveryFailed("the answer is no afleverResponse")
    if answer.kenmerk.lower() != bericht.kenmerk.lower():
        raise DeliveryFailed(f"the answer is about kenmerk {quoted(answer.kenmerk)}")
    if answer.berichtkenmerk != bericht.berichtkenmerk:
        raise DeliveryFailed("the answer is about another berichtkenmerk")
    return answer


def _meaning(fault: Faulted) -> DeliveryRefused | DeliveryFailed:
    """AFO…: the agency's own no. AFS100: our request is wrong, and stays wrong. Else: may pass."""
    if fault.fout is None:
        return DeliveryFailed(str(fault))
    if fault.fout.foutcode.startswith("AFO"):
        return DeliveryRefused(AGENCY_ERROR, fault.fout.foutbeschrijving)
    if fault.fout.foutcode == OUR_ERROR:
        return DeliveryRefused("AFS400", fault.fout.foutbeschrijving)
    return DeliveryFailed(str(fault))
