"""The verification kit against our own gateway; and a gateway that breaks clauses is found out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from openpoort.client.conformance import CASES, LARGE, Kit, Message, Outcome, run
from openpoort.client.conformance.kit import Case, Fails, Skips
from openpoort.outbound.http import Answer, Https
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


class Bent:
    """The gateway with one thing wrong in what it answers."""

    def __init__(self, inner: Https, change: Callable[[Answer], Answer]) -> None:
        self.inner = inner
        self.change = change

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return self.change(self.inner.post(url, body, headers))

    def get(self, url: str) -> Answer:
        return self.change(self.inner.get(url))

    def close(self) -> None:
        self.inner.close()


def swap(old: bytes, new: bytes) -> Callable[[Answer], Answer]:
    return lambda answer: replace(answer, body=answer.body.replace(old, new))


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (swap(b"fault:", b"kv:"), "WUS-1.5-3"),
        (swap(b"xmlns:fault=", b"xmlns:kv="), "WUS-1.5-3"),
        (swap(b"Algemene fout", b"Error"), "WUS-1.5-2"),
        (swap(b"De volgende fout is opgetreden:", b""), "WUS-1.5-4"),
        (swap(b"aanleveren/Fault/", b"aanleverenFault"), "WUS-1.5-1"),
        (swap(b"ALS100", b"XYZ1"), "WUS-1.5-5"),
        (swap(b'<Signature xmlns="', b'<ds:Signature xmlns:ds="'), "WUS-2.2-4"),
        (swap(b"<kenmerk>", b"<kenmerk>X"), "WUS-3.3-1"),
        (swap(b'name="aanleveren"', b'name="aanlever"'), "WUS-2.1-12"),
        (lambda answer: replace(answer, status=200), "WUS-5.9-2"),
        (lambda answer: replace(answer, body=b"", status=200), "WUS-2.1-9"),
    ],
)
def test_kit_finds_a_gateway_that_breaks_a_clause(
    gateway: Gateway, change: Callable[[Answer], Answer], clause: str
) -> None:
    pki = gateway.home / "pki"
    files = (pki / "bedrijf.pem", pki / "bedrijf.key", pki / "ca.pem")
    with Kit(f"https://localhost:{gateway.port}", *files, Message()) as kit:
        kit.http = Bent(kit.http, change)  # type: ignore[assignment]  # as much as cases use
        report = run(kit, [case for case in CASES if case.clause == clause])
    assert not report.conforms
