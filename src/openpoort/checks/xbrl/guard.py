"""What a judging child may read: the packages, the standard schemas, the instance. Nothing else.

An instance may name any address: a file of this machine, a neighbour's filing, the network. The
reference processor would open the first two, also when it works offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def guard(cache: Any, packages: Sequence[Path], instance: Path | None, documents: int) -> None:
    """Replace the one function through which Arelle comes to a file name."""
    original = cache.__class__.getfilename
    inside = tuple(f"{p}/" for p in packages)
    allowed = {str(p) for p in packages} | {str(instance)}
    asked: set[str] = set()

    def getfilename(url: str | None, *args: Any, **kwargs: Any) -> Any:
        if url is None or url in allowed or url.startswith(inside):
            return original(cache, url, *args, **kwargs)
        asked.add(url)
        # An address leads to the empty cache of this process or to a standard schema: Arelle
        # works offline. Anything else is a path on this machine.
        if len(asked) > documents or urlsplit(url).scheme not in {"http", "https"}:
            return None
        return original(cache, url, *args, **kwargs)

    cache.getfilename = getfilename
