"""One taxonomy of an installation: where it lies, what it serves, how strict its formulas are.

`taxonomy.json` is written when the taxonomy is added. Two files beside it are the operator's, in
the format of the SBR agreement (CSV with a head line): `disabled_formulas.csv` (Bestand, Formula
localname, roleuri, entrypoint, datum buiten gebruik) and `severity.csv` (Formula localname,
entrypoint, severity).
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from openpoort.checks.taxonomies.outline import Outline
from openpoort.domain.finding import Severity
from openpoort.process.ports import CheckUnavailable

MANIFEST = "taxonomy.json"
DISABLED, SEVERITY = "disabled_formulas.csv", "severity.csv"
CONFIGURED = (DISABLED, SEVERITY)
"""Files of the operator: read with the manifest, and again when they changed."""


@dataclass
class Installed:
    """`entries`: address -> file of its outline. `kinds`: berichtsoort -> entry points.
    `unchecked`: relationships that no check looks at, by name."""

    folder: Path
    title: str
    version: str
    digest: str
    entries: Mapping[str, str]
    rules: tuple[str, ...] | None = None
    kinds: Mapping[str, list[str]] = field(default_factory=dict)
    severity: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    unchecked: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def packages(self) -> list[Path]:
        return sorted(self.folder.glob("*.zip"))

    def changed(self) -> bool:
        """True when the first package is not the file that was added."""
        return hashlib.sha256(self.packages[0].read_bytes()).hexdigest() != self.digest

    @cached_property
    def fingerprint(self) -> str:
        """Of the bytes of all packages, as they lie there now; read once."""
        digest = hashlib.sha256()
        for package in self.packages:
            digest.update(hashlib.sha256(package.read_bytes()).digest())
        return digest.hexdigest()

    @classmethod
    def load(cls, folder: Path) -> Installed:
        raw: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        rules = raw.pop("rules", None)
        return cls(folder, rules=None if rules is None else tuple(rules), **raw)

    def outline(self, entry: str) -> Outline:
        """Read once; KeyError for an entry point of another taxonomy.

        CheckUnavailable when the file is gone or broken.
        """
        if entry not in self._outlines:
            path = self.folder / self.entries[entry]
            try:
                self._outlines[entry] = Outline.loads(path.read_text("utf-8"))
            except (OSError, ValueError) as wrong:
                raise CheckUnavailable(f"outline of {self.name} cannot be read: {wrong}") from None
        return self._outlines[entry]

    @cached_property
    def _outlines(self) -> dict[str, Outline]:
        return {}

    def kvk(self, entry: str) -> bool:
        """FR-KVK and BR-KVK apply: as the manifest says, else when the address names KvK."""
        if self.rules is not None:
            return "kvk" in self.rules
        return "/kvk/" in entry or "/kvk-rpt-" in entry

    def disabled(self, assertion: str, entry: str, today: date | None = None) -> bool:
        """True when a row names the assertion (for this or every entry point), from its date."""
        day = today or datetime.now(UTC).date()
        return any(
            (not entries or entry in entries or entry.endswith(entries)) and start <= day
            for name, entries, start in self._disabled
            if name == assertion
        )

    @cached_property
    def _disabled(self) -> list[tuple[str, str, date]]:
        return [
            (row["formula localname"], row.get("entrypoint", ""), _day(row))
            for row in rows(self.folder / DISABLED)
            if row.get("formula localname")
        ]

    def severity_of(self, assertion: str, entry: str) -> Severity:
        """An unsatisfied assertion rejects unless configured otherwise."""
        for row in self._severities:
            wanted = row.get("entrypoint", "")
            if row.get("formula localname") == assertion and (not wanted or entry.endswith(wanted)):
                return Severity(row["severity"].lower())
        return Severity(self.severity.get(assertion, "error"))

    @cached_property
    def _severities(self) -> list[dict[str, str]]:
        return list(rows(self.folder / SEVERITY))


def _day(row: Mapping[str, str]) -> date:
    """The date a formula went out of use; the beginning of time when none is given."""
    text = row.get("datum buiten gebruik", "").strip()
    for pattern in ("%Y-%m-%d", "%d-%m-%Y", "%Y%m%d"):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return date.min


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV by lower-case heading; comma or semicolon; none when there is no file."""
    if not path.exists():
        return
    text = path.read_text("utf-8-sig")
    delimiter = ";" if text.split("\n", 1)[0].count(";") else ","
    for row in csv.DictReader(text.splitlines(), delimiter=delimiter, skipinitialspace=True):
        yield {(k or "").strip().lower(): (v or "").strip() for k, v in row.items() if k}
