"""Documents and requests come back byte for byte, wherever they were put."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpoort.domain.message import Document, Received
from openpoort.store.payloads import payloads
from openpoort.store.payloads.folder import Folder
from openpoort.store.payloads.payloads import THRESHOLD, Cut, PayloadMissing
from tests.process.house import BEDRIJF, HAPPY, START, Gate, request, verified
from tests.unit.test_spool import spooled

WHO = BEDRIJF


@given(
    st.lists(st.binary(min_size=0, max_size=2000), max_size=3),
    st.lists(st.binary(max_size=50), min_size=4, max_size=4),
    st.lists(st.sampled_from(["b64", "raw", "lines", "absent"]), min_size=3, max_size=3),
    st.booleans(),
)
def test_a_cut_request_is_restored_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    documents: list[bytes], between: list[bytes], forms: list[str], on_disk: bool,
) -> None:  # fmt: skip
    documents = [d * 3 for d in documents]
    raw = between[0]
    for document, form, after in zip(documents, forms, between[1:], strict=False):
        raw += {
            "b64": base64.b64encode(document), "raw": document,
            "lines": base64.encodebytes(document), "absent": b"",
        }[form] + after  # fmt: skip
    if on_disk:
        folder = tmp_path_factory.getbasetemp()
        kept, cuts = payloads.cut(spooled(folder, raw), [spooled(folder, d) for d in documents])
    else:
        kept, cuts = payloads.cut(raw, documents)
    assert payloads.restore(bytes(kept), cuts, documents) == raw


def test_the_content_is_kept_once() -> None:
    document = random.Random(1).randbytes(20_000)
    raw = b"<soap>" + base64.b64encode(document) + b"</soap>"
    kept, cuts = payloads.cut(raw, [document])
    assert kept == b"<soap></soap>"
    assert cuts == (Cut(6, 0, "b64"),)


def stored_request(gate: Gate, kenmerk: str) -> bytes:
    with gate.store.connect() as conn:
        row = conn.execute(
            "select r.body, r.cuts, r.digest, m.documents, r.day from request r"
            " join message m using (kenmerk, day) where kenmerk = %s",
            [kenmerk],
        ).fetchone()
        assert row is not None
        digests = [bytes.fromhex(d[2]) for d in row[3]] + [row[2]]
        found = payloads.load(conn, [(row[4], digest) for digest in digests])
    bodies = [payloads.read(found[d], gate.store.outside) if d in found else b"" for d in digests]
    raw = payloads.restore(row[0], [Cut(*c) for c in row[1]], bodies)
    assert hashlib.sha256(raw).digest() == row[2]
    return raw


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("form", ["b64", "lines", "raw"])
def test_large_documents_go_outside_and_arrive(
    dsn: str, tmp_path: Path, form: str, on_disk: bool
) -> None:
    gate = Gate(dsn, outside=[Folder(tmp_path / "payloads")])
    body = random.Random(2).randbytes(THRESHOLD + 10)
    encoded = {"b64": base64.b64encode, "lines": base64.encodebytes, "raw": bytes}[form](body)
    raw = b"<soap>" + encoded + b"</soap>"
    asked = request(body=body, bijlagen=())
    received = Received(raw, START)
    if on_disk:
        received = Received(spooled(tmp_path, raw), START)
        asked = replace(asked, inhoud=replace(asked.inhoud, inhoud=spooled(tmp_path, body)))
    taken = asyncio.run(gate.intake.aanleveren(verified(WHO), asked, received))
    gate.work()
    assert gate.codes(taken.kenmerk) == HAPPY
    assert gate.channel.got[0][2].inhoud.inhoud == body
    assert stored_request(gate, taken.kenmerk) == raw
    with gate.store.connect() as conn:
        places = conn.execute("select distinct place, body is null from payload").fetchall()
        assert places == [("folder", True)]
        later = datetime.now(UTC) + timedelta(days=2)
        assert payloads.sweep(conn, gate.store.outside, later) == 0
    gate.close()


def test_small_requests_come_back_too(dsn: str) -> None:
    gate = Gate(dsn)
    bijlage = Document("application/pdf", "b.pdf", b"%PDF" * 300)
    asked = request("Jaarrekening", b"<x/>" * 99, bijlagen=(bijlage,),
                    belanghebbende=type(request().belanghebbende)("90000044", "KvK"))  # fmt: skip
    raw = b"a" + base64.b64encode(asked.inhoud.inhoud) + b"b" + base64.b64encode(bijlage.inhoud)
    taken = asyncio.run(gate.intake.aanleveren(verified(WHO), asked, Received(raw, START)))
    assert stored_request(gate, taken.kenmerk) == raw
    gate.close()


def test_orphans_are_swept_when_old_and_only_then(dsn: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    gate = Gate(dsn, outside=[folder])
    lost, now = hashlib.sha256(b"lost").digest(), datetime.now(UTC)
    key = (now.date(), lost)
    folder.put(key, b"lost")
    with gate.store.connect() as conn:
        assert payloads.sweep(conn, [folder], now - timedelta(hours=1)) == 0
        # The next day somebody sends it again: what came in then is not what is swept now.
        again = (now.date() + timedelta(days=1), lost)
        folder.put(again, b"lost")
        assert payloads.sweep(conn, [folder], now + timedelta(days=1)) == 1
    assert bytes(folder.get(again)) == b"lost"
    with pytest.raises(PayloadMissing):
        folder.get(key)
    gate.close()


def test_a_changed_file_is_not_delivered_but_parked_with_a_reason(dsn: str, tmp_path: Path) -> None:
    gate = Gate(dsn, outside=[Folder(tmp_path)])
    kenmerk = gate.send(request(body=random.Random(3).randbytes(THRESHOLD)))
    for file in tmp_path.glob("*/??/*"):
        file.write_bytes(b"changed")
    gate.work()
    assert gate.codes(kenmerk) == [*HAPPY[:3], "321"]
    assert gate.statuses(kenmerk)[-1].fout is not None
    with gate.store.connect() as conn:
        row = conn.execute("select reason from parked").fetchone()
    assert row is not None
    assert "was changed" in row[0]
    gate.close()
