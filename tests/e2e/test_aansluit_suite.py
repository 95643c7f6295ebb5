"""The paths of the Aansluit Suite, as existing test set-ups call them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import psycopg
import pytest

from openpoort.app.home import create
from openpoort.client.wus import Client, Endpoints
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document, Operatie, Vraag
from openpoort.outbound.exchange import Faulted
from tests.e2e.gateway import Gateway, until, vat_return

CAPTURED = ["105", "100", "110", "200", "301", "301", "405", "400", "500"]
KVK = Identiteit("90000044", "KvK")


def suite(gateway: Gateway, who: str = "bedrijf") -> Client:
    base = f"https://localhost:{gateway.port}/cpl/"
    client = gateway.client(who)
    client._endpoints = Endpoints(
        base + "aanleverservice/1.2",
        base + "statusinformatieservice/1.2",
        base + "ophaalservice/services/OphaalService_V1_2",
    )
    return client


@pytest.mark.parametrize(
    ("berichtsoort", "belanghebbende", "document"),
    [
        ("Omzetbelasting", Identiteit("001000044B37", "BTW"), b"no XML at all"),
        ("Omzetbelasting", Identiteit("001000044B37", "BTW"), b""),
        ("eFactuur", KVK, b"\0\1\2" * 1000),
        ("Jaarrekening", KVK, b"<a/>"),
    ],
)
def test_happyflow_tells_what_was_captured_whatever_the_document(
    gateway: Gateway, berichtsoort: str, belanghebbende: Identiteit, document: bytes
) -> None:
    request = vat_return(
        document, berichtsoort=berichtsoort, belanghebbende=belanghebbende,
        aanleverkenmerk="Happyflow", inhoud=Document("text/plain", "x.txt", document),
    )  # fmt: skip
    with suite(gateway) as client:
        kenmerk = client.aanleveren(request).kenmerk
        statuses = client.statussen(kenmerk)
        assert [s.statuscode for s in statuses] == CAPTURED
        assert all(s.fout is None for s in statuses)
        assert statuses == tuple(sorted(statuses, key=lambda s: s.tijdstempel))
        nieuwe = Vraag(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)
        assert len(client.vraag(nieuwe).items) == 9
    with suite(gateway) as client:  # the first one closed right after reading
        assert client.vraag(nieuwe).items == ()
    with psycopg.connect(gateway.dsn) as conn:
        rows = conn.execute(
            "select (select count(*) from job where kenmerk = %s),"
            " (select count(*) from delivery where kenmerk = %s)",
            [kenmerk, kenmerk],
        ).fetchall()
    assert rows == [(0, 0)]  # it goes nowhere


def test_elsewhere_and_under_other_names_checks_run_as_ever(gateway: Gateway) -> None:
    sample = (gateway.home / "samples" / "eFactuur.xml").read_bytes()

    def last(client: Client, content: bytes, name: str | None) -> str:
        request = vat_return(
            content, berichtsoort="eFactuur", belanghebbende=KVK, aanleverkenmerk=name,
            inhoud=Document("application/xml", "eFactuur.xml", content),
        )  # fmt: skip
        kenmerk = client.aanleveren(request).kenmerk
        final = {"400", "311", "410", "500"}
        return until(
            lambda: next(
                (s.statuscode for s in client.statussen(kenmerk) if s.statuscode in final), ""
            )
        )

    with gateway.client() as usual, suite(gateway) as client:
        assert last(usual, b"<a/>", "Happyflow") == "311"
        assert last(client, b"<a/>", "Iets") == "311"
        assert last(client, b"<a/>", None) == "311"
        assert last(client, sample, "Afleverfout") == "410"


def test_happyflow_is_for_who_may_send_and_for_messages_that_fit_the_schema(
    gateway: Gateway,
) -> None:
    stranger = Identiteit("001000099B99", "BTW")
    happy = vat_return(b"x", aanleverkenmerk="Happyflow")
    with suite(gateway) as client:
        with pytest.raises(Faulted, match="ALS100"):
            client.aanleveren(dataclasses.replace(happy, belanghebbende=stranger))
        with pytest.raises(Faulted, match="ALS100"):
            client.aanleveren(dataclasses.replace(happy, berichtsoort="Bestaat_niet"))
        with pytest.raises(Faulted, match="ALS100"):
            client.aanleveren(dataclasses.replace(happy, rol_belanghebbende=""))
        lijst = Vraag(Operatie.BERICHTEN_LIJST, belanghebbende=KVK, berichtsoort="eFactuur")
        assert client.vraag(lijst).items == ()
    for path in ("aanleverservice/1.2", "statusinformatieservice/1.2"):
        status, content, _ = gateway.http("GET", f"/cpl/{path}?wsdl")
        assert status == 200
        assert f"https://localhost:{gateway.port}/cpl/{path}".encode() in content


def test_without_the_switches_the_paths_are_not_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create(home)
    file = home / "openpoort.toml"
    assert "aansluit_suite = true" in file.read_text()
    file.write_text(file.read_text().replace("aansluit_suite = true", "aansluit_suite = false"))
    own = Gateway(home).start()
    try:
        assert own.http("POST", "/cpl/aanleverservice/1.2", b"<a/>")[0] == 404
        assert own.http("GET", "/wus/2.0/aanleverservice/1.2?wsdl")[0] == 200
    finally:
        own.stop()
