"""The company's side of contract 1.2: hand in, ask for statuses, fetch messages.

Works against any gateway that speaks the contract. Every answer is verified: signature,
certificate, that it answers this request, that it was made just now.
Source: Digipoort koppelvlak WUS 1.2, Aanleverservice, Statusinformatieservice, Ophaalservice.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from openpoort.client.trust import Anchors
from openpoort.domain.fault import Fault
from openpoort.domain.message import AanleverBevestiging, Aanlevering, Antwoord, Operatie, Vraag
from openpoort.domain.status import Status
from openpoort.keys.pem import PemSigner
from openpoort.outbound.exchange import BadAnswer, Exchange
from openpoort.outbound.http import Https, Timeouts, tls_context
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import Signer
from openpoort.wire.wus.services import AANLEVER, OPHAAL, STATUSINFORMATIE, Operation, Service


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of the three services; they stand in wsa:To as they are written here."""

    aanleveren: str
    status: str
    ophalen: str

    @classmethod
    def below(cls, url: str) -> Endpoints:
        """From a base (`https://host:8443`, with or without `/wus/2.0/`) or one service's URL.

        Raises ValueError if `url` is no https address.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError(f"{url} is no https address")
        root, _, _ = parts.path.partition("/wus/2.0")
        base = f"https://{parts.netloc}{root.rstrip('/')}"
        return cls(base + AANLEVER.path, base + STATUSINFORMATIE.path, base + OPHAAL.path)

    def of(self, service: Service) -> str:
        known = {AANLEVER.name: self.aanleveren, STATUSINFORMATIE.name: self.status}
        return known.get(service.name, self.ophalen)


class Client:
    """One party at one gateway. Use it as a context manager; it keeps connections open."""

    def __init__(self, endpoints: Endpoints, exchange: Exchange) -> None:
        self._endpoints = endpoints
        self._exchange = exchange

    @classmethod
    def from_files(
        cls,
        url: str,
        certificate: Path,
        key: Path,
        ca: Path | None = None,
        *,
        hash_name: str = "sha256",
        timeouts: Timeouts | None = None,
    ) -> Client:
        """Certificate (leaf first) and key sign and identify in TLS; `ca` is the trust anchor.

        Raises OSError, ValueError or KeyUnusable when a file cannot be used.
        """
        signer: Signer = PemSigner(certificate, key)
        http = Https(tls_context(certificate, key, ca), timeouts=timeouts)
        anchors = Anchors.from_files(ca, certificate)
        exchange = Exchange(http, signer, anchors.judge, _now, hash_name)
        return cls(Endpoints.below(url), exchange)

    def aanleveren(
        self, aanlevering: Aanlevering, message_id: str | None = None
    ) -> AanleverBevestiging:
        """Hand in one message. To repeat safely after NoAnswer, pass the same `message_id`.

        Raises NoAnswer, Faulted or BadAnswer (see `outbound.exchange`).
        """
        answer = self._ask(AANLEVER, AANLEVER.operations[0], aanlevering, message_id)
        if not isinstance(answer, AanleverBevestiging):
            raise BadAnswer("the answer is no aanleverResponse")
        return answer

    def vraag(self, vraag: Vraag) -> Antwoord:
        """One of the eleven reading operations. Raises as `aanleveren`."""
        service = STATUSINFORMATIE if _names(STATUSINFORMATIE, vraag.operatie) else OPHAAL
        operation = next(o for o in service.operations if o.name == vraag.operatie.value)
        answer = self._ask(service, operation, vraag, None)
        if not isinstance(answer, Antwoord):
            raise BadAnswer(f"the answer is no {vraag.operatie.value}Response")
        return answer

    def statussen(self, kenmerk: str) -> tuple[Status, ...]:
        """The whole history of a process, oldest first."""
        answer = self.vraag(Vraag(Operatie.STATUSSEN_PROCES, kenmerk=kenmerk))
        return tuple(item for item in answer.items if isinstance(item, Status))

    def close(self) -> None:
        self._exchange.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(
        self,
        service: Service,
        operation: Operation,
        value: Aanlevering | Vraag,
        message_id: str | None,
    ) -> koppelvlak.Value:
        message = self._exchange.ask(
            self._endpoints.of(service),
            operation,
            koppelvlak.write(value),
            message_id or f"urn:uuid:{uuid.uuid4()}",
        )
        try:
            return koppelvlak.read(message)
        except Fault as fault:
            raise BadAnswer(f"the answer does not follow the schema: {fault.text}") from fault


def _names(service: Service, operatie: Operatie) -> bool:
    return any(operation.name == operatie.value for operation in service.operations)


def _now() -> datetime:
    return datetime.now(UTC)
