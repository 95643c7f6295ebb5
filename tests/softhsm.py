"""A fresh SoftHSM token with keys of a development PKI; skips where SoftHSM is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_LIBRARIES = (
    os.environ.get("SOFTHSM2_MODULE", ""),
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
)
PIN = "24680"


@dataclass(frozen=True, slots=True)
class Token:
    """`uri` names the token; add the key with `key`. `environment` is what SoftHSM needs."""

    uri: str
    environment: Mapping[str, str]

    def key(self, which: str) -> str:
        return self.uri.replace("?", f";{which}?")


@contextmanager
def token(folder: Path, names: tuple[str, ...] = ("server", "bedrijf")) -> Iterator[Token]:
    """Holds `names` of the PKI in `folder`, with ids 01, 02 and so on."""
    library = next((p for p in _LIBRARIES if p and Path(p).exists()), None)
    util = shutil.which("softhsm2-util")
    if library is None or util is None:
        pytest.skip("SoftHSM (package softhsm2) is not installed")
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    (folder / "pin").write_text(PIN + "\n")
    tool = [util, "--module", library]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(config))
        _run(tool, "--init-token", "--free", "--label", "poort", "--so-pin", "1357", "--pin", PIN)
        for number, name in enumerate(names, 1):
            where = ["--token", "poort", "--label", name, "--id", f"0{number}", "--pin", PIN]
            _run(tool, "--import", str(folder / f"{name}.key"), *where)
        uri = f"pkcs11:token=poort?module-path={library}&pin-source={folder / 'pin'}"
        yield Token(uri, {"SOFTHSM2_CONF": str(config)})


def _run(tool: list[str], *words: str) -> None:
    subprocess.run([*tool, *words], check=True, capture_output=True)
