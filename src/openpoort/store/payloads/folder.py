"""Large documents as files, in a folder per day of acceptance with 256 sub-folders by digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from openpoort.domain.octets import Octets, in_pieces
from openpoort.store.payloads.payloads import (
    OWNER,
    Key,
    PayloadMissing,
    PayloadUnavailable,
    intact,
    named,
)
from openpoort.store.payloads.spool import Spooled
from openpoort.telemetry import logger

_NEW = "new-"
_SYNCED = 16
"""Pieces brought to disk at once: a commit waits for whatever its disk has to bring there then."""
_log = logger("store")


@dataclass(frozen=True, slots=True)
class Folder:
    path: Path
    place: str = "folder"

    def _file(self, key: Key) -> Path:
        day, digest = key
        name = digest.hex()
        return self.path / day.isoformat() / name[:2] / name[2:]

    def put(self, key: Key, body: Octets) -> None:
        target = self._file(key)
        with self._reachable():
            if not self._stands(target, key[1]):
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write(target, body)
            # Also when it stood: whoever put it may not have come this far.
            for folder in (target.parent, target.parent.parent, self.path, self.path.parent):
                _sync(folder)

    def get(self, key: Key) -> Spooled:
        with self._reachable():
            try:
                body = Spooled.standing(self._file(key))
            except FileNotFoundError:
                if not self.path.is_dir():
                    raise PayloadUnavailable(self.place, f"{self.path} is not there") from None
                raise PayloadMissing(f"no file for payload {key[1].hex()}") from None
        return intact(body, key[1], self.place)

    def old(self, before: datetime) -> Iterable[Key]:
        limit = before.timestamp()
        with self._reachable():
            for file in sorted(self.path.glob("*/??/*")):
                if file.stat().st_mtime >= limit:
                    continue
                day = file.parent.parent.name
                key = named(f"{day}/{file.parent.name}{file.name}")
                if key is not None and key[0] < before.date():
                    yield key
                elif file.name.startswith(_NEW) and day < before.date().isoformat():
                    file.unlink(missing_ok=True)  # a write that a crash cut short

    def remove(self, keys: Sequence[Key]) -> None:
        with self._reachable():
            for key in keys:
                file = self._file(key)
                file.unlink(missing_ok=True)
                with suppress(OSError):  # others of that day still stand there
                    file.parent.rmdir()
                    file.parent.parent.rmdir()

    def owner(self, claim: str) -> str:
        file = self.path / OWNER
        with self._reachable():
            if not self.path.is_dir():
                return claim  # nothing was put yet
            try:
                _write(file, claim.encode(), once=True)
            except FileExistsError:
                return file.read_text(errors="replace")
        return claim

    def _stands(self, target: Path, digest: bytes) -> bool:
        try:
            with target.open("rb") as file:
                return hashlib.file_digest(file, "sha256").digest() == digest
        except FileNotFoundError:
            return False

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """A full disk, a share that went away, a folder that may only be read: try again later."""
        try:
            yield
        except OSError as wrong:
            why = wrong.strerror or type(wrong).__name__
            _log.error("payload_store_unavailable", place=self.place, reason=why)
            raise PayloadUnavailable(self.place, why) from wrong


def _write(target: Path, body: Octets, *, once: bool = False) -> None:
    """Whole or not at all. Raises FileExistsError when `once` and something stands there."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=_NEW)
    try:
        with os.fdopen(handle, "wb") as file:
            for number, piece in enumerate(in_pieces(body), 1):
                file.write(piece)
                if number % _SYNCED == 0:
                    file.flush()
                    os.fsync(file.fileno())
            file.flush()
            os.fsync(file.fileno())
        if once:
            target.hardlink_to(name)
            Path(name).unlink()
        else:
            Path(name).rename(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
