"""`openpoort demo`: the command of the README, from nothing to `demo ok`."""

from __future__ import annotations

import tarfile
from pathlib import Path

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
