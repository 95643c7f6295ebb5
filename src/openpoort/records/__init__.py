"""What was measured of this release, carried with it: one JSON file per record.

Each holds `command`, `day` and `result`. `clients`, `controls` and `frameworks` are written by
`make measure NAMES=...`, `chaos` by `make figures`, `new-kind` from `openpoort demo --kind ...
--since ... --json`. `support.toml` holds the last days of support of what the gateway stands on.
"""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from typing import Any


def record(name: str) -> dict[str, Any]:
    """Empty when the release carries none."""
    try:
        text = resources.files(__name__).joinpath(f"{name}.json").read_text("utf-8")
    except FileNotFoundError:
        return {}
    found: dict[str, Any] = json.loads(text)
    return found


def support() -> list[dict[str, Any]]:
    """Rows of `part`, `until`, `looked_up` and `source`."""
    text = resources.files(__name__).joinpath("support.toml").read_text("utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["part"]
    return rows
