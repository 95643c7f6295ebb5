"""The demo agency's bad days as a company sees them, through a whole gateway."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openpoort.app.home import create
from openpoort.outbound.http import Https, tls_context
from openpoort.sandbox.agency.archive import receipts
from tests.e2e.gateway import Gateway, openpoort

WORDS = ("--berichtsoort", "Aangifte_LH", "--belanghebbende", "LHnr:001000044L01")


@pytest.fixture
def stand(gateway: Gateway) -> Iterator[Path]:
    file = gateway.home / "agency" / "demodienst" / "stand"
    yield file
    file.unlink(missing_ok=True)


def send(gateway: Gateway, *more: str) -> tuple[int, dict[str, Any]]:
    sample = gateway.home / "samples" / "Aangifte_LH.xml"
    done = openpoort("send", gateway.home, sample, *WORDS, "--follow", "--json", *more)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("word", "code", "foutcode"),
    [("refuse", "410", "AFO100"), ("invalid", "410", "AFS400"), ("reject", "510", "DEMO510")],
)
def test_refusal_of_the_agency_ends_the_process(
    gateway: Gateway, stand: Path, word: str, code: str, foutcode: str
) -> None:
    stand.write_text(word)
    status, told = send(gateway)
    assert status == 1
    assert told["statuscode"] == code
    assert told["statussen"][-1]["statusFoutcode"] == foutcode


def test_verdict_comes_afterwards_with_the_receipt(gateway: Gateway) -> None:
    status, told = send(gateway)
    assert status == 0
    assert told["statuscode"] == "500"
    assert told["kenmerk"] in told["statussen"][-1]["statusdetails"]
    waiting = gateway.home / "agency" / "demodienst" / "uit"
    assert not (waiting / "geweigerd").exists()


def test_kind_without_verdict_ends_at_400_at_once(gateway: Gateway) -> None:
    sample = gateway.home / "samples" / "eFactuur.xml"
    words = ("--berichtsoort", "eFactuur", "--belanghebbende", "KvK:90000044")
    done = openpoort("send", gateway.home, sample, *words, "--follow", "--json")
    told = json.loads(done.stdout.splitlines()[-1])
    codes = [status["statuscode"] for status in told["statussen"]]
    assert codes == ["105", "100", "110", "301", "405", "400"]
    assert done.returncode == 0
    listed = receipts(gateway.home / "agency" / "demoregister" / "ontvangsten.csv")
    digests = [r.digest for r in listed if r.kenmerk == told["kenmerk"]]
    assert digests == [hashlib.sha256(sample.read_bytes()).hexdigest()]


def test_agencies_alone_answer_and_stop_cleanly(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create(home)
    command = [sys.executable, "-m", "openpoort", "agency", str(home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        word, _, url = process.stdout.readline().strip().partition(" ")
        pki = home / "pki"
        context = tls_context(pki / "server.pem", pki / "server.key", pki / "ca.pem")
        with Https(context) as http:
            answer = http.post(f"{url}/wus/2.0/afleverservice/1.2", b"<a/>", {})
            other = http.post(url, b"<a/>", {})
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert word == "ready"
    assert (answer.status, b"AFS100" in answer.body) == (500, True)
    assert other.status == 404
