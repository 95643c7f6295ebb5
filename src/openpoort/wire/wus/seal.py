"""Writing SOAP 1.1 messages from templates, in the layout that real answers have.

All signed parts are written in exclusive canonical form, so a digest is one hash over bytes
that are there anyway; only SignedInfo has two spellings, as sent and canonical.
Source: captured answers (docs: wire reference).
"""

from __future__ import annotations

import hashlib
import uuid
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Protocol, TypeVar, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from openpoort.domain.fault import Fault, Fout
from openpoort.wire.names import (
    ANONYMOUS,
    BASE64_BINARY,
    DIGEST_URI,
    DS,
    EXC_C14N,
    KOPPELVLAK,
    SIGNATURE_URI,
    SOAP,
    WSA,
    WSSE,
    WSU,
    X509V3,
)
from openpoort.wire.wus.fields import escape
from openpoort.wire.wus.services import Operation, Service
from openpoort.wire.xml import instant
from openpoort.wire.xml.streamed_body import Body, pieces, weave
from openpoort.wire.xmldsig.certificate import read_certificate

ANSWER_LIFE = timedelta(minutes=10)
REQUEST_LIFE = timedelta(minutes=5)
_Body = TypeVar("_Body", bound=Body)
"""What is sealed is whole or in pieces, as its body is."""


class Signer(Protocol):
    """A key that signs and the certificate that goes with it."""

    @property
    def certificate(self) -> bytes:
        """DER of the leaf."""
        ...

    def sign(self, data: bytes, hash_name: str) -> bytes:
        """RSA PKCS#1 v1.5 over `data`; `hash_name` is sha1, sha256, sha384 or sha512."""
        ...


@dataclass(frozen=True, slots=True)
class _Part:
    """A signed part: its id, its bytes in the message, and in pieces as a digest sees it, once.

    They differ in namespace declarations only: an outer element may make some for it.
    """

    identity: str
    sent: bytes
    canonical: Iterable[bytes]


def seal_answer(
    body: _Body,
    *,
    action: str,
    message_id: str,
    relates_to: str,
    created: datetime,
    signer: Signer,
    hash_name: str,
) -> _Body:
    """A signed answer in the captured layout; Expires is ten minutes after `created`."""
    headers = [
        _header("To", "w_21", ANONYMOUS),
        _header("MessageID", "w_22", message_id),
        _header("Action", "w_23", action),
        _header("RelatesTo", "w_24", relates_to),
    ]
    return _seal(body, headers, created, created + ANSWER_LIFE, signer, hash_name)


def overhead(certificate: bytes, hash_name: str, action: str, *identifiers: str) -> int:
    """Octets of a signed answer beside its body, before it is made. `identifiers`: its MessageID
    and the one it relates to."""
    return _around(certificate, hash_name, action) + sum(len(escape(i)) for i in identifiers)


