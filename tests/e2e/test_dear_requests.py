"""Every kind of `openpoort bench dear`, small: answered in words of ours, and the door goes on.

What they cost is the command's to say.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from openpoort.keys.pem import PemSigner
from openpoort_lab.bench import gateway as bench
from openpoort_lab.bench.prepare import own_target
from openpoort_lab.dear import KINDS, Sender
from openpoort_lab.dear.measure import Line
from tests.e2e.gateway import Gateway

OCTETS = 24_000


@pytest.fixture(scope="module")
def target(gateway: Gateway) -> bench.Gateway:
    base = f"https://localhost:{gateway.port}"
    return bench.Gateway(own_target(gateway.home, gateway.port), base, gateway.home, None)


def test_each_kind_has_a_name_of_its_own_and_about_the_size_that_was_asked(
    target: bench.Gateway,
) -> None:
    sender = Sender(
        PemSigner(target.target.certificate, target.target.key), datetime.now(UTC), target.base
    )
    assert len({(k.group, k.name) for k in KINDS}) == len(KINDS) > 80
    assert {k.group for k in KINDS} == {
        "http", "mime", "xml", "signature", "certificate", "addressing", "fields"
    }  # fmt: skip
    for kind in KINDS:
        assert len(kind.make(sender, OCTETS)) < 8 * OCTETS, kind


@pytest.mark.parametrize("group", sorted({k.group for k in KINDS}))
def test_no_kind_is_more_than_refused(gateway: Gateway, target: bench.Gateway, group: str) -> None:
    signer = PemSigner(target.target.certificate, target.target.key)
    sender, line = Sender(signer, datetime.now(UTC), target.base), Line(target)
    before = gateway.log.count("request failed")
    for kind in (k for k in KINDS if k.group == group):
        head = line.ask(kind.make(sender, OCTETS))
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        assert found, (kind, head)  # never cut without a word
        assert found[1] in {b"200", b"400", b"404", b"405", b"431", b"500"}, (kind, head)
    assert gateway.log.count("request failed") == before  # a fault of ours would be ALS400
    assert b" 200 " in line.ask(_honest(sender))
    line.close()


def _honest(sender: Sender) -> bytes:
    return b"GET /wus/2.0/aanleverservice/1.2?wsdl HTTP/1.1\r\nhost: localhost\r\n\r\n"
