"""The reference processor behind the check: verdicts, formulas, severities, dying workers."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path

import pytest

from openpoort.checks.suite import Suite, open_suite
from openpoort.checks.taxonomies.registry import Registry
from openpoort.checks.xbrl.limits import Limits
from openpoort.checks.xbrl.pool import Pool, TooMuch
from openpoort.domain.finding import Finding, Severity
from openpoort.process.ports import CheckUnavailable
from openpoort.sandbox.samples import omzetbelasting, samples
from tests.checks.conftest import Judge

SAMPLES = samples()
UNIT = "xbrl.4.6.2:numericUnit"
INVALID = "xbrldie:PrimaryItemDimensionallyInvalidError"
OB, JR, ICP = SAMPLES["Omzetbelasting"], SAMPLES["Jaarrekening"], SAMPLES["ICP"]
ENTRY = (
    "http://taxonomie.openpoort.example/demo/ob/20260101/entrypoints/ob-rpt-ob-aangifte-2026.xsd"
)


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {f.code for f in findings}


@pytest.mark.parametrize(
    ("kind", "old", "new", "code"),
    [
        ("Omzetbelasting", b">690<", b">691<", "message:ob-totaal"),
        ("Omzetbelasting", b"ContactSurname", b"ContactInitials", "FR-NL-5.01"),
        ("Omzetbelasting", b">BPL<", b">ZZZ<", "xmlSchema:valueError"),
        ("Omzetbelasting", b"ob-i:ContactType", b"ob-i:ContactSoort", "xbrl:schemaImportMissing"),
        ("Omzetbelasting", b'"EUR" decimals="INF">690', b'"" decimals="INF">690', UNIT),
        ("Omzetbelasting", b'"Msg">A.B.', b'"Weg">A.B.', "xbrl.4.6.1:itemContextRef"),
        ("Jaarrekening", b">40000<", b">40001<", "message:jr-activa"),
        ("Jaarrekening", b">100</jr-i:Part", b">101</jr-i:Part", "message:jr-aandeel"),
        ("Jaarrekening", b"jr-i:Commercial", b"jr-i:BalansTitle", INVALID),
        ("ICP", b"ob-i:DE<", b"ob-i:XX<", "xbrldie:ExplicitMemberUndefinedQNameError"),
        ("ICP", b">12000<", b">0<", "message:icp-afnemer"),
    ],
)  # fmt: skip
def test_each_mistake_has_the_code_of_the_reference_processor(
    kind: str, old: bytes, new: bytes, code: str, judge: Judge
) -> None:
    found = judge(kind, SAMPLES[kind].replace(old, new))
    assert code in codes(found)


def test_messages_of_formulas_are_dutch_and_name_the_amounts(judge: Judge) -> None:
    (finding,) = judge("Omzetbelasting", OB.replace(b">690<", b">691<"))
    assert finding.message == (
        "Het totaal (1500) moet rubriek 5a (2190) min rubriek 5b (691) zijn."
    )
    assert finding.severity is Severity.ERROR


def test_the_package_may_soften_an_assertion_to_a_warning(judge: Judge) -> None:
    content = OB.replace(b">10000<", b">50000<")
    (finding,) = judge("Omzetbelasting", content)
    assert (finding.code, finding.severity) == ("message:ob-1a-tarief", Severity.WARNING)


def test_tuples_are_judged_inside(judge: Judge) -> None:
    twice = OB.replace(b"</ob-i:TaxConsultant>", b"<ob-i:SuppliesTotal/></ob-i:TaxConsultant>")
    assert "xmlSchema:elementUnexpected" in codes(judge("Omzetbelasting", twice, only=("xbrl",)))


def test_operator_disables_and_softens_by_csv(demo_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo_home, home)
    folder = home / "taxonomies" / "demo-omzetbelasting"
    (folder / "disabled_formulas.csv").write_text(
        "Bestand,Formula localname,roleuri,entrypoint,datum buiten gebruik\n"
        "ob-for.xml,ob-totaal,,,2020-01-01\nob-for.xml,ob-5a-som,,,2999-01-01\n"
    )
    (folder / "severity.csv").write_text("Formula localname;entrypoint;severity\nob-5a-som;;info\n")
    taxonomy = Registry(home).get("demo-omzetbelasting")
    assert taxonomy.disabled("ob-totaal", ENTRY)
    assert not taxonomy.disabled("ob-5a-som", ENTRY)
    assert taxonomy.severity_of("ob-5a-som", ENTRY) is Severity.INFO
    assert taxonomy.severity_of("ob-totaal", ENTRY) is Severity.ERROR


def test_killed_holder_gives_unavailable_and_is_replaced(suite: Suite) -> None:
    taxonomy = suite.registry.get("demo-omzetbelasting")
    holder = suite.pool.holder(taxonomy.packages, ENTRY)
    os.killpg(holder.process.pid, signal.SIGKILL)
    holder.process.wait()
    assert suite.pool.judge(taxonomy.packages, ENTRY, OB) == []
    assert suite.pool.holder(taxonomy.packages, ENTRY) is not holder


def test_a_holder_is_replaced_after_so_many_filings(demo_home: Path) -> None:
    taxonomy = Registry(demo_home).find(ENTRY)
    assert taxonomy is not None
    pool = Pool(recycle=2)
    try:
        seen = []
        for _ in range(4):
            assert pool.judge(taxonomy.packages, ENTRY, OB) == []
            seen.append(pool.holder(taxonomy.packages, ENTRY).process.pid)
    finally:
        pool.close()
    assert len(set(seen)) == 3


def test_child_without_time_is_killed_and_others_go_on(demo_home: Path) -> None:
    packages = Registry(demo_home).get("demo-omzetbelasting").packages
    pool = Pool(limits=Limits(seconds=0))
    try:
        with pytest.raises(CheckUnavailable):
            pool.judge(packages, ENTRY, OB)
    finally:
        pool.close()


def test_filing_over_its_memory_is_too_much_not_a_crash(demo_home: Path) -> None:
    packages = Registry(demo_home).get("demo-omzetbelasting").packages
    fact = OB[OB.index(b"  <ob-i:ContactInitials") : OB.index(b"  <ob-i:ContactSurname")]
    pool = Pool(limits=Limits(memory_mib=24))
    try:
        with pytest.raises(TooMuch):
            pool.judge(packages, ENTRY, OB.replace(fact, fact * 30_000))
        assert pool.judge(packages, ENTRY, OB) == []
    finally:
        pool.close()


def test_many_threads_share_a_pool(suite: Suite) -> None:
    taxonomy = suite.registry.get("demo-omzetbelasting")
    answers: dict[int, list[str]] = {}

    def one(number: int) -> None:
        content = omzetbelasting(hoog=2100 + number)
        if number % 2:
            content = content.replace(b">690<", b">1<")
        messages = suite.pool.judge(taxonomy.packages, ENTRY, content)
        answers[number] = [m.code for m in messages if m.level != "info"]

    threads = [threading.Thread(target=one, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: ["message:ob-totaal"] if n % 2 else [] for n in range(12)}


def test_an_instance_cannot_read_files_of_this_machine(judge: Judge, tmp_path: Path) -> None:
    secret = tmp_path / "geheim.xsd"
    secret.write_text('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>')
    location = f'xsi:schemaLocation="urn:geheim {secret}"'.encode()
    content = OB.replace(
        b"<xbrli:xbrl ",
        b'<xbrli:xbrl xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ' + location + b" ",
    )
    found = judge("Omzetbelasting", content)
    assert "FileNotLoadable" in codes(found)
    assert not any(str(tmp_path) in f.message for f in found)


def test_a_suite_without_home_knows_no_entry_point() -> None:
    suite = open_suite(None)
    try:
        assert suite.registry.find(ENTRY) is None
        assert suite.registry.all() == []
    finally:
        suite.close()


def test_a_holder_ends_with_the_gateway_that_started_it(demo_home: Path, tmp_path: Path) -> None:
    """As after `kill -9` of the gateway: nobody closes anything, only the pipe goes."""
    packages = Registry(demo_home).get("demo-omzetbelasting").packages
    pool = Pool()
    try:
        holder = pool.holder(packages, ENTRY)
        assert holder.process.stdin is not None
        holder.process.stdin.close()
        assert holder.process.wait(30) == 0
        assert not Path(holder.folder.name).exists()
    finally:
        pool.close()
