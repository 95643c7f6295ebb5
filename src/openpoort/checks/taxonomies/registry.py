"""The taxonomies of one installation: files under HOME/taxonomies, one folder each.

Several releases stand side by side although their address ranges overlap: an entry point belongs
to one taxonomy, and only that taxonomy's packages are loaded for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from openpoort.checks.taxonomies.dts import Walker
from openpoort.checks.taxonomies.installed import CONFIGURED, MANIFEST, Installed
from openpoort.checks.taxonomies.package import Package, PackageRefused, open_package
from openpoort.process.ports import CheckUnavailable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_READ = frozenset((MANIFEST, *CONFIGURED))
Verify = Callable[[Sequence[Path], str], tuple[list[str], dict[str, int]]]
"""(packages, entry point) -> reasons to refuse, and what the processor remarked, by code."""


class Registry:
    """Reads the folder again when it changed: a running gateway sees an added taxonomy."""

    def __init__(self, home: Path | None) -> None:
        # Absolute: the processor works with absolute paths, and its guard compares them.
        self.folder = home.resolve() / "taxonomies" if home is not None else None
        self._lock = threading.Lock()
        self._seen: object = None
        self._entries: dict[str, Installed] = {}

    def all(self) -> list[Installed]:
        """By name."""
        if self.folder is None or not self.folder.is_dir():
            return []
        return [Installed.load(p.parent) for p in sorted(self.folder.glob(f"*/{MANIFEST}"))]

    def find(self, entry: str) -> Installed | None:
        """The taxonomy that has this entry point.

        CheckUnavailable when the folder cannot be read: the message is not to blame.
        """
        return self._current().get(entry)

    def entries_of(self, kind: str) -> set[str]:
        """Entry points that taxonomies map to this berichtsoort. CheckUnavailable as above."""
        taxonomies = {t.name: t for t in self._current().values()}
        return {e for t in taxonomies.values() for e in t.kinds.get(kind, [])}

    def entries(self) -> list[str]:
        """All entry points, sorted. CheckUnavailable as above."""
        return sorted(self._current())

    def _current(self) -> dict[str, Installed]:
        with self._lock:
            try:
                state = self._state()
                if state != self._seen:
                    self._entries = {e: t for t in self.all() for e in t.entries}
                    self._seen = state
            except (OSError, ValueError, TypeError) as wrong:
                raise CheckUnavailable(f"taxonomies cannot be read: {wrong}") from None
            return self._entries

    def _state(self) -> object:
        """What tells each file that is read from another in its place, packages included: asked
        for every filing, so with few calls. A file put there with an old time is a new file."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.folder) if self.folder else ():  # noqa: PTH208  # many calls
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    for file in os.scandir(f"{self.folder}/{name}"):
                        if file.name in _READ or file.name.endswith(".zip"):
                            now = file.stat()
                            found.append((file.path, now.st_ino, now.st_size, now.st_ctime_ns))
        return sorted(found)

    def get(self, name: str) -> Installed:
        """KeyError when there is none of this name."""
        for taxonomy in self.all():
            if taxonomy.name == name:
                return taxonomy
        raise KeyError(name)

    def remove(self, name: str) -> None:
        shutil.rmtree(self.get(name).folder)

    def add(
        self,
        paths: Sequence[Path],
        *,
        name: str | None = None,
        rules: Sequence[str] | None = None,
        kinds: dict[str, list[str]] | None = None,
        verify: Verify | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Installed:
        """Install the first package, with the others it needs. PackageRefused with reasons.

        Everything is prepared in a folder apart and put in place with one rename.
        """
        if self.folder is None:
            raise PackageRefused(["there is no HOME to install it in"])
        name = name or re.sub(r"[^A-Za-z0-9._-]+", "-", paths[0].stem).strip("-.")
        if not _NAME.fullmatch(name) or (self.folder / name).exists():
            raise PackageRefused([f"the name {name!r} is taken or no usable name; give --name"])
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            packages = []
            for path in paths:
                packages.append(open_package(path))
                stack.callback(packages[-1].close)
            work = Path(tempfile.mkdtemp(prefix=".adding-", dir=self.folder))
            stack.callback(shutil.rmtree, work, ignore_errors=True)
            copies = self._copy(paths, work)
            manifest = self._prepare(packages, work, progress)
            if verify is not None:
                manifest["notes"] = _verified(verify, copies, manifest["entries"], progress)
            hints = json.loads(packages[0].hints())
            manifest["rules"] = list(rules) if rules is not None else hints.get("rules")
            manifest["kinds"] = hints.get("kinds", {}) | (kinds or {})
            manifest["severity"] = hints.get("severity", {})
            (work / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
            work.chmod(0o755)
            work.rename(self.folder / name)
        return self.get(name)

    @staticmethod
    def _copy(paths: Sequence[Path], work: Path) -> list[Path]:
        copies = []
        for number, path in enumerate(paths):
            copies.append(work / f"package-{number}.zip")
            shutil.copyfile(path, copies[-1])
        return copies

    def _prepare(
        self, packages: Sequence[Package], work: Path, progress: Callable[[str], None]
    ) -> dict[str, Any]:
        found = sorted(entry_points(packages[0]))
        if not found:
            raise PackageRefused(["no entry point: none is named, and no folder `entrypoints`"])
        taken = {e: t.name for t in self.all() for e in t.entries}
        if clash := [e for e in found if e in taken]:
            raise PackageRefused([f"{e} is already installed by {taken[e]}" for e in clash[:5]])
        walker, entries = Walker(packages), {}
        for number, entry in enumerate(found):
            progress(f"reading {entry}")
            outline = walker.outline(entry)
            entries[entry] = f"outline-{number}.json"
            (work / entries[entry]).write_text(outline.dumps(), "utf-8")
        if walker.problems:
            raise PackageRefused(_first(list(walker.problems)))
        digest = hashlib.sha256((work / "package-0.zip").read_bytes()).hexdigest()
        return {
            "title": packages[0].name,
            "version": packages[0].version,
            "digest": digest,
            "entries": entries,
            "unchecked": walker.unchecked(),
        }


def entry_points(package: Package) -> Iterable[str]:
    """Those the package names; else every schema in a folder `entrypoints`."""
    if package.entries:
        return package.entries
    schemas = [n for n in package.names if "/entrypoints/" in n and n.endswith(".xsd")]
    return [a for a in map(package.address, schemas) if a is not None]


def _verified(
    verify: Verify, copies: Sequence[Path], entries: Iterable[str], progress: Callable[[str], None]
) -> dict[str, int]:
    reasons: list[str] = []
    notes: dict[str, int] = {}
    for entry in entries:
        progress(f"verifying {entry}")
        refused, remarked = verify(copies, entry)
        reasons += [f"{entry}: {reason}" for reason in refused]
        for code, count in remarked.items():
            notes[code] = notes.get(code, 0) + count
    if reasons:
        raise PackageRefused(_first(reasons))
    return notes


def _first(reasons: list[str], most: int = 25) -> list[str]:
    rest = len(reasons) - most
    return reasons[:most] + ([f"and {rest} more"] if rest > 0 else [])