@dataclass(frozen=True, slots=True)
class _Blank:
    """Signs with as many zeros as the key of this certificate makes octets."""

    certificate: bytes

    def sign(self, data: bytes, hash_name: str) -> bytes:
        key = read_certificate(self.certificate).public_key()
        assert isinstance(key, RSAPublicKey)
        return bytes((key.key_size + 7) // 8)


@lru_cache(maxsize=64)
def _around(certificate: bytes, hash_name: str, action: str) -> int:
    at = datetime(2000, 1, 1, tzinfo=UTC)
    sealed = seal_answer(
        b"", action=action, message_id="", relates_to="", created=at,
        signer=_Blank(certificate), hash_name=hash_name,
    )  # fmt: skip
    return len(sealed)


def seal_request(
    body: _Body,
    *,
    to: str,
    action: str,
    message_id: str,
    created: datetime,
    signer: Signer,
    hash_name: str = "sha256",
    reply_to: bool = True,
) -> _Body:
    """A signed request; Expires is five minutes after `created`."""
    headers = [
        _header("To", "w_21", to),
        _header("MessageID", "w_22", message_id),
        _header("Action", "w_23", action),
    ]
    if reply_to:
        headers.append(_reply_to())
    return _seal(body, headers, created, created + REQUEST_LIFE, signer, hash_name)


_OPEN = (
    f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:wsa="{WSA}"><soapenv:Header>'
    f'<s:Security soapenv:mustUnderstand="1" xmlns:d="{DS}" xmlns:s="{WSSE}" xmlns:u="{WSU}" '
    f'xmlns:x="{EXC_C14N}">'
).encode()
_CLOSE = b"</soapenv:Envelope>"


def _seal(
    body: _Body,
    headers: Sequence[_Part],
    created: datetime,
    expires: datetime,
    signer: Signer,
    hash_name: str,
) -> _Body:
    timestamp = _timestamp(created, expires)
    whole = _body(body)
    parts = [timestamp, *headers, whole]
    as_sent, as_signed = _signed_info(parts, hash_name)
    value = b64encode(signer.sign(as_signed, hash_name))
    token, key_info = _token(signer.certificate)
    sealed = weave(
        (
            *(_OPEN, timestamp.sent, token),
            *(b'<Signature xmlns="', DS.encode(), b'">\n', as_sent),
            *(b"\n    <SignatureValue>", value, b"</SignatureValue>", key_info),
            b"</Signature></s:Security>",
            *(h.sent for h in headers),
            b"</soapenv:Header>",
            *(_BODY_SENT, body, b"</soapenv:Body>", _CLOSE),
        )
    )
    return cast(_Body, sealed)


def _header(local: str, identity: str, value: str) -> _Part:
    text = escape(value).decode()
    return _Part(
        identity,
        f'<wsa:{local} wsu:Id="{identity}" xmlns:wsu="{WSU}">{text}</wsa:{local}>'.encode(),
        (
            f'<wsa:{local} xmlns:wsa="{WSA}" xmlns:wsu="{WSU}" wsu:Id="{identity}">'
            f"{text}</wsa:{local}>".encode(),
        ),
    )


@lru_cache(maxsize=1)
def _reply_to() -> _Part:
    inner = f"<wsa:Address>{ANONYMOUS}</wsa:Address></wsa:ReplyTo>"
    return _Part(
        "w_26",
        f'<wsa:ReplyTo wsu:Id="w_26" xmlns:wsu="{WSU}">{inner}'.encode(),
        (f'<wsa:ReplyTo xmlns:wsa="{WSA}" xmlns:wsu="{WSU}" wsu:Id="w_26">{inner}'.encode(),),
    )


def _timestamp(created: datetime, expires: datetime) -> _Part:
    inner = (
        f"<u:Created>{instant.form(created)}</u:Created>"
        f"<u:Expires>{instant.form(expires)}</u:Expires></u:Timestamp>"
    )
    return _Part(
        "w_25",
        f'<u:Timestamp u:Id="w_25">{inner}'.encode(),
        (f'<u:Timestamp xmlns:u="{WSU}" u:Id="w_25">{inner}'.encode(),),
    )


_BODY_SENT = f'<soapenv:Body wsu:Id="w_20" xmlns:wsu="{WSU}">'.encode()
_BODY_CANONICAL = f'<soapenv:Body xmlns:soapenv="{SOAP}" xmlns:wsu="{WSU}" wsu:Id="w_20">'.encode()


def _body(body: Body) -> _Part:
    canonical = chain((_BODY_CANONICAL,), pieces(body), (b"</soapenv:Body>",))
    return _Part("w_20", b"", canonical)


@lru_cache(maxsize=8)
def _info_templates(identities: tuple[str, ...], hash_name: str) -> tuple[str, str]:
    """SignedInfo as sent and as signed, with a place for each digest."""

    def empty(name: str, uri: str, canonical: bool) -> str:
        return (
            f'<{name} Algorithm="{uri}">' + f"</{name}>"
            if canonical
            else (f'<{name} Algorithm="{uri}"/>')
        )

    def build(canonical: bool) -> str:
        lines = [f'<SignedInfo xmlns="{DS}">' if canonical else "<SignedInfo>"]
        lines.append("  " + empty("CanonicalizationMethod", EXC_C14N, canonical))
        lines.append("  " + empty("SignatureMethod", SIGNATURE_URI[hash_name], canonical))
        for identity in identities:
            lines += [
                f'  <Reference URI="#{identity}">',
                "    <Transforms>",
                "      " + empty("Transform", EXC_C14N, canonical),
                "    </Transforms>",
                "    " + empty("DigestMethod", DIGEST_URI[hash_name], canonical),
                "    <DigestValue>%s</DigestValue>",
                "  </Reference>",
            ]
        return "\n".join([*lines, "</SignedInfo>"])

    return build(False), build(True)


def _signed_info(parts: Sequence[_Part], hash_name: str) -> tuple[bytes, bytes]:
    sent, signed = _info_templates(tuple(p.identity for p in parts), hash_name)
    digests = tuple(_digest(p.canonical, hash_name) for p in parts)
    return (sent % digests).encode(), (signed % digests).encode()


def _digest(pieces: Iterable[bytes], hash_name: str) -> str:
    state = hashlib.new(hash_name, usedforsecurity=False)
    for piece in pieces:
        state.update(piece)
    return b64encode(state.digest()).decode()


@lru_cache(maxsize=64)
def _token(certificate: bytes) -> tuple[bytes, bytes]:
    """BinarySecurityToken and KeyInfo; the id follows from the certificate."""
    identity = f"SecurityToken-{uuid.UUID(bytes=hashlib.sha256(certificate).digest()[:16])}"
    token = (
        f'<wsse:BinarySecurityToken wsu:Id="{identity}" EncodingType="{BASE64_BINARY}" '
        f'ValueType="{X509V3}" xmlns:wsu="{WSU}" xmlns:wsse="{WSSE}">'
        f"{b64encode(certificate).decode()}</wsse:BinarySecurityToken>"
    )
    key_info = (
        f'<KeyInfo><wsse:SecurityTokenReference xmlns:wsse="{WSSE}" xmlns="">'
        f'<wsse:Reference URI="#{identity}" ValueType="{X509V3}"/>'
        f"</wsse:SecurityTokenReference></KeyInfo>"
    )
    return token.encode(), key_info.encode()


_SENTENCES = {
    100: "Het verzoek voldoet niet aan de koppelvlakspecificaties en kan hierdoor niet door "
    "Digipoort worden verwerkt.",
    400: "Door een technische fout kan het verzoek op dit moment niet door Digipoort worden "
    "verwerkt.",
}


def fout(service: Service, fault: Fault) -> Fout:
    """Code and whole description of a fault: first sentence, blank line, what went wrong."""
    sentence = _SENTENCES.get(fault.reason, _SENTENCES[100])
    text = f"{sentence}\n\nDe volgende fout is opgetreden: {fault.text}"
    return Fout(f"{service.letters}{fault.reason}", text)


def seal_fault(
    service: Service,
    operation: Operation | None,
    fout: Fout,
    *,
    message_id: str,
    relates_to: str | None,
) -> bytes:
    """An unsigned fault. `operation` None: the service's first; `relates_to` None: left out.

    One client finds the text by the literal prefix `fault`; signing a fault breaks another.
    """
    action = (operation or service.operations[0]).fault_action
    related = f"<wsa:RelatesTo>{_text(relates_to)}</wsa:RelatesTo>" if relates_to else ""
    side = "Server" if fout.foutcode.endswith("400") else "Client"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:wsa="{WSA}"><soapenv:Header>'
        f"<wsa:To>{ANONYMOUS}</wsa:To><wsa:MessageID>{_text(message_id)}</wsa:MessageID>"
        f"<wsa:Action>{action}</wsa:Action>{related}</soapenv:Header><soapenv:Body>"
        f"<soapenv:Fault><faultcode>soapenv:{side}</faultcode>"
        "<faultstring>Algemene fout</faultstring>"
        "<faultactor>Verantwoordingsplichtige</faultactor><detail>"
        f'<fault:{service.fault} xmlns:fault="{KOPPELVLAK}">'
        f"<fault:foutcode>{_text(fout.foutcode)}</fault:foutcode>"
        f"<fault:foutbeschrijving>{_text(fout.foutbeschrijving)}</fault:foutbeschrijving>"
        f"</fault:{service.fault}></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    ).encode()


def _text(value: str) -> str:
    return escape(value).decode()
