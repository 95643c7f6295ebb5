"""Writing signed SOAP 1.1 messages from templates, in the layout real answers have.

All parts are written in exclusive canonical form, so that a digest is one hash over the bytes.
Source: captured answers (wire reference, section Answers).
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from openpoort.domain.fault import Fault, Fout
from openpoort.wire.services import Operation, Service


class Signer(Protocol):
    """A key that signs and the certificate that goes with it."""

    @property
    def certificate(self) -> bytes:
        """DER of the leaf."""
        ...

    def sign(self, data: bytes, hash_name: str) -> bytes:
        """RSA PKCS#1 v1.5 over `data`; `hash_name` is sha1, sha256, sha384 or sha512."""
        ...


def seal_answer(
    body: bytes,
    *,
    action: str,
    message_id: str,
    relates_to: str,
    created: datetime,
    signer: Signer,
    hash_name: str,
) -> bytes:
    """A signed answer in the captured layout; Expires is ten minutes after `created`."""
    raise NotImplementedError


def seal_request(
    body: bytes,
    *,
    to: str,
    action: str,
    message_id: str,
    created: datetime,
    signer: Signer,
    hash_name: str = "sha256",
    reply_to: bool = True,
) -> bytes:
    """A signed request; Expires is five minutes after `created`."""
    raise NotImplementedError


def fout(service: Service, fault: Fault) -> Fout:
    """Code and whole description of a fault: first sentence, blank line, what went wrong."""
    raise NotImplementedError


def seal_fault(
    service: Service,
    operation: Operation | None,
    fout: Fout,
    *,
    message_id: str,
    relates_to: str | None,
) -> bytes:
    """An unsigned fault. `operation` None: the service's first; `relates_to` None: left out."""
    raise NotImplementedError
