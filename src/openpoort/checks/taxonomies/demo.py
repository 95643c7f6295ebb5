"""Installing our own two taxonomies, so that a new home checks for real."""

from __future__ import annotations

import tempfile
from pathlib import Path

from openpoort.checks.demo import packages
from openpoort.checks.taxonomies.registry import Registry


def install_demo(home: Path) -> list[str]:
    """The names of those that were not there yet. Their verification is a test of the project."""
    registry = Registry(home)
    known = {taxonomy.name for taxonomy in registry.all()}
    added = []
    for name, content in packages().items():
        if name not in known:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"{name}.zip"
                path.write_bytes(content)
                registry.add([path], name=name)
            added.append(name)
    return added
