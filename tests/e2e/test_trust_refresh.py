"""Evidence from a real HTTP server into a real database and on to the gate."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
from cryptography.x509 import ocsp

from openpoort import telemetry
from openpoort.app.gate import Gate, Refresher
from openpoort.app.revocations import refresh
from openpoort.domain.fault import Refusal
from openpoort.domain.ids import Oin
from openpoort.keys.fetch import pool
from openpoort.keys.pem import PemSigner
from openpoort.sandbox import pki
from openpoort.sandbox.authority import Leaf, pem
from openpoort.sandbox.directory import starting
from openpoort.sandbox.revocations import crl, ocsp_answer
from openpoort.settings import load as load_settings
from openpoort.store.directory import revocation
from openpoort.store.directory.revocation import Observed
from openpoort.trust.anchors import Purpose
from openpoort.trust.revocation import FailMode
from openpoort.trust.verdict import Reason, Standing, Untrusted
from openpoort.trust.verdicts import Verdicts
from tests.trust_builders import (
    NOW,
    OIN,
    SHA1,
    anchors,
    issuing,
    leaf,
    message,
    root,
    verdict,
    why,
)

HOUR = timedelta(hours=1)


class Responder:
    """What the server answers: a CRL at /crl, OCSP for anything posted, or an HTTP error."""

    def __init__(self) -> None:
        self.revoked: list[Leaf] = []
        self.leaves: list[Leaf] = []
        self.at = NOW
        self.broken = False
        self.asked: list[str] = []

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        self.asked.append(f"{method} {path}")
        if method == "GET":
            return crl(issuing(), self.at, [c.certificate for c in self.revoked], lasts=4 * HOUR)
        serial = ocsp.load_der_ocsp_request(body).serial_number
        about = next(c for c in self.leaves if c.certificate.serial_number == serial)
        return ocsp_answer(issuing(), about.certificate, self.at, revoked=about in self.revoked)


@contextmanager
def serving(responder: Responder) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content = responder.answer(self.command, self.path, body)
            self.send_response(503 if responder.broken else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _reply  # noqa: N815 - the names http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def responder() -> Responder:
    return Responder()


@pytest.fixture
def url(responder: Responder) -> Iterator[str]:
    with serving(responder) as address:
        yield address


def remember(conn: psycopg.Connection, *leaves: Leaf) -> None:
    observed = Observed()
    for one in leaves:
        observed.certificate(one.der, NOW)
    observed.flush(conn)


@pytest.mark.parametrize("how", ["crl", "ocsp"])
@pytest.mark.conformance("WUS-2.3-1")
def test_evidence_travels_from_responder_to_verdict(
    dsn: str, responder: Responder, url: str, how: str
) -> None:
    where = {"crl_urls": [f"{url}/crl"]} if how == "crl" else {"ocsp_urls": [f"{url}/"]}
    good, bad = leaf(**where), leaf(**where)
    responder.leaves, responder.revoked = [good, bad], [bad]
    with psycopg.connect(dsn, autocommit=True) as conn:
        remember(conn, good, bad)
        with pool() as connections:
            done = refresh(dsn, anchors(), connections, NOW)
        assert done.problems == ()
        assert done.asked == done.fetched == (1 if how == "crl" else 2)
        found = revocation.load(conn)
    assert verdict(good, evidence=found).standing is Standing.GOOD
    assert why(bad, evidence=found) is Reason.REVOKED


def test_a_round_asks_only_what_is_due(dsn: str, responder: Responder, url: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn, pool() as connections:
        remember(conn, leaf(crl_urls=[f"{url}/crl"]))
        for at, asked in ((NOW, 1), (NOW + HOUR, 0), (NOW + 3 * HOUR, 1)):
            responder.at = at
            assert refresh(dsn, anchors(), connections, at).asked == asked
        assert responder.asked == ["GET /crl"] * 2
        assert revocation.version(conn) == 2


def test_a_broken_responder_leaves_what_is_known(dsn: str, responder: Responder, url: str) -> None:
    one = leaf(crl_urls=[f"{url}/crl"])
    with psycopg.connect(dsn, autocommit=True) as conn, pool() as connections:
        remember(conn, one)
        refresh(dsn, anchors(), connections, NOW)
        responder.broken = True
        done = refresh(dsn, anchors(), connections, NOW + 3 * HOUR)
        assert done.problems == ((f"{url}/crl", "HTTP 503"),)
        found = revocation.load(conn)
        (row,) = revocation.kept(conn).values()
        assert row.problem == "HTTP 503"
    assert verdict(one, at=NOW + 3 * HOUR, evidence=found).standing is Standing.GOOD
    assert why(one, at=NOW + 5 * HOUR, evidence=found, mode=FailMode.HARD) is (
        Reason.STALE_EVIDENCE
    )


def test_an_older_answer_never_replaces_a_newer_one(
    dsn: str, responder: Responder, url: str
) -> None:
    """Somebody on the way replays yesterday's clean list after a revocation."""
    one = leaf(crl_urls=[f"{url}/crl"])
    with psycopg.connect(dsn, autocommit=True) as conn, pool() as connections:
        remember(conn, one)
        responder.revoked = [one]
        refresh(dsn, anchors(), connections, NOW)
        responder.revoked, responder.at = [], NOW - HOUR
        done = refresh(dsn, anchors(), connections, NOW + 3 * HOUR, force=True)
        assert done.fetched == 0
        assert why(one, evidence=revocation.load(conn)) is Reason.REVOKED


