"""The cases and the made-up instances as files."""

from __future__ import annotations

from pathlib import Path

from openpoort.checks.index.shelf import Shelf
from openpoort.checks.taxonomies.registry import Registry
from openpoort_lab.cases.cases import cases
from openpoort_lab.cases.made import made
from openpoort_lab.cases.taxonomy import package


def install(folder: Path, content: bytes | None = None) -> Path:
    """A home under `folder` with this package and nothing else, or that of the cases."""
    home, path = folder / "home", folder / "proef.zip"
    path.write_bytes(package() if content is None else content)
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


def write_made(registry: Registry, count: int, seed: int, folder: Path) -> list[Path]:
    """`count` made-up instances of each installed entry point that can be compiled."""
    paths = []
    for taxonomy in registry.all() if count else []:
        for entry in taxonomy.entries:
            index = Shelf().get(taxonomy, entry)
            for number, content in enumerate(made(index, count, seed) if index else ()):
                name = entry.rpartition("/")[2].removesuffix(".xsd")
                paths.append(folder / f"{taxonomy.name}--{name}--{number}.xbrl")
                paths[-1].write_bytes(content)
    return paths
