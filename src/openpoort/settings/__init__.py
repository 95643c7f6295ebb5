"""Typed settings from openpoort.toml and the environment; read once, by app and cli only.

`OPENPOORT_DOOR_PORT=9443` overrides `port` in `[door]`. A key or a value that is not known is
refused with what to change, never ignored.
"""

from openpoort.settings.reading import load
from openpoort.settings.values import (
    FILE,
    Certificate,
    Checks,
    Prices,
    S3Place,
    Settings,
    SettingsError,
)

__all__ = [
    "FILE",
    "Certificate",
    "Checks",
    "Prices",
    "S3Place",
    "Settings",
    "SettingsError",
    "load",
]
