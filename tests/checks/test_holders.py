"""Holders beside each other: each child its own files, replaced packages, recycling in flight."""

from __future__ import annotations

import shutil
import threading
import zipfile
from pathlib import Path

import pytest

from openpoort.checks.demo import packages
from openpoort.checks.suite import open_suite
from openpoort.checks.taxonomies.registry import Registry
from openpoort.checks.xbrl.pool import Pool
from openpoort.domain.finding import Finding, rejects
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.flow.kinds import load
from openpoort.process.ports import CheckUnavailable, Filing
from openpoort.sandbox.samples import samples

CASES = Path(__file__).parents[3] / "shared/cases/xbrl"
OB = samples()["Omzetbelasting"]
ENTRY = (
    "http://taxonomie.openpoort.example/demo/ob/20260101/entrypoints/ob-rpt-ob-aangifte-2026.xsd"
)


def filing(name: str, content: bytes, kind: str = "Omzetbelasting") -> Filing:
    return Filing(load()[kind], Identiteit("", ""), Document("application/xml", name, content))


EXTRA = 12


def with_extra_schemas(package: bytes, path: Path) -> list[str]:
    """The package with large schemas beside those of its entry points, and their addresses."""
    path.write_bytes(package)
    folder = "http://taxonomie.openpoort.example/demo/ob/20260101/dictionary/"
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        place = next(n for n in archive.namelist() if n.endswith("dictionary/ob-data.xsd"))
        noise = "".join(f"<!-- {n * 7919 % 1000003} -->" for n in range(20_000))
        for number in range(EXTRA):
            schema = (
                '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
                f' targetNamespace="urn:extra:{number}">{noise}</xs:schema>'
            )
            archive.writestr(place.replace("ob-data", f"extra-{number}"), schema)
    return [f"urn:extra:{n} {folder}extra-{n}.xsd" for n in range(EXTRA)]


def test_children_read_the_package_each_at_their_own_place(tmp_path: Path) -> None:
    """Each filing brings in documents of the package that its entry point does not use: all
    children read them at once from the file that the holder opened before it forked."""
    package = tmp_path / "groter.zip"
    locations = with_extra_schemas(packages()["demo-omzetbelasting"], package)
    taxonomy = Registry(tmp_path / "home").add([package])
    data = OB.replace(
        b"<xbrli:xbrl ",
        b'<xbrli:xbrl xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' xsi:schemaLocation="%s" ' % " ".join(locations).encode(),
        1,
    )
    pool = Pool(workers=4)
    found: list[list[str]] = []

    def one() -> None:
        found.append([m.code for m in pool.judge(taxonomy.packages, ENTRY, data)])

    try:
        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        pool.close()
    assert found == [[]] * 8


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not beside the project")
@pytest.mark.parametrize("index", [True, False])
def test_a_replaced_taxonomy_judges_at_once(index: bool, tmp_path: Path) -> None:
    """v1 allows what v2 does not, or the other way round: both paths follow the files."""
    stale = CASES / "stale"
    contents = {p.name: p.read_bytes() for p in stale.glob("*.xbrl")}
    home = tmp_path / "home"
    home.mkdir()
    registry = Registry(home)
    suite = open_suite(home, index=index)

    def judged() -> list[list[str]]:
        found = (suite.run(filing(name, data)) for name, data in contents.items())
        return [[f.code for f in findings if f.source == "xbrl"] for findings in found]

    try:
        registry.add([stale / "v1.zip"], name="mini")
        first = judged()
        registry.remove("mini")
        registry.add([stale / "v2.zip"], name="mini")
        second = judged()
        assert first != second
        # In place, with the time of the file that was there: as rsync -t or cp -p leave it.
        (package,) = registry.get("mini").packages
        coming = package.with_suffix(".new")
        shutil.copyfile(stale / "v1.zip", coming)
        shutil.copystat(package, coming)
        coming.replace(package)
        assert judged() == first
    finally:
        suite.close()


def test_recycling_and_eviction_let_filings_in_flight_end(demo_home: Path) -> None:
    """One holder for one filing, and room for one: every start ends another holder."""
    registry = Registry(demo_home)
    pool = Pool(workers=6, holders=1, recycle=1)
    failed: list[str] = []
    entries = [(t, e) for t in registry.all() for e in sorted(t.entries)]

    def one(number: int) -> None:
        taxonomy, entry = entries[number % 3]
        try:
            pool.judge(taxonomy.packages, entry, OB)
        except CheckUnavailable as wrong:
            failed.append(str(wrong))

    try:
        threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert pool.retired == 0
    finally:
        pool.close()


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not beside the project")
@pytest.mark.parametrize("file", sorted(CASES.glob("crash/*.xbrl")), ids=lambda p: p.stem)
def test_the_cases_that_crashed_a_check_have_a_verdict(file: Path, demo_home: Path) -> None:
    suite = open_suite(demo_home, index=True)
    kind = "ICP" if "icp" in file.name else "Omzetbelasting"
    try:
        found: tuple[Finding, ...] = suite.run(filing(file.name, file.read_bytes(), kind))
    finally:
        suite.close()
    assert rejects(found) == (kind == "Omzetbelasting")  # for another taxonomy than the demo's
    assert not any(f.code.startswith("exception:") for f in found)
