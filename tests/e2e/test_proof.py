"""Proof around a whole gateway: evidence by command, the journal as a condition, no leaks."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from openpoort.app.home import create
from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Aanlevering, Document
from openpoort.outbound.exchange import BadAnswer, Faulted
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.services import AANLEVER
from tests import canary, tsa
from tests.e2e.conftest import UNCHECKED
from tests.e2e.gateway import Gateway, openpoort, until, vat_return
from tests.e2e.test_bad_input import sealed


def hand_in(gateway: Gateway, body: bytes, **given: Any) -> str:
    """Hand one in and wait until it is delivered; its kenmerk."""
    with gateway.client() as client:
        asked = vat_return(body, **({"berichtsoort": "OB_zonder_xbrl"} | given))
        kenmerk = client.aanleveren(asked, f"urn:uuid:{uuid.uuid4()}").kenmerk
        until(lambda: client.statussen(kenmerk)[-1].statuscode == "500")
    return kenmerk


def test_evidence_of_a_delivered_message_holds_with_the_checkpoint_key_only(
    gateway: Gateway, tmp_path: Path
) -> None:
    body = b"<xbrl>" + b"bewijs" * 100 + b"</xbrl>"
    kenmerk = hand_in(gateway, body)
    file, key = tmp_path / "evidence.json", gateway.home / "pki" / "checkpoint.pem"
    made = openpoort("evidence", "export", gateway.home, kenmerk, "--out", file)
    assert made.returncode == 0, made.stderr
    judged = openpoort("evidence", "verify", file, "--key", key, "--json")
    assert judged.returncode == 0, judged.stderr
    verdict = json.loads(judged.stdout.splitlines()[-1])
    assert (verdict["ok"], verdict["kenmerk"]) == (True, kenmerk)
    held = {line["what"] for line in verdict["lines"] if line["ok"]}
    assert held >= {
        "file", "checkpoint", "journal", "request", "tls certificate", "token certificate",
        "request signature", "answer", "answer signature", "status", "delivery to DEMODIENST",
        "receipt signature",
    }  # fmt: skip
    data = json.loads(file.read_text())
    data["request"]["body"] = data["answers"][0]["body"]
    file.write_text(json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False) + "\n")
    judged = openpoort("evidence", "verify", file, "--key", key)
    assert judged.returncode == 1
    assert "BAD request" in judged.stdout
    whole = openpoort("journal", "verify", gateway.home)
    assert whole.returncode == 0, whole.stdout
    assert whole.stdout.endswith("unchanged\n")


def test_checkpoints_are_time_stamped_in_the_background(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create(home)
    kind = UNCHECKED.format(
        name="OB_zonder_xbrl", like="Omzetbelasting", types='"BTW"', agency="DEMODIENST"
    )
    (home / "kinds" / "OB_zonder_xbrl.toml").write_text(kind)
    with tsa.running(home / "pki") as authority:
        gateway = Gateway(
            home,
            {"OPENPOORT_TSA_URL": authority.url, "OPENPOORT_JOURNAL_CHECKPOINT_SECONDS": "1",
             "OPENPOORT_TSA_SECONDS": "1"},
        ).start()  # fmt: skip
        try:
            kenmerk = hand_in(gateway, b"<xbrl>tijdstempel</xbrl>")

            def stamped() -> bool:
                row = conn.execute(
                    "select max(leaf) < (select max(size) from journal_timestamp)"
                    " from journal_leaf where kenmerk = %s", (kenmerk,),
                ).fetchone()  # fmt: skip
                return bool(row and row[0])

            with psycopg.connect(gateway.dsn, autocommit=True) as conn:
                until(stamped, 60)
            file, key = tmp_path / "evidence.json", home / "pki" / "checkpoint.pem"
            made = openpoort("evidence", "export", home, kenmerk, "--out", file)
            assert made.returncode == 0, made.stderr
            judged = openpoort("evidence", "verify", file, "--key", key, "--tsa", authority.anchor)
            assert judged.returncode == 0, judged.stdout
            assert "ok  time-stamp: the first" in judged.stdout
        finally:
            gateway.stop()


def test_without_a_journal_a_request_is_refused_and_nothing_is_kept(gateway: Gateway) -> None:
    before = gateway.counts()
    with psycopg.connect(gateway.dsn, autocommit=True) as conn:
        conn.execute("alter table journal rename to hidden")
        try:
            with gateway.client() as client, pytest.raises(Faulted) as refused:
                client.aanleveren(vat_return(b"<x/>"), f"urn:uuid:{uuid.uuid4()}")
        finally:
            conn.execute("alter table hidden rename to journal")
    assert refused.value.fout is not None
    assert refused.value.fout.foutcode == "ALS400"
    assert gateway.counts() == before


def test_no_payload_bsn_or_key_in_anything_written(gateway: Gateway) -> None:
    """Good and bad requests full of marks; then everything the gateway wrote is read."""
    mark, bsn = canary.MARK, canary.BSN
    kenmerk = hand_in(
        gateway, f"<xbrl><naam>{mark}</naam><bsn>{bsn}</bsn></xbrl>".encode(),
        inhoud=Document("application/xml", f"{bsn}-{mark}.xbrl", f"<x>{mark} {bsn}</x>".encode()),
    )  # fmt: skip
    secret = (gateway.home / "pki" / "bedrijf.key").read_bytes()
    bad = [
        vat_return(f"<x>{mark}".encode()),
        vat_return(secret, belanghebbende=Identiteit(bsn, "BSN")),
        vat_return(b"<x/>", belanghebbende=Identiteit(bsn, "Fi")),
        vat_return(b"<x/>", berichtsoort=f"{mark}{bsn}"),
        vat_return(b"<x/>", aanleverkenmerk=bsn, rol_belanghebbende=f"{bsn}"),
    ]
    with gateway.client() as client:
        for one in bad:
            try:
                client.aanleveren(one, f"urn:uuid:{uuid.uuid4()}")
            except (Faulted, BadAnswer, Fault):
                continue
    raw = sealed(gateway, koppelvlak.write(vat_return(f"<x>{bsn}</x>".encode())))
    attacks = [
        raw[:-20], raw.replace(b"</soapenv:Body>", bsn.encode() + b"</soapenv:Body>"),
        f'<!DOCTYPE a [<!ENTITY b "{bsn}">]><a>&b;{mark}</a>'.encode(), mark.encode(), secret,
    ]  # fmt: skip
    body = koppelvlak.write(vat_return(b"<x/>"))
    # Addresses and names of elements are told to the operator; numbers in them are not.
    attacks += [
        sealed(gateway, body, to=f"https://host/{bsn}"), sealed(gateway, body, action=bsn),
        sealed(gateway, body, message_id=f"urn:{mark}:{bsn}", to="https://localhost/"),
        sealed(gateway, body.replace(b"aanleverRequest", f"a.{bsn}.Request".encode())),
        sealed(gateway, body.replace(b"<rolBelang", f"<x>{mark}{bsn}</x><rolBelang".encode())),
    ]  # fmt: skip
    for attack in attacks:
        status, _, _ = gateway.http("POST", AANLEVER.path, attack, {"Content-Type": "text/xml"})
        assert status >= 400
    with psycopg.connect(gateway.dsn) as conn:
        rows = conn.execute("select convert_from(entry, 'utf8') from journal").fetchall()
    assert any(kenmerk in entry for (entry,) in rows)
    assert [leak for (entry,) in rows for leak in canary.leaks(entry)] == []
    events = [json.loads(line) for line in (gateway.home / "security.log").read_text().splitlines()]
    assert {"request.refused", "key.loaded", "key.used", "gateway.started"} <= {
        event["action"] for event in events
    }
    assert canary.leaks_of(gateway.home) == []


BREAKS = (
    "alter table message add constraint broken check (aanleverkenmerk is null) not valid",
    "alter table process add constraint broken check (belang is null) not valid",
    "create unique index broken on journal_leaf (kenmerk) where kenmerk is null",
    "alter table request alter content_type type uuid using null",
    "create function broken() returns trigger language plpgsql as $$ begin"
    " raise exception 'row % is odd', new using detail = new::text; end $$;"
    " create trigger broken before insert on status for each row execute function broken()",
)
MENDS = (
    "alter table message drop constraint broken",
    "alter table process drop constraint broken",
    "drop index broken",
    "alter table request alter content_type type text",
    "drop function broken cascade",
)


def test_no_fault_of_a_database_or_a_disk_puts_a_value_in_the_log(gateway: Gateway) -> None:
    """What a database says in DETAIL, a disk in its path, a page in its text: nothing of it."""
    mark, bsn = canary.MARK, canary.BSN
    asked = vat_return(
        f"<x>{mark}</x>".encode(), aanleverkenmerk=f"{mark}-{bsn}", berichtsoort="OB_zonder_xbrl"
    )
    large = replace(
        asked,
        inhoud=Document("application/xml", f"{mark}.xbrl", f"<x>{mark}</x>".encode() * 99_999),
    )
    before = gateway.counts()
    payloads, away = gateway.home / "payloads", gateway.home / "payloads.away"

    def refused(one: Aanlevering) -> None:
        with gateway.client() as client, pytest.raises((Faulted, BadAnswer)):
            client.aanleveren(one, f"urn:uuid:{uuid.uuid4()}")

    with psycopg.connect(gateway.dsn, autocommit=True) as conn:
        for breaks, mends in zip(BREAKS, MENDS, strict=True):
            conn.execute(breaks)
            try:
                refused(asked) if "journal_leaf" not in breaks else None
            finally:
                conn.execute(mends)
    payloads.mkdir(exist_ok=True)
    payloads.rename(away)
    payloads.write_text("a disk that is not there")
    try:
        refused(large)
    finally:
        payloads.unlink()
        away.rename(payloads)
    assert gateway.counts() == before
    pages = [
        gateway.http("POST", f"/{mark}/{bsn}", b"<x/>"), gateway.http("GET", f"/?{mark}"),
        gateway.http("PUT", AANLEVER.path, mark.encode()),
        gateway.http("POST", AANLEVER.path, mark.encode(), {"Content-Type": mark}),
        gateway.http("GET", AANLEVER.path + f"?{mark}"),
    ]  # fmt: skip
    assert [mark for _, page, _ in pages if mark.encode() in page or bsn.encode() in page] == []
    assert canary.leaks_of(gateway.home) == []
    assert "CheckViolation" in gateway.log
    assert "Traceback" not in gateway.log


def test_what_breaks_a_worker_puts_no_value_in_the_log(gateway: Gateway) -> None:
    mark = canary.MARK
    asked = vat_return(
        f"<x>{mark}</x>".encode(), aanleverkenmerk=mark, berichtsoort="OB_zonder_xbrl"
    )
    with psycopg.connect(gateway.dsn, autocommit=True) as conn, gateway.client() as client:
        conn.execute("alter table status add constraint broken check (code <> '200') not valid")
        try:
            kenmerk = client.aanleveren(asked, f"urn:uuid:{uuid.uuid4()}").kenmerk
            until(lambda: "a batch of steps failed" in gateway.log)
        finally:
            conn.execute("alter table status drop constraint broken")
        conn.execute("update job set due_at = now() where kenmerk = %s", [kenmerk])
        until(lambda: client.statussen(kenmerk)[-1].statuscode == "500", 60)
    assert canary.leaks_of(gateway.home) == []
