"""Is this certificate to be trusted, for this purpose, at this moment, with this evidence?

Paths are built and validated by pyhanko-certvalidator, which may not fetch anything here. Around
it stand the rules of PKIoverheid and of the gateway: a leaf, with the right usages, a key of
sane size, an OIN, from a generation that is accepted now. Source: RFC 5280; spec 2.5, 2.3 PKI003.
"""

from __future__ import annotations

import hashlib
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko_certvalidator import CertificateValidator, ValidationContext, errors
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.policy_decl import RevocationCheckingRule as Rule

from openpoort.trust.anchors import Anchors, Generation, Pinned, Purpose, Usage
from openpoort.trust.revocation import Evidence, FailMode, next_change, once_revoked
from openpoort.trust.subject import common_name, oin_of
from openpoort.trust.verdict import Judged, Reason, Standing, Untrusted
from openpoort.wire.xmldsig.certificate import read_certificate

T = TypeVar("T")
KEY_BITS = range(2048, 8193)
"""Smaller keys are broken; larger ones make verifying a way to keep the gateway busy."""
LONGEST = timedelta(hours=1)
"""A verdict is never reused longer than this, whatever else lasts."""
TOLERANCE = timedelta(0)

_RULES = {
    FailMode.HARD: Rule.CHECK_IF_DECLARED,
    FailMode.SOFT: Rule.CHECK_IF_DECLARED,
    FailMode.REQUIRE: Rule.CRL_OR_OCSP_REQUIRED,
    FailMode.OFF: Rule.NO_CHECK,
}


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of the DER in lower-case hex."""
    return hashlib.sha256(certificate).hexdigest()


def judge(
    leaf: bytes,
    purpose: Purpose,
    at: datetime,
    anchors: Anchors,
    evidence: Evidence,
    mode: FailMode,
) -> Judged:
    """The verdict on one certificate (DER). Raises Untrusted with the first reason found."""
    try:
        return _judge(leaf, purpose, at, anchors, evidence, mode)
    except Untrusted:
        raise
    except Exception as error:
        raise Untrusted(Reason.UNREADABLE, type(error).__name__) from error


def _judge(
    leaf: bytes,
    purpose: Purpose,
    at: datetime,
    anchors: Anchors,
    evidence: Evidence,
    mode: FailMode,
) -> Judged:
    certificate = _read(leaf)
    mark = fingerprint(leaf)
    _valid_at(certificate, at)
    _key(certificate)
    pinned = anchors.pinned.get(mark)
    if pinned is not None and purpose in pinned.purposes:
        return _as_pinned(pinned, certificate, mark, at)
    _is_leaf(certificate)
    end = asn1.Certificate.load(leaf, strict=True)
    generation, path = _path(end, purpose, at, anchors)
    _usage(certificate, generation.usage[purpose])
    _policy(certificate, generation.policies)
    oin = oin_of(certificate, test_oins=anchors.test_oins)
    standing = _standing(end, path, generation, at, evidence, mode)
    return Judged(
        oin=oin,
        common_name=common_name(certificate),
        fingerprint=mark,
        generation=generation.name,
        standing=standing,
        until=_until(path, generation, at, evidence, mode),
    )


def _read(leaf: bytes) -> x509.Certificate:
    try:
        return read_certificate(leaf)
    except ValueError as error:
        raise Untrusted(Reason.UNREADABLE, f"no X.509 certificate: {error}") from None


def _valid_at(certificate: x509.Certificate, at: datetime) -> None:
    if at < certificate.not_valid_before_utc:
        raise Untrusted(Reason.NOT_YET_VALID, f"from {certificate.not_valid_before_utc}")
    if at > certificate.not_valid_after_utc:
        raise Untrusted(Reason.EXPIRED, f"at {certificate.not_valid_after_utc}")


def _key(certificate: x509.Certificate) -> None:
    try:
        key = certificate.public_key()
    except ValueError as error:
        raise Untrusted(Reason.WEAK_KEY, f"no usable key: {error}") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Untrusted(Reason.WEAK_KEY, "only RSA keys are in use here")
    if key.key_size not in KEY_BITS:
        raise Untrusted(Reason.WEAK_KEY, f"a key of {key.key_size} bits")
    exponent = key.public_numbers().e
    if exponent < 65537 or exponent.bit_length() > 64:
        raise Untrusted(Reason.WEAK_KEY, "an odd public exponent")


def _as_pinned(pinned: Pinned, certificate: x509.Certificate, mark: str, at: datetime) -> Judged:
    return Judged(
        oin=pinned.oin,
        common_name=common_name(certificate),
        fingerprint=mark,
        generation="pinned",
        standing=Standing.NOT_CHECKED,
        until=min(certificate.not_valid_after_utc, at + LONGEST),
    )


def _is_leaf(certificate: x509.Certificate) -> None:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return
    except ValueError as error:
        raise Untrusted(Reason.UNREADABLE, f"extensions: {error}") from None
    if constraints.value.ca:
        raise Untrusted(Reason.NOT_A_LEAF, "a certificate authority does not send messages")


def _path(
    end: asn1.Certificate, purpose: Purpose, at: datetime, anchors: Anchors
) -> tuple[Generation, tuple[asn1.Certificate, ...]]:
    """The generation the certificate belongs to, and its path from leaf to just below the root.

    Each generation is tried by itself: an intermediate of one never leads to the root of
    another, and a refusal can say that the generation is known but not accepted.
    """
    why = Untrusted(Reason.UNKNOWN_ISSUER, "no path to a root that is known here")
    for generation in anchors.generations:
        try:
            path = _validate(end, generation, at, Evidence(), Rule.NO_CHECK)
        except errors.PathBuildingError:
            continue
        except errors.ValidationError as error:
            why = _translated(error)
            continue
        if not generation.accepted(at):
            why = Untrusted(Reason.UNKNOWN_ISSUER, f"{generation.name} is not accepted now")
        elif purpose not in generation.purposes:
            why = Untrusted(Reason.WRONG_PURPOSE, f"{generation.name} is not for {purpose}")
        else:
            return generation, path
    raise why


def _usage(certificate: x509.Certificate, asked: Usage) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        given = {name for name in asked.key_usage if getattr(usage, name)}
    except x509.ExtensionNotFound:
        given = set()
    if asked.key_usage and not given:
        raise Untrusted(Reason.WRONG_USAGE, "key usage does not fit the purpose")
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        extended = {oid.dotted_string for oid in found}
    except x509.ExtensionNotFound:
        extended = set()
    if asked.extended and not asked.extended & extended:
        raise Untrusted(Reason.WRONG_USAGE, "extended key usage does not fit the purpose")


def _policy(certificate: x509.Certificate, asked: frozenset[str]) -> None:
    if not asked:
        return
    try:
        found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
        given = {information.policy_identifier.dotted_string for information in found}
    except x509.ExtensionNotFound:
        given = set()
    if not asked & given:
        raise Untrusted(Reason.WRONG_POLICY, "certificate policy does not fit the generation")


def _standing(
    end: asn1.Certificate,
    path: tuple[asn1.Certificate, ...],
    generation: Generation,
    at: datetime,
    evidence: Evidence,
    mode: FailMode,
) -> Standing:
    if mode is FailMode.OFF:
        return Standing.NOT_CHECKED
    if once_revoked(path, evidence):
        raise Untrusted(Reason.REVOKED, "listed as revoked")
    if mode is not FailMode.REQUIRE and not _declares(end):
        return Standing.NOT_CHECKED
    try:
        _validate(end, generation, at, evidence, _RULES[mode])
    except errors.RevokedError:
        raise Untrusted(Reason.REVOKED, "listed as revoked") from None
    except errors.InsufficientRevinfoError as error:
        if mode is FailMode.SOFT:
            return Standing.UNKNOWN
        raise _translated(error) from None
    except errors.ValidationError as error:
        raise _translated(error) from None
    return Standing.GOOD


def _declares(end: asn1.Certificate) -> bool:
    """Whether the certificate names a place where evidence about it can be had."""
    return bool(end.crl_distribution_points or end.ocsp_urls)


def _validate(
    end: asn1.Certificate, generation: Generation, at: datetime, evidence: Evidence, rule: Rule
) -> tuple[asn1.Certificate, ...]:
    roots = [_certificate(r) for r in generation.roots]
    context = ValidationContext(
        trust_roots=[r for r in roots if r.not_valid_before <= at <= r.not_valid_after],
        other_certs=[_certificate(i) for i in generation.intermediates],
        moment=at,
        allow_fetching=False,
        crls=list(evidence.crls),
        ocsps=list(evidence.ocsps),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(rule, rule)),
        time_tolerance=TOLERANCE,
    )
    validator = CertificateValidator(end, validation_context=context)
    found: Any = _finish(validator.async_validate_path())
    certificates = tuple(found)
    return tuple(reversed(certificates[1:])) if len(certificates) > 1 else certificates


def _certificate(der: bytes) -> asn1.Certificate:
    return asn1.Certificate.load(der, strict=True)


def _finish(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits. The library's interface is asynchronous for the sake of
    fetching; without fetching it runs through at once, and a wait would be a mistake."""
    try:
        work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    work.close()
    raise RuntimeError("validation of a certificate tried to wait for something")


