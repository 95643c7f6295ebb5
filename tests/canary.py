"""What may never be written to a log: used by the suite-wide check and the canary test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from openpoort.domain.ids import elfproef

MARK = "KANARIE7f3a91"
"""Put into payloads, names and headers by the canary test."""
BSN = "999990019"
_SECRET = re.compile(r"PRIVATE KEY-----")
_NINE = re.compile(r"(?<![0-9A-Za-z.])\d{9}(?![0-9A-Za-z])")


def leaks(text: str) -> list[str]:
    """What of it looks like a payload of the canary test, a BSN or a private key."""
    found = [n for n in _NINE.findall(text) if elfproef(n)]
    found += [MARK] if MARK in text else []
    return found + _SECRET.findall(text)


def written(home: Path) -> Iterator[Path]:
    """Every file a gateway writes for people to read: logs, events, checkpoints, run files. Not
    the data itself: database, payloads, and what the demo agencies keep."""
    data = {
        "postgres",
        "payloads",
        "agency",
        "pki",
        "samples",
        "kinds",
        "taxonomies",
        "directory.toml",
    }
    for path in sorted(home.rglob("*")):
        inside = path.relative_to(home).parts
        if path.is_file() and (inside[0] not in data or path.suffix == ".log"):
            yield path


def leaks_of(home: Path) -> list[str]:
    """`file: what` for each leak in what a gateway wrote."""
    return [
        f"{path.relative_to(home)}: {leak}"
        for path in written(home)
        for leak in leaks(path.read_text(errors="replace"))
    ]
