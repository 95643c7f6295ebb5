"""Evidence from a real HTTP server into a real database and on to the gate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest
from cryptography.x509 import ocsp

from openpoort.app.revocations import refresh
from openpoort.devkit.authority import Leaf
from openpoort.devkit.revocations import crl, ocsp_answer
from openpoort.keys.fetch import pool
from openpoort.store import evidence
from openpoort.store.evidence import Observed
from openpoort.trust.anchors import Purpose
from openpoort.trust.revocation import FailMode
from openpoort.trust.verdict import Reason, Standing
from openpoort.trust.verdicts import Verdicts
from tests.trust_builders import NOW, anchors, issuing, leaf, verdict, why

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
        found = evidence.load(conn)
    assert verdict(good, evidence=found).standing is Standing.GOOD
    assert why(bad, evidence=found) is Reason.REVOKED


def test_a_round_asks_only_what_is_due(dsn: str, responder: Responder, url: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn, pool() as connections:
        remember(conn, leaf(crl_urls=[f"{url}/crl"]))
        for at, asked in ((NOW, 1), (NOW + HOUR, 0), (NOW + 3 * HOUR, 1)):
            responder.at = at
            assert refresh(dsn, anchors(), connections, at).asked == asked
        assert responder.asked == ["GET /crl"] * 2
        assert evidence.version(conn) == 2


def test_a_broken_responder_leaves_what_is_known(dsn: str, responder: Responder, url: str) -> None:
    one = leaf(crl_urls=[f"{url}/crl"])
    with psycopg.connect(dsn, autocommit=True) as conn, pool() as connections:
        remember(conn, one)
        refresh(dsn, anchors(), connections, NOW)
        responder.broken = True
        done = refresh(dsn, anchors(), connections, NOW + 3 * HOUR)
        assert done.problems == (f"crl {url}/crl: HTTP 503",)
        found = evidence.load(conn)
        (row,) = evidence.kept(conn).values()
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
        assert why(one, evidence=evidence.load(conn)) is Reason.REVOKED


def test_a_dead_address_is_a_problem_not_an_error(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn, pool() as connections:
        remember(conn, leaf(crl_urls=["http://127.0.0.1:9/crl"]))
        done = refresh(dsn, anchors(), connections, NOW)
        assert len(done.problems) == 1
        assert evidence.load(conn).crls == ()


def test_new_evidence_reaches_a_kept_verdict_at_once(
    dsn: str, responder: Responder, url: str
) -> None:
    """The table of verdicts is keyed by the version of the evidence."""
    one = leaf(crl_urls=[f"{url}/crl"])
    observed = Observed()
    verdicts = Verdicts(seen=observed.certificate)
    with psycopg.connect(dsn, autocommit=True) as conn, pool() as connections:
        judged = verdicts.judge(
            one.der, Purpose.SIGNATURE, NOW, anchors(), evidence.load(conn), FailMode.SOFT
        )
        assert judged.standing is Standing.UNKNOWN
        observed.flush(conn)  # judging it made it known to the fetcher
        responder.revoked = [one]
        assert refresh(dsn, anchors(), connections, NOW).fetched == 1
        from openpoort.trust.verdict import Untrusted

        with pytest.raises(Untrusted, match="revoked"):
            verdicts.judge(
                one.der, Purpose.SIGNATURE, NOW, anchors(), evidence.load(conn), FailMode.SOFT
            )
