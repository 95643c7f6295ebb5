"""`diagnose --listen`: a client sends, its request is judged, it gets a fault and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from openpoort.app import home as homes
from openpoort.client.wus import Client
from openpoort.domain.message import Operatie, Vraag
from openpoort.outbound.exchange import Faulted
from openpoort.outbound.http import NoAnswer
from tests.wire_kit import aanlevering


def test_listener_reports_the_request_with_its_tls_certificate(tmp_path: Path) -> None:
    home = tmp_path / "home"
    homes.create(home)
    command = [sys.executable, "-m", "openpoort", "diagnose", "--listen", "--home", str(home)]
    command += ["--port", "0", "--once", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        url = run.stdout.readline().split()[1]
        pki = home / "pki"
        files = (pki / "bedrijf.pem", pki / "bedrijf.key", pki / "ca.pem")
        with Client.from_files(url, *files) as client, pytest.raises(Faulted) as fault:
            client.aanleveren(aanlevering())
        report = json.loads(run.stdout.readlines()[-1])
        code = run.wait(10)
    found = {check["check"]: check["outcome"] for check in report["checks"]}
    assert found["TLS certificate"] == "ok"
    assert found["rights"] == "ok"
    assert found["content type"] == "ok"
    # Only the address differs: the home's own port is another than this listener's.
    assert [name for name, outcome in found.items() if outcome == "wrong"] == ["wsa:To"]
    assert code == 1
    assert fault.value.fout is not None
    assert fault.value.fout.foutcode == "ALS100"
    assert "1 controles fout" in fault.value.fout.foutbeschrijving


def test_client_names_the_reason_when_nobody_listens(tmp_path: Path) -> None:
    home = tmp_path / "home"
    homes.create(home)
    pki = home / "pki"
    files = (pki / "bedrijf.pem", pki / "bedrijf.key", pki / "ca.pem")
    client = Client.from_files("https://localhost:1", *files)
    with client, pytest.raises(NoAnswer, match="nothing listens"):
        client.vraag(Vraag(Operatie.STATUSSEN_PROCES, kenmerk="x"))
