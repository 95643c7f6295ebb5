"""A wheel of each distribution; the gateway's alone is enough to run one."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST = 360
"""Megabytes of an environment with pip and the gateway: docs/decisions/0120."""


def _run(*words: str | Path, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env=clean | more, text=True, check=False,
        capture_output=True, timeout=280,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheels() -> dict[str, Path]:
    """Name of a distribution -> its wheel."""
    made = _run("make", "wheels")
    assert made.returncode == 0, made.stderr
    return {one.name.split("-")[0]: one for one in (ROOT / "build" / "wheels").glob("*.whl")}


def test_there_are_three_and_none_holds_a_file_of_another(wheels: dict[str, Path]) -> None:
    assert sorted(wheels) == ["openpoort", "openpoort_lab", "weeg"]
    for name, wheel in wheels.items():
        with zipfile.ZipFile(wheel) as inside:
            tops = {one.split("/")[0] for one in inside.namelist()}
        assert tops == {name, f"{name}-0.1.0.dist-info"}


@pytest.fixture(scope="module")
def environment(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment that got the gateway's wheel, with the versions of the lock file."""
    where = tmp_path_factory.mktemp("alone") / "venv"
    assert _run(sys.executable, "-m", "venv", where).returncode == 0
    locked = ROOT / "deploy" / "requirements.lock"
    names = where.parent / "constraints.txt"
    names.write_text("\n".join(
        line.removesuffix(" \\") for line in locked.read_text().splitlines() if line[:1].isalnum()
    ))  # fmt: skip
    done = _run(where / "bin" / "pip", "install", "-q", "-c", names, wheels["openpoort"])
    assert done.returncode == 0, done.stderr
    return where


def test_the_gateway_alone_runs_the_demo(environment: Path, tmp_path: Path) -> None:
    program = environment / "bin" / "openpoort"
    done = _run(program, "demo", cwd=tmp_path, HOME=str(tmp_path))
    assert done.stdout.splitlines()[-1:] == ["demo ok"], done.stdout + done.stderr
    assert done.returncode == 0


def test_a_command_of_the_lab_says_what_to_install(environment: Path) -> None:
    done = _run(environment / "bin" / "openpoort", "bench", "accept", "--json")
    assert done.returncode == 2
    assert "pip install openpoort-lab" in done.stderr
    python = environment / "bin" / "python"
    for name in ("openpoort_lab", "weeg", "matplotlib", "pytest"):
        assert _run(python, "-c", f"import {name}").returncode == 1
    old = _run(python, "-m", "openpoort.devkit.storm")
    assert "openpoort_lab.measuring.noisy_neighbour" in old.stderr


def test_the_environment_is_no_larger_than_promised(environment: Path) -> None:
    size = int(_run("du", "-sm", environment).stdout.split()[0])
    assert size < MOST
