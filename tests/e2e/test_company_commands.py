"""What a company types: send, status, fetch, against a whole gateway over the network."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from openpoort.sandbox.agency.archive import contents, receipts
from tests.e2e.gateway import Gateway, free_port, openpoort

WHO = ("--belanghebbende", "BTW:001000044B37")
VAT = ("--berichtsoort", "Omzetbelasting", *WHO)


def last(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def url(gateway: Gateway) -> str:
    return f"https://localhost:{gateway.port}/wus/2.0/"


def kept(gateway: Gateway, agency: str, kenmerk: str) -> list[dict[str, bytes]]:
    folder = gateway.home / "agency" / agency
    found = [r for r in receipts(folder / "ontvangsten.csv") if r.kenmerk == kenmerk]
    return [contents(folder, receipt) for receipt in found]


def test_sample_travels_to_the_agency_and_the_answer_back(gateway: Gateway) -> None:
    sample = gateway.home / "samples" / "Omzetbelasting.xbrl"
    done = openpoort("send", gateway.home, sample, *VAT, "--follow", "--json")
    assert done.returncode == 0, done.stderr
    told = last(done)
    assert told["statuscode"] == "500"
    codes = [status["statuscode"] for status in told["statussen"]]
    assert codes == ["105", "100", "110", "200", "301", "301", "405", "400", "500"]
    assert told["sha256"] == hashlib.sha256(sample.read_bytes()).hexdigest()
    (files,) = kept(gateway, "demodienst", told["kenmerk"])
    assert files["inhoud"] == sample.read_bytes()
    shown = openpoort("status", gateway.home, told["kenmerk"], "--json")
    assert last(shown)["statuscode"] == "500"

    out = gateway.home.parent / "fetched"
    fetched = openpoort("fetch", gateway.home, "--new", "--out", out, "--json")
    rows = [r for r in last(fetched)["berichten"] if r["kenmerk"] == told["kenmerk"]]
    assert [r["berichtsoort"] for r in rows] == ["Retourbericht"]
    answer = Path(rows[0]["files"][0]).read_bytes()
    assert told["sha256"].encode() in answer
    again = openpoort("fetch", gateway.home, "--new", "--out", out, "--json")
    assert told["kenmerk"] not in [r["kenmerk"] for r in last(again)["berichten"]]


def test_attachments_travel_byte_for_byte(gateway: Gateway, tmp_path: Path) -> None:
    extra = tmp_path / "toelichting.pdf"
    extra.write_bytes(b"%PDF-1.7\r\n\x00\xff\n")
    file = tmp_path / "jaarrekening.xbrl"
    file.write_bytes(
        b'<?xml version="1.0"?>\n<x:xbrl xmlns:x="http://www.xbrl.org/2003/instance"/>'
    )
    words = ("--berichtsoort", "JR_zonder_xbrl", "--belanghebbende", "KvK:90000044")
    done = openpoort("send", gateway.home, file, *words, "--bijlage", extra, "--follow", "--json")
    assert done.returncode == 0, done.stderr
    (files,) = kept(gateway, "demoregister", last(done)["kenmerk"])
    assert files["inhoud"] == file.read_bytes()
    assert files["bijlage-1"] == extra.read_bytes()


def test_intermediary_sends_for_its_client(gateway: Gateway) -> None:
    sample = gateway.home / "samples" / "Aangifte_LH.xml"
    words = ("--berichtsoort", "Aangifte_LH", "--belanghebbende", "LHnr:003000059L01")
    done = openpoort("send", gateway.home, sample, *words, "--as", "intermediair", "--json")
    assert done.returncode == 0, done.stderr
    assert last(done)["statuscode"]


def test_url_certificate_and_key_are_enough_without_a_home(gateway: Gateway) -> None:
    pki = gateway.home / "pki"
    sample = gateway.home / "samples" / "Omzetbelasting.xbrl"
    files = ("--cert", pki / "bedrijf.pem", "--key", pki / "bedrijf.key", "--ca", pki / "ca.pem")
    done = openpoort("send", sample, *VAT, "--url", url(gateway), *files, "--sha1", "--json")
    assert done.returncode == 0, done.stderr
    assert len(last(done)["kenmerk"]) == 36


def test_refusal_is_exit_code_1_with_the_fault(gateway: Gateway) -> None:
    sample = gateway.home / "samples" / "Omzetbelasting.xbrl"
    words = ("--berichtsoort", "Bestaat_niet", *WHO)
    done = openpoort("send", gateway.home, sample, *words, "--json")
    assert done.returncode == 1
    assert last(done)["foutcode"] == "ALS100"
    assert last(done)["kenmerk"] is None
    assert "Bestaat_niet" in last(done)["foutbeschrijving"]


def test_rejected_content_ends_with_exit_code_1(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "kapot.xbrl"
    file.write_bytes(b"<xbrl>")
    done = openpoort("send", gateway.home, file, *VAT, "--follow", "--json")
    assert done.returncode == 1
    assert last(done)["statuscode"] == "311"
    assert last(done)["statussen"][-1]["statusFoutcode"] == "VAS500"


def test_gateway_that_is_not_there_is_exit_code_2(gateway: Gateway) -> None:
    sample = gateway.home / "samples" / "Omzetbelasting.xbrl"
    gone = f"https://localhost:{free_port()}/wus/2.0/"
    done = openpoort("send", gateway.home, sample, *VAT, "--url", gone, "--json")
    assert done.returncode == 2
    assert "nothing listens" in done.stderr
    assert "--message-id" in done.stderr


def test_untrusted_server_is_refused_before_anything_is_sent(gateway: Gateway) -> None:
    sample = gateway.home / "samples" / "Omzetbelasting.xbrl"
    other = gateway.home / "pki" / "bedrijf.pem"
    done = openpoort("send", gateway.home, sample, *VAT, "--ca", other)
    assert done.returncode == 2
    assert "TLS" in done.stderr


def test_repeating_with_the_same_message_id_gives_the_same_kenmerk(gateway: Gateway) -> None:
    sample = gateway.home / "samples" / "Omzetbelasting.xbrl"
    words = (*VAT, "--message-id", "urn:uuid:6f1de1a4-9b1c-4a41-8a2f-000000000001", "--json")
    first, second = (openpoort("send", gateway.home, sample, *words) for _ in range(2))
    assert last(first)["kenmerk"] == last(second)["kenmerk"]


@pytest.mark.parametrize("words", [("status",), ("send",), ("fetch",), ("status", "a", "b", "c")])
def test_usage_errors_are_exit_code_2(words: tuple[str, ...]) -> None:
    assert openpoort(*words).returncode == 2
