"""Real filings of other parties travel from company to agency and back, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Bericht, Document, Operatie, Vraag
from openpoort.domain.status import Status
from openpoort.sandbox.agency.archive import contents, receipts
from tests.e2e.gateway import Gateway, until, vat_return

RETURNS = ("VB-01_bd-rpt-ob-aangifte-2021.xbrl", "valid-instance.xbrl")
ACCOUNT = "kvk-rpt-jaarverantwoording-2016-nlgaap-klein-publicatiestukken.xbrl"
HAPPY = ["105", "100", "110", "200", "301", "405", "400", "500"]


def at_agency(gateway: Gateway, agency: str, kenmerk: str) -> bytes:
    """The content as the agency keeps it."""
    folder = gateway.home / "agency" / agency
    mine = [r for r in receipts(folder / "ontvangsten.csv") if r.kenmerk == kenmerk]
    assert len(mine) == 1
    return contents(folder, mine[0])["inhoud"]


def history(gateway: Gateway, kenmerk: str) -> tuple[Status, ...]:
    with gateway.client() as client:
        return until(  # type: ignore[no-any-return]  # what the lambda returns
            lambda: (s := client.statussen(kenmerk)) and s[-1].statuscode in {"500", "311"} and s
        )


@pytest.mark.parametrize("name", RETURNS)
@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_real_vat_return_arrives_byte_for_byte(
    gateway: Gateway, shared: Path, name: str, hash_name: str
) -> None:
    content = (shared / "data" / "wus" / "captured" / name).read_bytes()
    with gateway.client(hash_name=hash_name) as client:
        taken = client.aanleveren(vat_return(content, berichtsoort="OB_zonder_xbrl"))
    statuses = history(gateway, taken.kenmerk)
    assert [s.statuscode for s in statuses] == HAPPY
    assert [s.fout for s in statuses] == [None] * len(HAPPY)
    assert statuses[-1].details is not None
    assert statuses[-1].details.startswith("<")
    assert at_agency(gateway, "demodienst", taken.kenmerk) == content


def test_real_annual_account_with_attachment_arrives_byte_for_byte(
    gateway: Gateway, shared: Path
) -> None:
    content = (shared / "data" / "xbrl" / "instances" / "valid" / ACCOUNT).read_bytes()
    bijlage = Document("application/pdf", "bijlage.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40)
    with gateway.client() as client:
        taken = client.aanleveren(
            vat_return(
                content,
                berichtsoort="JR_zonder_xbrl",
                belanghebbende=Identiteit("90000044", "KvK"),
                inhoud=Document("application/xml", "jaarrekening.xbrl", content),
                bijlagen=(bijlage,),
            )
        )
    assert [s.statuscode for s in history(gateway, taken.kenmerk)] == HAPPY
    assert at_agency(gateway, "demoregister", taken.kenmerk) == content


def test_return_message_of_the_agency_is_fetched_byte_for_byte(gateway: Gateway) -> None:
    """A service message starts at the agency by itself; the company finds it once as new."""
    content = b'<?xml version="1.0" encoding="UTF-8"?><bericht>\xe2\x82\xac 12</bericht>'
    with gateway.client("agency") as agency:
        agency.aanleveren(
            vat_return(
                content,
                berichtsoort="Servicebericht",
                inhoud=Document("application/xml", "bericht.xml", content),
            )
        )
    asked = Vraag(
        Operatie.NIEUWE_BERICHTEN,
        berichtsoort="Servicebericht",
        belanghebbende=Identiteit("001000044B37", "BTW"),
    )
    with gateway.client() as company:
        found = until(lambda: company.vraag(asked).items)
        assert isinstance(found[0], Bericht)
        assert found[0].inhoud.inhoud == content
        assert company.vraag(asked).items == ()