def test_a_dead_address_is_a_problem_not_an_error(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn, pool() as connections:
        remember(conn, leaf(crl_urls=["http://127.0.0.1:9/crl"]))
        done = refresh(dsn, anchors(), connections, NOW)
        assert len(done.problems) == 1
        assert revocation.load(conn).crls == ()


def test_new_evidence_reaches_a_kept_verdict_at_once(
    dsn: str, responder: Responder, url: str
) -> None:
    """The table of verdicts is keyed by the version of the evidence."""
    one = leaf(crl_urls=[f"{url}/crl"])
    observed = Observed()
    verdicts = Verdicts(seen=observed.certificate)
    with psycopg.connect(dsn, autocommit=True) as conn, pool() as connections:
        judged = verdicts.judge(
            one.der, Purpose.SIGNATURE, NOW, anchors(), revocation.load(conn), FailMode.SOFT
        )
        assert judged.standing is Standing.UNKNOWN
        observed.flush(conn)  # judging it made it known to the fetcher
        responder.revoked = [one]
        assert refresh(dsn, anchors(), connections, NOW).fetched == 1
        with pytest.raises(Untrusted, match="revoked"):
            verdicts.judge(
                one.der, Purpose.SIGNATURE, NOW, anchors(), revocation.load(conn), FailMode.SOFT
            )


def test_gate_follows_directory_evidence_and_trust_store(
    dsn: str, responder: Responder, url: str, tmp_path: Path
) -> None:
    """From HOME to verdicts: a revocation fetched elsewhere reaches this process by one look."""
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "root.pem").write_bytes(pem(root().certificate))
    (tmp_path / "pki" / "ca.pem").write_bytes(pem(issuing().certificate))
    store = tmp_path / "pki" / "trust.toml"
    content = (
        "test_oins = true\n[revocation]\ndefault = 'soft'\n[[generation]]\nname = 'a'\n"
        "roots = ['root.pem']\nintermediates = ['ca.pem']\n"
    )
    store.write_text(content)
    (tmp_path / "openpoort.toml").write_text(f'[database]\nurl = "{dsn}"\n')
    gate = Gate.of(load_settings(tmp_path, {}))
    one = leaf(crl_urls=[f"{url}/crl"])
    signed = message(one)
    with psycopg.connect(dsn, autocommit=True) as conn:
        gate.know(starting())
        assert gate.keeper.admit(signed, one.der, NOW).sender.oin == Oin(OIN)
        gate.follow(conn)
        responder.revoked = [one]
        stop = threading.Event()

        def now() -> datetime:
            stop.set()  # one round, then the end
            return NOW

        Refresher(dsn, store, now).run(stop)
        assert gate.keeper.admit(signed, one.der, NOW).sender.oin == Oin(OIN)  # not yet looked
        gate.follow(conn)
        with pytest.raises(Refusal, match="revoked"):
            gate.keeper.admit(signed, one.der, NOW)
        before = gate.keeper.grounds.anchors.version
        store.write_text("broken [")
        gate.follow(conn)
        assert gate.keeper.grounds.anchors.version == before
        store.write_text(content.replace("'soft'", "'off'"))
        gate.follow(conn)
        assert gate.keeper.admit(signed, one.der, NOW).sender.oin == Oin(OIN)
        assert gate.keeper.grounds.directory == starting()


