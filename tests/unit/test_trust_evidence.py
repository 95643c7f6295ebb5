"""Revocation judged by stored evidence: fresh, stale, missing, forged; per fail mode."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from openpoort.sandbox.authority import SERVICES, Leaf
from openpoort.sandbox.revocations import crl, ocsp_answer
from openpoort.trust.revocation import Evidence, FailMode
from openpoort.trust.verdict import Reason, Standing
from tests.trust_builders import NOW, issuing, key, leaf, root, verdict, why

CRL_URL = ["http://crl.voorbeeld.test/services.crl"]
OCSP_URL = ["http://ocsp.voorbeeld.test/"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFF, SOFT, HARD, REQUIRE = FailMode.OFF, FailMode.SOFT, FailMode.HARD, FailMode.REQUIRE


def evidence(*crls: bytes, ocsps: tuple[bytes, ...] = ()) -> Evidence:
    return Evidence.of(1, crls, ocsps)


def above() -> bytes:
    """What says that the intermediate stands; `require` wants that too."""
    return crl(root(), NOW - HOUR)


@pytest.fixture(scope="module")
def listed() -> Leaf:
    """A leaf that names a place for its CRL."""
    return leaf(crl_urls=CRL_URL)


@pytest.fixture(scope="module")
def asked() -> Leaf:
    """A leaf that names an OCSP responder."""
    return leaf(ocsp_urls=OCSP_URL)


@pytest.mark.parametrize("mode", [SOFT, HARD, REQUIRE])
def test_fresh_clean_crl_is_good(listed: Leaf, mode: FailMode) -> None:
    found = evidence(crl(issuing(), NOW - HOUR), above())
    judged = verdict(listed, evidence=found, mode=mode)
    assert judged.standing is Standing.GOOD


@pytest.mark.parametrize("mode", [SOFT, HARD, REQUIRE])
@pytest.mark.conformance("WUS-2.3-1")
def test_revoked_in_crl_is_refused_whatever_the_mode(listed: Leaf, mode: FailMode) -> None:
    found = evidence(crl(issuing(), NOW - HOUR, [listed.certificate]), above())
    assert why(listed, evidence=found, mode=mode) is Reason.REVOKED


def test_off_does_not_look(listed: Leaf) -> None:
    found = evidence(crl(issuing(), NOW - HOUR, [listed.certificate]))
    assert verdict(listed, evidence=found, mode=OFF).standing is Standing.NOT_CHECKED


@pytest.mark.parametrize(
    ("mode", "reason"), [(SOFT, None), (HARD, Reason.NO_EVIDENCE), (REQUIRE, Reason.NO_EVIDENCE)]
)
def test_missing_evidence(listed: Leaf, mode: FailMode, reason: Reason | None) -> None:
    assert why(listed, mode=mode) is reason


@pytest.mark.parametrize(
    ("mode", "reason"),
    [(SOFT, None), (HARD, Reason.STALE_EVIDENCE), (REQUIRE, Reason.STALE_EVIDENCE)],
)
def test_stale_crl(listed: Leaf, mode: FailMode, reason: Reason | None) -> None:
    found = evidence(crl(issuing(), NOW - 2 * DAY, lasts=DAY), above())
    assert why(listed, evidence=found, mode=mode) is reason
    if reason is None:
        assert verdict(listed, evidence=found, mode=mode).standing is Standing.UNKNOWN


def test_once_revoked_stays_revoked_when_the_crl_is_stale(listed: Leaf) -> None:
    found = evidence(crl(issuing(), NOW - 2 * DAY, [listed.certificate], lasts=DAY))
    assert why(listed, evidence=found, mode=SOFT) is Reason.REVOKED


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW, None),
        (NOW + DAY, None),  # nextUpdate itself
        (NOW + DAY + timedelta(seconds=1), Reason.STALE_EVIDENCE),
    ],
)
def test_last_second_of_a_crl(listed: Leaf, at: datetime, reason: Reason | None) -> None:
    found = evidence(crl(issuing(), NOW, lasts=DAY), crl(root(), NOW, lasts=9 * DAY))
    assert why(listed, at=at, evidence=found, mode=HARD) is reason


def test_crl_signed_by_another_counts_as_none(listed: Leaf) -> None:
    forged = crl(issuing(), NOW - HOUR, signer=issuing("other"))
    assert why(listed, evidence=evidence(forged, above()), mode=HARD) is Reason.NO_EVIDENCE


def test_crl_of_another_authority_counts_as_none(listed: Leaf) -> None:
    found = evidence(crl(issuing("other"), NOW - HOUR, [listed.certificate]), above())
    assert why(listed, evidence=found, mode=HARD) is Reason.NO_EVIDENCE
    assert why(listed, evidence=found, mode=SOFT) is None


def test_good_ocsp_answer(asked: Leaf) -> None:
    found = evidence(ocsps=(ocsp_answer(issuing(), asked.certificate, NOW - HOUR),))
    assert verdict(asked, evidence=found, mode=HARD).standing is Standing.GOOD


def test_revoked_by_ocsp(asked: Leaf) -> None:
    answer = ocsp_answer(issuing(), asked.certificate, NOW - HOUR, revoked=True)
    assert why(asked, evidence=evidence(ocsps=(answer,)), mode=SOFT) is Reason.REVOKED


def test_once_revoked_by_ocsp_stays_revoked_when_stale(asked: Leaf) -> None:
    answer = ocsp_answer(issuing(), asked.certificate, NOW - 2 * DAY, revoked=True)
    assert why(asked, evidence=evidence(ocsps=(answer,)), mode=SOFT) is Reason.REVOKED


def test_ocsp_about_another_certificate_counts_as_none(asked: Leaf) -> None:
    other = leaf(ocsp_urls=OCSP_URL)
    answer = ocsp_answer(issuing(), other.certificate, NOW - HOUR)
    assert why(asked, evidence=evidence(ocsps=(answer,)), mode=HARD) is Reason.NO_EVIDENCE


def test_same_serial_of_another_issuer_is_not_revoked() -> None:
    mine = leaf(serial=4711, ocsp_urls=OCSP_URL)
    theirs = leaf(issuing("other"), serial=4711)
    answer = ocsp_answer(issuing("other"), theirs.certificate, NOW - HOUR, revoked=True)
    assert why(mine, evidence=evidence(ocsps=(answer,)), mode=SOFT) is None


def test_delegated_responder_needs_the_ocsp_usage(asked: Leaf) -> None:
    usage = replace(SERVICES, extended=(ExtendedKeyUsageOID.OCSP_SIGNING,))
    right, wrong = leaf(oin=None, usage=usage), leaf(oin=None)
    for responder, reason in ((right, None), (wrong, Reason.NO_EVIDENCE)):
        answer = ocsp_answer(issuing(), asked.certificate, NOW - HOUR, responder=responder)
        assert why(asked, evidence=evidence(ocsps=(answer,)), mode=HARD) is reason


def test_revoked_intermediate_takes_its_leaves_along() -> None:
    below = leaf(crl_urls=CRL_URL)
    found = evidence(crl(issuing(), NOW - HOUR), crl(root(), NOW - HOUR, [issuing().certificate]))
    assert why(below, evidence=found, mode=SOFT) is Reason.REVOKED


def test_verdict_ends_when_the_evidence_does(listed: Leaf) -> None:
    found = evidence(crl(issuing(), NOW - HOUR, lasts=HOUR + timedelta(minutes=7)), above())
    assert verdict(listed, evidence=found).until == NOW + timedelta(minutes=7)


def test_evidence_of_another_shape_is_refused_on_the_way_in() -> None:
    with pytest.raises(ValueError):
        Evidence.of(1, (b"no crl",), ())
    with pytest.raises(ValueError):
        Evidence.of(1, (), (key().public_key().public_numbers().n.to_bytes(256, "big"),))
