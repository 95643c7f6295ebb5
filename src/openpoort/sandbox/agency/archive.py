"""What an agency keeps: every message once, byte for byte, in a file that any `tar` reads.

    berichten.tar     KENMERK-NUMBER/inhoud, bijlage-1, bijlage-2, …, bericht.json
    ontvangsten.csv   one line per message: the receipt list

The tar file is the commit: a message is acknowledged when its members are synced, and one sync
serves all that wait. The list follows it without a sync of its own; after a crash the lines that
it lacks are made again. File names of senders are never used as paths.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from openpoort.domain.message import Bericht, Document
from openpoort.domain.octets import Octets, sha256
from openpoort.sandbox.agency import tarlog
from openpoort.sandbox.agency.tarlog import Member, TarLog

_TAR, _LAST = "berichten.tar", "bericht.json"
COLUMNS = (
    "ontvangen",
    "kenmerk",
    "berichtsoort",
    "berichtkenmerk",
    "digest",
    "bytes",
    "bijlagen",
    "aanleverkenmerk",
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One line of the receipt list. `digest` is SHA-256 of `inhoud` in lower-case hex; `bytes`
    its size; `bijlagen` the digests of the attachments in order, joined by spaces."""

    ontvangen: datetime
    kenmerk: str
    berichtsoort: str
    berichtkenmerk: str
    digest: str
    bytes: int
    bijlagen: str
    aanleverkenmerk: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two deliveries one: the agency can tell nothing else apart."""
        return self.kenmerk, self.berichtkenmerk

    def same_content(self, other: Receipt) -> bool:
        return (self.digest, self.bijlagen) == (other.digest, other.bijlagen)


class Archive:
    """One agency's folder. Safe between threads; one process per folder.

    `durable` False skips the syncs: for benches where the agency's disk is not what is measured.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._waiting: list[_Record] = []
        self._written = self._synced = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._list = folder / "ontvangsten.csv"
        _mend(self._list)
        self._known = {receipt.key: receipt for receipt in receipts(self._list)}
        self._file = self._list.open("a", encoding="utf-8", newline="")
        self._tar = folder / _TAR
        self._log = TarLog(self._tar, durable=durable)
        self._log.mend(_LAST, self._listed)
        self._file.flush()

    def keep(self, bericht: Bericht, at: datetime) -> tuple[Receipt, bool]:
        """The receipt of this message and whether it is new. On disk when this returns."""
        kept = self.take(bericht, at)
        self.commit()
        return kept

    def take(self, bericht: Bericht, at: datetime) -> tuple[Receipt, bool]:
        """As `keep`, but on disk only after the next `commit`: nobody may be told before."""
        receipt = _receipt(bericht, at)
        with self._lock:
            earlier = self._known.get(receipt.key)
        if earlier is None:
            record = _record(bericht, receipt)
            with self._lock:
                earlier = self._known.setdefault(receipt.key, receipt)
                if earlier is receipt:
                    self._waiting.append(record)
                    self._written += 1
        return earlier, earlier is receipt

    def commit(self) -> None:
        """Return when all that was taken so far is on disk; one sync serves all who wait.

        The list follows the log: who reads it sees nothing that a power cut could take back.
        """
        mine = self._written
        with self._syncing:
            if self._synced >= mine:
                return
            with self._lock:
                records = list(self._waiting)
            self._log.write([part for record in records for part in record.members])
            self._file.write("".join(record.line for record in records))
            self._file.flush()
            with self._lock:
                del self._waiting[: len(records)]
            self._synced += len(records)

    def _listed(self, members: Mapping[str, Member]) -> bool:
        """At the start: whether a message in the log is whole. One that the list lacks was synced
        just before a crash, or half; it is read, and listed if its digests are right."""
        try:
            told = json.loads(tarlog.read(self._tar, members[_LAST]))
            receipt = _told(told)
            if receipt.key in self._known:
                return True
            for row in told["documenten"]:
                found = hashlib.sha256(tarlog.read(self._tar, members[row["bestand"]]))
                if found.hexdigest() != row["sha256"]:
                    return False
        except (ValueError, KeyError, TypeError):
            return False
        self._known[receipt.key] = receipt
        self._file.write(_line(receipt))
        return True

    def __len__(self) -> int:
        return len(self._known)

    def close(self) -> None:
        self._file.close()
        self._log.close()


def contents(folder: Path, receipt: Receipt) -> dict[str, bytes]:
    """What was kept of a message, by name (`inhoud`, `bijlage-1`, `bericht.json`); nothing if it
    is not there."""
    wanted = _name(receipt) + "/"
    path = folder / _TAR
    found = [m for m in tarlog.members(path) if m.name.startswith(wanted)]
    return {m.name.removeprefix(wanted): tarlog.read(path, m) for m in found}


@dataclass(frozen=True, slots=True)
class _Record:
    """A message as it stands in the log, and its line in the list."""

    line: str
    members: Sequence[Octets]


