"""The programs of PostgreSQL that fit a server: a copy of its data starts only with its version."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from openpoort.store.postgres.postmaster import ServerFailed
from openpoort.store.postgres.run_as import binaries

_PLACES = (
    "/usr/lib/postgresql/{0}/bin",  # Debian and its kin
    "/usr/pgsql-{0}/bin",  # Red Hat and its kin
    "/usr/libexec/postgresql{0}",  # Alpine
    "/opt/homebrew/opt/postgresql@{0}/bin",
    "/usr/local/opt/postgresql@{0}/bin",
)
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
NEEDED = ("postgres", "pg_basebackup")


def fitting(major: int, named: Path | None = None) -> Path:
    """The folder with the programs of version `major`: `named`, ours, or where systems put them.

    Raises ServerFailed, which says what to install.
    """
    if named is not None:
        found = version(named)
        if found != major:
            what = f"are of PostgreSQL {found}" if found else f"are not all there ({_both()})"
            raise ServerFailed(f"the server is PostgreSQL {major}; the programs in {named} {what}")
        return named
    for place in _places(major):
        if version(place) == major:
            return place
    raise ServerFailed(
        f"the server is PostgreSQL {major}, and a copy of it starts only with programs of "
        f"{major}: install {_both()} of {major} (Debian: postgresql-{major}), or name their "
        "folder with --programs"
    )


def version(folder: Path) -> int | None:
    """The major version of the programs in `folder`; None when one is not there."""
    found = set()
    for name in NEEDED:
        try:
            done = subprocess.run(
                [folder / name, "--version"], capture_output=True, text=True, check=True, cwd="/"
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        said = _VERSION.search(done.stdout)
        found.add(int(said[1]) if said else None)
    return found.pop() if len(found) == 1 else None


def _places(major: int) -> Iterator[Path]:
    yield binaries()
    yield from (Path(place.format(major)) for place in _PLACES)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _both() -> str:
    return " and ".join(NEEDED)
