"""The matrix of nasty certificates: each flaw one reason, for TLS and for tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_keys
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from openpoort.domain.ids import Oin
from openpoort.inbound.turnstile import whose
from openpoort.sandbox.authority import AUTHENTICATION, DOCUMENT_SIGNING, SERVICES, SIGNATURE, Usage
from openpoort.trust.anchors import SINGLE_PURPOSE, Anchors, Pinned, Purpose
from openpoort.trust.chain import fingerprint
from openpoort.trust.subject import oin_of
from openpoort.trust.verdict import Reason, Standing, Untrusted
from tests.trust_builders import (
    NOW,
    OIN,
    anchors,
    der,
    generation,
    issuing,
    leaf,
    root,
    verdict,
    why,
)

SECOND = timedelta(seconds=1)
_GOOD = cache(leaf)
BOTH = pytest.mark.parametrize("purpose", list(Purpose))
_SERVER_ONLY = replace(SERVICES, extended=(ExtendedKeyUsageOID.SERVER_AUTH,))
_ANY_EKU = replace(SERVICES, extended=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,))


@BOTH
def test_a_sound_certificate_gives_its_oin(purpose: Purpose) -> None:
    judged = verdict(leaf(), purpose)
    assert judged.oin == Oin(OIN)
    assert judged.common_name == "voorbeeld.test"
    assert judged.generation == "root"
    assert judged.standing is Standing.NOT_CHECKED  # it names no place for evidence


@BOTH
@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ({"not_after": NOW - SECOND}, Reason.EXPIRED),
        ({"not_before": NOW + SECOND}, Reason.NOT_YET_VALID),
        ({"oin": None}, Reason.NO_OIN),
        ({"oin": "123456789"}, Reason.NO_OIN),
        ({"oin": "0000009900100004400x"}, Reason.NO_OIN),
        ({"oin": " 0000009900100004400"}, Reason.NO_OIN),
        ({"oin": "00000005001000044000"}, Reason.NO_OIN),  # a prefix nobody issues
        ({"oin": [OIN, "00000099002000055000"]}, Reason.NO_OIN),  # which one counts?
        ({"oin": [OIN, OIN]}, Reason.NO_OIN),
        ({"ca": True}, Reason.NOT_A_LEAF),
        ({"ca": True, "usage": replace(SERVICES, key_cert_sign=True)}, Reason.NOT_A_LEAF),
        ({"usage": Usage(digital_signature=False, key_encipherment=True)}, Reason.WRONG_USAGE),
        ({"usage": replace(SERVICES, extended=None)}, Reason.WRONG_USAGE),
        ({"usage": _SERVER_ONLY}, Reason.WRONG_USAGE),
        ({"usage": _ANY_EKU}, Reason.WRONG_USAGE),
        ({"critical": x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")}, Reason.BAD_PATH),
        ({"ca": None}, None),  # no basicConstraints at all: still a leaf
    ],
)
@pytest.mark.conformance("WUS-2.5-1")
def test_flaw_gives_its_reason(
    purpose: Purpose, flaw: dict[str, object], reason: Reason | None
) -> None:
    flaw = dict(flaw)
    if "ca" in flaw and flaw["ca"] is None:
        flaw = {"basic_constraints": False}
    assert why(leaf(None, flaw.pop("oin", OIN), **flaw), purpose) is reason


@pytest.mark.parametrize(("bits", "reason"), [(1024, Reason.WEAK_KEY), (2048, None)])
def test_small_keys_are_refused(bits: int, reason: Reason | None) -> None:
    assert why(leaf(key=None, bits=bits)) is reason


def test_oversized_keys_are_refused_before_any_work() -> None:
    # A modulus of 16 kbit that nobody can factor or use; only its size matters.
    numbers = rsa_keys.RSAPublicNumbers(65537, (1 << 16383) | 1)
    assert why(_with_public_key(numbers.public_key())) is Reason.WEAK_KEY


def test_other_key_kinds_are_refused() -> None:
    assert why(_with_public_key(ec.generate_private_key(ec.SECP256R1()).public_key())) is (
        Reason.WEAK_KEY
    )


@pytest.mark.parametrize("exponent", [3, (1 << 65) + 1])
def test_odd_exponents_are_refused(exponent: int) -> None:
    modulus = leaf().key.public_key().public_numbers().n
    public = rsa_keys.RSAPublicNumbers(exponent, modulus).public_key()
    assert why(_with_public_key(public)) is Reason.WEAK_KEY


@BOTH
def test_unknown_root_and_self_signed_are_refused(purpose: Purpose) -> None:
    assert why(leaf(issuing("other")), purpose) is Reason.UNKNOWN_ISSUER
    assert why(der(root("other")), purpose) is Reason.NOT_A_LEAF
    assert why(der(root()), purpose) is Reason.NOT_A_LEAF


def test_same_names_with_another_key_are_refused() -> None:
    from openpoort.sandbox.authority import Ca

    copy = Ca.root("root", NOW).intermediate("root services", NOW)
    assert why(leaf(copy)) in {Reason.UNKNOWN_ISSUER, Reason.BAD_PATH}


def test_leaf_cannot_issue() -> None:
    from openpoort.sandbox.authority import Ca

    first = leaf()
    second = leaf(Ca(first.certificate, first.key, (first.certificate, *first.chain)))
    store = anchors(replace(generation(), intermediates=(der(issuing()), first.der)))
    assert why(second, store=store) is Reason.BAD_PATH


def test_path_length_is_kept() -> None:
    below = issuing().intermediate("one too many", NOW)
    store = anchors(replace(generation(), intermediates=(der(issuing()), der(below))))
    assert why(leaf(below), store=store) is Reason.BAD_PATH


def test_expired_intermediate_is_refused() -> None:
    assert why(leaf(not_after=NOW + timedelta(days=9000)), at=NOW + timedelta(days=4000)) in {
        Reason.EXPIRED,
        Reason.BAD_PATH,
    }


def test_test_oins_can_be_shut_out() -> None:
    store = replace(anchors(), test_oins=False)
    assert why(leaf(), store=store) is Reason.TEST_OIN
    assert why(leaf(None, "00000003900000440000"), store=store) is None


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (timedelta(0), None),
        (-SECOND, Reason.NOT_YET_VALID),
    ],
)
def test_first_second_of_validity(step: timedelta, reason: Reason | None) -> None:
    assert why(leaf(not_before=NOW), at=NOW + step) is reason


@pytest.mark.parametrize(("step", "reason"), [(timedelta(0), None), (SECOND, Reason.EXPIRED)])
def test_last_second_of_validity(step: timedelta, reason: Reason | None) -> None:
    assert why(leaf(not_after=NOW), at=NOW + step) is reason


def test_single_purpose_generation_keeps_the_two_apart() -> None:
    store = anchors(generation(usage=SINGLE_PURPOSE))
    auth, sign = leaf(usage=replace(AUTHENTICATION)), leaf(usage=SIGNATURE)
    assert why(auth, Purpose.AUTHENTICATION, store=store) is None
    assert why(auth, Purpose.SIGNATURE, store=store) is Reason.WRONG_USAGE
    assert why(sign, Purpose.SIGNATURE, store=store) is None
    assert why(sign, Purpose.AUTHENTICATION, store=store) is Reason.WRONG_USAGE
    both = leaf(usage=replace(SERVICES, extended=(*(SERVICES.extended or ()), DOCUMENT_SIGNING)))
    assert why(both, Purpose.SIGNATURE, store=store) is None


def test_four_generations_side_by_side() -> None:
    """Multi-purpose until a date, two single-purpose roots, and one that is still to come."""
    store = anchors(
        generation("g1", until=NOW + timedelta(days=30)),
        generation("g2-auth", purposes=frozenset({Purpose.AUTHENTICATION}), usage=SINGLE_PURPOSE),
        generation("g2-sign", purposes=frozenset({Purpose.SIGNATURE}), usage=SINGLE_PURPOSE),
        generation("g3", since=NOW + timedelta(days=10), usage=SINGLE_PURPOSE),
    )
    later = NOW + timedelta(days=40)
    old = leaf(issuing("g1"))
    auth, sign = leaf(issuing("g2-auth")), leaf(issuing("g2-sign"), usage=SIGNATURE)
    new = leaf(issuing("g3"), usage=SIGNATURE)
    tls, token = Purpose.AUTHENTICATION, Purpose.SIGNATURE
    expected = [
        (old, tls, NOW, None),
        (old, token, NOW, None),
        (old, token, NOW + timedelta(days=30), Reason.UNKNOWN_ISSUER),
        (old, tls, later, Reason.UNKNOWN_ISSUER),
        (auth, tls, NOW, None),
        (auth, token, NOW, Reason.WRONG_PURPOSE),
        (sign, token, later, None),
        (sign, tls, NOW, Reason.WRONG_PURPOSE),
        (new, token, NOW, Reason.UNKNOWN_ISSUER),
        (new, token, later, None),
    ]
    found = [why(c, p, at, store=store) for c, p, at, _ in expected]
    assert found == [reason for *_, reason in expected]


@pytest.mark.parametrize(
    ("policies", "reason"),
    [
        (["2.16.528.1.1003.1.2.8.6"], None),
        (["1.2.3.4", "2.16.528.1.1003.1.2.8.6"], None),
        (["2.16.528.1.1003.1.2.5.1"], Reason.WRONG_POLICY),  # a person's, with 20 digits too
        (["2.5.29.32.0"], Reason.WRONG_POLICY),  # anyPolicy says nothing
        ([], Reason.WRONG_POLICY),
    ],
)
def test_generation_may_ask_a_policy(policies: list[str], reason: Reason | None) -> None:
    store = anchors(generation(policies=frozenset({"2.16.528.1.1003.1.2.8.6"})))
    assert why(leaf(policies=policies), store=store) is reason


def test_intermediate_of_one_generation_does_not_lead_to_the_root_of_another() -> None:
    store = anchors(
        replace(generation("g1"), intermediates=()),
        replace(generation("g2"), intermediates=(der(issuing("g1")),)),
    )
    assert why(leaf(issuing("g1")), store=store) is Reason.UNKNOWN_ISSUER


def test_verdict_ends_with_certificate_or_acceptance() -> None:
    soon = NOW + timedelta(minutes=5)
    assert verdict(leaf(not_after=soon)).until == soon
    assert verdict(leaf(), store=anchors(generation(until=soon))).until == soon
    assert verdict(leaf()).until == NOW + timedelta(hours=1)


def test_pinned_leaf_passes_as_it_stands_but_not_after_its_end() -> None:
    odd = leaf(issuing("other"), None, ca=True, not_after=NOW + timedelta(days=1))
    oin = Oin("00000099001234567000")
    pins = {fingerprint(odd.der): Pinned(odd.der, oin, frozenset({Purpose.SIGNATURE}))}
    store = Anchors("1", (), pins, test_oins=True)
    assert verdict(odd, store=store).oin == oin
    assert why(odd, Purpose.AUTHENTICATION, store=store) is Reason.NOT_A_LEAF
    assert why(odd, store=store, at=NOW + timedelta(days=2)) is Reason.EXPIRED


@pytest.mark.conformance("WUS-2.5-1")
@pytest.mark.parametrize(
    ("name", "oin"),
    [
        ("captured/server-cert.pem", "00000004003214345001"),
        ("clients/sample-client-cert.pem", "00000099001234567000"),
    ],
)
def test_real_certificates_name_their_oin(shared: Path, name: str, oin: str) -> None:
    """A certificate of the real gateway and one of a client; their authorities are not known."""
    found = x509.load_pem_x509_certificates((shared / "data" / "wus" / name).read_bytes())[0]
    assert oin_of(found, test_oins=True) == Oin(oin)
    der_bytes = found.public_bytes(Encoding.DER)
    at = found.not_valid_before_utc + timedelta(days=1)
    assert why(der_bytes, at=at) in {Reason.UNKNOWN_ISSUER, Reason.NOT_A_LEAF}
    pinned = {fingerprint(der_bytes): Pinned(der_bytes, Oin(oin))}
    assert verdict(der_bytes, at=at, store=Anchors("1", (), pinned)).oin == Oin(oin)
    later = found.not_valid_after_utc + SECOND
    assert why(der_bytes, at=later, store=Anchors("1", (), pinned)) is Reason.EXPIRED


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_damage_to_a_certificate_is_refused(data: st.DataObject) -> None:
    """One byte changed anywhere: never accepted, and never an error of another kind."""
    good = bytearray(_GOOD().der)
    place = data.draw(st.integers(0, len(good) - 1))
    good[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Untrusted):
        verdict(bytes(good))


@given(junk=st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_junk_is_unreadable(junk: bytes) -> None:
    assert why(junk) is Reason.UNREADABLE


def test_a_version_that_does_not_exist_is_unreadable() -> None:
    fourth = der(_GOOD()).replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020103"), 1)
    assert why(fourth) is Reason.UNREADABLE
    assert whose(fourth) == sha256(fourth).digest()


def _with_public_key(public: rsa_keys.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    """A leaf around a public key of which there is no private half."""
    from cryptography.hazmat.primitives import hashes

    ca = issuing()
    name = x509.Name([x509.NameAttribute(x509.NameOID.SERIAL_NUMBER, OIN)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ca.certificate.subject)
        .public_key(public)
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
    )
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(Encoding.DER)
