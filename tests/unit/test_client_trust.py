"""Whom a client believes: what TLS has proven, and what leads to its anchor by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openpoort.client.trust import Anchors, oin_of
from openpoort.outbound.exchange import BadAnswer
from openpoort.sandbox.authority import Ca, Leaf, pem

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
OIN = "00000099000000009000"
ROOT = Ca.root("wortel", AT)
ISSUING = ROOT.intermediate("uitgever", AT)
LEAF = ISSUING.leaf("localhost", OIN, AT, hosts=("localhost",))
SECOND = ISSUING.leaf("tekenaar", OIN, AT)
OTHER = ISSUING.leaf("ander", "00000099000000001000", AT)
STRANGER = Ca.root("vreemd", AT).leaf("localhost", OIN, AT)


@pytest.fixture
def anchors(tmp_path: Path) -> Anchors:
    (tmp_path / "ca.pem").write_bytes(pem(ROOT.certificate))
    (tmp_path / "own.pem").write_bytes(LEAF.pem)
    return Anchors.from_files(tmp_path / "ca.pem", tmp_path / "own.pem")


def refused(anchors: Anchors, token: Leaf, tls: Leaf | None, at: datetime = AT) -> str:
    with pytest.raises(BadAnswer) as error:
        anchors.judge(token.der, tls.der if tls else None, at)
    return str(error.value)


def test_token_that_tls_has_proven_is_believed_whoever_issued_it(anchors: Anchors) -> None:
    anchors.judge(STRANGER.der, STRANGER.der, AT)


def test_token_of_the_same_party_that_leads_to_the_anchor_is_believed(anchors: Anchors) -> None:
    anchors.judge(SECOND.der, LEAF.der, AT)
    anchors.judge(LEAF.der, None, AT)


def test_token_of_another_party_than_in_tls_is_not(anchors: Anchors) -> None:
    assert "another party" in refused(anchors, OTHER, LEAF)


def test_token_of_a_strange_authority_is_not(anchors: Anchors) -> None:
    assert "no trust anchor" in refused(anchors, STRANGER, LEAF)
    assert "no trust anchor" in refused(anchors, STRANGER, None)


def test_expired_token_is_not_even_when_tls_shows_it(anchors: Anchors) -> None:
    late = AT + timedelta(days=4 * 365)
    assert "not valid now" in refused(anchors, LEAF, LEAF, late)


def test_intermediate_that_may_not_issue_is_no_step(tmp_path: Path) -> None:
    fake = Ca(LEAF.certificate, LEAF.key, (LEAF.certificate,)).leaf("nep", OIN, AT)
    (tmp_path / "ca.pem").write_bytes(pem(ROOT.certificate) + LEAF.pem)
    anchors = Anchors.from_files(tmp_path / "ca.pem")
    assert "no trust anchor" in refused(anchors, fake, None)


def test_without_the_intermediate_the_anchor_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(pem(ROOT.certificate))
    assert "no trust anchor" in refused(Anchors.from_files(tmp_path / "ca.pem"), LEAF, None)


def test_rubbish_is_no_certificate(anchors: Anchors) -> None:
    with pytest.raises(BadAnswer, match="cannot be read"):
        anchors.judge(b"\x30\x03abc", None, AT)


def test_oin_is_read_only_when_there_is_one() -> None:
    assert oin_of(LEAF.der) == OIN
    assert oin_of(ISSUING.leaf("twee", (OIN, OIN), AT).der) is None
    assert oin_of(ISSUING.leaf("geen", None, AT).der) is None
