"""The image of `deploy/`: built without an engine or a registry, run as its user on a root that
cannot be written to. A chroot in a mount namespace stands for the engine; its network is ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "build" / "image"
DRIVER = os.environ.get("STORAGE_DRIVER", "overlay")
STORE = [
    "--storage-driver",
    DRIVER,
    "--root",
    str(IMAGE / "store"),
    "--runroot",
    str(IMAGE / "run"),
]

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("buildah") or not shutil.which("debootstrap"),
    reason="needs root, buildah and debootstrap",
)


def _buildah(*words: str) -> str:
    done = subprocess.run(
        ["buildah", *STORE, *words], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """The file system of a container of the image."""
    subprocess.run([str(ROOT / ".ci" / "image")], check=True, capture_output=True, timeout=900)
    container = _buildah("from", "localhost/openpoort")
    try:
        yield Path(_buildah("mount", container))
    finally:
        _buildah("rm", container)


def _as_an_engine_would(root: Path, volume: Path, command: str) -> list[str]:
    """Words that run `command` as user 990 on a read-only root with a volume and /tmp."""
    mounts = (
        f"mount --bind {root} {root} && mount -o remount,ro,bind {root}"
        f" && mount --bind {volume} {root}/var/lib/openpoort"
        f" && mount -t tmpfs -o mode=1777 tmpfs {root}/tmp"
        f" && mount --rbind /proc {root}/proc && mount --rbind /dev {root}/dev"
        f" && mount -t tmpfs tmpfs {root}/run && cd /"
        f" && exec chroot --userspec=990:990 {root} env -i HOME=/var/lib/openpoort"
        f" PATH=/opt/openpoort/bin:/usr/local/bin:/usr/bin:/bin"
        f" OPENPOORT_HOME=/var/lib/openpoort/home {command}"
    )
    return ["unshare", "--mount", "sh", "-c", mounts]


@pytest.fixture
def volume(tmp_path: Path, root: Path) -> Path:
    hosts = root / "etc" / "hosts"  # an engine writes this file
    hosts.write_text("127.0.0.1 localhost gateway\n")
    where = tmp_path / "volume"
    where.mkdir()
    os.chown(where, 990, 990)
    for above in where.parents:
        if above != Path(above.root) and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    return where


@pytest.mark.timeout(1200)
def test_the_demo_runs_in_the_image(root: Path, volume: Path) -> None:
    done = subprocess.run(
        _as_an_engine_would(root, volume, "openpoort demo /var/lib/openpoort/demo"),
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1:] == ["demo ok"], done.stdout + done.stderr


@pytest.mark.timeout(1200)
def test_the_image_serves_says_that_it_is_well_and_stops(root: Path, volume: Path) -> None:
    begins = "openpoort init $OPENPOORT_HOME --host gateway && exec openpoort serve $OPENPOORT_HOME"
    running = subprocess.Popen(
        _as_an_engine_would(root, volume, f"sh -c '{begins}'"),
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        ready = next(line for line in running.stdout if line.startswith("ready "))
        assert ready.startswith("ready https://")
        address = (volume / "home" / "run" / "health").read_text().strip()
        with urllib.request.urlopen(f"{address}/health/ready", timeout=10) as answer:
            assert answer.status == 200
        assert (volume / "home" / "openpoort.toml").stat().st_uid == 990
        running.terminate()
        assert running.wait(60) == 0
    finally:
        if running.poll() is None:
            os.killpg(running.pid, 9)
        running.communicate()


def test_the_image_holds_the_gateway_alone(root: Path) -> None:
    packages = next((root / "opt" / "openpoort" / "lib").glob("python3*")) / "site-packages"
    for absent in ("openpoort_lab", "weeg", "matplotlib", "pytest", "pip"):
        assert not (packages / absent).exists()
