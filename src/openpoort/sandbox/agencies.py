"""The demo agencies as data: the rows of `agencies.toml`, by name as a directory has them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoAgency:
    """`certificate` is the file name in `pki/`; `habits` per berichtsoort, as the file has them."""

    name: str
    certificate: str
    oin: str
    organisation: str
    habits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"{self.name.lower()}.openpoort.test"


def _rows() -> tuple[DemoAgency, ...]:
    text = resources.files("openpoort.sandbox").joinpath("agencies.toml").read_text("utf-8")
    rows = [DemoAgency(**row) for row in tomllib.loads(text)["agency"]]
    return tuple(sorted(rows, key=lambda row: row.name))


AGENCIES = _rows()
