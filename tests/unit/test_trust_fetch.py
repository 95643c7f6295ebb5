"""Which evidence is wanted, when, and what is believed of what comes back. No network here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from openpoort.keys import fetch
from openpoort.keys.fetch import FetchFailed, Found, Source, due, sources
from openpoort.sandbox.authority import SERVICES
from openpoort.sandbox.revocations import crl, ocsp_answer
from tests.trust_builders import NOW, anchors, der, issuing, leaf, root

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_sources_follow_from_the_certificates() -> None:
    one = leaf(crl_urls=["http://a.test/crl"], ocsp_urls=["http://o.test/"])
    two = leaf(crl_urls=["http://a.test/crl", "ldap://a.test/crl"], ocsp_urls=["http://o.test/"])
    found = sources([one.der, two.der], anchors())
    assert [(s.kind, s.url) for s in found] == [
        ("crl", "http://a.test/crl"),  # once for both, and never over ldap
        ("ocsp", "http://o.test/"),
        ("ocsp", "http://o.test/"),
    ]
    assert len({s.subject for s in found}) == 3
    assert {s.issuer for s in found} == {der(issuing())}


def test_nothing_is_asked_about_strangers() -> None:
    stranger = leaf(issuing("other"), crl_urls=["http://evil.test/"])
    assert sources([stranger.der], anchors()) == ()


@pytest.mark.parametrize(
    ("life", "tried", "asked"),
    [
        (None, None, True),
        ((-HOUR, 3 * HOUR), None, False),  # a quarter of its life is over
        ((-3 * HOUR, HOUR), None, True),  # the last quarter begins
        ((-3 * HOUR, HOUR + timedelta(seconds=1)), None, False),
        ((-5 * HOUR, -HOUR), None, True),
        ((-5 * HOUR, -HOUR), -4 * MINUTE, False),  # tried a moment ago
        ((-5 * HOUR, -HOUR), -5 * MINUTE, True),
        (None, -MINUTE, False),
        (None, MINUTE, True),  # a try from the future: the clock stepped back
    ],
)
def test_when_it_is_due(
    life: tuple[timedelta, timedelta] | None, tried: timedelta | None, asked: bool
) -> None:
    found = Found(b"", NOW + life[0], NOW + life[1]) if life else None
    at: datetime | None = NOW + tried if tried is not None else None
    assert due(found, at, NOW) is asked


def test_crl_is_believed_when_its_issuer_signed_it() -> None:
    found = fetch._crl(crl(issuing(), NOW - HOUR, lasts=2 * HOUR), issuing().certificate)
    assert (found.this_update, found.next_update) == (NOW - HOUR, NOW + HOUR)


@pytest.mark.parametrize("what", ["forged", "other", "cut"])
def test_crl_is_not_believed(what: str) -> None:
    good = crl(issuing(), NOW)
    bad = {
        "forged": crl(issuing(), NOW, signer=issuing("other")),
        "other": crl(root(), NOW),
        "cut": good[:-9],
    }[what]
    with pytest.raises((FetchFailed, ValueError)):
        fetch._crl(bad, issuing().certificate)


def test_ocsp_is_believed_from_issuer_and_appointed_responder_only() -> None:
    about = leaf()
    usage = replace(SERVICES, extended=(ExtendedKeyUsageOID.OCSP_SIGNING,))
    issuer = issuing().certificate
    own = ocsp_answer(issuing(), about.certificate, NOW)
    appointed = ocsp_answer(
        issuing(), about.certificate, NOW, responder=leaf(oin=None, usage=usage)
    )
    assert fetch._ocsp(own, issuer).this_update == NOW
    assert fetch._ocsp(appointed, issuer).next_update == NOW + 4 * HOUR
    for responder in (leaf(oin=None), leaf(issuing("other"), None, usage=usage)):
        answer = ocsp_answer(issuing(), about.certificate, NOW, responder=responder)
        with pytest.raises(FetchFailed, match="not signed"):
            fetch._ocsp(answer, issuer)


def test_source_hides_bytes_from_logs() -> None:
    assert "issuer=" not in repr(Source("crl", "http://a.test/", b"x"))
