"""Requests in the shape of four existing clients, up to the signed accept answer.

They were made for the gateway's public name, once, and signed by a certificate of its own; so the
gateway here is told that name, believes that certificate, and has a clock that stands then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from openpoort.app.home import create
from openpoort.sandbox import pki
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.signed_message import SignedMessage
from openpoort.wire.wus.soap import open_answer
from tests.e2e.conftest import UNCHECKED
from tests.e2e.gateway import Gateway

HOST = "https://wus.preproductie.digipoort.logius.nl"
AT = datetime(2026, 11, 23, 14, 36, tzinfo=UTC)
"""Just after the clients' certificate became valid, which is later than what it signed."""

PARTY = """
[[party]]
oin = "00000099001234567000"
name = "Test Client B.V."
identities = ["BTW:001000044B37", "Fi:001000044B37", "LHnr:000000000L01", "LHnr:001234560L01"]
tls_oins = ["00000099001000044000"]

[[agreement]]
party = "00000099001234567000"
kinds = ["*"]
rollen = ["Bedrijf", "Intermediair"]
"""
PINNED = """
[[pinned]]
certificate = "{path}"
oin = "00000099001234567000"
purposes = ["signature"]
reason = "signed the examples of existing clients"
"""
CLIENTS = {
    "odoo-default-idx1": "text/xml; charset=utf-8",
    "wcf-netframework": "text/xml; charset=utf-8",
    "weld-ts-sha256-noReplyTo": "text/xml",
    "wus.core-netcore": "text/xml",
}


@pytest.fixture(scope="module")
def then(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("then") / "home"
    create(home)
    pki.create(home / "pki", at=datetime(2026, 11, 20, tzinfo=UTC))
    trusted = shared / "data" / "wus" / "clients" / "sample-client-cert.pem"
    with (home / "pki" / "trust.toml").open("a") as file:
        file.write(PINNED.format(path=trusted))
    with (home / "directory.toml").open("a") as file:
        file.write(PARTY)
    text = UNCHECKED.format(
        name="Loonaangifte", like="Aangifte_LH", types='"LHnr"', agency="DEMODIENST"
    )
    (home / "kinds" / "Loonaangifte.toml").write_text(text)
    settings = (home / "openpoort.toml").read_text()
    settings = settings.replace(
        "[door]\n", f'[door]\nskew_seconds = 7200\npublic_urls = ["{HOST}"]\n', 1
    )
    settings = settings.replace("[agency]\ndemo = true", "[agency]\ndemo = false")
    settings += f"\n[clock]\nstart = {AT.isoformat()}\n"
    (home / "openpoort.toml").write_text(settings)
    gateway = Gateway(home).start()
    yield gateway
    gateway.stop()


@pytest.fixture(autouse=True)
def unseen(then: Gateway) -> None:
    """The examples carry one and the same MessageID: each meets a gateway that never saw it."""
    with psycopg.connect(then.dsn, autocommit=True) as conn:
        conn.execute("delete from repeat")


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("action", ["", '"http://tempuri.org/wrong"', "aanleverenRequest"])
def test_request_of_an_existing_client_is_accepted(
    then: Gateway, shared: Path, name: str, action: str
) -> None:
    body = (shared / "data" / "wus" / "clients" / f"{name}-aanleverRequest.xml").read_bytes()
    headers = {"Content-Type": CLIENTS[name], "SOAPAction": action}
    status, content, _ = then.http("POST", "/wus/2.0/aanleverservice/1.2", body, headers)
    assert status == 200, content.decode()
    answer = open_answer(content)
    assert isinstance(answer, SignedMessage)
    # The answer speaks the request's algorithms: .NET rejects any other.
    assert answer.algorithms.hash_name == ("sha256" if "sha256" in name else "sha1")
    sent = re.search(rb"MessageID[^>]*>([^<]+)<", body)
    assert sent
    assert answer.addressing.relates_to == sent[1].decode() == answer.addressing.message_id
    taken = koppelvlak.read(answer)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", taken.kenmerk)  # type: ignore[union-attr]  # an AanleverBevestiging


def test_same_request_again_gets_the_same_kenmerk(then: Gateway, shared: Path) -> None:
    body = (
        shared / "data" / "wus" / "clients" / "wus.core-netcore-aanleverRequest.xml"
    ).read_bytes()
    found = set()
    for _ in range(3):
        status, content, _ = then.http("POST", "/wus/2.0/aanleverservice/1.2", body)
        assert status == 200
        found.add(koppelvlak.read(open_answer(content)).kenmerk)  # type: ignore[arg-type,union-attr]  # as above
    assert len(found) == 1


def test_gateway_that_does_not_know_the_signer_refuses(gateway: Gateway, shared: Path) -> None:
    """The same bytes on a gateway that has today's clock and does not know the signer."""
    body = (
        shared / "data" / "wus" / "clients" / "wus.core-netcore-aanleverRequest.xml"
    ).read_bytes()
    before = gateway.counts()
    status, content, _ = gateway.http("POST", "/wus/2.0/aanleverservice/1.2", body)
    assert (status, content) == (403, b"")
    assert gateway.counts() == before
