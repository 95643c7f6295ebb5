"""The cases as files, with a home that has their taxonomy."""

from __future__ import annotations

from pathlib import Path

from openpoort.checks.taxonomies.registry import Registry
from openpoort.devkit.cases.cases import cases
from openpoort.devkit.cases.taxonomy import package


def install(folder: Path) -> Path:
    """A home under `folder` with the taxonomy of the cases and nothing else."""
    home, path = folder / "home", folder / "proef.zip"
    path.write_bytes(package())
    Registry(home).add([path], name="proef")
    return home


def write(folder: Path) -> list[Path]:
    """One file for each case, named after it."""
    folder.mkdir(exist_ok=True)
    paths = []
    for case in cases():
        paths.append(folder / f"{case.name}.xbrl")
        paths[-1].write_bytes(case.content)
    return paths
