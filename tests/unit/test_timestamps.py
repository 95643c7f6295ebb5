"""Time-stamps of checkpoints: asked of a real TSA process, kept, put into evidence, judged."""

from __future__ import annotations

import dataclasses
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from openpoort import telemetry
from openpoort.app.timestamps import Stamper
from openpoort.cli import main
from openpoort.evidence import bundle
from openpoort.evidence.bundle import TimeStamp
from openpoort.evidence.verify import Line, Verdict, verify
from openpoort.keys.timestamp import BadAnchors, Tsa, ask, load_anchors
from openpoort.sandbox import authority
from openpoort.sandbox.tsa import POLICY, WAYS
from openpoort.sandbox.tsa import Tsa as Authority
from openpoort.store.journal import sequencer, timestamps
from openpoort.store.journal.audit import audit
from openpoort.store.journal.sequencer import Connection
from openpoort.trust.timestamp import Asked, BadStamp, claimed, judge, plausible, token_of
from tests import tsa
from tests.evidence_kit import KENMERK, KEY, ORIGIN, case, exporter, others
from tests.wire_kit import NOW

ASKED = Asked(b"a checkpoint", 2**64 - 1)
MADE = datetime(2026, 11, 30, tzinfo=UTC)
WHY = {
    "other-digest": "messageImprint", "wrong-nonce": "nonce", "no-nonce": "nonce",
    "wrong-usage": "not for time-stamping only", "usage-not-critical": "critical",
    "two-usages": "not for time-stamping only", "expired": "has expired",
    "other-root": "local issuer", "granted-with-mods": "granted_with_mods",
    "rejected": "rejection: bad_request", "huge": "more than 131072 bytes",
    "slow": "in time", "garbage": "no answer of RFC 3161", "changed": "signature does not hold",
    "clock-ahead": "is not ours", "sha1": "weak digest",
    "unnamed-certificate": "signed attributes name", "error": "HTTP 503",
    "other-policy": "another policy, 2.999.1",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tsa.Running]:
    with tsa.running(tmp_path_factory.mktemp("tsa")) as made:
        yield made


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True) as one:
        yield one


def stamper(dsn: str, chosen: Tsa, **changes: Any) -> Stamper:
    given = {"now": lambda: datetime.now(UTC), "pause": timedelta(0), "seconds": 1.0}
    return Stamper(dsn, chosen, **(given | changes))


def checkpoint(conn: Connection) -> None:
    sequencer.step(conn)
    sequencer.sign(conn, KEY, ORIGIN, NOW)


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_an_honest_token_says_when_and_who(server: tsa.Running) -> None:
    token = ask(server.url, ASKED)
    stamp = judge(token, ASKED, load_anchors(server.anchor))
    assert stamp.policy == POLICY
    assert stamp.tsa == "CN=openpoort test TSA,O=Voorbeeld B.V.,C=NL"
    plausible(stamp, datetime.now(UTC))
    assert claimed(token, ASKED).at == stamp.at
    chosen = dataclasses.replace(ASKED, policy="2.999.7")
    assert judge(ask(server.url, chosen), chosen, load_anchors(server.anchor)).policy == "2.999.7"


