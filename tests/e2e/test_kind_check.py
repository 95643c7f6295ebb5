"""A kind that cannot work is refused, with line and remedy, before anybody sends one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from openpoort.app.home import create
from openpoort.process.flow.kinds import SHIPPED
from tests.e2e.gateway import openpoort

MISSPELT = """\
berichtsoort = "Verzuim"
title = "Een proef"
identity_types = ["KvK"]
rollen = ["Bedrijf"]
schema = "verzuim.xsd"

[[steps]]
name = "inhoud"
kind = "check"
ok = "301"
checks = ["plian"]

[[steps]]
name = "afleveren"
kind = "deliver"
agencies = ["DEMOREGISTRE"]
ok = "400"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kinds") / "home"
    create(made)
    return made


def test_every_mistake_is_told_with_its_line_and_remedy(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "Verzuim.toml"
    file.write_text(MISSPELT)
    done = openpoort("kind", "check", file, "--home", home)
    assert done.returncode == 1
    checks, agencies, schema = done.stdout.splitlines()
    assert checks == (
        "Verzuim.toml:11: steps[1].checks: check 'plian' is not installed; write 'plain'"
    )
    assert agencies.startswith("Verzuim.toml:16: steps[2].agencies: agency 'DEMOREGISTRE' is not")
    assert "write 'DEMOREGISTER', or add it (`openpoort party apply`)" in agencies
    assert schema.startswith("Verzuim.toml:5: schema: schema verzuim.xsd: ")
    assert "put the file in HOME/schemas" in schema


def test_every_shipped_kind_can_work_in_a_new_gateway(home: Path) -> None:
    for file in sorted(SHIPPED.glob("*.toml")):
        done = openpoort("kind", "check", file, "--home", home, "--json")
        assert json.loads(done.stdout) == {"file": file.name, "good": True, "problems": []}


def test_a_file_that_does_not_load_is_told_with_its_line(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "Verzuim.toml"
    file.write_text(MISSPELT.replace('"deliver"', '"levert"'))
    done = openpoort("kind", "check", file, "--home", home)
    assert done.returncode == 1
    assert done.stdout.startswith("Verzuim.toml:15: steps[2].kind: 'levert' is not one of")


def test_serve_refuses_it_and_says_the_same(home: Path, tmp_path: Path) -> None:
    own = tmp_path / "home"
    shutil.copytree(home, own)
    (own / "kinds" / "Verzuim.toml").write_text(MISSPELT)
    done = openpoort("serve", own, "--port", "0")
    assert done.returncode == 2
    assert "Verzuim.toml:11: steps[1].checks: check 'plian' is not installed" in done.stderr
