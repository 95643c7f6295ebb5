"""WS-Addressing 1.0: the headers of a message as values, and the rules of contract 1.2."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from lxml import etree

from openpoort.domain.fault import Fault
from openpoort.wire.names import ANONYMOUS, BLANKS, NONE, WSA
from openpoort.wire.wus.envelope import misplaced
from openpoort.wire.wus.services import Operation, Service
from openpoort.wire.wus.signed_message import Addressing, SignedMessage
from openpoort.wire.xml import instant
from openpoort.wire.xml.elements import children, text_of

__all__ = ["LIFETIME", "SKEW", "Addressing", "alike", "check", "endpoints", "read"]

SKEW = timedelta(minutes=5)
LIFETIME = timedelta(hours=1)
"""No request is fresh longer than this after Created, whatever its Expires says."""
_DEFAULT_LIFETIME = timedelta(minutes=5)
_MAX_ID = 256
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def read(headers: Mapping[str, etree._Element], *, answer: bool = False) -> Addressing:
    """The values of wsa headers by local name. Fault if one is missing or no address."""
    if not answer:
        _required(headers, "To")
    return Addressing(
        to=_text(headers, "To"),
        action=_required(headers, "Action"),
        message_id=_required(headers, "MessageID"),
        reply_to=_endpoint(headers, "ReplyTo"),
        fault_to=_endpoint(headers, "FaultTo"),
        source=_endpoint(headers, "From"),
        relates_to=_text(headers, "RelatesTo"),
    )


_FOLDERS = ("/wus/2.0/", "/cpl/")


def endpoints(bases: Iterable[str], service: Service) -> frozenset[str]:
    """The wsa:To values a service answers to, for `check`: every base URL (`https://host:port`)
    and its path, and the references that mean the same: the path itself, and the path below the
    folder of all services (`aanleverservice/1.2`, which a published client sends)."""
    path = service.path
    below = {path.removeprefix(folder) for folder in _FOLDERS if path.startswith(folder)}
    return frozenset({*(alike(base.rstrip("/") + path) for base in bases), path, *below})


def check(
    message: SignedMessage,
    service: Service,
    accepted_to: frozenset[str],
    now: datetime,
    skew: timedelta = SKEW,
) -> Operation:
    """The operation a request asks for, found by its body element (never by Action alone).

    `accepted_to` comes from `endpoints`. Fault if To, Action, MessageID,
    ReplyTo or the Timestamp is not as prescribed; its text names the header and both values.
    """
    fresh(message, now, skew)
    operation = service.operation(str(message.body.tag))
    if operation is None:
        raise Fault(
            f"Service {service.name} kent geen verzoek {message.operation[:80]} "
            f"in namespace {(etree.QName(message.body).namespace or '')[:120]}."
        )
    values = message.addressing
    if alike(values.to or "") not in accepted_to:
        raise Fault(
            f"wsa:To is {(values.to or '')[:255]}; verwacht is het adres waar het verzoek heen "
            f"gaat: https://HOST{service.path}, met de HOST die u aanroept."
        )
    if values.action not in (operation.action, operation.action_wcf):
        raise Fault(f"wsa:Action is {values.action[:255]}; verwacht is {operation.action}.")
    _message_id(values.message_id)
    _answers_here(values)
    return operation


def fresh(message: SignedMessage, now: datetime, skew: timedelta = SKEW) -> None:
    """Fault if the Timestamp lies in the future or has passed; both with `skew` to spare."""
    if message.created > now + skew:
        raise Fault(
            f"wsu:Created {instant.form(message.created)} ligt in de toekomst; "
            f"hier is het {instant.form(now)}."
        )
    end = message.expires or message.created + _DEFAULT_LIFETIME
    if now > min(end, message.created + LIFETIME) + skew:
        raise Fault(
            f"Het bericht is verlopen: wsu:Timestamp gold van {instant.form(message.created)} "
            f"tot {instant.form(end)}; hier is het {instant.form(now)}."
        )


def is_message_id(value: str) -> bool:
    """Whether this is an absolute IRI of at most 256 characters."""
    return len(value) <= _MAX_ID and _IRI.fullmatch(value) is not None


def _message_id(value: str) -> None:
    if not is_message_id(value):
        raise Fault(
            f"wsa:MessageID {value[:80]} is geen absolute IRI van ten hoogste {_MAX_ID} tekens, "
            "zoals urn:uuid:…"
        )


def _answers_here(values: Addressing) -> None:
    if values.reply_to not in (None, ANONYMOUS):
        raise Fault(f"wsa:ReplyTo is {values.reply_to[:255]}; alleen {ANONYMOUS} is toegestaan.")
    others = {"FaultTo": values.fault_to, "From": values.source, "RelatesTo": values.relates_to}
    for local, value in others.items():
        if value not in (None, ANONYMOUS, NONE):
            raise Fault(f"wsa:{local} mag alleen {ANONYMOUS} of {NONE} bevatten.")


def alike(to: str) -> str:
    """One spelling for addresses that are the same: scheme and host have no case (RFC 3986,
    6.2.2.1), 443 is what https means without a port, one slash at the end says nothing."""
    scheme, mark, rest = to.removesuffix("/").partition("://")
    if not mark:
        return scheme
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower().removesuffix(':443')}{slash}{path}"


def _text(headers: Mapping[str, etree._Element], local: str) -> str | None:
    element = headers.get(local)
    if element is None:
        return None
    return text_of(element).strip(BLANKS)


def _required(headers: Mapping[str, etree._Element], local: str) -> str:
    found = _text(headers, local)
    if not found:
        raise Fault(f"De header wsa:{local} ontbreekt of is leeg.")
    return found


def _endpoint(headers: Mapping[str, etree._Element], local: str) -> str | None:
    """The Address of an endpoint reference, which may hold nothing else."""
    element = headers.get(local)
    if element is None:
        return None
    parts = list(children(element))
    if len(parts) != 1 or parts[0].tag != f"{{{WSA}}}Address":
        wrong = f"wsa:{local} moet precies een wsa:Address bevatten."
        raise misplaced(parts[0], wrong) if parts else Fault(wrong)
    return text_of(parts[0]).strip(BLANKS)