def test_openssl_agrees(server: tsa.Running, tmp_path: Path) -> None:
    """Both ways: it takes our TSA's token as we do, and refuses what we refuse."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    data = tmp_path / "data"
    data.write_bytes(ASKED.content)

    def verified(token: bytes) -> bool:
        (tmp_path / "token").write_bytes(token)
        words = ["-data", data, "-in", tmp_path / "token", "-token_in", "-CAfile", server.anchor]
        command = ["openssl", "ts", "-verify", *map(str, words)]
        done = subprocess.run(command, check=False, capture_output=True)
        return done.returncode == 0

    assert verified(ask(server.url, ASKED))
    for way in ("other-digest", "wrong-usage", "other-root", "changed", "unnamed-certificate"):
        assert not verified(ask(server.url + way, ASKED)), way
    query = tmp_path / "query"
    query.write_bytes(ASKED.request)
    shown = subprocess.run(
        ["openssl", "ts", "-query", "-in", str(query), "-text"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "Nonce: 0xFFFFFFFFFFFFFFFF" in shown
    assert "Certificate required: yes" in shown


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_tsa_is_told_once_and_the_checkpoint_stands(
    server: tsa.Running, way: str, conn: Connection, dsn: str, tmp_path: Path
) -> None:
    others(conn, 3)
    checkpoint(conn)
    log = tmp_path / "security.log"
    telemetry.security_log(log)
    wrong = stamper(dsn, server.tsa(way, POLICY))
    assert wrong.round() is None
    assert wrong.round() is None
    (event,) = events(log)
    assert (event["action"], event["result"]) == ("timestamp.missing", "failed")
    assert WHY[way] in event["reason"]
    failing = timestamps.failing(conn)
    assert failing is not None
    assert WHY[way] in failing[1]
    assert conn.execute("select count(*) from journal_checkpoint").fetchone() == (1,)
    assert conn.execute("select count(*) from journal_timestamp").fetchone() == (0,)
    kept = stamper(dsn, server.tsa()).round()
    assert kept is not None
    assert [e["result"] for e in events(log)] == ["failed", "ok"]
    assert timestamps.failing(conn) is None


def test_a_tsa_that_is_down_and_one_that_never_answers(dsn: str, conn: Connection) -> None:
    others(conn, 1)
    checkpoint(conn)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        chosen = Tsa(f"http://127.0.0.1:{port}/", ())
        assert stamper(dsn, chosen, seconds=0.2).round() is None
        assert "no answer in time" in str(timestamps.failing(conn))
    assert stamper(dsn, chosen).round() is None
    assert "ConnectionRefusedError" in str(timestamps.failing(conn))


def test_only_the_newest_is_asked_for_and_not_more_often_than_may_be(
    server: tsa.Running, dsn: str, conn: Connection
) -> None:
    for _ in range(3):
        others(conn, 2)
        checkpoint(conn)
    at = [datetime.now(UTC)]
    slow = stamper(dsn, server.tsa(), pause=timedelta(seconds=60), now=lambda: at[0])
    first = slow.round()
    assert first is not None
    assert first.note == sequencer.last_note(conn)
    assert slow.round() is None  # it has one
    others(conn, 1)
    checkpoint(conn)
    assert slow.round() is None  # too soon
    at[0] += timedelta(seconds=61)
    assert slow.round() is not None
    assert [bool(r.kept) for r in timestamps.listed(conn, 9)] == [True, True, False, False]


def test_one_node_asks_at_a_time(server: tsa.Running, dsn: str, conn: Connection) -> None:
    others(conn, 1)
    checkpoint(conn)
    with timestamps.alone(conn) as mine:
        assert mine
        assert stamper(dsn, server.tsa()).round() is None
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(stamper(dsn, server.tsa()).round()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in found if one]) == 1


@pytest.fixture
def stamped(server: tsa.Running, dsn: str, conn: Connection) -> bytes:
    """Evidence of a message whose second checkpoint after it was time-stamped, not the first."""
    others(conn, 9)
    checkpoint(conn)
    case().put(conn)
    checkpoint(conn)
    others(conn, 5)
    checkpoint(conn)
    stamper(dsn, server.tsa()).round()
    others(conn, 7)
    checkpoint(conn)
    return exporter().export(conn, KENMERK)


def stamps(verdict: Verdict) -> list[Line]:
    return [line for line in verdict.lines if line.what == "time-stamp"]


def judged(data: bytes, server: tsa.Running | None) -> Verdict:
    return verify(data, KEY.public_key(), load_anchors(server.anchor) if server else None)


def test_evidence_carries_the_time_stamp_and_holds_offline(
    stamped: bytes, server: tsa.Running
) -> None:
    found, _ = bundle.read(stamped)
    assert len(found.timestamps) == 1
    assert [one.checkpoint for one in found.earlier][-1] == found.timestamps[0].checkpoint
    verdict = judged(stamped, server)
    assert verdict.ok
    (line,) = stamps(verdict)
    assert line.ok
    assert line.text.startswith("the first 19 entries stood there at ")
    assert "openpoort test TSA" in line.text


def test_without_the_anchor_it_is_shown_and_not_believed(stamped: bytes) -> None:
    verdict = judged(stamped, None)
    assert verdict.ok
    (line,) = stamps(verdict)
    assert line.ok is None
    assert "not judged: give the TSA's anchor with --tsa" in line.text


def resealed(data: bytes, **changes: Any) -> bytes:
    found, _ = bundle.read(data)
    one = dataclasses.replace(found.timestamps[0], **changes)
    return bundle.write(dataclasses.replace(found, timestamps=(one,)), ORIGIN, KEY)


def test_an_exporter_that_lies_about_time_is_caught(stamped: bytes, server: tsa.Running) -> None:
    """The seal holds in all of these: who has the checkpoint key made them."""
    found, _ = bundle.read(stamped)
    (real,) = found.timestamps
    other_note = ask(server.url, Asked(b"other", 7))
    early = Authority(MADE, lambda: NOW - timedelta(days=30))
    before = token_of(early.answer(Asked(real.checkpoint.encode(), 7).request))
    for changes, says in (
        ({"nonce": real.nonce + 1}, "nonce"),
        ({"checkpoint": found.checkpoint}, "messageImprint"),
        ({"checkpoint": "another"}, "no checkpoint of this file"),
        ({"token": other_note, "nonce": 7}, "messageImprint"),
        ({"token": b""}, "no token"),
        ({"token": before, "nonce": 7}, "before the checkpoint"),
    ):
        for anchor in (server, None):
            if "token" in changes and changes["token"] is before and anchor:
                continue  # its root is another: refused for that
            verdict = judged(resealed(stamped, **changes), anchor)
            assert verdict.ok is False, changes
            assert says in stamps(verdict)[0].text
    other = Tsa("", (early.root.certificate,))
    verdict = verify(stamped, KEY.public_key(), other.anchors)
    assert "signature does not hold" in stamps(verdict)[0].text


def test_every_changed_byte_of_a_token_is_seen(server: tsa.Running) -> None:
    """A bit in each byte: refused, or the very same statement (bytes outside of what is signed)."""
    token = ask(server.url, ASKED)
    anchors = load_anchors(server.anchor)
    right, accepted = judge(token, ASKED, anchors), 0
    for place in range(0, len(token), 7):
        changed = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        try:
            assert judge(changed, ASKED, anchors) == right
            accepted += 1
        except BadStamp:
            continue
    assert accepted < len(token) // 7 // 20


def test_a_message_no_time_stamp_covers_does_not_satisfy_who_asks_for_one(
    server: tsa.Running, dsn: str, conn: Connection
) -> None:
    others(conn, 9)
    checkpoint(conn)
    stamper(dsn, server.tsa()).round()
    case().put(conn)
    data = exporter().export(conn, KENMERK)
    assert b"messages" not in data
    verdict = judged(data, server)
    assert verdict.ok is False
    assert stamps(verdict)[-1].text.startswith("none by this TSA covers what happened")
    assert judged(data, None).ok
    stamper(dsn, server.tsa()).round()
    assert judged(exporter().export(conn, KENMERK), server).ok


def test_a_file_from_before_time_stamps_reads_as_ever(conn: Connection) -> None:
    case().put(conn)
    data = exporter().export(conn, KENMERK)
    assert "timestamps" not in json.loads(data)
    verdict = judged(data, None)
    assert verdict.ok
    assert [(x.ok, x.text) for x in stamps(verdict)] == [
        (None, "none: all times here are the gateway's own")
    ]
    with_empty = json.loads(data) | {"timestamps": []}
    text = json.dumps(with_empty, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    assert judged(text.encode(), None).kenmerk is None


def test_who_owns_the_database_cannot_change_a_time_stamp_unseen(
    server: tsa.Running, dsn: str, conn: Connection
) -> None:
    others(conn, 4)
    checkpoint(conn)
    kept = stamper(dsn, server.tsa()).round()
    assert kept is not None
    anchors = load_anchors(server.anchor)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        conn.execute("update journal_timestamp set nonce = 1")
    with conn.transaction():
        clean = audit(conn, KEY.public_key(), (), anchors)
    assert (clean.timestamps, clean.problems) == (1, ())
    conn.execute("set session_replication_role = replica")
    forger = Authority(MADE, lambda: kept.stamped_at)
    forged = token_of(forger.answer(Asked(kept.note.encode(), kept.nonce).request))
    changed = kept.token[:-1] + bytes([kept.token[-1] ^ 1])
    for column, value, says in (
        ("token", changed, "signature does not hold"),
        ("token", forged, "signature does not hold"),
        ("nonce", kept.nonce ^ 1, "nonce"),
        ("stamped_at", NOW, "column"),
        ("size", 3, "messageImprint"),
    ):
        with conn.transaction(force_rollback=True):
            conn.execute(f"update journal_timestamp set {column} = %s", (value,))
            report = audit(conn, KEY.public_key(), (), anchors)
            (problem,) = report.problems
            assert problem.what == "timestamp-changed"
            assert says in problem.text


def test_commands(
    server: tsa.Running, stamped: bytes, dsn: str, conn: Connection, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "pki").mkdir(parents=True)
    file, key, anchor = home / "e.json", home / "pki" / "checkpoint.pem", home / "pki" / "tsa.pem"
    file.write_bytes(stamped)
    key.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    shutil.copy(server.anchor, anchor)
    (home / "openpoort.toml").write_text(f"[database]\nurl = {json.dumps(dsn)}\n")

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, list(words))
        return result.exit_code, result.output

    at = ["evidence", "verify", str(file), "--key", str(key)]
    code, said = run(*at, "--tsa", str(anchor))
    assert (code, "ok  time-stamp: the first 19" in said) == (0, True)
    assert "--tsa" in run(*at)[1]
    assert run(*at, "--tsa", str(key))[0] == 2
    code, said = run("journal", "list", str(home), "--most", "2")
    assert code == 0
    first, second = said.splitlines()
    assert first.split()[0] == "26"
    assert first.endswith("time-stamp -")
    assert second.split()[0] == "19"
    assert second.endswith("Z") is False
    timestamps.failed(conn, "HTTP 503", NOW)
    code, said = run("journal", "list", str(home), "--json")
    shown = json.loads(said.splitlines()[-1])
    assert [bool(c["stamped_at"]) for c in shown["checkpoints"]] == [False, True, False, False]
    assert shown["failing"]["reason"] == "HTTP 503"
    assert "no time-stamps since" in run("journal", "list", str(home))[1]
    code, said = run("journal", "verify", str(home), "--json")
    assert (code, json.loads(said.splitlines()[-1])["timestamps"]) == (0, 1), said


def test_anchors_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "tsa.pem"
    file.write_text("not a certificate")
    with pytest.raises(BadAnchors, match=r"tsa\.pem holds no certificates"):
        load_anchors(file)
    root = Authority(MADE).root
    file.write_bytes(authority.pem(root.certificate))
    assert load_anchors(file) == (root.certificate,)


def test_a_real_token_reads_back_from_its_file(stamped: bytes) -> None:
    found, _ = bundle.read(stamped)
    assert isinstance(found.timestamps[0], TimeStamp)
    assert json.loads(stamped)["timestamps"][0]["nonce"] == found.timestamps[0].nonce
