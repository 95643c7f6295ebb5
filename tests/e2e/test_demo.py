"""`openpoort demo`: the command of the README, from nothing to `demo ok`."""

from __future__ import annotations

import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openpoort.sandbox import gateway
from tests.e2e.gateway import openpoort


def test_demo_ends_with_demo_ok_and_keeps_its_folder(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    done = openpoort("demo", "--home", home)
    assert done.stdout.splitlines()[-1] == "demo ok", done.stdout + done.stderr
    assert done.returncode == 0
    with tarfile.open(home / "agency/demodienst/berichten.tar") as kept:
        name = next(n for n in kept.getnames() if n.endswith("/inhoud"))
        content = kept.extractfile(name)
        assert content is not None
        assert content.read() == (home / "samples/Omzetbelasting.xbrl").read_bytes()
    for code in ("105", "100", "110", "200", "301", "405", "400", "500"):
        assert code in done.stdout


def test_demo_refuses_a_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    done = openpoort("demo", "--home", tmp_path)
    assert done.returncode == 2
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(
    ("kind", "agency"),
    [("Ziekmelding", "demouwv"), ("Aangifte_Toeristenbelasting", "demogemeente")],
)
def test_kinds_for_a_benefits_agency_and_a_municipality_travel_the_same_way(
    kind: str, agency: str, tmp_path: Path
) -> None:
    home = tmp_path / "demo"
    begun = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    done = openpoort("demo", "--home", home, "--kind", kind, "--since", begun, "--json")
    said = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert said["problems"] == []
    assert 0 < said["lead_seconds"] < 300
    (receipt,) = (home / "agency" / agency / "ontvangsten.csv").read_text().splitlines()[1:]
    assert said["kenmerk"] in receipt


def test_demo_of_a_kind_that_no_agency_judges_names_those_that_can() -> None:
    done = openpoort("demo", "--kind", "eFactuur")
    assert done.returncode == 2
    assert "Ziekmelding" in done.stderr


def test_home_without_the_certificate_of_a_newer_agency_serves_the_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    gateway.init(home)
    for name in ("uwv", "gemeente"):
        (home / "pki" / f"{name}.pem").unlink()
    with gateway.serving(home):
        assert sorted(p.name for p in (home / "agency").iterdir()) == ["demodienst", "demoregister"]
