"""What a judging child may read: the packages, the standard schemas, the instance. Nothing else.

An instance may name any address: a file of this machine, a neighbour's filing, the network. The
reference processor would open the first two, also when it works offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpoort.checks.taxonomies.dts import standard


def guard(cache: Any, packages: Sequence[Path], instance: Path | None, documents: int) -> None:
    """Replace the one function through which Arelle comes to a file name."""
    original = cache.__class__.getfilename
    inside = tuple(f"{p}/" for p in packages)
    asked: set[str] = set()

    def getfilename(url: str | None, *args: Any, **kwargs: Any) -> Any:
        if url is None or url == str(instance) or url.startswith(inside):
            return original(cache, url, *args, **kwargs)
        asked.add(url)
        if len(asked) > documents or standard(url) is None:
            return None
        return original(cache, url, *args, **kwargs)

    cache.getfilename = getfilename