@pytest.mark.parametrize("file", ["root.pem", "trust.toml"])
def test_a_root_that_was_ended_by_an_older_file_is_ended(
    dsn: str, tmp_path: Path, file: str
) -> None:
    """Whatever its time says: restored from a backup, unpacked, copied with its times kept."""
    folder = tmp_path / "pki"
    folder.mkdir()
    (folder / "root.pem").write_bytes(pem(root().certificate))
    (folder / "ca.pem").write_bytes(pem(issuing().certificate))
    (folder / "other.pem").write_bytes(pem(root("other").certificate))
    content = (
        "test_oins = true\n[[generation]]\nname = 'a'\n"
        "roots = ['root.pem']\nintermediates = ['ca.pem']\n"
    )
    (folder / "trust.toml").write_text(content)
    (tmp_path / "openpoort.toml").write_text(f'[database]\nurl = "{dsn}"\n')
    gate = Gate.of(load_settings(tmp_path, {}))
    told: list[str] = []
    gate.trusted = lambda known: told.append(known.version)
    one = leaf()
    with psycopg.connect(dsn, autocommit=True) as conn:
        gate.know(starting())
        gate.follow(conn)
        assert gate.keeper.admit(message(one), one.der, NOW).sender.oin == Oin(OIN)
        before = (folder / file).stat()
        if file == "root.pem":
            (folder / "root.pem").write_bytes(pem(root("other").certificate))
        else:
            (folder / file).write_text(content.replace("root.pem", "other.pem"))
        os.utime(folder / file, ns=(1, before.st_mtime_ns - 10**15))
        gate.follow(conn)
        with pytest.raises(Refusal):
            gate.keeper.admit(message(one), one.der, NOW)
        gate.follow(conn)
        assert told == [gate.keeper.grounds.anchors.version]


def test_sha1_use_reaches_the_list_to_call(dsn: str, tmp_path: Path) -> None:
    pki.create(tmp_path / "pki")
    (tmp_path / "openpoort.toml").write_text(f'[database]\nurl = "{dsn}"\n')
    gate = Gate.of(load_settings(tmp_path, {}))
    der = PemSigner(tmp_path / "pki/bedrijf.pem", tmp_path / "pki/bedrijf.key").certificate
    at = datetime.now(UTC)
    with psycopg.connect(dsn, autocommit=True) as conn:
        gate.keeper.admit(message(der, SHA1), None, at)
        gate.follow(conn)
        (one, two) = revocation.uses(conn, at.date())
        assert {one.algorithm, two.algorithm} == {"RSA-SHA1", "SHA-1"}
        assert one.oin == Oin(pki.OINS["bedrijf"])
        assert revocation.seen(conn, at) == (der,)


def test_operator_is_told_once_when_evidence_cannot_be_had(
    dsn: str, responder: Responder, url: str, tmp_path: Path
) -> None:
    pki.create(tmp_path / "pki")
    issuing_here = pki.load_issuer(tmp_path / "pki")
    responder.broken = True
    log = tmp_path / "security.log"
    telemetry.security_log(log)
    try:
        with psycopg.connect(dsn, autocommit=True) as conn:
            remember(conn, leaf(issuing_here, crl_urls=[f"{url}/crl"]))
        stop, times = threading.Event(), iter((NOW, NOW, NOW + HOUR, NOW + HOUR))

        def now() -> datetime:
            at = next(times)
            if at != NOW and len(responder.asked) == 2:
                stop.set()
            return at

        Refresher(dsn, tmp_path / "pki" / "trust.toml", now, every=0.01).run(stop)
    finally:
        telemetry.security_log(None)
    (event,) = map(json.loads, log.read_text().splitlines())
    assert (event["action"], event["object"]) == ("revocation.stale", f"{url}/crl")
    assert event["reason"] == "HTTP 503"
