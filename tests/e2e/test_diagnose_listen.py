"""`diagnose --listen`: a client sends and gets what a gateway would answer; the report says why."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openpoort.app import home as homes
from openpoort.client.wus import Client
from openpoort.domain.message import Operatie, Vraag
from openpoort.outbound.exchange import Faulted
from openpoort.outbound.http import NoAnswer
from tests.mistakes import Maker
from tests.wire_kit import aanlevering


@dataclass
class Listening:
    base: str
    run: subprocess.Popen[str]

    def ended(self) -> tuple[dict[str, Any], int]:
        """The one report and the exit code."""
        assert self.run.stdout is not None
        return json.loads(self.run.stdout.readlines()[-1]), self.run.wait(20)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("listen") / "home"
    homes.create(folder)
    return folder


@contextmanager
def listening(home: Path) -> Iterator[Listening]:
    command = [sys.executable, "-m", "openpoort", "diagnose", "--listen", "--home", str(home)]
    command += ["--port", "0", "--once", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        try:
            base = run.stdout.readline().split()[1].removesuffix("/wus/2.0/")
            yield Listening(base, run)
        finally:
            run.kill()


def client(home: Path, base: str) -> Client:
    pki = home / "pki"
    return Client.from_files(base, pki / "bedrijf.pem", pki / "bedrijf.key", pki / "ca.pem")


def test_right_request_to_the_port_that_listens_is_found_right(home: Path) -> None:
    with listening(home) as at:
        with client(home, at.base) as sender, pytest.raises(Faulted) as fault:
            sender.aanleveren(aanlevering())
        report, code = at.ended()
    found = {check["check"]: check["outcome"] for check in report["checks"]}
    assert "wrong" not in found.values()
    assert found["TLS certificate"] == found["rights"] == found["wsa:To"] == "ok"
    assert (report["accepted"], report["fout"], code) == (True, "", 0)
    assert fault.value.fout is not None
    assert "er is niets gevonden" in fault.value.fout.foutbeschrijving


def test_sender_gets_the_fault_of_a_gateway_and_the_report_closes_with_it(home: Path) -> None:
    with listening(home) as at:
        with client(home, at.base) as sender, pytest.raises(Faulted) as fault:
            sender.aanleveren(aanlevering(rol_belanghebbende="Intermediair"))
        report, code = at.ended()
    assert fault.value.fout is not None
    assert report["fout"] == f"ALS100: {fault.value.fout.foutbeschrijving}"
    assert "niet toe" in report["fout"]
    assert code == 1


def test_token_of_another_oin_than_tls_is_refused(home: Path) -> None:
    with listening(home) as at:
        raw = Maker(home / "pki", at.base).forged(who="intermediair")
        answer = curl(home, at.base, "bedrijf", raw)
        report, code = at.ended()
    assert answer == "403"
    assert report["fout"] == "HTTP 403 without an answer (certificate-tls-other-oin)"
    wrong = [c["check"] for c in report["checks"] if c["outcome"] == "wrong"]
    assert "token and TLS" in wrong
    assert code == 1


def test_without_a_certificate_the_handshake_is_explained(home: Path) -> None:
    with listening(home) as at:
        assert curl(home, at.base, None, b"x") == "000"
        report, code = at.ended()
    [check] = report["checks"]
    assert (check["check"], check["text"]) == ("connection", "no client certificate")
    assert "--cert and --key" in check["advice"]
    assert (report["accepted"], code) == (False, 1)


def curl(home: Path, base: str, who: str | None, raw: bytes) -> str:
    """The HTTP status, by another's client; 000 when there is none."""
    pki = home / "pki"
    words = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", f"{pki}/ca.pem"]
    if who is not None:
        words += ["--cert", f"{pki}/{who}.pem", "--key", f"{pki}/{who}.key"]
    words += ["-H", "Content-Type: text/xml", "--data-binary", "@-"]
    words.append(f"{base}/wus/2.0/aanleverservice/1.2")
    done = subprocess.run(words, input=raw, capture_output=True, timeout=30, check=False)
    return done.stdout.decode()


def test_client_names_the_reason_when_nobody_listens(home: Path) -> None:
    with client(home, "https://localhost:1") as sender, pytest.raises(NoAnswer, match="nothing"):
        sender.vraag(Vraag(Operatie.STATUSSEN_PROCES, kenmerk="x"))
