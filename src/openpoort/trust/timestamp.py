"""Is this RFC 3161 time-stamp token to be believed? Requests and verdicts as values, no network.

rfc3161-client (with OpenSSL inside) checks what is cryptography: the CMS signature, the path of
the TSA's certificate to an anchor at genTime, imprint, nonce and policy. What it leaves open is
asked here (RFC 3161 2.3, 2.4.2; RFC 5816): the one extended key usage, the certificate named in
the signed attributes, digests that still hold, a time that can be.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import rfc3161_client as rfc3161
from asn1crypto import cms, core, tsp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

SKEW = timedelta(minutes=5)
"""How far a TSA's clock and ours may differ."""
_DIGESTS = {"sha256", "sha384", "sha512"}
_SHA256 = "2.16.840.1.101.3.4.2.1"


class TimeStampResp(core.Sequence):  # type: ignore[misc]
    """RFC 3161 2.4.2. asn1crypto's own does not know that the token of a refusal is left out."""

    _fields = [  # noqa: RUF012
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class BadStamp(ValueError):
    """No time-stamp to believe; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a token must answer: the stamped bytes, our nonce, the policy asked for (OID)."""

    content: bytes = field(repr=False)
    nonce: int
    policy: str = ""

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.content).digest()

    @property
    def request(self) -> bytes:
        """The TimeStampReq (DER), with our nonce, asking for the TSA's certificate."""
        imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": self.digest}
        fields = {"version": "v1", "message_imprint": imprint, "nonce": self.nonce}
        made = tsp.TimeStampReq(fields | {"cert_req": True})
        if self.policy:
            made["req_policy"] = self.policy
        encoded: bytes = made.dump()
        return encoded


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says: when (UTC), under which policy (OID), and the name in the certificate
    that signed it; empty as long as nobody judged the signature."""

    at: datetime
    policy: str
    tsa: str = ""


def token_of(response: bytes) -> bytes:
    """The token (DER) in a TimeStampResp. Raises BadStamp when none was granted."""
    try:
        answer = TimeStampResp.load(response, strict=True)
        status = answer["status"]["status"].native
        why = answer["status"]["fail_info"].native or answer["status"]["status_string"].native
        token: bytes = answer["time_stamp_token"].dump()
    except Exception as error:
        raise BadStamp(f"no answer of RFC 3161: {type(error).__name__}") from error
    if status != "granted":  # also granted_with_mods: there is nothing in our request to modify
        raise BadStamp(f"the TSA answered {status}: {_words(why)}")
    return token


def claimed(token: bytes, asked: Asked) -> Stamp:
    """What a token says, after comparing it with what was asked; its signature is not judged.

    Raises BadStamp when it is about other content or answers another request.
    """
    try:
        answer = rfc3161.decode_timestamp_response(_response(token))
        info = answer.tst_info
        imprint = info.message_imprint
        found = (imprint.hash_algorithm.dotted_string, imprint.message)
        stamp = Stamp(info.gen_time.astimezone(UTC), info.policy.dotted_string)
    except Exception as error:
        raise BadStamp(f"no token of RFC 3161: {type(error).__name__}") from error
    if found != (_SHA256, asked.digest):
        raise BadStamp("it is over other content (messageImprint)")
    if info.nonce != asked.nonce:
        raise BadStamp("it answers another request (nonce)")
    if asked.policy and stamp.policy != asked.policy:
        raise BadStamp(f"it is under another policy, {stamp.policy}")
    return stamp


def judge(token: bytes, asked: Asked, anchors: Sequence[x509.Certificate]) -> Stamp:
    """What a token says, signed by a TSA below one of `anchors` at that time. Raises BadStamp."""
    stamp = claimed(token, asked)
    try:
        signer = _signer(token)
        _usage(signer)
        verifier = rfc3161.VerifierBuilder(roots=list(anchors), nonce=asked.nonce).build()
        verifier.verify(rfc3161.decode_timestamp_response(_response(token)), asked.digest)
    except BadStamp:
        raise
    except Exception as error:  # anything a parser trips over in a token is a refusal
        raise BadStamp(f"its signature does not hold: {_brief(error)}") from error
    return Stamp(stamp.at, stamp.policy, signer.subject.rfc4514_string())


def plausible(stamp: Stamp, at: datetime) -> None:
    """Whether a fresh token tells about the time it is. Raises BadStamp."""
    if abs(stamp.at - at) > SKEW:
        raise BadStamp(f"its time {stamp.at.isoformat()} is not ours, {at.isoformat()}")


def _response(token: bytes) -> bytes:
    """The TimeStampResp in which a token came: the library reads nothing else."""
    content = cms.ContentInfo.load(token, strict=True)
    granted = {"status": {"status": "granted"}, "time_stamp_token": content}
    made: bytes = TimeStampResp(granted).dump()
    return made


def _signer(token: bytes) -> x509.Certificate:
    """The certificate that the signed attributes name (ESSCertID), and no other, signed."""
    signed = cms.ContentInfo.load(token, strict=True)["content"]
    (info,) = signed["signer_infos"]
    if info["digest_algorithm"]["algorithm"].native not in _DIGESTS:
        raise BadStamp("it is signed over a weak digest")
    named = {
        a["type"].native: a["values"][0]
        for a in info["signed_attrs"]
        if a["type"].native in {"signing_certificate", "signing_certificate_v2"}
    }
    for form, value in named.items():
        first = value["certs"][0]
        name = "sha1" if form == "signing_certificate" else first["hash_algorithm"]["algorithm"]
        for choice in signed["certificates"]:
            der = choice.chosen.dump()
            digest = hashlib.new(name if isinstance(name, str) else name.native, der).digest()
            if digest != first["cert_hash"].native:
                continue
            certificate = x509.load_der_x509_certificate(der)
            if certificate.serial_number != info["sid"].chosen["serial_number"].native:
                raise BadStamp("the certificate it names is not the one that signed")
            return certificate
    raise BadStamp("it does not carry the certificate that its signed attributes name")


def _usage(signer: x509.Certificate) -> None:
    """RFC 3161 2.3: exactly one purpose, critical."""
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise BadStamp("the TSA's certificate is not for time-stamping") from None
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise BadStamp("the TSA's certificate is not for time-stamping only (critical)")


def _brief(error: Exception) -> str:
    """What OpenSSL found, without its trail of files and lines."""
    found = re.search(r'data: "([^"]+)"', str(error)) or re.search(r'reason: "([^"]+)"', str(error))
    return found[1].removeprefix("Verify error: ") if found else str(error)[:100]


def _words(why: object) -> str:
    """The TSA's own reason, as short as a line of a log may be."""
    parts = why if isinstance(why, list | set | tuple) else [why]
    return ", ".join(sorted(str(p) for p in parts if p))[:100] or "no reason given"