def _record(bericht: Bericht, receipt: Receipt) -> _Record:
    documents = [bericht.inhoud, *bericht.bijlagen]
    files: dict[str, Octets] = {
        name: document.inhoud
        for name, document in zip(_names(len(documents)), documents, strict=True)
    }
    files[_LAST] = _pretty(metadata(bericht, receipt)).encode()
    name, seconds = _name(receipt), int(receipt.ontvangen.timestamp())
    packed = [tarlog.packed(f"{name}/{file}", body, seconds) for file, body in files.items()]
    return _Record(_line(receipt), tuple(chain.from_iterable(packed)))


def _pretty(fields: dict[str, object]) -> str:
    """A line per field. Not `indent`, with which `json` leaves its quick encoder."""
    lines = (f'  "{name}": {_ENCODE(value)}' for name, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def receipts(path: Path) -> Iterator[Receipt]:
    """The lines of a receipt list, oldest first; nothing if there is no list yet."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        next(file, None)
        yield from _rows(file)


def _rows(lines: Iterable[str]) -> Iterator[Receipt]:
    """Receipts of lines without the heading."""
    for row in csv.DictReader(lines, COLUMNS):
        yield Receipt(
            ontvangen=datetime.fromisoformat(row["ontvangen"]),
            kenmerk=row["kenmerk"],
            berichtsoort=row["berichtsoort"],
            berichtkenmerk=row["berichtkenmerk"],
            digest=row["digest"],
            bytes=int(row["bytes"]),
            bijlagen=row["bijlagen"],
            aanleverkenmerk=row["aanleverkenmerk"],
        )


def _told(fields: Mapping[str, Any]) -> Receipt:
    """The receipt of a message by its `bericht.json`. Raises KeyError, ValueError, TypeError."""
    inhoud, *bijlagen = fields["documenten"]
    return Receipt(
        ontvangen=datetime.fromisoformat(fields["ontvangen"]),
        kenmerk=fields["kenmerk"],
        berichtsoort=fields["berichtsoort"],
        berichtkenmerk=fields["berichtkenmerk"],
        digest=inhoud["sha256"],
        bytes=inhoud["bytes"],
        bijlagen=" ".join(row["sha256"] for row in bijlagen),
        aanleverkenmerk=fields["aanleverkenmerk"] or "",
    )


def _name(receipt: Receipt) -> str:
    """The folder of a message in the log. A berichtkenmerk is somebody's text, so its digest
    names it."""
    name = hashlib.sha256(receipt.berichtkenmerk.encode()).hexdigest()[:16]
    kenmerk = hashlib.sha256(receipt.kenmerk.encode()).hexdigest()[:32]
    known = len(receipt.kenmerk) <= 40 and receipt.kenmerk.replace("-", "").isalnum()
    safe = receipt.kenmerk if known and receipt.kenmerk.isascii() else kenmerk
    return f"{safe}-{name}"


def metadata(bericht: Bericht, receipt: Receipt) -> dict[str, object]:
    """Everything of the delivery but the contents; identities in full, this is the agency's."""
    documents = [bericht.inhoud, *bericht.bijlagen]
    digests = [receipt.digest, *receipt.bijlagen.split()]
    names = _names(len(documents))
    rows = [_described(*each) for each in zip(names, documents, digests, strict=True)]
    fields = {
        name: getattr(bericht, name)
        for name in bericht.__dataclass_fields__
        if name not in ("inhoud", "bijlagen")
    }
    return {**fields, "ontvangen": receipt.ontvangen.isoformat(), "documenten": rows}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else asdict(value)  # type: ignore[call-overload]  # all others are dataclasses


_ENCODE = json.JSONEncoder(ensure_ascii=False, default=_plain).encode


def _described(name: str, document: Document, digest: str) -> dict[str, object]:
    return {
        "bestand": name,
        "mimeType": document.mime_type,
        "bestandsnaam": document.bestandsnaam,
        "sha256": digest,
        "bytes": len(document.inhoud),
    }


def _names(count: int) -> list[str]:
    return ["inhoud", *(f"bijlage-{number}" for number in range(1, count))]


def _receipt(bericht: Bericht, at: datetime) -> Receipt:
    """Whole milliseconds, because the answer holds no more: list and answer must be equal."""
    at = at.astimezone(UTC)
    return Receipt(
        ontvangen=at.replace(microsecond=at.microsecond // 1000 * 1000),
        kenmerk=bericht.kenmerk,
        berichtsoort=bericht.berichtsoort,
        berichtkenmerk=bericht.berichtkenmerk,
        digest=sha256(bericht.inhoud.inhoud).hex(),
        bytes=len(bericht.inhoud.inhoud),
        bijlagen=" ".join(sha256(d.inhoud).hex() for d in bericht.bijlagen),
        aanleverkenmerk=bericht.aanleverkenmerk or "",
    )


def _line(receipt: Receipt) -> str:
    text = io.StringIO()
    at, *rest = (getattr(receipt, column) for column in COLUMNS)
    csv.writer(text).writerow([at.isoformat(), *rest])
    return text.getvalue()


def _mend(path: Path) -> None:
    """Cut a last line that a crash left half: it was never acknowledged."""
    if not path.exists() or not path.stat().st_size:
        path.write_text(",".join(COLUMNS) + "\r\n", encoding="utf-8", newline="")
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
