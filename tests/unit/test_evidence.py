"""Evidence: exported from the database, judged offline with one key."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from openpoort.cli import main
from openpoort.evidence import bundle
from openpoort.evidence.bundle import Bundle
from openpoort.evidence.export import NotCovered
from openpoort.evidence.verify import Verdict, verify
from openpoort.store.journal import sequencer
from openpoort.store.journal.sequencer import Connection, JournalBroken
from openpoort.store.messages.message_export import NoSuchMessage
from openpoort.store.postgres.embedded import Embedded
from tests.evidence_kit import KENMERK, KEY, ORIGIN, case, exporter, others
from tests.wire_kit import NOW, key

OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True) as one:
        yield one


@pytest.fixture(scope="module")
def exported(postgres: Embedded) -> Iterator[bytes]:
    """The file of a message between others, with checkpoints before, amid and after it."""
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute("create database evidence template openpoort")
    with psycopg.connect(postgres.dsn("evidence"), autocommit=True) as conn:
        others(conn, 9)
        checkpoint(conn)
        case().put(conn)
        checkpoint(conn)
        others(conn, 21)
        checkpoint(conn)
        yield exporter().export(conn, KENMERK)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as conn:
        conn.execute("drop database evidence")


def checkpoint(conn: Connection) -> None:
    sequencer.step(conn)
    sequencer.sign(conn, KEY, ORIGIN, NOW)


def judged(data: bytes) -> Verdict:
    return verify(data, KEY.public_key())


def bad(verdict: Verdict) -> list[str]:
    return [line.what for line in verdict.lines if line.ok is False]


def resealed(data: bytes, **changes: object) -> bytes:
    """As an exporter that lies would: other content, a seal that holds."""
    found, _ = bundle.read(data)
    return bundle.write(dataclasses.replace(found, **changes), ORIGIN, KEY)  # type: ignore[arg-type]


def of(data: bytes) -> Bundle:
    return bundle.read(data)[0]


def test_the_file_holds_the_request_as_received_and_everything_after(exported: bytes) -> None:
    found = of(exported)
    assert found.request is not None
    assert found.request.body == case().request
    assert found.request.token == key().certificate
    assert [s.code for s in found.statuses] == ["105", "100", "110", "400", "510"]
    assert [d.agency for d in found.deliveries] == ["DEMODIENST"]
    assert len(found.answers) == 1
    assert len(found.entries) == 5
    assert len(found.earlier) == 2


def test_the_file_is_valid_under_the_checkpoint_key(exported: bytes) -> None:
    verdict = judged(exported)
    assert bad(verdict) == []
    said = "\n".join(f"{line.what}: {line.text}" for line in verdict.lines)
    for claim in (
        "request: its digest stands in entry 9 (message.accepted)",
        "request signature: holds (rsa-sha256), by Voorbeeld B.V. (00000099001000044000)",
        "answer signature: relates to this request",
        "answer signature: names this kenmerk",
        "delivery to DEMODIENST",
        "receipt signature: holds",
        "consistency: the journal of 35 entries begins with the one of 9",
    ):
        assert claim in said


def test_another_key_does_not_verify_it(exported: bytes) -> None:
    verdict = verify(exported, OTHER.public_key())
    assert not verdict.ok
    assert "another key" in verdict.lines[0].text


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_byte_fails(exported: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(exported) - 1))
    forged = bytearray(exported)
    forged[place] ^= data.draw(st.integers(1, 255))
    assert not judged(bytes(forged)).ok


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_cut_file_fails(exported: bytes, cut: int) -> None:
    assert not judged(exported[:cut]).ok
    assert not judged(exported + b"\n").ok


def with_last_status(b: Bundle, **changes: object) -> dict[str, object]:
    last = dataclasses.replace(b.statuses[-1], **changes)  # type: ignore[arg-type]
    return {"statuses": (*b.statuses[:-1], last)}


def with_request(b: Bundle, **changes: object) -> dict[str, object]:
    return {"request": dataclasses.replace(b.request, **changes)}  # type: ignore[type-var]


def first(b: Bundle, name: str, **changes: object) -> dict[str, object]:
    one, *rest = getattr(b, name)
    return {name: (dataclasses.replace(one, **changes), *rest)}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda b: with_request(b, body=b.request.body + b" "), "request"),
        (lambda b: with_request(b, tls=b"x"), "tls certificate"),
        (lambda b: with_request(b, token=b"x"), "token certificate"),
        (lambda b: first(b, "answers", body=b"<x/>"), "answer"),
        (lambda b: {"statuses": b.statuses[1:]}, "status"),
        (lambda b: with_last_status(b, fout="ok"), "status"),
        (lambda b: with_last_status(b, code="500"), "status"),
        (lambda b: with_last_status(b, at=NOW), "status"),
        (lambda b: first(b, "deliveries", agency="X"), "delivery to X"),
        (lambda b: first(b, "deliveries", delivered_at=NOW), "delivery to DEMODIENST"),
        (lambda b: {"entries": b.entries[1:]}, "request"),
        (lambda b: {"entries": b.entries[::-1]}, "journal"),
        (lambda b: {"entries": ()}, "journal"),
        (lambda b: first(b, "entries", leaf=8), "journal"),
        (lambda b: {"kenmerk": "3f0c2ab4-16b5-4c3c-9d3e-0123456789ac"}, "journal"),
        (lambda b: {"checkpoint": b.earlier[0].checkpoint}, "journal"),
        (lambda b: first(b, "earlier", path=()), "consistency"),
    ],
)
def test_an_exporter_that_lies_is_caught_by_the_journal(
    exported: bytes, change: object, where: str
) -> None:
    forged = resealed(exported, **change(of(exported)))  # type: ignore[operator]
    verdict = judged(forged)
    assert verdict.lines[0].ok is True
    assert where in bad(verdict)


def test_a_fresh_message_gets_a_checkpoint_of_its_own(conn: Connection) -> None:
    case().put(conn)
    found = of(exporter().export(conn, KENMERK))
    assert conn.execute("select size from journal_checkpoint").fetchall() == [(5,)]
    assert (found.earlier, len(found.entries)) == ((), 5)


def test_a_message_without_an_answer_says_so(conn: Connection) -> None:
    case(answered=False, delivered=False).put(conn)
    verdict = judged(exporter().export(conn, KENMERK))
    assert verdict.ok
    assert (None, "answer", "no answer sent") in [(x.ok, x.what, x.text) for x in verdict.lines]


def test_an_answer_to_another_request_is_bad(conn: Connection) -> None:
    case(relates_to="urn:uuid:other").put(conn)
    assert bad(judged(exporter().export(conn, KENMERK))) == ["answer signature"]


def test_unknown_kenmerk(conn: Connection) -> None:
    with pytest.raises(NoSuchMessage):
        exporter().export(conn, UUID(int=1))


def test_export_gives_up_while_a_transaction_holds_the_journal_back(
    conn: Connection, dsn: str
) -> None:
    case(delivered=False).put(conn)
    with psycopg.connect(dsn) as writer:
        writer.execute("select pg_current_xact_id()")
        case(kenmerk=UUID(int=7)).put(conn)
        impatient = dataclasses.replace(exporter(), patience=0.2)
        with pytest.raises(NotCovered, match="still wait"):
            impatient.export(conn, UUID(int=7))
    assert judged(exporter().export(conn, UUID(int=7))).kenmerk == str(UUID(int=7))


def test_no_evidence_from_a_changed_journal(conn: Connection) -> None:
    case().put(conn)
    checkpoint(conn)
    conn.execute("set session_replication_role = replica")
    conn.execute("update journal set entry = replace(entry::text, '61', '62')::bytea where id = 1")
    with pytest.raises(JournalBroken, match="entry 0 is not in the signed tree"):
        exporter().export(conn, KENMERK)


def test_evidence_verify_command(exported: bytes, tmp_path: Path) -> None:
    file, right, wrong = (tmp_path / name for name in ("e.json", "right.pem", "wrong.pem"))
    file.write_bytes(exported)
    for path, pair in ((right, KEY), (wrong, OTHER)):
        path.write_bytes(
            pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["evidence", "verify", *words])
        return result.exit_code, result.output.splitlines()[-1]

    assert run(str(file), "--key", str(right)) == (0, f"{KENMERK}: VALID")
    assert run(str(file), "--key", str(wrong)) == (1, f"{KENMERK}: NOT VALID")
    code, last = run(str(file), "--key", str(right), "--json")
    assert (code, json.loads(last)["ok"]) == (0, True)
    assert run(str(file), "--key", str(file))[0] == 2
    (tmp_path / "empty").write_bytes(b"")
    assert run(str(tmp_path / "empty"), "--key", str(right))[0] == 1
