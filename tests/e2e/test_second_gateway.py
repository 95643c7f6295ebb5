"""A HOME with an odd path, and a second gateway on the same machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from openpoort.app.home import create
from openpoort.store.postgres.postmaster import processes_in
from tests.e2e.gateway import Gateway, openpoort


@pytest.mark.parametrize("name", ["a b, c", """it's "here" """])
def test_a_home_with_an_odd_path_runs_and_leaves_no_server_behind(
    tmp_path: Path, name: str
) -> None:
    gateway = Gateway(tmp_path / name)
    create(gateway.home)
    gateway.start()
    listed = openpoort("message", "list", gateway.home, "--json")
    assert json.loads(listed.stdout) == {"messages": [], "behind": 0}, listed.stderr
    assert gateway.stop() == 0
    assert processes_in(gateway.home / "postgres" / "data") == []


def test_two_gateways_with_port_0_run_beside_each_other(tmp_path: Path) -> None:
    """As `init` makes them, with the same ports in both files and none in the environment."""
    running = []
    try:
        for name in ("one", "two"):
            create(tmp_path / name)
            process = subprocess.Popen(
                [sys.executable, "-m", "openpoort", "serve", "--home", str(tmp_path / name),
                 "--port", "0", "--json"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            running.append(process)
        ready = [json.loads(p.stdout.readline())["ready"] for p in running if p.stdout]
        assert len(set(ready)) == 2
        health = {(tmp_path / name / "run" / "health").read_text() for name in ("one", "two")}
        assert len(health) == 2
    finally:
        for process in running:
            process.terminate()
        assert [p.wait(60) for p in running] == [0, 0]
        for process in running:
            assert process.stdout is not None
            process.stdout.close()
