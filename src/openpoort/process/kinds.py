"""Message kinds from TOML files: those shipped here, and those of an installation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from openpoort.domain.kind import Kind


def load(folder: Path | None = None) -> Mapping[str, Kind]:
    """By berichtsoort. Files in `folder` add to the shipped ones or replace them."""
    raise NotImplementedError