def _translated(error: errors.ValidationError) -> Untrusted:
    reasons: tuple[tuple[type[Exception], Reason], ...] = (
        (errors.RevokedError, Reason.REVOKED),
        (errors.StaleRevinfoError, Reason.STALE_EVIDENCE),
        (errors.InsufficientRevinfoError, Reason.NO_EVIDENCE),
        (errors.ExpiredError, Reason.EXPIRED),
        (errors.NotYetValidError, Reason.NOT_YET_VALID),
        (errors.DisallowedAlgorithmError, Reason.WEAK_ALGORITHM),
    )
    for kind, reason in reasons:
        if isinstance(error, kind):
            return Untrusted(reason, type(error).__name__)
    return Untrusted(Reason.BAD_PATH, type(error).__name__)


def _until(
    path: tuple[asn1.Certificate, ...],
    generation: Generation,
    at: datetime,
    evidence: Evidence,
    mode: FailMode,
) -> datetime:
    ends = [at + LONGEST, *(c.not_valid_after for c in path)]
    if generation.until is not None:
        ends.append(generation.until)
    if mode is not FailMode.OFF:
        change = next_change(path, evidence)
        # Evidence that is already stale changes nothing any more by getting older.
        if change is not None and change > at:
            ends.append(change)
    first: datetime = min(ends)
    return first.astimezone(UTC)
