"""What is in `deploy/` fits the program: the unit, the container, the lock file of what runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def _locked(file: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+==\S+)", file.read_text(), re.MULTILINE))


def test_the_lock_of_what_runs_is_part_of_the_lock_of_all() -> None:
    runs, everything = _locked(DEPLOY / "requirements.lock"), _locked(ROOT / "requirements.lock")
    assert runs < everything
    names = {one.split("==")[0] for one in runs}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[^A-Za-z0-9-]", one)[0] for one in project["dependencies"]}
    assert wanted <= names
    assert names.isdisjoint({"pytest", "mypy", "atheris", "ruff"})


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("openpoort")
    unit = (DEPLOY / "openpoort.service").read_text()
    assert "ExecStart=/opt/openpoort/.venv/bin/openpoort serve" in unit
    here = tmp_path / "openpoort.service"
    here.write_text(unit.replace("/opt/openpoort/.venv/bin/openpoort", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_compose_file_builds_what_the_containerfile_says() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    gateway = compose["services"]["gateway"]
    assert (DEPLOY / gateway["build"]["context"]).resolve() == ROOT
    file = ROOT / gateway["build"]["dockerfile"]
    text = file.read_text()
    port = gateway["ports"][0].split(":")[1]
    assert f"EXPOSE {port}\n" in text
    assert gateway["volumes"][0].split(":")[1] in re.findall(r"^VOLUME (\S+)", text, re.MULTILINE)
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        assert all((ROOT / one).exists() for one in source.split())
