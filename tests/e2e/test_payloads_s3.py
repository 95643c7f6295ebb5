"""A whole gateway whose large documents stand in an S3-compatible store, over TLS."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path

import psycopg

from openpoort.app.home import create
from openpoort.wire.wus import koppelvlak
from tests import canary, s3
from tests.e2e.conftest import UNCHECKED
from tests.e2e.gateway import Gateway, openpoort, until, vat_return
from tests.e2e.test_bad_input import ALS, sealed

SETTINGS = """
[payloads]
to = "s3"
[[payloads.s3]]
endpoint = "{endpoint}"
bucket = "payloads"
prefix = "poort"
ca = "pki/ca.pem"
credentials = "pki/s3.toml"
"""
KEYS = f'access_key_id = "{s3.KEY_ID}"\nsecret_access_key = "{s3.SECRET}"\n'


def test_a_large_document_goes_in_through_the_store_and_into_evidence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create(home)
    text = UNCHECKED.format(name="OB", like="Omzetbelasting", types='"BTW"', agency="DEMODIENST")
    (home / "kinds" / "OB.toml").write_text(text)
    pki = home / "pki"
    with s3.server(tmp_path / "s3", (pki / "server.pem", pki / "server.key")) as server:
        with (home / "openpoort.toml").open("a") as file:
            file.write(SETTINGS.format(endpoint=server.endpoint))
        (pki / "s3.toml").write_text(KEYS)
        gateway = Gateway(home).start()
        try:
            _one_message(gateway, server, tmp_path)
        finally:
            gateway.stop()
    for file in canary.written(home):
        assert s3.SECRET not in file.read_text(errors="replace"), file
    assert canary.leaks_of(home) == []


def _one_message(gateway: Gateway, server: s3.Server, folder: Path) -> None:
    filler = random.Random(6).randbytes(1_000_000).hex().encode()
    asked = vat_return(
        b"<xbrl>" + filler + b"</xbrl>", berichtsoort="OB", aanleverkenmerk=canary.MARK
    )
    with gateway.client() as client:
        kenmerk = client.aanleveren(asked, f"urn:uuid:{uuid.uuid4()}").kenmerk
        until(lambda: client.statussen(kenmerk)[-1].statuscode == "500", 60)
        [document] = server.objects()
        assert document.read_bytes() == asked.inhoud.inhoud
        with psycopg.connect(gateway.dsn) as conn:
            rows = conn.execute("select place from payload where size > 1000000").fetchall()
        assert rows == [("s3",)]
        assert not (gateway.home / "payloads").exists()
        evidence, key = folder / "evidence.json", gateway.home / "pki" / "checkpoint.pem"
        made = openpoort("evidence", "export", gateway.home, kenmerk, "--out", evidence)
        assert made.returncode == 0, made.stderr
        judged = openpoort("evidence", "verify", evidence, "--key", key)
        assert judged.returncode == 0, judged.stdout + judged.stderr
        drilled = openpoort("restore-drill", gateway.home, "--json")
        assert drilled.returncode == 0, drilled.stderr
        assert json.loads(drilled.stdout.splitlines()[-1])["documents_missing"] == 0

        server.stop()
        again = sealed(gateway, koppelvlak.write(asked))
        status, body, headers = gateway.http("POST", ALS, again)
        assert status == 503
        assert b"<faultstring>" in body
        assert headers["retry-after"] == "10"
        refused = openpoort("evidence", "export", gateway.home, kenmerk, "--out", folder / "b.json")
        assert refused.returncode == 2
        assert "payload store s3" in refused.stderr
