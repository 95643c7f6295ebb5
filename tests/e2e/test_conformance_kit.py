"""The verification kit against our own gateway; and a gateway that breaks clauses is found out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openpoort.client.conformance import CASES, LARGE, Kit, Message, Outcome, run
from openpoort.client.conformance.kit import Case, Fails, Skips
from tests.conformance.table import clauses
from tests.e2e.gateway import Gateway, openpoort


@pytest.mark.conformance("WUS-1.2-3")
@pytest.mark.conformance("WUS-3.1-1")
@pytest.mark.conformance("WUS-3.3-1")
@pytest.mark.conformance("WUS-3.3-2")
@pytest.mark.conformance("WUS-3.6-1")
@pytest.mark.conformance("WUS-5.9-1")
@pytest.mark.conformance("WUS-5.9-2")
@pytest.mark.conformance("WUS-5.10-1")
def test_our_gateway_conforms_from_outside(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    url = f"https://localhost:{gateway.port}/wus/2.0/"
    done = openpoort(
        "conformance", gateway.home, "--url", url, "--report", file, "--large", "--json"
    )
    told = json.loads(done.stdout.splitlines()[-1])
    failed = [
        (clause, case["title"], case["seen"])
        for clause, found in told["clauses"].items()
        for case in found["cases"]
        if case["outcome"] != "passed"
    ]
    assert failed == []
    assert done.returncode == 0
    assert json.loads(file.with_suffix(".json").read_text()) == told
    lines = [line for line in file.read_text().splitlines() if line.startswith("| WUS-")]
    assert len(lines) == len(told["clauses"])


def test_every_clause_of_the_kit_stands_in_the_list() -> None:
    assert {case.clause for case in (*CASES, *LARGE)} <= set(clauses())


def test_failures_skips_and_notes_are_told_apart(gateway: Gateway) -> None:
    def fails(kit: Kit) -> None:
        raise Fails("seen | this")

    def skips(kit: Kit) -> None:
        raise Skips("cannot")

    cases = (
        Case("WUS-1.2-1", "fails", fails),
        Case("WUS-1.2-2", "may", fails, must=False),
        Case("WUS-1.4-1", "skips", skips),
        Case("WUS-1.2-1", "passes", lambda kit: None),
    )
    pki = gateway.home / "pki"
    files = (pki / "bedrijf.pem", pki / "bedrijf.key", pki / "ca.pem")
    with Kit(f"https://localhost:{gateway.port}", *files, Message()) as kit:
        report = run(kit, cases)
    assert not report.conforms
    assert [report.count(o) for o in Outcome] == [1, 1, 1, 1]
    assert "| WUS-1.2-1 | failed |" in report.markdown()
    assert "seen \\| this" in report.markdown()
    assert 'class="failed"' in report.html()


def test_address_where_nobody_serves_the_contract_does_not_conform(gateway: Gateway) -> None:
    pki = gateway.home / "pki"
    files = (pki / "bedrijf.pem", pki / "bedrijf.key", pki / "ca.pem")
    with Kit(f"https://localhost:{gateway.port}/elders", *files, Message()) as kit:
        report = run(kit, CASES[:5])
    assert report.count(Outcome.FAILED) == 5
