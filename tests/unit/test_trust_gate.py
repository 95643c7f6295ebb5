"""The gate: certificates, same OIN, algorithms with sunsets, verdicts kept while they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openpoort.domain.fault import Fault, Refusal
from openpoort.domain.ids import Oin
from openpoort.domain.party import Directory, Party
from openpoort.sandbox.authority import Leaf
from openpoort.sandbox.revocations import crl
from openpoort.trust import verdicts as kept
from openpoort.trust.anchors import Purpose
from openpoort.trust.policy import SHA1_SUNSET, Policy, read, write
from openpoort.trust.revocation import Evidence, FailMode
from openpoort.trust.sender import Gatekeeper, Grounds
from openpoort.trust.verdict import Reason, Untrusted
from openpoort.trust.verdicts import Verdicts
from openpoort.wire.wus.signed_message import Algorithms
from tests.trust_builders import NOW, OIN, SHA1, SHA256, anchors, issuing, leaf, message

OTHER = "00000099002000055000"


def gate(*parties: Party, **grounds: object) -> Gatekeeper:
    return Gatekeeper(Grounds(anchors(), directory=Directory(parties), **grounds))  # type: ignore[arg-type] # named by the test


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.status == 403
    return caught.value.what


def test_admitted_message_knows_its_sender() -> None:
    token, tls = leaf(), leaf()
    admitted = gate().admit(message(token), tls.der, NOW)
    assert admitted.sender.oin == Oin(OIN)
    assert admitted.sender.common_name == "voorbeeld.test"
    assert admitted.sender.token_fingerprint != admitted.sender.tls_fingerprint
    assert admitted.message.token == token.der


def test_message_without_tls_leaves_the_fingerprint_empty() -> None:
    assert gate().admit(message(leaf()), None, NOW).sender.tls_fingerprint == ""


def test_bad_token_and_bad_tls_are_bare_refusals() -> None:
    expired = leaf(not_after=NOW - timedelta(seconds=1))
    assert refused(lambda: gate().admit(message(expired), leaf().der, NOW)) == (
        "certificate-token-expired"
    )
    assert refused(lambda: gate().admit(message(leaf()), expired.der, NOW)) == (
        "certificate-tls-expired"
    )


@pytest.mark.conformance("WUS-2.5-2")
def test_tls_of_another_organisation_is_refused() -> None:
    tls = leaf(None, OTHER)
    assert refused(lambda: gate().admit(message(leaf()), tls.der, NOW)) == (
        "certificate-tls-other-oin"
    )


@pytest.mark.conformance("WUS-2.5-2")
def test_recorded_exception_lets_another_tls_oin_through_one_way() -> None:
    party = Party(Oin(OIN), "Acht B.V.", tls_oins=frozenset({Oin(OTHER)}))
    keeper = gate(party)
    mine, theirs = leaf(), leaf(None, OTHER)
    assert keeper.admit(message(mine), theirs.der, NOW).sender.oin == Oin(OIN)
    refused(lambda: keeper.admit(message(theirs), mine.der, NOW))


def test_fail_mode_goes_by_route() -> None:
    modes = {"default": FailMode.SOFT, "zetstatus": FailMode.HARD}
    keeper, token = gate(modes=modes), leaf(crl_urls=["http://a.test/"])
    keeper.admit(message(token), None, NOW, "aanleveren")
    assert refused(lambda: keeper.admit(message(token), None, NOW, "zetstatus")) == (
        "certificate-token-no-evidence"
    )


@pytest.mark.conformance("WUS-2.3-2")
def test_sha1_is_noticed_until_its_sunset_and_refused_from_it() -> None:
    heard: list[tuple[Oin, tuple[str, ...], datetime]] = []
    token = leaf()
    keeper = gate()
    keeper.noticed = lambda *row: heard.append(row)
    keeper.admit(message(token, SHA1), None, NOW)
    keeper.admit(message(token), None, NOW)
    assert heard == [(Oin(OIN), ("RSA-SHA1", "SHA-1"), NOW)]
    with pytest.raises(Fault) as caught:
        keeper.admit(message(token, SHA1), None, SHA1_SUNSET)
    assert "RSA-SHA1" in caught.value.text
    assert "2028-01-01" in caught.value.text
    keeper.admit(message(token, SHA1), None, SHA1_SUNSET - timedelta(microseconds=1))


@pytest.mark.parametrize(("days", "allowed"), [(1, True), (0, False), (-300, False)])
@pytest.mark.conformance("WUS-2.3-2")
def test_party_has_its_own_sunset(days: int, allowed: bool) -> None:
    at = SHA1_SUNSET
    own = Party(Oin(OIN), "Acht B.V.", sha1_until=at + timedelta(days=days))
    keeper, token = gate(own), leaf()
    if allowed:
        keeper.admit(message(token, SHA1), None, at)
    else:
        with pytest.raises(Fault, match="SHA1"):
            keeper.admit(message(token, SHA1), None, at)


@pytest.mark.parametrize(
    "used",
    [
        replace(SHA256, signature="http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        replace(SHA256, signature="http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
        replace(SHA256, digests=SHA256.digests | {"http://www.w3.org/2001/04/xmldsig-more#md5"}),
    ],
)
def test_unknown_algorithms_are_refused_by_name(used: Algorithms) -> None:
    with pytest.raises(Fault, match="niet geaccepteerd"):
        Policy().check(used, NOW)


def test_one_sha1_digest_among_others_counts() -> None:
    mixed = replace(SHA256, digests=SHA256.digests | SHA1.digests)
    assert Policy().check(mixed, NOW) == ("SHA-1",)


def test_short_signing_key_is_refused() -> None:
    with pytest.raises(Fault, match="1024 bits"):
        Policy().check(replace(SHA256, key_bits=1024), NOW)


def test_policy_text_round_trip_and_own_sunset() -> None:
    assert read(write(Policy())) == Policy()
    stricter = read(write(Policy()).replace("2028-01-01", "2026-01-01"))
    with pytest.raises(Fault):
        stricter.check(SHA1, NOW)
    assert read("min_key_bits = 3072").min_key_bits == 3072
    assert read("").algorithms == Policy().algorithms


@pytest.mark.parametrize("text", ["x = 1", "[[algorithm]]\nuri = 'a'", "a = ["])
def test_bad_policy_text(text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


# -- verdicts that are kept ------------------------------------------------------------------


class Count:
    """Counts how often a certificate was really judged, by what the table reports as seen."""

    def __init__(self) -> None:
        self.judged = 0

    def __call__(self, leaf: bytes, at: datetime) -> None:
        self.judged += 1


def ask(table: Verdicts, one: Leaf, at: datetime = NOW, version: str = "1", ev: int = 0) -> None:
    table.judge(
        one.der,
        Purpose.SIGNATURE,
        at,
        anchors(version=version),
        Evidence(ev),
        FailMode.SOFT,
    )


def test_verdict_is_reused_until_it_ends() -> None:
    count = Count()
    table, one = Verdicts(seen=count), leaf()
    for minutes in (0, 1, 59):
        ask(table, one, NOW + timedelta(minutes=minutes))
    assert count.judged == 1
    ask(table, one, NOW + timedelta(hours=1))
    assert count.judged == 2


def test_expiry_cuts_a_kept_verdict() -> None:
    table, one = Verdicts(), leaf(not_after=NOW + timedelta(minutes=5))
    ask(table, one)
    with pytest.raises(Untrusted) as caught:
        ask(table, one, NOW + timedelta(minutes=5, seconds=1))
    assert caught.value.reason is Reason.EXPIRED


@pytest.mark.parametrize("change", [{"version": "2"}, {"ev": 1}])
def test_new_version_of_store_or_evidence_judges_anew(change: dict[str, object]) -> None:
    count = Count()
    table, one = Verdicts(seen=count), leaf()
    ask(table, one)
    ask(table, one, **change)  # type: ignore[arg-type] # one of two named arguments
    assert count.judged == 2


def test_clock_that_steps_back_does_not_reach_a_later_verdict() -> None:
    table, one = Verdicts(), leaf(not_before=NOW)
    ask(table, one, NOW)
    with pytest.raises(Untrusted) as caught:
        ask(table, one, NOW - timedelta(seconds=1))
    assert caught.value.reason is Reason.NOT_YET_VALID


def test_refusal_is_kept_for_half_a_minute_only() -> None:
    table, one = Verdicts(), leaf(not_before=NOW + timedelta(seconds=10))
    for seconds, good in ((0, False), (11, False), (29, False), (30, True)):
        if good:
            ask(table, one, NOW + timedelta(seconds=seconds))
        else:
            with pytest.raises(Untrusted):
                ask(table, one, NOW + timedelta(seconds=seconds))


def test_table_is_bounded() -> None:
    table = Verdicts(size=3)
    leaves = [leaf() for _ in range(5)]
    for one in leaves:
        ask(table, one)
    assert len(table._rows) == 3


def test_stranger_is_not_reported_as_seen() -> None:
    count = Count()
    table = Verdicts(seen=count)
    for one in (leaf(issuing("other")), leaf(oin=None)):
        with pytest.raises(Untrusted):
            ask(table, one)
    assert count.judged == 0


def test_lack_of_evidence_is_reported_as_seen() -> None:
    count = Count()
    table, one = Verdicts(seen=count), leaf(crl_urls=["http://a.test/"])
    with pytest.raises(Untrusted):
        table.judge(one.der, Purpose.SIGNATURE, NOW, anchors(), Evidence(), FailMode.HARD)
    assert count.judged == 1
    found = Evidence.of(1, (crl(issuing(), NOW - timedelta(hours=1)),), ())
    with pytest.raises(Untrusted, match="no-evidence"):
        table.judge(one.der, Purpose.SIGNATURE, NOW, anchors(), Evidence(), FailMode.HARD)
    judged = table.judge(one.der, Purpose.SIGNATURE, NOW, anchors(), found, FailMode.SOFT)
    assert judged.oin == Oin(OIN)
    assert timedelta(minutes=1) > kept.REFUSAL_HOLDS


def test_times_with_another_zone_judge_the_same() -> None:
    from datetime import timezone

    local = NOW.astimezone(timezone(timedelta(hours=2)))
    assert gate().admit(message(leaf()), None, local).sender.oin == Oin(OIN)
    assert local.astimezone(UTC) == NOW
