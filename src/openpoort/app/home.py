"""HOME: the folder that holds one gateway. `create` fills an empty one, ready to serve.

openpoort.toml  settings            directory.toml  parties, applied at the first serve
pki/            development PKI     kinds/          own message kinds (added or replaced)
samples/        one per kind        taxonomies/     our own two; others are added
postgres/, run/ made by serve
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from openpoort.checks.taxonomies.demo import install_demo
from openpoort.sandbox import directory, pki, samples
from openpoort.settings import FILE

DIRECTORY = "directory.toml"
_PERSONAL = (DIRECTORY, "agency", "payloads", "measures")
"""What of a HOME tells of parties or messages, beside the database."""

_TOML = """\
# Settings of this gateway. Every key: docs/reference/settings.md, or `OPENPOORT_DOOR_PORT=9443`
# and the like in the environment.

[door]
hosts = [{hosts}]
bind = [{bind}]
port = 8443
rate = 0            # requests a second per sender; 0: no limit, for load tests come from one

[tls]
trust = "pki/trust.toml"

[[tls.certificates]]
hosts = [{hosts}]
certificate = "pki/server.pem"
key = "pki/server.key"

# [database]
# url = "postgresql://openpoort@db.example/openpoort"   # without it: an embedded PostgreSQL

# Invented agencies that receive and answer, as a process of their own.
[agency]
demo = true
port = 8444

# aanleverkenmerk "Happyflow", "Afleverfout" and the like steer the process, as in the
# Aansluit Suite. Never on a gateway that carries real messages.
[switches]
aansluit_suite = true
"""


class HomeExists(Exception):
    """There is something already; nothing was changed."""


def create(home: Path, hosts: Sequence[str] = ()) -> None:
    """Make a gateway in `home`, answering to localhost, 127.0.0.1 and `hosts`.

    Raises HomeExists rather than overwrite anything.
    """
    home = home.resolve()
    if home.exists() and not home.is_dir():
        raise HomeExists(f"{home} is a file")
    if (home / FILE).exists():
        raise HomeExists(f"{home} is an openpoort home already; remove it or choose another folder")
    if home.exists() and any(home.iterdir()):
        raise HomeExists(f"{home} is not empty; choose a folder that is")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    pki.create(home / "pki", tuple(hosts))
    (home / "kinds").mkdir()
    (home / DIRECTORY).write_text(directory.default(), encoding="utf-8")
    samples.write(home / "samples")
    install_demo(home)
    # Last: the file that makes the folder a home stands only when all the rest does.
    (home / FILE).write_text(_toml(hosts), encoding="utf-8")


def for_the_owner(home: Path) -> None:
    """Close what an earlier version, or a hand, left open to others: parties, receipts, letters.

    Only what is ours; a file that goes meanwhile, or that we may not change, stays as it is.
    """
    for name in _PERSONAL:
        top = home / name
        for path in (top, *(top.rglob("*") if top.is_dir() else ())):
            with contextlib.suppress(OSError):
                found = path.lstat()
                open_to_others = stat.S_IMODE(found.st_mode) & 0o077
                if open_to_others and found.st_uid == os.geteuid() and not path.is_symlink():
                    path.chmod(stat.S_IMODE(found.st_mode) & 0o700)


def _toml(hosts: Sequence[str]) -> str:
    names = ["localhost", "127.0.0.1", *hosts]
    listed = ", ".join(f'"{name}"' for name in dict.fromkeys(names))
    # A name beside localhost means that others will call: then listen on every address.
    bind = '"0.0.0.0", "::"' if hosts else '"127.0.0.1", "::1"'
    return _TOML.format(hosts=listed, bind=bind)
